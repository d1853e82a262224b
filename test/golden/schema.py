#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/explain.schema.json describes what the program writes, and leaves nothing of it out. TAP.

    schema.py PROGRAM SOURCE

Knows what of JSON Schema that file uses. A member that the schema does not name is a failure here,
though not for those who read the document.
"""

import json
import subprocess
import sys
from pathlib import Path

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


def is_a(value, name):
    if name == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, TYPES[name])


def complaints(value, schema, root, where="$"):
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(is_a(value, t) for t in types):
        yield f"{where}: {value!r} is not of type {types}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where}: {value!r} is none of {schema['enum']}"
    if "const" in schema and value != schema["const"]:
        yield f"{where}: {value!r} is not {schema['const']}"
    if "minimum" in schema and value < schema["minimum"]:
        yield f"{where}: {value} is too small"
    if "oneOf" in schema:
        fits = [s for s in schema["oneOf"] if not list(complaints(value, s, root, where))]
        if len(fits) != 1:
            yield f"{where}: fits {len(fits)} of oneOf"
    for name in schema.get("required", []):
        if name not in value:
            yield f"{where}: has no {name}"
    properties = schema.get("properties")
    for name in value if isinstance(value, dict) and properties is not None else []:
        if name in properties:
            yield from complaints(value[name], properties[name], root, f"{where}.{name}")
        else:
            yield f"{where}.{name}: the schema does not name it"
    for i, item in enumerate(value if "items" in schema else []):
        yield from complaints(item, schema["items"], root, f"{where}[{i}]")


def explain(program, form, *inputs):
    return subprocess.run([program, "explain", "--traffic", "--format", form, *inputs], check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout


def line_complaints(line, root):
    kind = line.pop("type")
    line.pop("flightstrip" if kind == "recording" else "device", None)
    schema = dict(root["$defs"][kind])
    if kind == "device":  # its lists are lines of their own
        lists = {name for name, p in schema["properties"].items() if p.get("type") == "array"}
        schema["required"] = [name for name in schema["required"] if name not in lists]
    return complaints(line, schema, root, kind)


def sums(document):
    for device in document["devices"]:
        phases = sum(p["end_ms"] - p["start_ms"] for p in device["phases"])
        if phases + device["unattributed_ms"] != device["end_ms"] - device["start_ms"]:
            yield f"{device['id']}: phases and unattributed time are not the whole"


def main(program, source):
    source = Path(source)
    root = json.loads((source / "docs/explain.schema.json").read_text(encoding="utf-8"))
    logs = sorted(str(p) for p in (source / "test/golden").glob("explain-*/access.log"))
    results = []
    for log in logs:
        document = json.loads(explain(program, "json", log))
        name = Path(log).parent.name
        results.append((f"{name} fits the schema", list(complaints(document, root, root))))
        results.append((f"{name}: the time sums up", list(sums(document))))
    several = json.loads(explain(program, "json", *logs))
    results.append(("several inputs fit the schema", list(complaints(several, root, root))))
    lines = [json.loads(line) for line in explain(program, "ndjson", *logs).splitlines()]
    results.append(("the lines of NDJSON fit it",
                    [c for line in lines for c in line_complaints(line, root)]))
    print(f"1..{len(results)}")
    for number, (name, wrong) in enumerate(results, 1):
        print(f"{'not ok' if wrong else 'ok'} {number} - {name}")
        for complaint in wrong[:20]:
            print(f"#   {complaint}")
    return 1 if not logs or any(wrong for _, wrong in results) else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
