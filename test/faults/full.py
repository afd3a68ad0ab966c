#!/usr/bin/env python3
"""Fills the disk of `merlon serve` while events come in, for a while, and judges what is left.

    full.py [--seconds S] [--times N] [--results FILE] [--merlon FILE] [--drop]

The data lie on a small file system of their own (tmpfs, in a mount namespace; without one: SKIP).
"reserve": what is received finds no room above the reserve, findings still do. "nothing": not a
byte is left, writes fail with ENOSPC. In both: HTTP answers 503 with Retry-After, TCP is held back,
UDP is counted, readiness says why, all that was stored is judged where findings have room; when
there is room again it goes on by itself, and the checker of test/ledger finds nothing lost.
10 minutes of each, as a proof: --seconds 600. Results as kill.py has them: what stands there for
this state of src/ is not run again.
"""
import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import kill  # noqa: E402
from running import until  # noqa: E402

SIZE, RESERVE = 256 << 20, 64 << 20
KINDS = ["reserve", "nothing"]
INSIDE = "MERLON_FULL_INSIDE"


class Full(kill.Run):
    def __init__(self, directory, merlon, reserve):
        data = os.path.join(directory, "data")
        os.mkdir(data, 0o700)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=700", "none", data],
                       check=True)
        super().__init__(directory, merlon, random.Random(1), "full", segment="1M", reserve=reserve)
        self.filler = os.path.join(data, "filler")

    def free(self):
        at = os.statvfs(self.centre.data)
        return at.f_bavail * at.f_frsize

    def fill(self, leave):
        """So that just so much is free, whatever else is written meanwhile."""
        with open(self.filler, "ab") as f:
            while self.free() > leave:
                try:
                    f.write(bytes(min(self.free() - leave, 1 << 20)))
                    f.flush()
                except OSError:
                    return

    def ask(self, lines):
        """(status, Retry-After, text) of a sender's request."""
        entry = next(e for e in self.plan["inputs"] if e["kind"] == "lines")
        request = urllib.request.Request(
            f"http://127.0.0.1:{entry['port']}/api/v1/ingest", "\n".join(lines).encode(),
            {"Authorization": f"Bearer {entry['token']}"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, None, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers["Retry-After"], error.read().decode()

    def unready(self):
        try:
            self.centre.fetch("/readyz")
        except urllib.error.HTTPError as error:
            return "the disk takes nothing" in error.read().decode()
        except (OSError, ValueError):
            pass
        return False

    def outage(self, kind, seconds):
        judge = next(n for n, name in self.centre.members().items() if name == "merlon-judge")
        os.kill(judge, signal.SIGSTOP)  # so that something is left to be found
        time.sleep(0.5)
        fault = {"kind": "full", "from_ns": time.time_ns()}
        end = time.monotonic() + seconds
        self.fill(RESERVE - (8 << 20) if kind == "reserve" else 0)
        until(self.unready, "it does not say that the disk is full")
        os.kill(judge, signal.SIGCONT)
        stopped = None
        if kind == "reserve":
            until(lambda: (lambda at: at[0] == at[1])(self.centre.place()), "it is not judged")
            stopped = self.centre.place()
        refused = 0
        while time.monotonic() < end:
            self.fill(RESERVE - (8 << 20) if kind == "reserve" else 0)
            status, again, text = self.ask(['{"probe": 1}'])
            if (status, again is not None, "nothing was stored" in text) != (503, True, True):
                raise RuntimeError(f"a sender was told {status}, {again}: {text}")
            refused += 1
            time.sleep(0.2)
        if stopped and self.centre.place() != stopped:
            raise RuntimeError(f"something was stored: {stopped} became {self.centre.place()}")
        os.unlink(self.filler)
        fault["to_ns"] = fault["from_ns"]
        self.centre.faults.append(fault)
        self.centre.recovered(time.time_ns())
        return refused

    def run(self, kind, seconds):
        self.centre.begin()
        until(self.centre.ready, "it does not come up")
        self.generate()
        time.sleep(1)
        refused = self.outage(kind, seconds)
        status, words = self.judge()
        if not self.centre.said("nothing is acknowledged until it can be written"):
            return 1, words + "nobody said that the disk is full"
        return status, f"{words}{refused} probes refused\n"

    def close(self):
        super().close()
        subprocess.run(["umount", self.centre.data], check=True)


def one(kind, given, state, key):
    directory = tempfile.mkdtemp(prefix="full-")
    began = time.monotonic()
    run = None
    try:
        run = Full(directory, given.merlon, RESERVE if kind == "reserve" else 1)
        status, words = run.run(kind, given.seconds)
    except (TimeoutError, RuntimeError) as error:
        status, words = 1, repr(error)
    if status and not given.drop:
        words += f"see {directory}.kept"
        shutil.copytree(directory, directory + ".kept", ignore=shutil.ignore_patterns("filler"))
    if run is not None:
        run.close()
    shutil.rmtree(directory)
    print(f"{'FAIL' if status else 'ok  '} {key}\n{words}", flush=True)
    return dict(state, key=key, result="failed" if status else "passed",
                seconds=round(time.monotonic() - began, 1), time=int(time.time()))


def enter():
    """In a mount namespace of its own; it does not come back."""
    command = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
    test = subprocess.run([*command, "mount", "-t", "tmpfs", "none", "/mnt"], check=False,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if test.returncode:
        print("SKIP full: no file system may be mounted here\n0 passed, 0 failed, 1 skipped")
        sys.exit(0)
    os.environ[INSIDE] = "1"
    os.execvp(command[0], [*command, sys.executable, os.path.abspath(__file__), *sys.argv[1:]])


def main():
    build = os.environ.get("BUILD", os.path.join(kill.TOP, "build"))
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--results", default=os.path.join(build, "full.jsonl"))
    parser.add_argument("--code", default="")
    parser.add_argument("--merlon", default=os.environ.get("MERLON", os.path.join(build, "merlon")))
    parser.add_argument("--drop", action="store_true", help="keep no directory")
    given = parser.parse_args()
    given.merlon = os.path.abspath(given.merlon)
    if INSIDE not in os.environ:
        enter()
    state = {"commit": kill.git("rev-parse", "HEAD"), "code": kill.code()}
    done = kill.standing(given, state)
    results = []
    for key in (f"{k} {given.seconds:g}s {n}" for n in range(given.times) for k in KINDS):
        if done.get(key, {}).get("result") != "passed":
            done[key] = one(key.split()[0], given, state, key)
            with open(given.results, "a", encoding="utf-8") as f:
                f.write(json.dumps(done[key]) + "\n")
        results.append(done[key]["result"])
    print(f"{results.count('passed')} passed, {results.count('failed')} failed")
    return "failed" in results


if __name__ == "__main__":
    sys.exit(main())
