/* SPDX-License-Identifier: GPL-3.0-or-later */
/* shipped: the files of knowledge/ that are built into the program (knowledge/meson.build). */
#pragma once

#include "base/embedded.h"

extern const struct embedded knowledge_files[]; /* "endpoints/intune.yaml" and so on */
