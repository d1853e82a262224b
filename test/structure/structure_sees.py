#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows each check of structure.py a tree in which its rule is broken, once."""

import json
import tempfile
from pathlib import Path

import structure
import tap

SPDX = "/* SPDX-License-Identifier: GPL-3.0-or-later */\n"

EMBEDDED = structure.EMBEDDED + " */\n"

# check, what is in the tree, what the complaint has to say
BROKEN = [
    (structure.includes_point_up, {"src/base/a.c": '#include "loop/loop.h"'}, "base does not see loop"),
    (structure.includes_point_up, {"src/explain/a.c": '#include "store/b.h"'}, "explain does not see store"),
    (structure.includes_point_up, {"src/explain/a.c": '#include "wire/tls.h"'}, "explain does not see wire"),
    (structure.includes_point_up, {"src/wire/a.c": '#include "obs/obs.h"'}, "wire does not see obs"),
    (structure.includes_point_up, {"src/wire/a.c": "#include <sys/socket.h>"}, "no descriptors"),
    (structure.includes_point_up, {"src/explain/a.c": '#include "base/clock.h"'}, "no clock"),
    (structure.includes_point_up, {"src/base/a.c": '#include "str.h"'}, "does not begin with a room"),
    (structure.includes_point_up, {"src/cellar/a.c": ""}, "'cellar' is not a room"),
    (structure.own_header_first,
     {"src/base/a.h": "", "src/base/a.c": '#include <stdio.h>\n#include "base/a.h"'}, "before its own"),
    (structure.headers_stand_alone,
     {"src/base/str.c": "", "src/base/a.h": "size_t a(void);"}, "src/base/a.h"),
    (structure.every_source_is_built,
     {"src/base/str.c": "", "src/base/a.c": ""}, "src/base/a.c: no meson.build"),
    (structure.every_row_has_a_sentence,
     {"src/obs/kinds.def": 'OBS(A, "a", INFO, "")'}, "kinds.def:1"),
    (structure.every_row_is_in_the_manual,
     {"src/obs/kinds.def": 'OBS(A, "a-kind", INFO, "a thing was seen")', "man/x.1": "not-a-kind"},
     "names a-kind"),
    (structure.every_file_says_its_licence, {"src/base/a.c": "int a;"}, "src/base/a.c"),
    (structure.every_file_says_its_licence, {"tools/a": "#!/bin/sh"}, "tools/a"),
    (structure.scripts_can_be_run, {"tools/a": "#!/bin/sh"}, "no run bit"),
    (structure.every_fuzzer_has_a_corpus,
     {"fuzz/meson.build": "  'a',", "fuzz/fuzz_a.c": ""}, "inputs in fuzz/corpus/a"),
    (structure.every_fuzzer_has_a_corpus,
     {"fuzz/meson.build": "", "fuzz/fuzz_a.c": "", "fuzz/corpus/a/one": ""}, "a line in fuzz"),
    (structure.nothing_foreign_is_named, {"README": "see /home/somebody/notes"}, "/home/somebody/"),
    (structure.all_knowledge_is_in_the_program,
     {"knowledge/moments/a.yaml": "", "build/embedded.c": EMBEDDED + '    {"moments/b.yaml",'}, "moments/a.yaml"),
]

# What must not be complained of: one tree, all checks.
SOUND = {
    "src/base/str.h": SPDX + "#include <stddef.h>\nsize_t a(void);",
    "src/base/str.c": SPDX + '#include "base/str.h"\n#include <unistd.h>',
    "src/obs/kinds.def": SPDX + 'OBS(A, "a-kind", INFO, "a thing was seen")',
    "src/obs/obs.c": SPDX + '#include "base/str.h"\n#include "obs/kinds.def"',
    "src/explain/a.c": SPDX + '#include "obs/obs.h"\n#include "explain/b.h"',
    "man/x.1": "a\\-kind",
    "fuzz/meson.build": "  'a',",
    "fuzz/fuzz_a.c": SPDX,
    "fuzz/corpus/a/one": "",
    "knowledge/moments/a.yaml": "",
    "build/embedded.c": EMBEDDED + '    {"moments/a.yaml",',
}


def tree_of(folder, files):
    for name, text in files.items():
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
    build = Path(folder, "build")
    build.mkdir(exist_ok=True)
    listed = [name for name in files if name.endswith(".c") and files is SOUND or name.endswith("str.c")]
    (build / "compile_commands.json").write_text(json.dumps([
        {"directory": str(build), "file": f"../{name}",
         "command": f"cc -I../src -MD -o x.o -c ../{name}"} for name in listed]))
    return structure.Tree(folder, build)


def broken_tree_is_seen(check, files, says):
    with tempfile.TemporaryDirectory() as folder:
        complaints = list(check(tree_of(folder, files)))
    if len(complaints) == 1 and says in complaints[0]:
        return []
    return [f"wanted one complaint that says '{says}', got:", *complaints]


def sound_tree_is_left_alone():
    with tempfile.TemporaryDirectory() as folder:
        tree = tree_of(folder, SOUND)
        return [complaint for _, check in structure.CHECKS for complaint in check(tree)]


def every_check_is_shown():
    shown = {check for check, _, _ in BROKEN}
    return [f"{check.__name__} is shown no broken tree"
            for _, check in structure.CHECKS if check not in shown]


if __name__ == "__main__":
    cases = [(f"{check.__name__} sees {says}",
              lambda row=(check, files, says): broken_tree_is_seen(*row))
             for check, files, says in BROKEN]
    tap.run(cases + [("a sound tree is left alone", sound_tree_is_left_alone),
                     ("every check is shown a broken tree", every_check_is_shown)])
