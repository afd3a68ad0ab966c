"""A centre under test: `merlon serve` with its own directory and ports that the system gives.

    with Centre(inputs) as centre:
        centre.send("tcp", lines)
        centre.wait_findings(3)
"""
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time

MERLON = os.path.realpath(os.environ.get("MERLON", "build/merlon"))
PATIENCE = 60  # seconds until something that must happen has happened

RULES = """\
title: Marked Line
id: 5b7bb1d8-55ef-4f6f-8c1b-6c5b6e9d7d11
logsource:
    product: linux
    service: sshd
detection:
    words:
        - PLANTED
    condition: words
level: high
"""


def line(number, planted=False, host="host1"):
    """An RFC 3164 message that can be made again from its number."""
    word = "PLANTED" if planted else "quiet"
    return f"<38>Nov 22 10:{number // 60 % 60:02}:{number % 60:02} {host} sshd[{number}]: {word} {number}"


class Centre:
    def __init__(self, tenants=("sg/moh",), environment=None):
        self.scratch = tempfile.TemporaryDirectory(prefix="merlon-serve-")
        self.folder = self.scratch.name
        self.data = os.path.join(self.folder, "data")
        self.environment = dict(os.environ, **(environment or {}))
        os.mkdir(os.path.join(self.folder, "rules"))
        with open(os.path.join(self.folder, "rules", "planted.yml"), "w") as out:
            out.write(RULES)
        self.config = os.path.join(self.folder, "serve.yml")
        with open(self.config, "w") as out:
            out.write(f"data: {self.data}\nrules: [{self.folder}/rules]\ninputs:\n")
            for i, tenant in enumerate(tenants):
                for name, kind in (("udp", "syslog-udp"), ("tcp", "syslog-tcp"), ("web", "http")):
                    out.write(f"  - {{name: {name}{i}, kind: {kind}, "
                              f'listen: "127.0.0.1:0", tenant: {tenant}}}\n')
        self.inputs = 3 * len(tenants)
        self.token = None
        self.process = None
        self.said = os.path.join(self.folder, "stderr")

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.scratch.cleanup()

    def words(self):
        with open(self.said, errors="replace") as text:
            return text.read()

    def start(self):
        with open(self.said, "w") as out:
            self.process = subprocess.Popen([MERLON, "serve", "-c", self.config], stderr=out,
                                            stdin=subprocess.DEVNULL, env=self.environment)
        self.until(lambda: self.words().count(", tenant ") == self.inputs or self.process.poll() is not None,
                   "it says where it listens")
        self.ports = {name: int(port) for name, port in
                      re.findall(r"input (\S+): \S+ at 127\.0\.0\.1:(\d+)", self.words())}
        shown = re.search(r"merlon_[A-Za-z0-9_-]{43}", self.words())
        self.token = shown.group() if shown else self.token

    def until(self, what, words):
        end = time.monotonic() + PATIENCE
        while not what():
            assert time.monotonic() < end, f"never happened: {words}; it said: {self.words()[-800:]}"
            time.sleep(0.02)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def kill(self):
        """The whole of it, at once."""
        self.process.kill()
        self.process.wait()
        self.until(lambda: not self.children(self.process.pid), "its processes are gone")

    @staticmethod
    def children(parent):
        found = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat") as stat:
                    text = stat.read()
            except OSError:
                continue
            name, rest = text[text.index("(") + 1:text.rindex(")")], text[text.rindex(")") + 2:]
            if int(rest.split()[1]) == parent and rest[0] != "Z":
                found[name] = int(pid)
        return found

    def role(self, name):
        """The process of a role, when it is there."""
        self.until(lambda: "merlon-" + name in self.children(self.process.pid), name + " is there")
        return self.children(self.process.pid)["merlon-" + name]

    def connect(self, name):
        return socket.create_connection(("127.0.0.1", self.ports[name]), timeout=PATIENCE)

    def send(self, name, lines):
        with self.connect(name) as s:
            s.sendall("".join(l + "\n" for l in lines).encode())

    def post(self, name, lines, path="/api/v1/ingest?format=syslog", token=None):
        """The status; None: no answer, so that nobody knows."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ports[name], timeout=PATIENCE)
        try:
            connection.request("POST", path, "\n".join(lines).encode(),
                               {"Authorization": "Bearer " + (token or self.token)})
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def findings(self, *options):
        run = subprocess.run([MERLON, "findings", "--data", self.data, *options], text=True,
                             capture_output=True)
        return [json.loads(l) for l in run.stdout.splitlines()] if run.returncode == 0 else []

    def wait_findings(self, count):
        self.until(lambda: len(self.findings()) >= count, f"{count} findings")
        return self.findings()
