#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns files into a C source that holds them, as a table of base/embedded.h.

usage: embed.py [--gzip] --symbol NAME --root DIR --output OUT.c FILE...

A file's name in the table is its path below DIR. With --gzip its bytes are compressed.
"""
import argparse
import gzip
import os
import sys

ESCAPES = {0x22: '\\"', 0x5C: "\\\\", 0x0A: "\\n", 0x09: "\\t"}


def literal(byte):
    """One byte as it stands in a string literal; octal never runs into the digit that follows."""
    if byte in ESCAPES:
        return ESCAPES[byte]
    if 0x20 <= byte < 0x7F and byte != 0x3F:  # a '?' could begin a trigraph
        return chr(byte)
    return f"\\{byte:03o}"


def pieces(data, width=80):
    """The bytes as literals of one line each, broken after every line end of the file."""
    for line in data.splitlines(keepends=True):
        for start in range(0, len(line), width):
            yield '"' + "".join(map(literal, line[start : start + width])) + '"'


def source(symbol, names, contents):
    yield "/* Made by tools/embed.py; the files it names are what to edit. */"
    yield '#include "base/embedded.h"'
    yield ""
    yield f"const struct embedded {symbol}[] = {{"
    for name, data in zip(names, contents):
        yield "    {" + '"' + "".join(map(literal, name.encode())) + '",'
        for piece in pieces(data):
            yield "     " + piece
        yield f'     "", {len(data)}}},'
    yield "    {0},"
    yield "};"


def main():
    options = argparse.ArgumentParser(description="Turns files into a C source that holds them.")
    options.add_argument("--gzip", action="store_true")
    options.add_argument("--symbol", required=True)
    options.add_argument("--root", required=True)
    options.add_argument("--output", required=True)
    options.add_argument("files", nargs="*")
    args = options.parse_args()

    names = [os.path.relpath(path, args.root).replace(os.sep, "/") for path in args.files]
    contents = []
    for path in args.files:
        with open(path, "rb") as file:
            data = file.read()
        contents.append(gzip.compress(data, mtime=0) if args.gzip else data)
    with open(args.output, "w", encoding="ascii") as out:
        out.write("\n".join(source(args.symbol, names, contents)) + "\n")


if __name__ == "__main__":
    sys.exit(main())
