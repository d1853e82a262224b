#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws what a command writes on a terminal, as SVG: the picture in README.md.

    picture.py [--columns N] [--lines FROM-TO] OUT.svg COMMAND…

The command really runs, on a pseudo-terminal; nothing is drawn that it did not write. It has to be
one that writes lines, not one that moves about on the screen.
"""

import argparse
import fcntl
import os
import pty
import re
import struct
import termios
from html import escape

CELL, LINE, MARGIN = 8.4, 20, 24
SGR = re.compile(r"\x1b\[([\d;]*)m")
COLOURS = {"31": "#e06c75", "32": "#98c379", "33": "#d9a441", "34": "#61afef",
           "35": "#c678dd", "36": "#56b6c2"}


def written_by(command, columns):
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm-256color"
        os.environ["COLUMNS"] = str(columns)
        os.environ.pop("NO_COLOR", None)
        os.execvp(command[0], command)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    written = b""
    while True:
        try:
            some = os.read(terminal, 65536)
        except OSError:  # what a closed pseudo-terminal says on Linux
            break
        if not some:
            break
        written += some
    os.waitpid(pid, 0)
    return written.decode("utf-8", errors="replace").replace("\r\n", "\n").split("\n")


def spans(line):
    """Runs of the same look: (column, text, style)."""
    column, at, look = 0, 0, set()
    for change in [*SGR.finditer(line), None]:
        text = line[at:change.start() if change else len(line)]
        if text:
            yield column, text, look_as_css(look)
            column += len(text)
        if change:
            at = change.end()
            for code in (change[1] or "0").split(";"):
                look = set() if code == "0" else look | {code}


def look_as_css(look):
    css = [f"fill:{COLOURS[code]}" for code in sorted(look) if code in COLOURS]
    css += ["font-weight:bold"] if "1" in look else []
    css += ["opacity:.6"] if "2" in look else []
    return ";".join(css)


def svg(lines, columns):
    width, height = columns * CELL + 2 * MARGIN, len(lines) * LINE + 2 * MARGIN
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" '
           'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14" fill="#d7dae0">')
    yield f'<rect width="{width:.0f}" height="{height}" rx="8" fill="#1e2127"/>'
    for number, line in enumerate(lines):
        for column, text, css in spans(line):
            if text.strip():
                x, y = MARGIN + column * CELL, MARGIN + number * LINE + 15
                style = f' style="{css}"' if css else ""
                yield (f'<text x="{x:.1f}" y="{y}" textLength="{len(text) * CELL:.1f}" '
                       f'xml:space="preserve"{style}>{escape(text)}</text>')
    yield "</svg>"


def main():
    options = argparse.ArgumentParser(description="Draws what a command writes on a terminal.")
    options.add_argument("--columns", type=int, default=100)
    options.add_argument("--lines", default="1-")
    options.add_argument("out")
    options.add_argument("command", nargs=argparse.REMAINDER)
    args = options.parse_args()

    first, _, last = args.lines.partition("-")
    lines = written_by(args.command, args.columns)[int(first) - 1:int(last) if last else None]
    with open(args.out, "w", encoding="utf-8") as file:
        file.write("\n".join(svg(lines, args.columns)) + "\n")


if __name__ == "__main__":
    main()
