"""The program's own counters, from Prometheus text (/metrics) or JSON, and what must hold of them.

    snapshot = counters.read("metrics.txt", settings)
    snapshot.sources[("sg/health", "hec/127.0.0.1")].dropped  # {"kernel": 3}

JSON: {"start": 1.5, "start_offset": 0, "sources": [{"tenant": "sg/health", "source": "hec/x",
"received": 9, "stored": 9, "in_flight": 0, "rejected": {"too-long": 1}, "dropped": {}}]}
"""
import collections
import json
import re

SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ([^ ]+)(?: [0-9]+)?$')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')


class Source:
    def __init__(self):
        self.received = self.stored = self.in_flight = 0
        self.rejected = collections.Counter()
        self.dropped = collections.Counter()

    def accounted(self):
        return (self.stored + sum(self.rejected.values()) + sum(self.dropped.values())
                + self.in_flight)


class Snapshot:
    def __init__(self):
        self.sources = collections.defaultdict(Source)
        self.start = None
        self.start_offset = 0


def unescape(text):
    return re.sub(r"\\(.)", lambda m: {"n": "\n"}.get(m[1], m[1]), text)


def read(path, settings):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    return from_json(json.loads(text)) if text.lstrip().startswith("{") else \
        from_metrics(text, settings)


def from_json(status):
    snapshot = Snapshot()
    snapshot.start = status.get("start")
    snapshot.start_offset = status.get("start_offset", 0)
    for entry in status["sources"]:
        source = snapshot.sources[entry["tenant"], entry["source"]]
        source.received, source.stored = entry["received"], entry["stored"]
        source.in_flight = entry.get("in_flight", 0)
        source.rejected.update(entry.get("rejected", {}))
        source.dropped.update(entry.get("dropped", {}))
    return snapshot


def number(text):
    """Whole counters stay exact: a float has 53 bits."""
    try:
        return int(text)
    except ValueError:
        value = float(text)
        return int(value) if value == int(value) else value


def from_metrics(text, settings):
    names = {getattr(settings, n): n for n in
             ("received", "stored", "rejected", "dropped", "in_flight", "start", "start_offset")}
    snapshot = Snapshot()
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        match = SAMPLE.match(line)
        if not match:
            raise SystemExit(f"metrics: no sample: {line}")
        what = names.get(match[1])
        if what is None:
            continue
        if what in ("start", "start_offset"):
            setattr(snapshot, what, number(match[3]))
            continue
        label = {k: unescape(v) for k, v in LABEL.findall(match[2] or "")}
        source = snapshot.sources[label.get("tenant", ""), label.get("source", "")]
        if what in ("rejected", "dropped"):
            getattr(source, what)[label.get("reason", "")] += number(match[3])
        else:
            setattr(source, what, getattr(source, what) + number(match[3]))
    return snapshot


def backwards(earlier, later):
    """Counters that went down within one life of the program: (source, name, from, to)."""
    if earlier.start != later.start:
        return
    for key, old in earlier.sources.items():
        new = later.sources.get(key, Source())
        for name in ("received", "stored"):
            if getattr(new, name) < getattr(old, name):
                yield key, name, getattr(old, name), getattr(new, name)
        for name in ("rejected", "dropped"):
            for reason, value in getattr(old, name).items():
                if getattr(new, name)[reason] < value:
                    yield key, f"{name} {reason}", value, getattr(new, name)[reason]
