// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Takes every step, one after another, and reports what came of each. The plain page then goes on
 * to the secure one, which does the same over TLS.
 */
import { STEPS } from '/steps.mjs';

async function take(step) {
    try {
        return await step();
    } catch (e) {
        return `failed: ${e}`;
    }
}

const loaded = new Promise(done => window.addEventListener('load', done));

async function all() {
    const found = {};
    await loaded;
    for (const step of STEPS) {
        const item = document.createElement('li');
        found[step.name] = await take(step);
        item.textContent = `${step.name}: ${JSON.stringify(found[step.name])}`;
        document.querySelector('#steps').append(item);
    }
    const report = JSON.stringify({ page: location.origin, found });
    await fetch('/report', { method: 'POST', body: report });
    if (location.protocol === 'http:')
        location = `https://secure-${location.host}/${location.search}`;
}

all();
