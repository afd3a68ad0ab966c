#!/usr/bin/env python3
"""Kills `merlon serve` while events come in, and judges what is left.

    kill.py [--random N] [--points N] [--calls N] [--kills K] [--results FILE] [--seconds S]
            [--merlon FILE] [--jobs N]

--random N: N runs in which all its processes, or one of them, are killed K times at times by chance,
some of them while it recovers. --points N: N runs at each point that the sources name
(point_pass("NAME")), in which K times the process that passes it kills itself at some passing, and
the others are killed then, and rules are changed. --calls N: the first, second ... N-th call of each kind of CALLS fails,
in a run of its own (with the shim: make build/test/shim.so); the program must go on by itself.
All of "1,000 kills": --random 50 --points 2 --kills 10 (each point 20 times).

The program stands in a process group of its own, the generator outside. After a kill it is started
again at once. In the end the generator stops, and when the log is judged to its end the checker is
run, over the program's own counters as well. Results are a JSON object a line, with the commit and
the state of src/ that it is about: what stands there already is not run again, so that a long
series may be broken off and gone on with (--code any: whatever code it is about). The directory of
a run that fails is kept, and named.
"""
import argparse
import concurrent.futures
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zlib

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
LEDGER = os.path.join(os.path.dirname(HERE), "ledger")
sys.path[:0] = [HERE, LEDGER]
import settings as surface  # noqa: E402
import shim  # noqa: E402
from running import DIED, PATIENCE_S, Centre, free_port, until  # noqa: E402

PLAN = [
    {"name": "tcp-a", "kind": "tcp", "tenant": "sg/health/moh", "connections": 2, "form": "syslog",
     "rate": 2000, "batch": 50, "attack_every": 250, "burst_every": 1000},
    {"name": "tcp-b", "kind": "tcp", "tenant": "sg/transport", "form": "syslog5424", "rate": 200,
     "batch": 1, "attack_every": 50, "framing": "octets"},
    {"name": "udp-c", "kind": "udp", "tenant": "sg/transport", "form": "syslog", "rate": 200,
     "batch": 5, "attack_every": 50},
    {"name": "http-d", "kind": "lines", "tenant": "sg/health", "connections": 2, "rate": 300,
     "batch": 30, "attack_every": 50, "burst_every": 400, "bad_every": 170, "retry": 2},
    {"name": "http-e", "kind": "hec", "tenant": "sg/health", "rate": 200, "batch": 10,
     "attack_every": 50, "retry": 2, "gzip": True},
    {"name": "http-f", "kind": "bulk", "tenant": "sg/health", "rate": 200, "batch": 10,
     "attack_every": 50, "retry": 2},
]
# Calls that fail, in which process, and how: one at a time, from the first on.
CALLS = [("fdatasync", "merlon-log", "EIO"), ("fsync", "merlon-log", "EIO"),
         ("write", "merlon-log", "EIO"), ("write", "merlon-log", "ENOSPC"),
         ("write", "merlon-log", "EINTR"), ("write", "merlon-log", "short"),
         ("open", "merlon-log", "EMFILE"), ("open", "merlon-log", "ENOSPC"),
         ("rename", "merlon-log", "EIO"), ("unlink", "merlon-log", "EIO"),
         ("malloc", "merlon-log", "ENOMEM"), ("malloc", "merlon-judge", "ENOMEM"),
         ("open", "merlon-judge", "EMFILE"), ("read", "merlon-judge", "EIO"),
         ("malloc", "merlon-listen", "ENOMEM"), ("recv", "merlon-listen", "EINTR"),
         ("accept", "merlon-listen", "EMFILE"), ("poll", "merlon-listen", "EINTR")]
COUNTERS = ["status", "conservation", "in-flight", "stored-counter", "rejections-uncounted",
            "counter-wrapped", "counter-backwards", "loss-overcounted"]
# What cannot be judged where retention has removed records.
REMOVED = COUNTERS + ["lost", "partial-batch", "loss-uncounted", "finding-extra"]
ROLES = ["log", "judge", "listen", "api"]
SEGMENTS = ["256M", "64K", "1M"]  # small ones are finished while it runs
# At which passing: points of a start are passed once by each log, others often.
PASSINGS = {"recover.": [1, 2], "seal.": [1, 2, 3], "segment.": [1, 2, 3, 4], "remove.": [1, 2, 3],
            "rules.": [1, 2, 3], "judge.before_swap": [1, 2], "judge.after_swap": [1, 2]}
OFTEN = [1, 1, 2, 3, 5, 10, 30]
POINT_S = 10  # for a point to be passed
# No sender of the plan writes files, and there is no broker: test/inputs kills there.
ELSEWHERE = ("places.", "kafka.")


class Run:
    def __init__(self, directory, merlon, dice, name, **settings):
        self.directory, self.dice = directory, dice
        self.removes = name.startswith("remove.")
        small = name.startswith(("seal.", "segment.", "remove."))
        segment = SEGMENTS[1] if small else dice.choice(SEGMENTS)
        self.settings = surface.Settings()
        inputs = [dict(entry, host="127.0.0.1", port=free_port(), count=10**6,
                       source=entry["name"] + "/127.0.0.1") for entry in PLAN
                  if self.settings.http or not entry["name"].startswith("http")]
        for entry in inputs:
            if not self.settings.correlates:
                entry.pop("burst_every", None)
        self.plan = {"run": "kill", "start_ns": time.time_ns(), "inputs": inputs}
        kept = {"segment": segment, "retention": "{size: 64K}" if self.removes else "{}", **settings}
        self.centre = Centre(directory, {**self.plan, **kept}, self.settings, merlon)
        token = self.centre.make_token()
        for entry in inputs:
            if entry["name"].startswith("http"):
                entry["token"] = token
        self.put("plan.json", json.dumps(self.plan))
        self.generator, self.snapshots = None, []
        self.last_s = 2  # so much after that the last windows are judged
        self.skips = []  # what else the checker cannot judge
        self.reached = 0  # how often the point was passed

    def put(self, name, text):
        with open(os.path.join(self.directory, name), "w", encoding="utf-8") as f:
            f.write(text)

    def path(self, name):
        return os.path.join(self.directory, name)

    def generate(self):
        # pylint: disable=consider-using-with
        self.generator = subprocess.Popen(
            [os.path.join(LEDGER, "generate.py"), "--plan", self.path("plan.json"), "--ledger",
             self.path("ledger")], start_new_session=True, stdin=subprocess.DEVNULL)

    def snapshot(self):
        """The counters as they are now: none may go back."""
        text = self.centre.counters() if self.settings.metrics_route else None
        if text is not None:
            self.snapshots.append(self.path(f"status.{len(self.snapshots)}"))
            self.put(os.path.basename(self.snapshots[-1]), text)

    def judge(self):
        """(exit status, what the checker said)"""
        time.sleep(1.5)  # a fresh event behind the last fault
        self.snapshot()
        self.generator.send_signal(signal.SIGTERM)
        if self.generator.wait(PATIENCE_S):
            return 1, "the generator has failed"
        if self.settings.correlates:
            time.sleep(self.settings.correlation_wait_s + self.last_s)  # the last windows
        self.centre.quiet()
        self.snapshot()
        status = self.centre.stop()
        if status:
            return 1, f"the program ended with {status}"
        self.centre.put_faults(self.path("faults"))
        run = subprocess.run(
            [os.path.join(LEDGER, "checker.py"), "--ledger", self.path("ledger"), "--data",
             self.centre.data, "--faults", self.path("faults"), "--status", *self.snapshots,
             "--skip", *self.skips, *(REMOVED if self.removes else [] if self.snapshots else COUNTERS)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        slow = [f for f in self.centre.faults if f["again_ns"] > self.settings.restart_ms * 10**6]
        words = "".join(f"slow restart: {f['again_ns'] / 1e6:.0f} ms\n" for f in slow)
        return run.returncode or len(slow), words + run.stdout

    def close(self):
        if self.generator is not None and self.generator.poll() is None:
            os.killpg(self.generator.pid, signal.SIGKILL)
            self.generator.wait()
        self.centre.close()

    # ---- the kinds of runs
    def at_random(self, kills):
        self.centre.begin()
        until(self.centre.ready, "it does not come up")
        self.generate()
        for _ in range(kills):
            early = self.dice.random() < 0.3
            time.sleep(self.dice.uniform(0, 0.3) if early else self.dice.uniform(0.3, 2))
            if self.centre.changes == 0 or self.dice.random() < 0.2:
                self.centre.change_rules()
            if self.dice.random() < 0.4:
                self.snapshot()
                self.centre.kill_role(self.dice.choice(ROLES))
                self.snapshot()
                continue
            self.centre.kill()
            while self.dice.random() < 0.3:  # once more, while it comes up
                self.centre.begin()
                time.sleep(self.dice.uniform(0, 0.3))
                self.centre.strike()
            self.centre.again()
        return self.judge()

    def load_again(self):
        """Other rules, as soon as those before are in force."""
        text = self.centre.counters() or ""
        if "merlon_ready 1" in text and not self.centre.process.poll():
            self.centre.change_rules()
            time.sleep(0.2)

    def struck(self, name, passing):
        """Starts it so that it ends itself there; False: it does not come there."""
        before = self.centre.said(DIED)
        self.centre.begin({self.settings.point_variable: f"{name}:{passing}"})
        if self.generator is None:
            self.generate()

        def died():
            if name.startswith("rules.") or name.endswith("_swap"):
                self.load_again()
            return self.centre.said(DIED) > before or self.centre.process.poll() is not None
        try:
            until(died, name, POINT_S)
        except TimeoutError:
            return False
        self.reached += 1
        return True

    def at_point(self, name, kills):
        """None: it was not passed each time."""
        choice = next((c for start, c in PASSINGS.items() if name.startswith(start)), OFTEN)
        for number in range(kills):
            if number > 0:
                time.sleep(self.dice.uniform(0.1, 0.6))
                self.centre.change_rules()
                self.centre.kill()
            if not self.struck(name, self.dice.choice(choice)):
                self.centre.strike()
                self.struck(name, 1)
            if number > 0:
                self.centre.strike()
            else:
                self.centre.kill()
            self.centre.again()
        said = self.judge()
        return said if said[0] or self.reached == kills else None

    def at_call(self, call, role, how, number):
        """The N-th such call fails; None: there were not so many."""
        state = self.path("calls")
        rule = shim.rule("short" if how == "short" else "fail", call=call, role=role, nth=number,
                         **({} if how == "short" else {"errno": how}))
        begun = time.time_ns()
        self.centre.begin(shim.environment(built_shim(), [rule], state=state, base={}))
        until(self.centre.ready, "it does not come up")
        self.generate()
        time.sleep(1)
        # A process that ends by it is started again: as behind a kill.
        self.centre.faults.append({"kind": "kill", "from_ns": begun, "to_ns": time.time_ns(),
                                   "again_ns": 0})
        said = self.judge()
        return said if shim.struck(state)[0] else None


def built_shim():
    return os.path.join(os.environ.get("BUILD", os.path.join(TOP, "build")), "test", "shim.so")


def points(settings):
    """The names of points in the sources."""
    found = set()
    for directory, _, names in os.walk(os.path.join(TOP, "src")):
        for name in names:
            if name.endswith(".c") and not name.endswith("_test.c"):
                with open(os.path.join(directory, name), encoding="utf-8") as f:
                    found |= set(re.findall(settings.point_call + r'\("([^"]+)"\)', f.read()))
    return sorted(p for p in found if not p.startswith(ELSEWHERE))


def git(*words):
    run = subprocess.run(["git", *words], cwd=TOP, stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, text=True, check=False)
    return run.stdout.strip()


def code():
    """What a result is about: the sources' tree, and what is not committed of them."""
    changes = git("diff", "HEAD", "--", "src")
    more = f"+{zlib.crc32(changes.encode()):08x}" if changes else ""
    return git("rev-parse", "HEAD:src") + more


def one(key, given, state):
    """Runs a key like "random 7" or "commit.before_sync 3"; the line of its result."""
    name, _, number = key.rpartition(" ")
    directory = tempfile.mkdtemp(prefix="kill-")
    dice = random.Random(f"{key} {state['code']}")
    run = Run(directory, given.merlon, dice, name)
    began = time.monotonic()
    try:
        if name == "random":
            said = run.at_random(given.kills)
        elif name.startswith("call "):
            said = run.at_call(*name.split()[1:], int(number))
        else:
            said = run.at_point(name, given.kills)
    except (TimeoutError, RuntimeError) as error:
        said = 1, repr(error)
    finally:
        run.close()
    result = "not reached" if said is None else "failed" if said[0] else "passed"
    line = dict(state, key=key, result=result, kills=run.centre.kills, reached=run.reached,
                rules=run.centre.changes, ports_held=run.centre.held,
                seconds=round(time.monotonic() - began, 1), time=int(time.time()))
    print(f"{'FAIL' if result == 'failed' else 'ok  '} {key}: {result}, {line['kills']} kills",
          flush=True)
    if result == "failed":
        print(said[1] if given.drop else f"{said[1]}\nsee {directory}", flush=True)
    if result != "failed" or given.drop:
        shutil.rmtree(directory)
    assert number.isdigit()
    return line


def standing(given, state):
    """The last result of each key."""
    if not os.path.exists(given.results):
        return {}
    with open(given.results, encoding="utf-8") as f:
        return {r["key"]: r for r in map(json.loads, f)
                if given.code in ("any", r["code"]) or r["code"] == state["code"]}


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    build = os.environ.get("BUILD", os.path.join(TOP, "build"))
    parser.add_argument("--random", type=int, default=0)
    parser.add_argument("--points", type=int, default=0)
    parser.add_argument("--calls", type=int, default=0)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2, help="so many runs side by side")
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--results", default=os.path.join(build, "kill.jsonl"))
    parser.add_argument("--code", default="", help="any: what stands was about other code too")
    parser.add_argument("--drop", action="store_true", help="keep no directory")
    parser.add_argument("--call", default="", help="only of this kind")
    parser.add_argument("--merlon", default=os.environ.get("MERLON",
                                                           os.path.join(build, "merlon")))
    given = parser.parse_args(arguments)
    given.merlon = os.path.abspath(given.merlon)
    state = {"commit": git("rev-parse", "HEAD"), "code": code()}
    done = standing(given, state)
    keys = [f"random {n}" for n in range(given.random)]
    keys += [f"{p} {n}" for p in points(surface.Settings()) for n in range(given.points)]
    keys += [f"call {' '.join(c)} {n + 1}" for c in CALLS for n in range(given.calls)
             if given.call in ("", c[0])]
    todo = [key for key in keys if key not in done or done[key]["result"] == "failed"]
    end, guard = time.monotonic() + given.seconds, threading.Lock()

    def work(key):
        if time.monotonic() > end:
            return
        result = one(key, given, state)
        with guard, open(given.results, "a", encoding="utf-8") as f:
            done[key] = result
            f.write(json.dumps(result) + "\n")

    with concurrent.futures.ThreadPoolExecutor(given.jobs) as pool:
        for finished in [pool.submit(work, key) for key in todo]:
            finished.result()
    if any(key not in done for key in keys):
        print("time is up: run it again to go on")
    results = [done[key]["result"] for key in keys if key in done]
    kills = sum(done[key]["kills"] for key in keys if key in done)
    reached = {}
    for key in keys:
        if key in done and done[key].get("reached"):
            name = key.rpartition(" ")[0]
            reached[name] = reached.get(name, 0) + done[key]["reached"]
    print(f"{kills} kills; {len(reached)} points"
          + (f", each {min(reached.values())} times or more" if reached else ""))
    print(f"{results.count('passed')} passed, {results.count('failed')} failed"
          + (f", {results.count('not reached')} skipped" if "not reached" in results else ""))
    return "failed" in results


if __name__ == "__main__":
    sys.exit(main())
