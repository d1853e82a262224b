// SPDX-License-Identifier: GPL-3.0-or-later
import './look/look.css';

import { mount } from 'svelte';

import App from './App.svelte';

mount(App, { target: document.getElementById('page')! });
