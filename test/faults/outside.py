#!/usr/bin/env python3
"""What goes wrong around a running centre, judged by the checker of test/ledger.

    outside.py [--times N] [--results FILE] [--merlon FILE] [--drop] [NAME...]

clocks     its clock says 1970, then the truth, then 2099, each from a start on; before each it is killed
leap       its clock leaps to 2099 while it runs (with the shim: make build/test/shim.so)
half-open  senders vanish without a word (no FIN, no RST: TCP_REPAIR, for which one must be root);
           others that never say anything stay

A source whose clock says 2099 while correlations of others go on: test/serve/live.py; a broker that is
stopped: test/inputs.

Results as kill.py has them: what stands there for this state of src/ is not run again.
"""
import argparse
import json
import os
import random
import shutil
import socket
import struct
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import kill  # noqa: E402
import shim  # noqa: E402
from running import until  # noqa: E402

TCP_REPAIR = 19
DAY = 86400
YEARS = {"1970": 7 * DAY, "2099": 4070908800}


class Skip(Exception):
    """It cannot be here."""


def at(run, year):
    """The environment in which the program's clock says that year."""
    add = YEARS[year] - int(time.time())
    return shim.environment(kill.built_shim(), [shim.rule("clock", add=add, onward=True)],
                            state=run.path(f"clock-{year}"), base={})


def begin(run, environment=None):
    """From a start, or from a kill on, until it is ready."""
    if run.generator is not None:
        run.centre.kill()
    run.centre.begin(environment)
    if run.generator is not None:
        run.centre.recovered(time.time_ns())
        return
    until(run.centre.ready, "it does not come up")
    run.generate()


def clocks(run):
    """Never put back far: windows begin anew then (doc/serve.md)."""
    run.skips = ["fresh-late"]  # by the time that findings give: it is wrong
    run.last_s = run.centre.plan["lateness"] + 2  # what is moved back to that is judged then
    begin(run, at(run, "1970"))
    for year in (None, "2099"):
        time.sleep(2)
        begin(run, at(run, year) if year else None)
        run.centre.change_rules()
    time.sleep(1)
    return run.judge()


def leap(run):
    """At the N-th look on the clock."""
    add = YEARS["2099"] - int(time.time())
    begin(run, shim.environment(kill.built_shim(), [shim.rule("clock", add=add, nth=5000,
                                                              onward=True)],
                                state=run.path("leap"), base={}))
    time.sleep(4)
    if shim.struck(run.path("leap"))[0] == 0:
        raise RuntimeError("its clock never leapt")
    return run.judge()


def vanish(s):
    """Nobody tells the other side."""
    try:
        s.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, struct.pack("i", 1))
    except OSError:
        raise Skip("TCP_REPAIR takes CAP_NET_ADMIN") from None
    s.close()


def half_open(run):
    begin(run)
    entry = next(e for e in run.plan["inputs"] if e["kind"] == "tcp")
    quiet = [socket.create_connection((entry["host"], entry["port"]), 5) for _ in range(50)]
    for _ in range(100):
        vanish(socket.create_connection((entry["host"], entry["port"]), 5))
    time.sleep(2)
    said = run.judge()
    for s in quiet:
        s.close()
    return said


KINDS = {"clocks": clocks, "leap": leap, "half-open": half_open}


def one(name, given):
    directory = tempfile.mkdtemp(prefix="outside-")
    run = kill.Run(directory, given.merlon, random.Random(1), name, lateness=5)
    try:
        status, words = KINDS[name](run)
    except Skip as skip:
        status, words = None, str(skip)
    except (TimeoutError, RuntimeError) as error:
        status, words = 1, repr(error)
    finally:
        run.close()
    if status and not given.drop:
        words += f"\nsee {directory}"
    else:
        shutil.rmtree(directory)
    if status is None:
        print(f"SKIP faults/{name}: {words}")
        return "not reached"
    print(f"{'FAIL' if status else 'ok  '} faults/{name}\n{words if status else ''}".rstrip(),
          flush=True)
    return "failed" if status else "passed"


def main(arguments=None):
    build = os.environ.get("BUILD", os.path.join(kill.TOP, "build"))
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--results", default=os.path.join(build, "outside.jsonl"))
    parser.add_argument("--code", default="")
    parser.add_argument("--merlon", default=os.environ.get("MERLON", os.path.join(build, "merlon")))
    parser.add_argument("--drop", action="store_true", help="keep no directory")
    parser.add_argument("names", nargs="*")
    given = parser.parse_args(arguments)
    given.merlon = os.path.abspath(given.merlon)
    state = {"commit": kill.git("rev-parse", "HEAD"), "code": kill.code()}
    done = kill.standing(given, state)
    keys = [f"{name} {n}" for n in range(given.times) for name in given.names or KINDS]
    for key in keys:
        if done.get(key, {}).get("result") != "passed":
            began = time.monotonic()
            done[key] = dict(state, key=key, result=one(key.split()[0], given),
                             seconds=round(time.monotonic() - began, 1), time=int(time.time()))
            with open(given.results, "a", encoding="utf-8") as f:
                f.write(json.dumps(done[key]) + "\n")
    results = [done[key]["result"] for key in keys]
    print(f"{results.count('passed')} passed, {results.count('failed')} failed"
          + (f", {results.count('not reached')} skipped" if "not reached" in results else ""))
    return "failed" in results


if __name__ == "__main__":
    sys.exit(main())
