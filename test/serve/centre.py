"""A centre under test: `merlon serve` with its own directory and ports that the system gives.

    with Centre(inputs) as centre:
        centre.send("tcp", lines)
        centre.wait_findings(3)
"""
import base64
import hashlib
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
PATIENCE = int(os.environ.get("PATIENCE", "60"))  # seconds until something that must happen has happened

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


class Skip(Exception):
    """A test that cannot be here: NAME: why, as test/skips.txt names it."""


class Stream:
    """Server-sent events of findings."""

    def __init__(self, centre, last):
        self.connection = http.client.HTTPConnection("127.0.0.1", centre.api, timeout=PATIENCE)
        headers = {"Authorization": "Bearer " + centre.token, "Accept": "text/event-stream"}
        self.connection.request("GET", "/api/v1/findings",
                                headers=dict(headers, **({"Last-Event-ID": last} if last else {})))
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200, self.answer.read()
        self.last = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def next(self):
        data = None
        while True:
            words = self.answer.readline().decode()
            assert words, "the stream ended"
            key, _, value = words.rstrip("\n").partition(": ")
            if key == "id":
                self.last = value
            elif key == "data":
                data = value
            elif not key and data is not None:
                return json.loads(data)


class Centre:
    def __init__(self, tenants=("sg/moh",), environment=None, start=True, extra=""):
        self.at_once = start
        self.killed = set()
        self.scratch = tempfile.TemporaryDirectory(prefix="merlon-serve-")
        self.folder = self.scratch.name
        self.data = os.path.join(self.folder, "data")
        self.environment = dict(os.environ, **(environment or {}))
        os.mkdir(os.path.join(self.folder, "rules"))
        with open(os.path.join(self.folder, "rules", "planted.yml"), "w") as out:
            out.write(RULES)
        self.config = os.path.join(self.folder, "serve.yml")
        with open(self.config, "w") as out:
            out.write(f"data: {self.data}\nrules: [{self.folder}/rules]\n"
                      'api: {listen: "127.0.0.1:0"}\n' + extra + "inputs:\n")
            for i, tenant in enumerate(tenants):
                for name, kind in (("udp", "syslog-udp"), ("tcp", "syslog-tcp"), ("web", "http")):
                    out.write(f"  - {{name: {name}{i}, kind: {kind}, "
                              f'listen: "127.0.0.1:0", tenant: {tenant}}}\n')
        self.inputs = 3 * len(tenants)
        self.token = None
        self.process = None
        self.said = os.path.join(self.folder, "stderr")

    def __enter__(self):
        if self.at_once:
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
        self.until(lambda: "api: http" in self.words() or self.process.poll() is not None,
                   "it says where it listens")
        self.ports = {name: int(port) for name, port in
                      re.findall(r"input (\S+): \S+ at 127\.0\.0\.1:(\d+)", self.words())}
        address = re.search(r"api: http://127\.0\.0\.1:(\d+)", self.words())
        self.api = int(address.group(1)) if address else None
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
        seen = {}

        def is_there():
            seen.update(self.children(self.process.pid))
            return "merlon-" + name in seen

        self.until(is_there, name + " is there")
        return seen["merlon-" + name]

    def kill_role(self, name):
        """Kills the process of a role: one that is dying of the last kill is waited for."""
        def is_killed():
            pid = self.role(name)
            if pid in self.killed:
                return False
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                return False
            self.killed.add(pid)
            return True

        self.until(is_killed, name + " is killed")

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

    def ask(self, path, token=None, headers=(), method="GET"):
        """(status, text) of the API; token "": none."""
        connection = http.client.HTTPConnection("127.0.0.1", self.api, timeout=PATIENCE)
        token = self.token if token is None else token
        try:
            connection.request(method, path, headers=dict(
                headers, **({"Authorization": "Bearer " + token} if token else {})))
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def pages(self, query="", token=None):
        """All findings that the API gives, page by page."""
        found, after = [], 0
        while True:
            status, text = self.ask(f"/api/v1/findings?after={after}{query}", token)
            assert status == 200, (status, text)
            page = json.loads(text)
            found += page["findings"]
            assert page["next"] > after or not page["more"], page
            after = page["next"]
            if not page["more"]:
                return found

    def listen(self, last=None):
        return Stream(self, last)

    def add_token(self, tenant, role):
        """As the file has them: doc/serve.md. In force within a second: waits until it is."""
        secret = "merlon_" + base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")
        with open(os.path.join(self.data, "tokens.jsonl")) as old:
            rows = old.read()
        row = dict(json.loads(rows.splitlines()[0]), id=os.urandom(8).hex(), name=role,
                   tenant=tenant, role=role, sha256=hashlib.sha256(secret.encode()).hexdigest())
        path = os.path.join(self.data, "tokens.new")
        with open(path, "w") as out:
            out.write(rows + json.dumps(row, separators=(",", ":")) + "\n")
        os.rename(path, os.path.join(self.data, "tokens.jsonl"))
        self.until(lambda: self.ask("/api/v1/status", secret)[0] != 401, "the token is in force")
        return secret

    def findings(self, *options):
        run = subprocess.run([MERLON, "findings", "--data", self.data, *options], text=True,
                             capture_output=True)
        return [json.loads(l) for l in run.stdout.splitlines()] if run.returncode == 0 else []

    def wait_findings(self, count):
        self.until(lambda: len(self.findings()) >= count, f"{count} findings")
        return self.findings()
