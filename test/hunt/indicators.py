"""Indicators over recorded events: what `merlon hunt --ioc` gives against what regular expressions
find in the same JSON. Some that occur are taken, each next to one that does not."""
import json
import os
import re
import subprocess
import tempfile

HASH = re.compile(r"(?<![0-9A-Za-z])(?:[0-9A-Fa-f]{64}|[0-9A-Fa-f]{40}|[0-9A-Fa-f]{32})(?![0-9A-Za-z])")
QUAD = re.compile(r"(?<![0-9A-Za-z.])(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
                  r"(?![0-9A-Za-z])(?!\.+[0-9A-Za-z_-])")
NAME = re.compile(r"[0-9A-Za-z._\-]+")


def leaves(node, path=()):
    if isinstance(node, dict):
        for key, value in node.items():
            yield from leaves(value, path + (key,))
    elif isinstance(node, list):
        for value in node:
            yield from leaves(value, path)
    elif isinstance(node, str):
        yield ".".join(path), node


def names(value):
    for run in NAME.finditer(value):
        name = run[0].rstrip(".").lstrip(".-").lower()
        labels = name.split(".")
        behind = value[run.end():run.end() + 2]
        if len(labels) < 2 or not all(labels) or len(name) > 255 or (behind[:1] == "@" and NAME.match(behind[1:])):
            continue
        if len(labels[-1]) > 1 and not labels[-1][0].isdigit() and not name.endswith("-"):
            yield name


def parents(name):
    labels = name.split(".")
    return {".".join(labels[i:]) for i in range(len(labels) - 1)}


def tokens(value):
    found = {h.lower() for h in HASH.findall(value)} | set(QUAD.findall(value))
    for name in names(value):
        found |= parents(name)
    return found


def check(merlon, path, lines):
    """(passed, failed), failures printed."""
    values = [(n + 1, p, v, tokens(v)) for n, line in enumerate(lines) for p, v in leaves(json.loads(line))]
    every = sorted(set().union(*(t for _, _, _, t in values))) if values else []
    chosen = every[::5]
    kept = set(chosen)
    want = sorted((i, str(n), p, v) for n, p, v, t in values for i in t & kept)
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "iocs")
        with open(file, "w") as out:
            for i, one in enumerate(chosen):
                out.write(one.upper() + "\n" + "no%d.absent.example\n" % i)
        run = subprocess.run([merlon, "hunt", "-q", "-o", "json", "--ioc", file, path], capture_output=True)
    rows = [json.loads(line) for line in run.stdout.decode().split("\n") if line]
    have = sorted((r["indicator"].lower(), r["_id"], r["field"], r["value"]) for r in rows)
    if run.returncode == 0 and not run.stderr and have == want:
        return 1, 0
    print("FAIL --ioc", path, len(have), "rows, not", len(want), run.stderr.decode()[:400])
    for row in sorted(set(want) ^ set(have))[:5]:
        print("  ", "missing" if row in want else "too much", row)
    return 0, 1
