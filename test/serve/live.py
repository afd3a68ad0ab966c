"""Correlation over what is live: windows outlive everybody, and nothing but the log is their clock."""
import datetime
import os
import signal
import time

import segments
from centre import Centre

BASE = """\
title: Failed {word}
id: 00000000-0000-4000-8000-{number:012}
name: base_{word}
logsource: {{product: linux, service: sshd}}
detection:
    words: [{word}]
    condition: words
---
"""

RULES = "".join(BASE.format(word=w, number=i) for i, w in enumerate(("RED", "GREEN", "BLUE"))) + """\
title: Many of one host
id: 11111111-0000-4000-8000-000000000001
correlation: {type: event_count, rules: [base_RED], group-by: [host], timespan: 4s, condition: {gte: 5}}
level: high
---
title: Many processes of one host
id: 11111111-0000-4000-8000-000000000002
correlation: {type: value_count, rules: [base_RED, base_GREEN], group-by: [host], timespan: 3s,
              condition: {field: pid, gte: 4}}
---
title: All colours of one host
id: 11111111-0000-4000-8000-000000000003
name: colours
correlation: {type: temporal, rules: [base_RED, base_GREEN, base_BLUE], group-by: [host], timespan: 2s}
---
title: Colours in their order
id: 11111111-0000-4000-8000-000000000004
correlation: {type: temporal_ordered, rules: [base_RED, base_GREEN, base_BLUE], group-by: [host], timespan: 2s}
---
title: All colours again and again
id: 11111111-0000-4000-8000-000000000005
correlation: {type: event_count, rules: [colours], group-by: [host], timespan: 6s, condition: {gte: 3}}
"""


def stamp(ns):
    """RFC 3339 with all nine digits."""
    whole = datetime.datetime.fromtimestamp(ns // 10**9, datetime.timezone.utc)
    return whole.strftime("%Y-%m-%dT%H:%M:%S") + f".{ns % 10**9:09}Z"


def line(ns, number, word, host, pid):
    return f"<38>1 {stamp(ns)} {host} sshd {pid} - - {word} {number}"


class Live(Centre):
    """A centre with correlations; no rule of single events gives findings."""

    def __init__(self, lateness="10s", wait="1s", tenants=("sg/moh",)):
        super().__init__(tenants)
        with open(os.path.join(self.folder, "rules", "planted.yml"), "w") as out:
            out.write(RULES)
        with open(self.config, "a") as out:
            out.write(f"correlation: {{lateness: {lateness}, wait: {wait}}}\n")


def titles(findings):
    return sorted(f["rule"]["title"] for f in findings)


def a_window_outlives_everybody():
    """Three events, all are killed, two more: the window has five."""
    for kill in ("judge", "log", "all"):
        with Live(lateness="60s") as centre:
            now = time.time_ns() + 15 * 10**9  # nobody is late, however slow this machine is
            centre.send("tcp0", [line(now + i * 10**6, i, "RED", "h1", 1) for i in range(3)])
            centre.until(lambda: matches(centre) == 3, "they are kept")
            if kill == "all":
                centre.kill()
                centre.start()
            else:
                old = centre.role(kill)
                os.kill(old, signal.SIGKILL)
                centre.until(lambda: centre.role(kill) != old, "another one")
            centre.send("tcp0", [line(now + i * 10**6, i, "RED", "h1", 1) for i in range(3, 5)])
            found, = centre.wait_findings(1)
            assert found["rule"]["title"] == "Many of one host" and found["value"] == 5, found
            offsets = [e["source"]["offset"] for e in found["events"]]
            assert len(offsets) == 5 and offsets == sorted(set(offsets)), found
            assert found["state"] == "fired" and not found["inexact"], found
            centre.stop()
            assert matches(centre) == 5, matches(centre)
            assert centre.findings() == [found], centre.findings()


def matches(centre):
    """Base matches in the log of findings, by the checker's own reader."""
    if not os.path.isdir(os.path.join(centre.data, "findings")):
        return 0  # it is just starting
    log = segments.Log(os.path.join(centre.data, "findings"))
    return sum(frame.count for frame in log if frame.kind == segments.MATCHES)


TESTS = [a_window_outlives_everybody]
