#!/usr/bin/env python3
"""Judges whether anything was lost: what the generator's ledger says was sent, against what stands
in the log, the findings and the program's counters.

    checker.py --ledger FILE... --data DIR [--status FILE...] [--faults FILE] [--settings FILE]
               [--skip NAME...]

Several status files are snapshots in the order of their making; the last one is final (nothing more
comes in, the program is quiet). The file of faults has a JSON object a line: {"kind": "kill",
"from_ns": 1, "to_ns": 2}; to_ns is when the program took events again.

Each violation is printed as "FAIL NAME: evidence"; the last line is "N passed, N failed", counting
the kinds of violation in CHECKS. Those of --skip are not judged, and counted as skipped.
"""
import argparse
import bisect
import collections
import json
import os
import sys

sys.dont_write_bytecode = True
import counters  # noqa: E402
import ledger as ledgers  # noqa: E402
import records  # noqa: E402
import segments  # noqa: E402
import settings as surface  # noqa: E402

SHOWN = 20  # of each kind
CHECKS = {
    "lost": "what was acknowledged is stored",
    "partial-batch": "what was acknowledged together is stored whole",
    "refused-stored": "what was refused is not stored",
    "doubled": "each record is stored once, but for retries without a key",
    "altered": "the bytes are those that were sent",
    "foreign": "nothing is stored that was not sent",
    "swapped": "records of a connection stand in its order",
    "wrong-tenant": "the frame names the tenant of the input",
    "wrong-source": "the frame names the source of the input",
    "wrongly-rejected": "only malformed records are in quarantine",
    "reused-offset": "each offset is used once",
    "straddle": "no frame stands over a segment's end",
    "damage": "nothing that was durable has become unreadable",
    "log-form": "the log keeps to its page",
    "status": "there are counters of each source",
    "conservation": "received = stored + rejected + dropped + in flight",
    "in-flight": "nothing is in flight at the end",
    "stored-counter": "the counter of stored records agrees with the log",
    "rejections-uncounted": "the counter of rejections agrees with the log",
    "counter-wrapped": "no counter is short by a multiple of 2^32",
    "counter-backwards": "no counter goes down",
    "loss-uncounted": "loss of inputs without acknowledgement is counted",
    "loss-overcounted": "and no more is counted than was lost",
    "finding-form": "findings name their rule and their event",
    "finding-missing": "each planted attack is found",
    "finding-doubled": "once",
    "finding-extra": "and nothing else",
    "finding-tenant": "a finding belongs to the tenant of its event",
    "judged": "the whole log was judged, each part once",
    "fresh-late": "behind a fault a fresh event is detected in time",
    "fresh-untested": "behind each fault there was such an event",
    "generator": "the generator has ended in order",
}


class Verdict:
    def __init__(self, skip=()):
        self.count = collections.Counter()
        self.lines = []
        self.skip = set(skip)
        assert self.skip <= set(CHECKS), skip

    def fail(self, name, words):
        assert name in CHECKS, name
        if name in self.skip:
            return
        self.count[name] += 1
        if self.count[name] <= SHOWN:
            self.lines.append(f"FAIL {name}: {words}")

    def close(self):
        for line in self.lines:
            print(line)
        for name, count in self.count.items():
            if count > SHOWN:
                print(f"FAIL {name}: and {count - SHOWN} more")
        passed = len(CHECKS) - len(self.count) - len(self.skip)
        print(f"{passed} passed, {len(self.count)} failed"
              + (f", {len(self.skip)} skipped" if self.skip else ""))
        return bool(self.count)


class Connection:
    """A connection's records: what was done with each, and how often it is stored."""

    def __init__(self, name, entry, told, make):
        self.name, self.input, self.make, self.told = name, entry, make, told
        self.high = told.high()
        self.attempts = sorted(told.attempts, key=lambda a: a.first)  # of one first: in time
        self.sent, self.acked, self.unknown, self.refused, self.stored = (
            bytearray(self.high) for _ in range(5))
        self.rejected = bytearray(self.high)
        self.last = -1
        for attempt in told.attempts:
            add(self.sent, attempt.first, attempt.count)
        for letter, first, count, *_ in told.answers:
            add({"A": self.acked, "R": self.refused, "U": self.unknown}[letter], first, count)

    def acknowledges(self):
        return self.input["kind"] in records.ACKNOWLEDGED

    def bounds(self, sequence):
        """How many copies there may be, at least and at most."""
        least, most = self.acked[sequence], self.sent[sequence] - self.refused[sequence]
        if not self.acknowledges():
            return 0, most
        if self.input["key"]:
            return min(least, 1), min(most, 1)
        return least, most

    def place(self, sequence):
        return f"{self.name} {sequence}"

    def attempt(self, sequence):
        """The first one that sent it."""
        attempts = self.attempts
        at = bisect.bisect_right(attempts, sequence, key=lambda a: a.first) - 1
        while at >= 0 and sequence >= attempts[at].first + attempts[at].count:
            at -= 1
        while at > 0 and attempts[at - 1].first == attempts[at].first:
            at -= 1
        return attempts[at] if at >= 0 else None


def add(array, first, count):
    for sequence in range(first, first + count):
        if array[sequence] < 255:
            array[sequence] += 1


class Checker:
    def __init__(self, told, settings, faults, skip=()):
        self.verdict = Verdict(skip)
        self.settings, self.faults = settings, faults
        self.plan = records.Plan(told.plan)
        self.connections = {}
        for name in self.plan.connections():
            self.connections[name] = Connection(name, self.plan.input_of(name),
                                                told.connections[name], self.plan.maker(name))
        if not told.ended:
            self.verdict.fail("generator", "the ledger has no line of its end")
        self.in_log = collections.Counter()  # (tenant, source): stored
        self.rejected_in_log = collections.Counter()
        self.planted = {}  # (rule, offset): (connection, sequence)
        self.groups = collections.Counter()  # (rule, group): records stored
        self.tenant_of = {}  # (rule, offset or group): tenant
        self.log = None
        self.found_at = {}  # (rule, offset): time of the finding's frame

    # ---- the log
    def read_log(self, directory, since):
        self.log = segments.Log(directory)
        for frame in self.log:
            if frame.kind == segments.RECORDS:
                for index, record in enumerate(frame.records()):
                    self.record(frame, frame.offset + index, record)
                self.count(self.in_log, frame, since)
            elif frame.kind == segments.REJECTED:
                for index, record in enumerate(frame.records()):
                    self.quarantined(frame, frame.offset + index, record)
                self.count(self.rejected_in_log, frame, since)
        self.problems(self.log)

    def count(self, counter, frame, since):
        if frame.offset >= since:
            counter[frame.tenant or "", frame.source or ""] += frame.count

    def problems(self, log):
        for problem in log.problems:
            if problem.name == "torn":
                print(f"torn: {problem.words}")
            else:
                self.verdict.fail(problem.name, f"{log.directory}: {problem.words}")

    def whose(self, frame, offset, record):
        """The connection and sequence of a stored record; None: of nobody."""
        mark = records.marker(record)
        connection = self.connections.get(mark[1]) if mark and mark[0] == self.plan.run else None
        if connection is None or mark[2] >= connection.high:
            if not self.broken_piece(record):
                self.verdict.fail("foreign", f"offset {offset}, source {frame.source}: "
                                             f"{record[:80]!r}")
            return None
        if frame.tenant != connection.input["tenant"]:
            self.verdict.fail("wrong-tenant", f"{connection.place(mark[2])} at offset {offset}: "
                                              f"{frame.tenant}, not {connection.input['tenant']}")
        elif frame.source != connection.input["source"]:
            self.verdict.fail("wrong-source", f"{connection.place(mark[2])} at offset {offset}: "
                                              f"{frame.source}, not {connection.input['source']}")
        return connection, mark[2]

    def broken_piece(self, record):
        """The beginning of a record whose connection broke while it was sent."""
        for connection in self.connections.values():
            if connection.input["kind"] not in ("tcp", "tls"):
                continue
            if "broken" not in connection.told.epochs.values():
                continue
            for letter, first, count, *_ in connection.told.answers:
                if letter == "U" and any(connection.make(s).startswith(record)
                                         for s in range(first, first + count)):
                    return True
        return False

    def record(self, frame, offset, record):
        owner = self.whose(frame, offset, record)
        if owner is None:
            return
        connection, sequence = owner
        expected = connection.make.stored(sequence, self.settings)
        if record != expected:
            at = next((i for i, (a, b) in enumerate(zip(record, expected)) if a != b),
                      min(len(record), len(expected)))
            self.verdict.fail("altered", f"{connection.place(sequence)} at offset {offset}: byte "
                                         f"{at} of {len(expected)} ({len(record)} stored)")
        if connection.stored[sequence] < 255:
            connection.stored[sequence] += 1
        if sequence <= connection.last:
            if connection.input["ordered"] and connection.stored[sequence] == 1 \
                    and connection.sent[sequence] == 1:
                self.verdict.fail("swapped", f"{connection.place(sequence)} at offset {offset} "
                                             f"stands behind {connection.last}")
        connection.last = max(connection.last, sequence)
        planted = connection.make.planted(sequence)
        if planted and planted[0] == "event":
            self.planted[planted[1], offset] = connection, sequence
            self.tenant_of[planted[1], offset] = connection.input["tenant"]
        elif planted:
            self.groups[planted[1:]] += 1
            self.tenant_of[planted[1:]] = connection.input["tenant"]

    def quarantined(self, frame, offset, record):
        owner = self.whose(frame, offset, record)
        if owner is None:
            return
        connection, sequence = owner
        connection.rejected[sequence] = min(connection.rejected[sequence] + 1, 255)
        if connection.make.kind(sequence)[0] != "bad":
            self.verdict.fail("wrongly-rejected", f"{connection.place(sequence)} at offset "
                                                  f"{offset}: {frame.reason}")

    # ---- what was sent
    def judge_sent(self):
        for connection in self.connections.values():
            short = []
            for sequence in range(connection.high):
                copies = connection.stored[sequence] + connection.rejected[sequence]
                least, most = connection.bounds(sequence)
                if least <= copies <= most:
                    continue
                if copies < least:
                    short.append(sequence)
                elif most == 0 and connection.refused[sequence]:
                    self.verdict.fail("refused-stored", connection.place(sequence))
                elif most == 0:
                    self.verdict.fail("foreign", f"{connection.place(sequence)} was never sent")
                else:
                    self.verdict.fail("doubled", f"{connection.place(sequence)}: {copies} copies, "
                                                 f"at most {most}")
            self.judge_short(connection, short)

    def judge_short(self, connection, short):
        """Acknowledged and not there: of a batch that is there in part, or not."""
        if not short:
            return
        batch = {}
        for letter, first, count, *_ in connection.told.answers:
            if letter == "A":
                for sequence in range(first, first + count):
                    batch[sequence] = first, count
        for sequence in short:
            first, count = batch[sequence]
            there = sum(1 for s in range(first, first + count)
                        if connection.stored[s] or connection.rejected[s])
            name = "partial-batch" if there else "lost"
            self.verdict.fail(name, f"{connection.place(sequence)} was acknowledged with {first} "
                                    f"to {first + count - 1}; {there} of these are stored")

    # ---- inputs without acknowledgement
    def excused(self, connection, missing):
        """Those of `missing` that a kill may take with it uncounted."""
        kills = [f for f in self.faults if f["kind"] == "kill"]
        if not kills or not missing:
            return set()
        excused = set()
        if connection.input["kind"] == "udp":
            margin = self.settings.udp_margin_ms * 10**6
            for sequence in missing:
                at = connection.attempt(sequence).time_ns
                if any(k["from_ns"] - margin <= at <= k["to_ns"] for k in kills):
                    excused.add(sequence)
            return excused
        gone = set(missing)
        for epoch, why in connection.told.epochs.items():
            if why != "broken":
                continue
            tail = [s for a in connection.told.attempts if a.epoch == epoch
                    for s in range(a.first, a.first + a.count)]
            room = self.settings.tcp_loss_bytes
            for sequence in reversed(tail):
                room -= len(connection.make(sequence))
                uncertain = connection.unknown[sequence] and sequence not in gone
                if room < 0 or sequence not in gone and not uncertain:
                    break
                if sequence in gone:
                    excused.add(sequence)
        return excused

    def judge_loss(self, snapshot):
        lost, maybe, example = collections.Counter(), collections.Counter(), {}
        quiet = set()
        for connection in self.connections.values():
            key = connection.input["tenant"], connection.input["source"]
            if connection.acknowledges():
                continue
            quiet.add(key)
            missing = [s for s in range(connection.high) if connection.sent[s]
                       and not connection.stored[s] and not connection.rejected[s]]
            excused = self.excused(connection, missing)
            sure = [s for s in missing if s not in excused and not connection.unknown[s]]
            lost[key] += len(sure)
            maybe[key] += len(missing) - len(sure)
            if sure:
                example.setdefault(key, connection.place(sure[0]))
        for key in sorted(quiet):
            source = snapshot.sources.get(key) if snapshot else None
            dropped = sum(source.dropped.values()) if source else 0
            if dropped < lost[key]:
                self.verdict.fail("loss-uncounted", f"{name_of(key)}: {lost[key]} lost, {dropped} "
                                                    f"counted; the first is {example[key]}")
            elif dropped > lost[key] + maybe[key]:
                self.verdict.fail("loss-overcounted", f"{name_of(key)}: {lost[key]} lost, "
                                                      f"{dropped} counted")

    # ---- counters
    def judge_counters(self, snapshots):
        for earlier, later in zip(snapshots, snapshots[1:]):
            for key, name, old, new in counters.backwards(earlier, later):
                self.verdict.fail("counter-backwards", f"{name_of(key)}: {name} {old}, then {new}")
        if not snapshots:
            self.verdict.fail("status", "no status was given")
            return
        final = snapshots[-1]
        known = {(i["tenant"], i["source"]) for i in self.plan.inputs.values()}
        for key in sorted(known | set(self.in_log) | set(final.sources)):
            if key not in final.sources:
                self.verdict.fail("status", f"{name_of(key)} has no counters")
                continue
            self.judge_source(key, final.sources[key])

    def judge_source(self, key, source):
        def differ(name, words, found, expected):
            if found == expected:
                return
            if (expected - found) % 2**32 == 0:
                name = "counter-wrapped"
            self.verdict.fail(name, f"{name_of(key)}: {words}: {found}, not {expected}")

        differ("conservation", "received against stored + rejected + dropped + in flight",
               source.received, source.accounted())
        differ("stored-counter", "stored against the log", source.stored, self.in_log[key])
        differ("rejections-uncounted", "rejected against the log", sum(source.rejected.values()),
               self.rejected_in_log[key])
        if source.in_flight:
            self.verdict.fail("in-flight", f"{name_of(key)}: {source.in_flight}")

    # ---- findings
    def read_findings(self, directory):
        found, tenants = collections.Counter(), {}
        if not os.path.isdir(directory):
            if self.planted:
                self.verdict.fail("finding-missing", f"there is no {directory}")
            return
        log, through = segments.Log(directory), None
        for frame in log:
            if frame.kind != segments.FINDINGS:
                continue
            through = self.judged(frame, through)
            for record in filter(None, frame.records()):  # an empty one: nothing was found
                key = self.finding(record, frame)
                if key:
                    found[key] += 1
                    self.found_at.setdefault(key, frame.receipt_ns)
                    tenants[key] = surface.finding_tenant(json.loads(record), frame)
        self.problems(log)
        if through is not None and through < self.log.next:
            self.verdict.fail("judged", f"the log ends at {self.log.next}, it is judged up to "
                                        f"{through}")
        self.judge_findings(found, tenants)

    def judged(self, frame, before):
        value = frame.attributes.get(segments.THROUGH)
        if value is None or len(value) != 8:
            self.verdict.fail("judged", f"findings {frame.offset}: no `through`")
            return before
        through = int.from_bytes(value, "little")
        if before is not None and through < before:
            self.verdict.fail("judged", f"findings {frame.offset}: judged up to {through} behind "
                                        f"{before}")
        return through

    def finding(self, record, frame):
        """(rule, offset) or (rule, group) of a finding; None: it says neither."""
        try:
            value = json.loads(record)
            rule = value["rule"]["id"]
            if value.get("group") is not None:
                return rule, ",".join(str(v) for v in value["group"].values())
            offset = surface.finding_event(value)
        except (ValueError, KeyError, TypeError, AttributeError):
            rule, offset = None, None
        if offset is None or surface.finding_log(value) not in (None, self.log.id):
            self.verdict.fail("finding-form", f"findings {frame.offset}: {record[:120]!r}")
            return None
        return rule, offset

    def judge_findings(self, found, tenants):
        ours = {rule for rule, _ in self.planted} | {rule for rule, _ in self.groups}
        expected = {key: 1 for key in self.planted}
        expected.update({k: 1 for k, n in self.groups.items() if n >= records.BURST})
        for key in expected:
            if not found[key]:
                place = self.planted.get(key)
                self.verdict.fail("finding-missing", f"rule {key[0]} for {key[1]} "
                                  f"({place[0].place(place[1]) if place else 'a group'})")
        for key, count in found.items():
            if key not in expected:
                if self.plan.exact or key[0] in ours:
                    self.verdict.fail("finding-extra", f"rule {key[0]} for {key[1]}")
                continue
            if count > 1:
                self.verdict.fail("finding-doubled", f"rule {key[0]} for {key[1]}: {count}")
            if tenants[key] is not None and tenants[key] != self.tenant_of[key]:
                self.verdict.fail("finding-tenant", f"rule {key[0]} for {key[1]}: {tenants[key]}, "
                                                    f"not {self.tenant_of[key]}")

    # ---- time
    def judge_fresh(self):
        sent = sorted((connection.attempt(sequence).time_ns, key)
                      for key, (connection, sequence) in self.planted.items()
                      if connection.sent[sequence] == 1 and not connection.unknown[sequence])
        for fault in self.faults:
            at = bisect.bisect_left(sent, (fault["to_ns"],))
            words = f"{fault['kind']} at {fault['from_ns']}"
            if at == len(sent):
                self.verdict.fail("fresh-untested", words)
                continue
            time_ns, key = sent[at]
            late = (self.found_at.get(key, 2**63) - time_ns) / 1e6
            if late > self.settings.detect_ms:
                self.verdict.fail("fresh-late", f"{words}: offset {key[1]} was found after "
                                                f"{late:.0f} ms")

    def summary(self):
        stored = sum(self.in_log.values())
        waits = sorted((self.found_at[key] - c.attempt(s).time_ns) / 1e6
                       for key, (c, s) in self.planted.items() if key in self.found_at)
        print(f"{stored} records stored, {sum(self.rejected_in_log.values())} rejected, "
              f"{len(self.planted)} attacks, {len(self.faults)} faults")
        if waits:
            print(f"sent to found: median {waits[len(waits) // 2]:.0f} ms, 99 in 100 "
                  f"{waits[len(waits) * 99 // 100]:.0f} ms, longest {waits[-1]:.0f} ms")


def name_of(key):
    return f"{key[1] or '(no source)'} of {key[0] or '(no tenant)'}"


def faults_of(path):
    if not path:
        return []
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f if line.strip()]


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--ledger", nargs="+", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--status", nargs="*", default=[])
    parser.add_argument("--faults")
    parser.add_argument("--settings")
    parser.add_argument("--skip", nargs="*", default=[], choices=sorted(CHECKS))
    given = parser.parse_args(arguments)
    settings = surface.Settings(given.settings)
    checker = Checker(ledgers.Ledger(given.ledger), settings, faults_of(given.faults),
                      given.skip)
    snapshots = [counters.read(path, settings) for path in given.status]
    since = snapshots[-1].start_offset if snapshots and settings.counters_since == "start" else 0
    checker.read_log(os.path.join(given.data, settings.log), since)
    checker.judge_sent()
    checker.judge_loss(snapshots[-1] if snapshots else None)
    checker.judge_counters(snapshots)
    checker.read_findings(os.path.join(given.data, settings.findings))
    checker.judge_fresh()
    checker.summary()
    return checker.verdict.close()


if __name__ == "__main__":
    sys.exit(main())
