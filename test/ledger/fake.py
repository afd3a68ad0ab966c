"""A small server that keeps the contract (or, told to, breaks it), for the test of the generator
and the checker together. It knows nothing of Merlon: it stores by forge.py.

    fake = Fake(directory, plan, settings)    # listens on free ports of loopback
    fake.faults = {"reset-stored": 3}         # each third request: stored, then the connection cut
    ...
    fake.close()                              # findings and status.json are written

Faults that are allowed: "reset-stored", "reset-lost", "refuse", "item" (one item of a bulk), "cut"
(a TCP connection, after all that it sent was stored). That are not: "drop", "double", "lie"
(refused but stored).
"""
import gzip
import http.server
import json
import os
import re
import socket
import threading
import time

import forge
import records


class Fake:
    def __init__(self, directory, plan, settings):
        self.directory, self.plan, self.settings = directory, plan, settings
        self.log = forge.Log(os.path.join(directory, "data", "log"), receipt_ns=time.time_ns())
        self.lock = threading.Lock()
        self.faults, self.passed = {}, {}
        self.keys, self.acks = {}, {}
        self.stored, self.rejected = {}, {}
        self.found, self.groups = [], {}
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.udp.bind(("127.0.0.1", 0))
        self.tcp = socket.create_server(("127.0.0.1", 0))
        handler = type("Handler", (Handler,), {"fake": self})
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.http.daemon_threads = True
        settings.syslog_udp_port = self.udp.getsockname()[1]
        settings.syslog_tcp_port = self.tcp.getsockname()[1]
        settings.http_port = self.http.server_address[1]
        self.threads = []
        for target in (self.datagrams, self.accept, self.http.serve_forever):
            self.thread(target)

    def thread(self, target, *arguments):
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self.threads.append(thread)
        thread.start()

    def fault(self, name):
        """True at each N-th passing."""
        if name not in self.faults:
            return False
        with self.lock:
            self.passed[name] = self.passed.get(name, 0) + 1
            return self.passed[name] % self.faults[name] == 0

    def store(self, content):
        """Records of one input; what is no JSON where JSON is due goes to quarantine."""
        if self.fault("drop"):
            content = content[1:]
        if self.fault("double"):
            content = content[:1] + content
        for record in content:
            _, connection, sequence = records.marker(record)
            entry = self.plan.input_of(connection)
            bad = entry["form"] == "windows" and record.endswith(b":")
            with self.lock:
                key = entry["tenant"], entry["source"]
                counts = self.rejected if bad else self.stored
                counts[key] = counts.get(key, 0) + 1
                offset = self.log.frame(3 if bad else 2, [record], tenant=key[0], source=key[1],
                                        reason="json" if bad else None,
                                        receipt_ns=time.time_ns())
                planted = self.plan.maker(connection).planted(sequence)
                if planted and not bad:
                    self.find(planted, offset, key[0])

    def find(self, planted, offset, tenant):
        finding = {"rule": {"id": planted[1]}, "source": {"log": self.log.identity,
                                                          "offset": offset}}
        if planted[0] == "group":
            count = self.groups[planted[2]] = self.groups.get(planted[2], 0) + 1
            if count != records.BURST:
                return
            finding = {"rule": {"id": planted[1]}, "group": {"user": planted[2]}}
        self.found.append((finding, tenant, time.time_ns()))

    def datagrams(self):
        while True:
            try:
                data = self.udp.recv(65536)
            except OSError:
                return
            if not data:
                return
            self.store([data])

    def accept(self):
        while True:
            try:
                link, _ = self.tcp.accept()
            except OSError:
                return
            self.thread(self.stream, link)

    def stream(self, link):
        rest = b""
        with link:
            while True:
                data = link.recv(65536)
                rest += data
                lines, rest = split(rest)
                self.store(lines)
                if not data or not rest and self.fault("cut"):
                    return

    def close(self):
        self.udp.sendto(b"", self.udp.getsockname())
        self.tcp.shutdown(socket.SHUT_RDWR)
        self.http.shutdown()
        for thread in self.threads:
            thread.join(10)
        self.udp.close()
        self.tcp.close()
        self.http.server_close()
        self.log.end()
        found = forge.Log(os.path.join(self.directory, "data", "findings"), identity="f" * 32)
        for finding, tenant, time_ns in self.found:
            found.frame(6, [json.dumps(finding).encode()], tenant=tenant, receipt_ns=time_ns,
                        through=self.log.next.to_bytes(8, "little"))
        found.end()
        sources = {(i["tenant"], i["source"]) for i in self.plan.inputs.values()}
        with open(os.path.join(self.directory, "status"), "w", encoding="utf-8") as f:
            for key in sorted(sources):
                label = f'tenant="{key[0]}",source="{key[1]}"'
                stored, rejected = self.stored.get(key, 0), self.rejected.get(key, 0)
                print(f"{self.settings.received}{{{label}}} {stored + rejected}", file=f)
                print(f"{self.settings.stored}{{{label}}} {stored}", file=f)
                print(f'{self.settings.rejected}{{{label},reason="json"}} {rejected}', file=f)
                print(f"{self.settings.in_flight}{{{label}}} 0", file=f)


def split(data):
    """Whole records by octet counting or lines, and the rest."""
    found = []
    while data:
        count = re.match(rb"([0-9]{1,7}) ", data)
        if count:
            end = count.end() + int(count[1])
            if len(data) < end:
                break
            found.append(data[count.end():end])
            data = data[end:]
        else:
            line, feed, after = data.partition(b"\n")
            if not feed:
                break
            found.append(line)
            data = after
    return found, data


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    fake = None

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass

    def do_POST(self):
        fake, settings = self.fake, self.fake.settings
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        route = self.path.partition("?")[0]
        if route == settings.hec_ack_route:
            self.answer(200, {"acks": {str(n): True for n in json.loads(body)["acks"]}})
            return
        if fake.fault("reset-lost"):
            self.cut()
            return
        if fake.fault("refuse"):
            self.answer(503, {"error": settings.refused_words})
            return
        lines = body.split(b"\n")[:-1]
        answer = {"ackId": 7}
        if route == settings.bulk_route:
            lines, answer = self.bulk(lines)
        elif route == settings.hec_route:
            lines = [line if settings.hec_record == "whole" else inner(line) for line in lines]
        key = self.headers[settings.key_header]
        if key is None or key not in fake.keys:
            fake.store(lines)
            fake.keys[key] = True
        if fake.fault("reset-stored"):
            self.cut()
            return
        self.answer(500 if fake.fault("lie") else 200, answer)

    def bulk(self, lines):
        items, content = [], []
        for line in lines[1::2]:
            refused = self.fake.fault("item")
            items.append({"create": {"status": 429 if refused else 201}})
            content += [] if refused else [line]
        return content, {"errors": len(content) != len(items), "items": items}

    def answer(self, status, value):
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def cut(self):
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


def inner(line):
    """The bytes of the member `event`."""
    text = line[len(b'{"event":'):line.rindex(b',"sourcetype"')]
    return json.loads(text).encode() if text.startswith(b'"') else text
