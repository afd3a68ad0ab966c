#!/usr/bin/env python3
"""Sends the records of a plan (records.py) and keeps the ledger (ledger.py). It runs outside the
process group that faults are made in, goes on through them, and ends when every connection has sent
its count, after --seconds, or in order on SIGTERM.

    generate.py --plan plan.json --ledger FILE [--part 0/2] [--seconds N] [--settings FILE]

HTTP: 200 is an acknowledgement (hec-ack: what the acknowledgement route says; bulk: each item's own
status), another answer a refusal, a broken connection or none in time unknown. Refused and unknown
batches are sent again `retry` times, under the same key where the input has one. TCP and UDP:
nothing is ever answered; what stood in a send call that failed is unknown.
"""
import argparse
import gzip
import http.client
import json
import os
import select
import signal
import socket
import ssl
import sys
import threading
import time

sys.dont_write_bytecode = True
import ledger as ledgers  # noqa: E402
import records  # noqa: E402
import settings as surface  # noqa: E402

ANSWER_S = 30  # for an HTTP answer
STALL_S = 900  # TCP stands still that long: a program that stopped reading
CONNECT_S = 5
WAITS_S = (0.01, 0.05, 0.1, 0.25, 0.5)  # between attempts to connect, then the last again


class Stopped(Exception):
    """The run is over."""


class Sender(threading.Thread):
    def __init__(self, run, connection):
        super().__init__(name=connection, daemon=True)
        self.run_, self.connection = run, connection
        self.make = run.plan.maker(connection)
        self.input, self.settings = self.make.input, run.settings
        self.ledger, self.epoch, self.link = run.ledger, -1, None
        self.failure = None

    def run(self):
        try:
            try:
                self.send_all()
            except Stopped:
                pass
            self.finish()
        except Exception as error:  # pylint: disable=broad-except
            self.failure = error
        finally:
            if self.link is not None:
                self.close("end")

    def send_all(self):
        began, rate = time.monotonic(), self.input["rate"]
        count, batch = self.input["count"], self.input["batch"]
        for first in range(0, count, batch):
            if rate:
                self.wait(began + first / rate - time.monotonic())
            self.batch(first, min(batch, count - first))

    def batch(self, first, count):
        """With its retries."""
        for number in range(1, self.input["retry"] + 2):
            if self.attempt(first, count, number):
                return
            self.wait(0.02 * number)

    def wait(self, seconds):
        if self.run_.stop.wait(max(seconds, 0)):
            raise Stopped

    def target(self):
        kind = {"udp": "syslog_udp", "tcp": "syslog_tcp", "tls": "syslog_tls"}.get(
            self.input["kind"], "http")
        return (self.input["host"] or self.settings.host,
                self.input["port"] or getattr(self.settings, kind + "_port"))

    def connect(self):
        """Tries until it succeeds or the run is over."""
        tries = 0
        while self.link is None:
            self.wait(0 if tries == 0 else WAITS_S[min(tries, len(WAITS_S)) - 1])
            tries += 1
            try:
                self.link = self.open()
            except OSError:
                continue
            self.epoch += 1
            self.ledger.opened(self.connection, self.epoch)

    def close(self, why):
        link, self.link = self.link, None
        link.close()
        self.ledger.closed(self.connection, self.epoch, why)

    def finish(self):
        pass


class Datagrams(Sender):
    def open(self):
        return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def attempt(self, first, count, number):
        self.connect()
        self.ledger.sending(self.connection, self.epoch, first, count, number)
        for sequence in range(first, first + count):
            self.link.sendto(self.make(sequence), self.target())
        return True


class Stream(Sender):
    def open(self):
        link = socket.create_connection(self.target(), CONNECT_S)
        if self.input["kind"] == "tls":
            context = ssl.create_default_context(cafile=self.input["ca"])
            if self.input["certificate"]:
                context.load_cert_chain(self.input["certificate"], self.input["private_key"])
            link = context.wrap_socket(link, server_hostname=self.target()[0])
        link.settimeout(STALL_S)
        return link

    def frame(self, sequence):
        record = self.make(sequence)
        if self.input["framing"] == "octets":
            return b"%d %s" % (len(record), record)
        return record + b"\n"

    def gone(self):
        """The other side has closed: what is sent now would go nowhere."""
        if not select.select([self.link], [], [], 0)[0]:
            return False
        try:
            return not self.link.recv(4096)
        except ssl.SSLWantReadError:
            return False
        except OSError:
            return True

    def attempt(self, first, count, number):
        if self.link is not None and self.gone():
            self.close("broken")
        self.connect()
        data = b"".join(self.frame(s) for s in range(first, first + count))
        self.ledger.sending(self.connection, self.epoch, first, count, number)
        try:
            self.link.sendall(data)
        except OSError as error:
            self.ledger.answer("U", self.connection, first, count, number, type(error).__name__)
            self.close("broken")
        return True

    def finish(self):
        """All is read when the other side closes too."""
        if self.link is None:
            return
        try:
            if isinstance(self.link, ssl.SSLSocket):
                self.link.unwrap()
            else:
                self.link.shutdown(socket.SHUT_WR)
                self.link.settimeout(ANSWER_S)
                while self.link.recv(4096):
                    pass
        except OSError:
            self.close("broken")


class Requests(Sender):
    """JSON lines; the others differ in what they ask and how they read the answer."""
    route, scheme = "lines_route", "lines_authorization"

    def open(self):
        link = http.client.HTTPConnection(*self.target(), timeout=ANSWER_S)
        link.connect()
        link.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return link

    def headers(self, first):
        token = self.input["token"] or self.settings.token
        headers = {"Content-Type": self.content_type()}
        if token:
            headers["Authorization"] = getattr(self.settings, self.scheme).format(token=token)
        if self.input["key"] and self.input["kind"] != "bulk":
            headers[self.settings.key_header] = f"{self.make.mark}{first}"
        if self.input["gzip"]:
            headers["Content-Encoding"] = "gzip"
        return headers

    def content_type(self):
        return self.settings.lines_type

    def body(self, first, count):
        data = b"".join(self.make.element(s) + b"\n" for s in range(first, first + count))
        return gzip.compress(data, 1, mtime=0) if self.input["gzip"] else data

    def attempt(self, first, count, number):
        self.connect()
        self.ledger.sending(self.connection, self.epoch, first, count, number)
        try:
            status, text = self.ask(getattr(self.settings, self.route), self.body(first, count),
                                    self.headers(first))
            verdicts = self.verdicts(status, text, first, count)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.ledger.answer("U", self.connection, first, count, number, type(error).__name__)
            self.close("broken")
            return False
        for letter, start, length, why in verdicts:
            self.ledger.answer(letter, self.connection, start, length, number, why)
        return all(v[0] == "A" for v in verdicts)

    def ask(self, route, body, headers):
        self.link.request("POST", route, body, headers)
        answer = self.link.getresponse()
        text = answer.read()
        if answer.will_close:
            self.link.close()
            self.link = self.open()
        return answer.status, text

    def verdicts(self, status, text, first, count):
        """(letter, first, count, why) for all of a batch."""
        if status == 200:
            return [("A", first, count, "")]
        unknown = status in self.settings.unknown_status and \
            self.settings.refused_words.encode() not in text
        return [("U" if unknown else "R", first, count, status)]


class Collector(Requests):
    route, scheme = "hec_route", "hec_authorization"

    def content_type(self):
        return "application/json"

    def headers(self, first):
        headers = super().headers(first)
        if self.input["kind"] == "hec-ack":
            headers["X-Splunk-Request-Channel"] = self.channel()
        return headers

    def channel(self):
        return f"00000000-0000-4000-8000-{self.make.seed:08x}{self.epoch:04x}"

    def verdicts(self, status, text, first, count):
        if status != 200 or self.input["kind"] != "hec-ack":
            return super().verdicts(status, text, first, count)
        number = json.loads(text)["ackId"]
        end = time.monotonic() + ANSWER_S
        while time.monotonic() < end:
            headers = self.headers(first) | {"Content-Encoding": "identity"}
            status, text = self.ask(f"{self.settings.hec_ack_route}?channel={self.channel()}",
                                    json.dumps({"acks": [number]}), headers)
            if status != 200:
                return [("U", first, count, f"ack {status}")]
            if json.loads(text)["acks"].get(str(number)):
                return [("A", first, count, "")]
            self.wait(0.01)
        return [("U", first, count, "no ack")]


class Bulk(Requests):
    route, scheme = "bulk_route", "bulk_authorization"
    pieces = ()

    def verdicts(self, status, text, first, count):
        if status != 200:
            return super().verdicts(status, text, first, count)
        items = json.loads(text)["items"]
        if len(items) != count:
            raise ValueError(f"{len(items)} items for {count}")
        found = []
        for sequence, item in enumerate(items, first):
            code = next(iter(item.values()))["status"]
            # 409: the document of this id is there already.
            letter, why = ("A", "") if code in (200, 201, 409) else ("R", code)
            if found and found[-1][0] == letter and found[-1][3] == why:
                found[-1] = (letter, found[-1][1], found[-1][2] + 1, why)
            else:
                found.append((letter, sequence, 1, why))
        self.pieces = [f[1:3] for f in found if f[0] != "A"]
        return found

    def batch(self, first, count):
        """Sent again are only the items that were refused, or the whole if nothing is known."""
        todo = [(first, count)]
        for number in range(1, self.input["retry"] + 2):
            todo = [p for start, length in todo for p in self.refused(start, length, number)]
            if not todo:
                return
            self.wait(0.02 * number)

    def refused(self, first, count, number):
        self.pieces = [(first, count)]
        if self.attempt(first, count, number):
            return []
        return self.pieces


KINDS = {"udp": Datagrams, "tcp": Stream, "tls": Stream, "lines": Requests, "hec": Collector,
         "hec-ack": Collector, "bulk": Bulk}


class Run:
    def __init__(self, plan, ledger, settings, part=(0, 1)):
        self.plan, self.ledger, self.settings = plan, ledger, settings
        self.stop = threading.Event()
        chosen = plan.connections()[part[0]::part[1]]
        self.senders = [KINDS[plan.input_of(c)["kind"]](self, c) for c in chosen]

    def go(self, seconds=None):
        """The failures of senders: none in a run in order."""
        end = None if seconds is None else time.monotonic() + seconds
        for sender in self.senders:
            sender.start()
        for sender in self.senders:
            while sender.is_alive():
                sender.join(0.2)
                if end is not None and time.monotonic() > end:
                    self.stop.set()
        failures = [f"{s.connection}: {s.failure!r}" for s in self.senders if s.failure]
        if not failures:
            self.ledger.end()
        return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--plan", required=True)
    parser.add_argument("--ledger", required=True)
    parser.add_argument("--part", default="0/1")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--settings")
    given = parser.parse_args()
    if os.path.exists(given.ledger):
        sys.exit(f"{given.ledger} is there already")
    plan = records.Plan.load(given.plan)
    run = Run(plan, ledgers.Writer(given.ledger, plan), surface.Settings(given.settings),
              tuple(map(int, given.part.split("/"))))
    signal.signal(signal.SIGTERM, lambda *_: run.stop.set())
    failures = run.go(given.seconds)
    for failure in failures:
        print(failure, file=sys.stderr)
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
