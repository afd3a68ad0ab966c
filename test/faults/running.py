"""A centre that is to be broken: `merlon serve` in a process group of its own.

    centre = Centre(directory, plan, settings, merlon)
    centre.begin(); centre.kill(); centre.again(); centre.kill_role("log")
    centre.faults   # [{"kind": "kill", "from_ns", "to_ns", "again_ns"}]: to_ns is when it was ready,
                    # again_ns how long that took from the last kill on
    centre.stop()
"""
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.request

import segments

PATIENCE_S = 60  # for what must happen some time
LEDGER = os.path.dirname(os.path.abspath(segments.__file__))
DIED = "ended by signal 9"  # what the parent says of a process that was killed


GIVEN = set()  # ports of this process: runs stand side by side
GUARD = threading.Lock()
IN_USE = "ddress already in use"


def free_port():
    """Below those that the kernel gives to who connects: nobody takes it while the centre is gone."""
    while True:
        port = random.randrange(10000, 32000)
        with GUARD, socket.socket() as s, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u:
            try:
                s.bind(("127.0.0.1", port))
                u.bind(("127.0.0.1", port))
            except OSError:
                continue
            if port not in GIVEN:
                GIVEN.add(port)
                return port


def until(true, what, seconds=PATIENCE_S):
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.01)


class Centre:
    def __init__(self, directory, plan, settings, merlon):
        self.directory, self.settings, self.plan = directory, settings, plan
        self.data = os.path.join(directory, "data")
        self.config = os.path.join(directory, "serve.yml")
        self.merlon, self.api, self.token = merlon, free_port(), ""
        self.command = [w.format(merlon=merlon, data=self.data, config=self.config)
                        for w in settings.command]
        self.process, self.faults, self.kills = None, [], 0
        self.held = 0  # how often a port was
        self.rules, self.changes = os.path.join(directory, "rules"), 0
        shutil.copytree(os.path.join(LEDGER, "rules"), self.rules)
        self.configure()
        with open(os.path.join(directory, "stderr"), "wb"):
            pass

    def configure(self):
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(self.settings.config_head.format(
                data=self.data, rules=self.rules, api=self.api,
                segment=self.plan.get("segment", "256M"),
                wait=self.settings.correlation_wait_s,
                lateness=self.plan.get("lateness", self.settings.correlation_lateness_s),
                retention=self.plan.get("retention", "{}"),
                reserve=self.plan.get("reserve", "256M")))
            for entry in self.plan["inputs"]:
                kind = self.settings.config_kinds[entry["kind"]]
                f.write(self.settings.config_input.format(**dict(entry, kind=kind)))

    def change_rules(self):
        """Other rules than before, of which one more finds nothing; they are loaded anew."""
        self.changes += 1
        with open(os.path.join(self.rules, "more.yml"), "w", encoding="utf-8") as f:
            f.write(f"title: Change {self.changes}\nid: 6f1f5a52-0c0e-4f0e-9b58-6c8a5d9f0aff\n"
                    "logsource: {product: linux, service: sshd}\n"
                    f"detection: {{a: ['no such words {self.changes}'], condition: a}}\n")
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGHUP)

    def make_token(self):
        """Before the first start; it is the administrator's."""
        os.makedirs(self.data, mode=0o700, exist_ok=True)
        self.token = subprocess.run(
            [self.merlon, "token", "add", "--data", self.data, "--name", "proof", "--tenant", "",
             "--role", "admin"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            check=True).stdout.strip()
        return self.token

    def begin(self, environment=None):
        environment = dict(os.environ, **(environment or {}))
        with open(os.path.join(self.directory, "stderr"), "ab") as said:
            # pylint: disable=consider-using-with
            self.process = subprocess.Popen(self.command, env=environment, start_new_session=True,
                                            stdin=subprocess.DEVNULL, stdout=said, stderr=said)

    def said(self, words):
        """How often it has said that."""
        with open(os.path.join(self.directory, "stderr"), encoding="utf-8", errors="replace") as f:
            return f.read().count(words)

    def fetch(self, route):
        request = urllib.request.Request(f"http://127.0.0.1:{self.api}{route}",
                                         headers={"Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return answer.read().decode()

    def counters(self):
        """Its counters as text; None: nobody answers just now."""
        try:
            return self.fetch(self.settings.metrics_route)
        except (OSError, ValueError):
            return None

    def ready(self):
        """Every input that is asked for can be reached, and it says that it is ready."""
        if self.process.poll() is not None:
            if self.said(IN_USE) == self.held or self.held > 100:
                raise RuntimeError("the program has ended: see stderr")
            self.held = self.said(IN_USE)  # by somebody else, for a moment: no fault of its own
            self.begin()
            return False
        try:
            for entry in self.plan["inputs"]:
                if entry["kind"] != "udp":
                    socket.create_connection((entry["host"], entry["port"]), 1).close()
            self.fetch(self.settings.ready_route)
        except (OSError, ValueError):
            return False
        return True

    def members(self):
        """The processes of the group that live: {number: name}"""
        found = {}
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8") as f:
                    word, _, rest = f.read().partition("(")[2].rpartition(")")
            except OSError:
                continue
            field = rest.split()
            if int(field[2]) == self.process.pid and self.lives(name, field[0]):
                found[int(name)] = word
        return found

    @staticmethod
    def lives(name, state):
        """Where the first thread has ended others may still hold sockets and files."""
        if state not in "ZX":
            return True
        try:
            return len(os.listdir(f"/proc/{name}/task")) > 1
        except OSError:
            return False

    def strike(self):
        """All of it ends now."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        until(lambda: not self.members(), "killed processes are still there")
        self.kills += 1

    def kill(self):
        """The same; noted as a fault until it is ready again."""
        self.faults.append({"kind": "kill", "from_ns": time.time_ns()})
        self.strike()

    def again(self):
        begun = time.time_ns()
        self.begin()
        self.recovered(begun)

    def recovered(self, begun):
        until(self.ready, "it does not come up again")
        self.faults[-1]["to_ns"] = time.time_ns()
        self.faults[-1]["again_ns"] = time.time_ns() - begun

    def kill_role(self, role):
        """One process of it ends; its parent makes another."""
        pids = [n for n, name in self.members().items() if name == "merlon-" + role]
        begun, deaths = time.time_ns(), self.said(DIED)
        # What may be lost uncounted when listeners die may not when others do.
        kind = "kill" if role == "listen" else "death"
        self.faults.append({"kind": kind, "role": role, "from_ns": begun})
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            self.kills += 1
        until(lambda: self.said(DIED) > deaths or not pids, f"nobody sees that {role} died")
        until(lambda: any(n not in pids and name == "merlon-" + role
                          for n, name in self.members().items()), f"no other {role} comes")
        self.recovered(begun)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)

    def place(self):
        """How far the log goes, and how far it is judged: (next, through)"""
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                return self.read_place()
            except FileNotFoundError:  # retention was quicker than who had read the names
                assert time.monotonic() < end

    def read_place(self):
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

    def close(self):
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            until(lambda: not self.members(), "killed processes are still there")

    def put_faults(self, path):
        with open(path, "w", encoding="utf-8") as f:
            f.writelines(json.dumps(fault) + "\n" for fault in self.faults)
