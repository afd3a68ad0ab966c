#!/usr/bin/env python3
"""Kills `merlon serve` while events come in, and judges what is left.

    kill.py [--random N] [--points N] [--calls N] [--kills K] [--results FILE] [--seconds S]
            [--merlon FILE]

--random N: N runs in which all its processes are killed K times at times by chance, some of them
while it recovers. --points N: N runs at each point that the sources name (point_pass("NAME")), in
which the process that passes it kills itself at some passing, and the others are killed then.
--calls N: the first, second ... N-th call of each kind of CALLS fails, in a run of its own (with
the shim: make build/test/shim.so); the program must go on by itself.

The program stands in a process group of its own, the generator outside. After a kill it is started
again at once. In the end the generator stops, and when the log is judged to its end the checker is
run. Results are a JSON object a line, with the commit and the state of src/ that it is about: what
stands there already is not run again, so that a long series may be broken off and gone on with. The
directory of a run that fails is kept, and named.
"""
import argparse
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import zlib

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
LEDGER = os.path.join(os.path.dirname(HERE), "ledger")
sys.path[:0] = [HERE, LEDGER]
import segments  # noqa: E402
import settings as surface  # noqa: E402
import shim  # noqa: E402

PATIENCE_S = 60  # for what must happen some time
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


def free_port():
    with socket.socket() as s, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u:
        s.bind(("127.0.0.1", 0))
        u.bind(s.getsockname())
        return s.getsockname()[1]


def until(true, what, seconds=PATIENCE_S):
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.01)


class Centre:
    """The program, in a group of its own."""

    def __init__(self, directory, plan, settings, merlon):
        self.directory, self.settings, self.plan = directory, settings, plan
        self.data = os.path.join(directory, "data")
        self.config = os.path.join(directory, "serve.yml")
        self.command = [w.format(merlon=merlon, data=self.data, config=self.config)
                        for w in settings.command]
        self.process, self.faults = None, []
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(settings.config_head.format(data=self.data,
                                                rules=os.path.join(LEDGER, "rules")))
            for entry in plan["inputs"]:
                kind = settings.config_kinds[entry["kind"]]
                f.write(settings.config_input.format(**dict(entry, kind=kind)))

    def start(self, environment=None):
        environment = dict(os.environ, **(environment or {}))
        with open(os.path.join(self.directory, "stderr"), "ab") as said:
            # pylint: disable=consider-using-with
            self.process = subprocess.Popen(self.command, env=environment, start_new_session=True,
                                            stdin=subprocess.DEVNULL, stdout=said, stderr=said)

    def ready(self):
        """Every input that is asked for can be reached."""
        for entry in self.plan["inputs"]:
            if entry["kind"] == "udp":
                continue
            try:
                socket.create_connection((entry["host"], entry["port"]), 1).close()
            except OSError:
                if self.process.poll() is not None:
                    raise RuntimeError("the program has ended: see stderr") from None
                return False
        return True

    def members(self):
        """The processes of the group that live."""
        found = set()
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8") as f:
                    field = f.read().rpartition(")")[2].split()
            except OSError:
                continue
            if int(field[2]) == self.process.pid and field[0] not in "ZX":
                found.add(int(name))
        return found

    def kill(self):
        """All of it; noted as a fault until it is ready again."""
        self.faults.append({"kind": "kill", "from_ns": time.time_ns()})
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        until(lambda: not self.members(), "killed processes are still there")

    def again(self):
        self.start()
        until(self.ready, "it does not come up again")
        self.faults[-1]["to_ns"] = time.time_ns()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)

    def place(self):
        """How far the log goes, and how far it is judged: (next, through)"""
        log = segments.Log(os.path.join(self.data, self.settings.log))
        for _ in log:
            pass
        through = 0
        for frame in segments.Log(os.path.join(self.data, self.settings.findings)):
            through = int.from_bytes(frame.attributes.get(segments.THROUGH, b""), "little") \
                or through
        return log.next, through

    def quiet(self):
        """Nothing more comes in, and all is judged."""
        before = None

        def same():
            nonlocal before
            last, before = before, self.place()
            time.sleep(0.3)
            return last == before and before[0] == before[1]
        until(same, f"it does not come to rest: {self.place()}")


class Run:
    def __init__(self, directory, merlon, dice):
        self.directory, self.dice = directory, dice
        self.settings = surface.Settings()
        if not self.settings.correlates:
            for entry in PLAN:
                entry.pop("burst_every", None)
        inputs = [dict(entry, host="127.0.0.1", port=free_port(), count=10**6,
                       source=entry["name"] + "/127.0.0.1") for entry in PLAN
                  if self.settings.http or not entry["name"].startswith("http")]
        self.plan = {"run": "kill", "start_ns": time.time_ns(), "inputs": inputs}
        self.put("plan.json", json.dumps(self.plan))
        self.centre = Centre(directory, self.plan, self.settings, merlon)
        self.generator = None

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

    def judge(self):
        """(exit status, what the checker said)"""
        time.sleep(1.5)  # a fresh event behind the last fault
        self.generator.send_signal(signal.SIGTERM)
        if self.generator.wait(PATIENCE_S):
            return 1, "the generator has failed"
        self.centre.quiet()
        skip = COUNTERS
        if self.settings.metrics_route:
            self.put("status", self.fetch_counters())
            skip = []
        status = self.centre.stop()
        if status:
            return 1, f"the program ended with {status}"
        self.put("faults", "".join(json.dumps(f) + "\n" for f in self.centre.faults))
        run = subprocess.run(
            [os.path.join(LEDGER, "checker.py"), "--ledger", self.path("ledger"), "--data",
             self.centre.data, "--faults", self.path("faults"), "--skip", *skip, "--status",
             *([] if skip else [self.path("status")])],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        slow = [f for f in self.centre.faults
                if f["to_ns"] - f["from_ns"] > self.settings.restart_ms * 10**6]
        words = "".join(f"slow restart: {(f['to_ns'] - f['from_ns']) / 1e6:.0f} ms\n" for f in slow)
        return run.returncode or len(slow), words + run.stdout

    def fetch_counters(self):
        port = next(e["port"] for e in self.plan["inputs"] if e["name"].startswith("http"))
        url = f"http://127.0.0.1:{port}{self.settings.metrics_route}"
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
            return answer.read().decode()

    def close(self):
        for process in (self.generator, self.centre.process):
            if process is not None and process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    # ---- the kinds of runs
    def at_random(self, kills):
        self.centre.start()
        until(self.centre.ready, "it does not come up")
        self.generate()
        for _ in range(kills):
            early = self.dice.random() < 0.3
            time.sleep(self.dice.uniform(0, 0.3) if early else self.dice.uniform(0.3, 2))
            self.centre.kill()
            self.centre.again()
        return self.judge()

    def at_point(self, name):
        """None: it was not passed so often."""
        passing = self.dice.choice([1, 1, 2, 3, 5, 10, 30])
        self.centre.start({self.settings.point_variable: f"{name}:{passing}"})
        begun = set()

        def struck():
            nonlocal begun
            now = self.centre.members()
            gone, begun = begun - now, begun | now
            return bool(gone) or self.centre.process.poll() is not None
        try:
            self.generate()
            until(struck, name, 10)
        except TimeoutError:
            return None
        self.centre.kill()
        self.centre.again()
        return self.judge()


    def at_call(self, call, role, how, number):
        """The N-th such call fails; None: there were not so many."""
        state = self.path("calls")
        rule = shim.rule("short" if how == "short" else "fail", call=call, role=role, nth=number,
                         **({} if how == "short" else {"errno": how}))
        begun = time.time_ns()
        self.centre.start(shim.environment(built_shim(), [rule], state=state, base={}))
        until(self.centre.ready, "it does not come up")
        self.generate()
        time.sleep(1)
        # A process that ends by it is started again: as behind a kill.
        self.centre.faults.append({"kind": "kill", "from_ns": begun, "to_ns": time.time_ns()})
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
    return sorted(found)


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
    run = Run(directory, given.merlon, random.Random(f"{key} {state['code']}"))
    began = time.monotonic()
    try:
        if name == "random":
            said = run.at_random(given.kills)
        elif name.startswith("call "):
            said = run.at_call(*name.split()[1:], int(number))
        else:
            said = run.at_point(name)
    except (TimeoutError, RuntimeError) as error:
        said = 1, str(error)
    finally:
        run.close()
    result = "not reached" if said is None else "failed" if said[0] else "passed"
    line = dict(state, key=key, result=result, faults=len(run.centre.faults),
                seconds=round(time.monotonic() - began, 1), time=int(time.time()))
    print(f"{'FAIL' if result == 'failed' else 'ok  '} {key}: {result}", flush=True)
    if result == "failed":
        print(said[1] if given.drop else f"{said[1]}\nsee {directory}", flush=True)
    if result != "failed" or given.drop:
        shutil.rmtree(directory)
    assert number.isdigit()
    return line


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    build = os.environ.get("BUILD", os.path.join(TOP, "build"))
    parser.add_argument("--random", type=int, default=0)
    parser.add_argument("--points", type=int, default=0)
    parser.add_argument("--calls", type=int, default=0)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--results", default=os.path.join(build, "kill.jsonl"))
    parser.add_argument("--drop", action="store_true", help="keep no directory")
    parser.add_argument("--call", default="", help="only of this kind")
    parser.add_argument("--merlon", default=os.environ.get("MERLON",
                                                           os.path.join(build, "merlon")))
    given = parser.parse_args(arguments)
    given.merlon = os.path.abspath(given.merlon)
    state = {"commit": git("rev-parse", "HEAD"), "code": code()}
    done = {}
    if os.path.exists(given.results):
        with open(given.results, encoding="utf-8") as f:
            done = {r["key"]: r["result"] for r in map(json.loads, f) if r["code"] == state["code"]}
    keys = [f"random {n}" for n in range(given.random)]
    keys += [f"{p} {n}" for p in points(surface.Settings()) for n in range(given.points)]
    keys += [f"call {' '.join(c)} {n + 1}" for c in CALLS for n in range(given.calls)
             if given.call in ("", c[0])]
    end = time.monotonic() + given.seconds
    for key in keys:
        if done.get(key) in ("passed", "not reached"):
            continue
        if time.monotonic() > end:
            print("time is up: run it again to go on")
            break
        line = one(key, given, state)
        done[key] = line["result"]
        with open(given.results, "a", encoding="utf-8") as f:
            f.write(json.dumps(line) + "\n")
    results = [done.get(key) for key in keys]
    print(f"{results.count('passed')} passed, {results.count('failed')} failed"
          + (f", {results.count('not reached')} skipped" if "not reached" in results else ""))
    return "failed" in results


if __name__ == "__main__":
    sys.exit(main())
