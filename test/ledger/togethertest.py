"""Generator, a server of a few lines (fake.py) and checker together. Called by `run`."""
import contextlib
import io
import json
import os
import tempfile

import checker
import fake as fakes
import generate
import ledger
import records
import selftest
import settings as surface

PLAN = {"run": "both", "inputs": [
    {"name": "lines", "kind": "lines", "tenant": "sg/health", "source": "lines/a", "connections": 2,
     "count": 300, "batch": 20, "attack_every": 15, "burst_every": 60, "bad_every": 50, "retry": 2,
     "key": True},
    {"name": "hec", "kind": "hec", "tenant": "sg/health", "source": "hec/a", "count": 200,
     "attack_every": 20, "retry": 3, "gzip": True},
    {"name": "ack", "kind": "hec-ack", "tenant": "sg/transport", "source": "hec/b", "count": 100,
     "attack_every": 20, "form": "syslog"},
    {"name": "bulk", "kind": "bulk", "tenant": "sg/transport", "source": "bulk/a", "count": 200,
     "attack_every": 20, "retry": 4},
    {"name": "tcp", "kind": "tcp", "tenant": "sg", "source": "tcp/a", "connections": 2,
     "count": 200, "attack_every": 20, "form": "syslog", "burst_every": 50},
    {"name": "octets", "kind": "tcp", "tenant": "sg", "source": "tcp/b", "count": 200,
     "attack_every": 20, "form": "syslog5424", "framing": "octets"},
    {"name": "udp", "kind": "udp", "tenant": "sg", "source": "udp/a", "count": 100,
     "attack_every": 20, "form": "syslog"}]}
# Faults of the server, and what the checker must say.
CASES = [
    ("in order", {}, set()),
    ("a server that fails as it may", {"reset-stored": 5, "reset-lost": 7, "refuse": 6, "item": 9},
     set()),
    ("a server that loses", {"drop": 11}, {"lost", "partial-batch", "loss-uncounted"}),
    ("a server that doubles", {"double": 9}, {"doubled"}),
    ("a server that refuses what it stores", {"lie": 4}, {"refused-stored", "doubled"}),
]


def judge(faults, directory):
    settings, plan = surface.Settings(), records.Plan(PLAN)
    fake = fakes.Fake(directory, plan, settings)
    fake.faults = faults
    run = generate.Run(plan, ledger.Writer(f"{directory}/ledger", plan), settings)
    failures = run.go()
    fake.close()
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        checker.main(["--ledger", f"{directory}/ledger", "--data", f"{directory}/data", "--status",
                      f"{directory}/status"])
    return failures, out.getvalue()


def main():
    passed = failed = 0
    for name, faults, expected in CASES:
        with tempfile.TemporaryDirectory() as directory:
            failures, text = judge(faults, directory)
            size = os.path.getsize(f"{directory}/ledger")
        # Which records a fault hits is chance: some of what may follow must, and nothing else.
        found = selftest.names(text)
        if not failures and found <= expected and bool(found) == bool(expected) and size:
            passed += 1
            continue
        failed += 1
        print(f"FAIL {name}: {failures} {json.dumps(sorted(found))}\n{text}")
    return passed, failed
