"""Correlation over what is live: windows outlive everybody, and nothing but the log is their clock."""
import concurrent.futures
import datetime
import json
import os
import random
import subprocess
import time

import segments
from centre import Centre, MERLON

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
correlation: {type: event_count, rules: [colours], group-by: [host], timespan: 6s, condition: {gte: 3}, generate: true}
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
    """Three events, all are killed, two more: the window has five. Side by side: they wait long."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        changed = pool.submit(what_changed_rules_could_not_see_is_inexact)
        for done in [pool.submit(window_outlives, kill) for kill in ("judge", "log", "all")]:
            done.result()
        changed.result()


def window_outlives(kill):
    with Live(lateness="60s") as centre:
        now = time.time_ns() + 15 * 10**9  # nobody is late, however slow this machine is
        centre.send("tcp0", [line(now + i * 10**6, i, "RED", "h1", 1) for i in range(3)])
        centre.until(lambda: matches(centre) == 3, "they are kept")
        if kill == "all":
            centre.kill()
            centre.start()
        else:
            centre.kill_role(kill)
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


def replayed(centre, *options):
    run = subprocess.run([MERLON, "replay", "-c", centre.config, *options], capture_output=True)
    assert run.returncode == 0 and run.stderr == b"", run
    return run.stdout


def told(centre):
    return subprocess.run([MERLON, "findings", "--data", centre.data], capture_output=True,
                          check=True).stdout


def campaign(centre, seconds, seed, kills=()):
    """Good sources, one whose clock says 2099, one of 1970, one that lags, while roles die."""
    dice = random.Random(seed)
    end, number = time.monotonic() + seconds, 0
    due = [(time.monotonic() + seconds * (i + 1) / (len(kills) + 1), k) for i, k in enumerate(kills)]
    while time.monotonic() < end or due:
        lines = []
        for _ in range(dice.randrange(1, 6)):
            host, word = f"h{dice.randrange(3)}", dice.choice(("RED", "RED", "GREEN", "BLUE", "quiet"))
            ns = time.time_ns()
            ns -= dice.choice((0, 0, 0, 1, 3)) * dice.randrange(10**9)
            if dice.random() < 0.1:
                host, ns = dice.choice((("future", 4070908800 * 10**9), ("past", 86400 * 10**9)))
            number += 1
            lines.append(line(ns, number, word, host, dice.randrange(8)))
        try:
            centre.send(dice.choice(("tcp0", "tcp1")), lines)
        except OSError:
            pass  # nobody listens at this moment
        if due and time.monotonic() > due[0][0]:
            kill = due.pop(0)[1]
            if kill == "all":
                centre.kill()
                centre.start()
            else:
                centre.kill_role(kill)
        time.sleep(0.02)


def what_fires_is_a_function_of_the_log():
    """Whoever dies meanwhile: what was found is what a judge finds that reads it all at once."""
    with Live(lateness="4s", tenants=("sg/moh", "sg/mof")) as centre:
        campaign(centre, 14, 5, ("judge", "log", "all", "judge", "listen", "all"))
        centre.until(lambda: b'"host":"past"' in told(centre), "the past is joined")
        quiet(centre)
        figures = json.loads(centre.ask("/api/v1/status")[1])["centre"]
        assert figures["matches"] > 0 and figures["moved"] > 0 and figures["left_out"] == 0, figures
        centre.stop()
        found = told(centre)
        fired = {json.loads(l)["rule"]["title"] for l in found.splitlines()}
        assert len(fired) == 5, fired
        tenants = [{e["source"]["tenant"] for e in json.loads(l)["events"]} for l in found.splitlines()]
        assert all(len(t) == 1 for t in tenants) and len(set.union(*tenants)) == 2, tenants
        again = replayed(centre)
        assert again == found, differ(again, found)
        assert replayed(centre) == again
        parts(centre, found)


def change_rules(centre, text):
    path = os.path.join(centre.folder, "rules", "planted.yml")
    with open(path + ".new", "w") as out:
        out.write(text)
    os.rename(path + ".new", path)
    status, answer = centre.ask("/api/v1/rules/reload", method="POST")
    assert status == 200, answer


def what_changed_rules_could_not_see_is_inexact():
    """Within a window GREEN changes, then a rule comes that is like nothing before. What rests on
    others goes on as if nothing were; so it does when the judge dies, and when all is read again."""
    changed = RULES.replace("words: [GREEN]", "words: [GREEN, LIME]")
    more = changed + "---\n" + BASE.format(word="WHITE", number=9) + """\
title: White twice
id: 11111111-0000-4000-8000-000000000006
correlation: {type: event_count, rules: [base_WHITE], group-by: [host], timespan: 2s, condition: {gte: 2}}
"""
    with Live(lateness="60s") as centre:
        now = time.time_ns() + 20 * 10**9  # nobody is late, however slow this machine is
        sent = [0]

        def send(host, *words):
            first = sent[0]
            sent[0] += len(words)
            centre.send("tcp0", [line(now + (first + i) * 10**6, first + i, word, host, first + i)
                                 for i, word in enumerate(words)])
            centre.until(lambda: matches(centre) == sent[0], "they are kept")

        send("h1", "RED", "RED", "RED")
        change_rules(centre, changed)
        send("h1", "RED")
        send("h2", "RED", "GREEN", "BLUE")
        centre.kill_role("judge")
        send("h3", "RED", "GREEN", "BLUE")
        change_rules(centre, more)
        send("h1", "RED")
        send("h4", "WHITE", "WHITE")
        centre.kill_role("judge")
        send("h4", "RED", "GREEN", "BLUE")
        findings = centre.wait_findings(9)
        quiet(centre)
        centre.stop()
        by = {}
        for f in findings:
            by.setdefault(f["rule"]["title"], []).append(f["inexact"])
        assert by == {"Many of one host": [False], "White twice": [True],
                      "All colours of one host": [True] * 3, "Colours in their order": [True] * 3,
                      "Many processes of one host": [True]}, by
        assert replayed(centre) == told(centre), differ(replayed(centre), told(centre))


def parts(centre, found):
    """From a place on, it is the rest: windows reach back before it."""
    log = segments.Log(os.path.join(centre.data, "log"))
    frames = [f for f in log if f.kind in (segments.RECORDS, segments.TICK)]
    at = frames[len(frames) // 2].offset
    first, rest = replayed(centre, "--to", str(at)), replayed(centre, "--from", str(at))
    assert first and rest and first + rest == found, (at, differ(first + rest, found))


def differ(a, b):
    a, b = a.splitlines(), b.splitlines()
    i = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
    return f"line {i} of {len(a)} and {len(b)}:\n{a[i:i + 1]}\n{b[i:i + 1]}"


def quiet(centre):
    """All that is stored is judged."""
    def is_judged():
        try:
            return '"judge_lag":0' in centre.ask("/api/v1/status")[1].replace(" ", "")
        except (OSError, ValueError, KeyError):
            return False
    centre.until(is_judged, "it is judged")


TESTS = [a_window_outlives_everybody, what_fires_is_a_function_of_the_log]
