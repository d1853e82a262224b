#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is true of the tree as a whole, read from its files.

    structure.py SOURCE BUILD

Each check is a function from the tree to its complaints: FILE:LINE and what is wrong there.
structure_sees.py shows each of them a tree in which its rule is broken.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import tap

# Includes point up this list, never down.
ROOMS = ("base loop wire obs sources store explain report serve rehearse cmd").split()
# Rooms that see less than all above them.
SEES_ONLY = {"wire": {"base"}, "explain": {"base", "obs"}}
# No descriptors and no clock there: what these rooms say depends on what they are given, alone.
PURE = {"wire", "explain"}
IMPURE = re.compile(r"<(sys/(socket|epoll|stat|time|select|un|eventfd|timerfd)|netinet/.*|netdb|poll|time|"
                    r'unistd|fcntl|dirent|threads|pthread)\.h>|"base/clock\.h"|"loop/')

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"]([^>"]+)[>"])')

SPDX = "SPDX-License-Identifier: GPL-3.0-or-later"
NEEDS_SPDX = {".c", ".h", ".def", ".py", ".sh", ".sql"}

FOREIGN = re.compile(r"(?<![\w.])/(work|root|home/\w+|Users)/|"
                     r"\b(deb\.debian\.org|registry\.npmjs\.org|pypi\.org|files\.pythonhosted\.org|"
                     r"crates\.io|proxy\.golang\.org)\b")

EMBEDDED = "/* Made by tools/embed.py"

SCRATCH = {".git", ".cache", "__pycache__", "node_modules"}


class Tree:
    def __init__(self, source, build=None):
        self.source = Path(source)
        self.build = Path(build) if build else None

    def files(self, *folders, endings=None):
        """Paths relative to the source, in order; without what a build or Git keeps."""
        for folder in folders or ("",):
            for at, names, files in os.walk(self.source / folder):
                names[:] = sorted(name for name in names
                                  if name not in SCRATCH and not name.startswith("build"))
                for file in sorted(set(files) - SCRATCH):
                    path = Path(at, file)
                    if not endings or path.suffix in endings:
                        yield path.relative_to(self.source)

    def text(self, path):
        return (self.source / path).read_text(encoding="utf-8", errors="replace")

    def lines(self, path):
        return enumerate(self.text(path).splitlines(), 1)


def room_of(path):
    return path.parts[1] if len(path.parts) > 2 and path.parts[0] == "src" else None


def may_see(room, other):
    if room == other:
        return True
    if room in SEES_ONLY:
        return other in SEES_ONLY[room]
    return ROOMS.index(other) < ROOMS.index(room)


def includes_point_up(tree):
    for path in tree.files("src", endings={".c", ".h"}):
        room = room_of(path)
        if room not in ROOMS:
            yield f"{path}: '{room}' is not a room"
            continue
        for number, line in tree.lines(path):
            found = INCLUDE.match(line)
            if not found:
                continue
            if found[1].startswith('"'):
                other = found[2].partition("/")[0]
                if other not in ROOMS:
                    yield f"{path}:{number}: {found[1]} does not begin with a room"
                elif not may_see(room, other):
                    yield f"{path}:{number}: {room} does not see {other}"
            if room in PURE and IMPURE.match(found[1]):
                yield f"{path}:{number}: {room} has no descriptors and no clock: {found[1]}"


def own_header_first(tree):
    for path in tree.files("src", endings={".c"}):
        header = path.with_suffix(".h")
        if not (tree.source / header).exists():
            continue
        own = str(header.relative_to("src"))
        first = next((found[2] for _, line in tree.lines(path) if (found := INCLUDE.match(line))),
                     None)
        if first != own:
            yield f'{path}: includes "{first}" before its own "{own}"'


def compile_flags(tree):
    """How the build compiles a file, without the file: [compiler, flags…]."""
    with open(tree.build / "compile_commands.json", encoding="utf-8") as file:
        rows = json.load(file)
    row = next(row for row in rows if row["file"].endswith("src/base/str.c"))
    words = shlex.split(row["command"])
    words = [word for word in words if not word.startswith(("-M", "-fsanitize", "--coverage"))]
    for option in ("-o", "-c"):
        at = words.index(option)
        del words[at:at + 2]
    return [word for word in words if not word.endswith((".c", ".d"))], row["directory"]


def headers_stand_alone(tree):
    flags, directory = compile_flags(tree)

    def complaint(path):
        run = subprocess.run([*flags, "-fsyntax-only", "-fdiagnostics-color=never", "-x", "c", "-"], cwd=directory,
                             input=f'#include "{path.relative_to("src")}"\n',
                             capture_output=True, text=True)
        if run.returncode:
            said = run.stderr.splitlines()
            return f"{path}: {next((line for line in said if 'error' in line), said[0])}"
        return None

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from filter(None, pool.map(complaint, list(tree.files("src", endings={".h"}))))


def every_source_is_built(tree):
    with open(tree.build / "compile_commands.json", encoding="utf-8") as file:
        built = {os.path.realpath(os.path.join(row["directory"], row["file"]))
                 for row in json.load(file)}
    for path in tree.files("src", "test/unit", "fuzz", "bench", endings={".c"}):
        if os.path.realpath(tree.source / path) not in built:
            yield f"{path}: no meson.build lists it"


# Tables: the last quoted text in a row of words and fields, the second in a row of kinds.
ROW = re.compile(r'^(OBS|FIELD|WORD)\(')
QUOTED = re.compile(r'"([^"]*)"')


def table_rows(tree):
    for path in tree.files("src/obs", endings={".def"}):
        for number, line in tree.lines(path):
            if ROW.match(line):
                yield path, number, QUOTED.findall(line)


def every_row_has_a_sentence(tree):
    for path, number, quoted in table_rows(tree):
        if len(quoted) != 2 or not quoted[0] or len(quoted[1].split()) < 2:
            yield f"{path}:{number}: a name and a sentence are wanted"


def manual_text(tree):
    pages = [tree.text(path) for path in tree.files("man")]
    return "\n".join(pages).replace("\\-", "-")


def every_row_is_in_the_manual(tree):
    manual = manual_text(tree)
    for path, number, quoted in table_rows(tree):
        if quoted and not re.search(rf"(?<![\w-]){re.escape(quoted[0])}(?![\w-])", manual):
            yield f"{path}:{number}: no page under man/ names {quoted[0]}"


def is_script(tree, path):
    with open(tree.source / path, "rb") as file:
        return file.read(2) == b"#!"


def every_file_says_its_licence(tree):
    for path in tree.files():
        wants = path.suffix in NEEDS_SPDX or path.name == "Makefile" or is_script(tree, path)
        if wants and SPDX not in "\n".join(tree.text(path).splitlines()[:3]):
            yield f"{path}: no '{SPDX}' at its beginning"


def scripts_can_be_run(tree):
    for path in tree.files():
        if is_script(tree, path) and not os.access(tree.source / path, os.X_OK):
            yield f"{path}: begins as a script does, and has no run bit"


def every_fuzzer_has_a_corpus(tree):
    listed = set(re.findall(r"^  '(\w+)',", tree.text("fuzz/meson.build"), re.M))
    written = {path.stem[len("fuzz_"):] for path in tree.files("fuzz", endings={".c"})
               if path.name.startswith("fuzz_")}
    corpora = {path.parts[2] for path in tree.files("fuzz/corpus") if len(path.parts) > 3}
    for name in sorted(listed | written | corpora):
        lacks = [what for what, names in (("a line in fuzz/meson.build", listed),
                                          (f"fuzz/fuzz_{name}.c", written),
                                          (f"inputs in fuzz/corpus/{name}", corpora))
                 if name not in names]
        if lacks:
            yield f"fuzzer {name}: lacks {', '.join(lacks)}"


def nothing_foreign_is_named(tree):
    for path in tree.files():
        if path.parts[:2] in (("fuzz", "corpus"), ("test", "structure")):
            continue
        for number, line in tree.lines(path):
            if found := FOREIGN.search(line):
                yield f"{path}:{number}: names {found[0]}"


def all_knowledge_is_in_the_program(tree):
    tables = [path.read_text(encoding="utf-8", errors="replace") for path in tree.build.rglob("*.c")]
    embedded = "".join(text for text in tables if text.startswith(EMBEDDED))
    for path in tree.files("knowledge", endings={".yaml"}):
        if not re.search(rf'^ +{{"([\w-]+/)*{path.name}",$', embedded, re.M):
            yield f"{path}: is not built into the program"


CHECKS = [
    ("every include points up the rooms", includes_point_up),
    ("every .c file includes its own header first", own_header_first),
    ("every header stands alone", headers_stand_alone),
    ("every source is built", every_source_is_built),
    ("every row of the observation tables has a sentence", every_row_has_a_sentence),
    ("every row of the observation tables is in the manual", every_row_is_in_the_manual),
    ("every source file says its licence", every_file_says_its_licence),
    ("every script can be run", scripts_can_be_run),
    ("every fuzzer is listed and has a corpus", every_fuzzer_has_a_corpus),
    ("no file names a machine's paths or a package registry", nothing_foreign_is_named),
    ("all knowledge is built into the program", all_knowledge_is_in_the_program),
]


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    tree = Tree(sys.argv[1], sys.argv[2])
    tap.run([(name, lambda check=check: list(check(tree))) for name, check in CHECKS])


if __name__ == "__main__":
    main()
