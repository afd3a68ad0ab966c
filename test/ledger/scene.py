"""A run that never took place, complete and in order: its ledger, log, findings and counters, as
they would be if all had gone well. Tests alter one thing at a time.

    scene = Scene(directory)
    scene.frames[3].content.pop()   # before `derive`: findings and counters follow the log
    scene.derive()
    scene.findings.pop()            # before `write`
    scene.write()
"""
import json
import os

import forge
import records
import settings

SETTINGS = settings.Settings()
BEGAN = 1_700_000_000_000_000_000
PLAN = {
    "run": "self", "start_ns": BEGAN, "inputs": [
        {"name": "lines-a", "kind": "lines", "tenant": "sg/health/moh", "source": "lines/10.0.0.1",
         "connections": 2, "count": 60, "batch": 10, "attack_every": 10, "burst_every": 25,
         "bad_every": 30},
        {"name": "hec-b", "kind": "hec", "tenant": "sg/transport", "source": "hec/10.0.0.2",
         "connections": 1, "count": 60, "batch": 6, "attack_every": 12, "key": True, "retry": 2},
        {"name": "bulk-c", "kind": "bulk", "tenant": "sg/transport", "source": "bulk/10.0.0.3",
         "connections": 1, "count": 20, "batch": 5, "attack_every": 10, "retry": 2},
        {"name": "tcp-d", "kind": "tcp", "tenant": "sg/health", "source": "syslog-tcp/10.0.0.4",
         "connections": 2, "count": 40, "batch": 4, "attack_every": 8, "burst_every": 20,
         "form": "syslog"},
        {"name": "udp-e", "kind": "udp", "tenant": "sg/health", "source": "syslog-udp/10.0.0.5",
         "connections": 1, "count": 40, "batch": 1, "attack_every": 9, "form": "syslog5424"}]}


class Spec:
    """A frame to be: what is in it is found by its first sequence."""

    def __init__(self, kind, connection, first, entry, content, sequences):
        self.kind, self.connection, self.first = kind, connection, first
        self.tenant, self.source = entry["tenant"], entry["source"]
        self.content, self.sequences = content, sequences
        self.reason = "json" if kind == 3 else None
        self.durable = None
        self.format = None
        self.roll = False  # a new segment begins before it
        self.back = 0  # so many offsets before it are used again


class Scene:
    def __init__(self, directory):
        self.directory = directory
        self.plan = records.Plan(PLAN)
        self.lines = []  # of the ledger
        self.frames = []
        self.findings = []  # [object, tenant]
        self.status = None
        self.faults = []
        self.log_id = forge.IDENTITY
        self.time_ns = BEGAN
        self.log = None
        self.through = None
        self.make()

    def clock(self):
        self.time_ns += 10**6
        return self.time_ns

    def make(self):
        """Batches of all connections in turn, each acknowledged as it is stored."""
        todo = []
        for name in self.plan.connections():
            entry = self.plan.input_of(name)
            self.lines.append(f"O {name} 0 {self.clock()}")
            todo += [(first, name) for first in range(0, entry["count"], entry["batch"])]
        for first, name in sorted(todo):
            entry = self.plan.input_of(name)
            count = min(entry["batch"], entry["count"] - first)
            self.lines.append(f"S {name} 0 {first} {count} 1 {self.clock()}")
            self.store(name, entry, range(first, first + count))
            if entry["kind"] in records.ACKNOWLEDGED:
                self.lines.append(f"A {name} {first} {count} 1 {self.clock()}")
        for name in self.plan.connections():
            self.lines.append(f"C {name} 0 {self.clock()} end")
        self.frames[len(self.frames) // 3].roll = True
        self.frames[len(self.frames) * 2 // 3].roll = True

    def store(self, name, entry, sequences):
        make = self.plan.maker(name)
        for kind in (2, 3):
            chosen = [s for s in sequences if (make.kind(s)[0] == "bad") == (kind == 3)]
            if chosen:
                content = [make.stored(s, SETTINGS) for s in chosen]
                self.frames.append(Spec(kind, name, chosen[0], entry, content, chosen))

    def frame(self, connection, sequence):
        """The frame that holds it, and where in it."""
        for frame in self.frames:
            if frame.connection == connection and sequence in frame.sequences:
                return frame, frame.sequences.index(sequence)
        raise KeyError(sequence)

    def derive(self):
        """Findings and counters as they follow from the frames."""
        offset, groups, sources = 0, {}, {}
        for entry in self.plan.inputs.values():
            sources[entry["tenant"], entry["source"]] = [0, 0]
        for frame in self.frames:
            counts = sources.setdefault((frame.tenant, frame.source), [0, 0])
            counts[frame.kind == 3] += len(frame.content)
            for index, record in enumerate(frame.content):
                mark = records.marker(record)
                planted = mark and self.plan.maker(mark[1]).planted(mark[2])
                if planted and frame.kind == 2:
                    self.find(planted, offset + index, groups, frame.tenant)
            offset += len(frame.content)
        self.through = offset
        self.status = {"start": 1, "sources": [
            {"tenant": t, "source": s, "received": a + b, "stored": a, "in_flight": 0,
             "rejected": {"json": b} if b else {}, "dropped": {}}
            for (t, s), (a, b) in sources.items()]}

    def find(self, planted, offset, groups, tenant):
        rule = {"id": planted[1], "title": "planted"}
        if planted[0] == "event":
            source = {"log": self.log_id, "offset": offset}
            self.findings.append([{"time": None, "rule": rule, "source": source}, tenant])
            return
        groups[planted[2]] = groups.get(planted[2], 0) + 1
        if groups[planted[2]] == records.BURST:
            finding = {"time": None, "rule": rule, "group": {"user": planted[2]}}
            self.findings.append([finding, tenant])

    def counters(self, source):
        return next(s for s in self.status["sources"] if s["source"] == source)

    def write(self, end=True):
        data = os.path.join(self.directory, "data")
        self.log = forge.Log(os.path.join(data, "log"), identity=self.log_id, receipt_ns=BEGAN)
        for frame in self.frames:
            if frame.roll:
                self.log.end()
            self.log.next -= frame.back
            if frame.roll:
                self.log.begin()
            self.log.frame(frame.kind, frame.content, durable=frame.durable, tenant=frame.tenant,
                           source=frame.source, reason=frame.reason,
                           format=frame.format)
        self.log.end()
        found = forge.Log(os.path.join(data, "findings"), identity="f" * 32,
                          receipt_ns=BEGAN + 10**9)
        for number, (finding, tenant) in enumerate(self.findings, 1):
            through = self.through * number // len(self.findings)
            found.frame(6, [json.dumps(finding).encode()], tenant=tenant,
                        through=through.to_bytes(8, "little"))
        found.frame(6, [b""], through=self.through.to_bytes(8, "little"))
        found.end()
        self.put("status.json", json.dumps(self.status))
        self.put("faults", "".join(json.dumps(f) + "\n" for f in self.faults))
        with open(os.path.join(self.directory, "ledger"), "w", encoding="utf-8") as f:
            f.write("P " + json.dumps(PLAN) + "\n")
            f.writelines(line + "\n" for line in self.lines)
            if end:
                f.write(f"E {self.clock()}\n")

    def put(self, name, text):
        with open(os.path.join(self.directory, name), "w", encoding="utf-8") as f:
            f.write(text)
