"""Receivers of findings, for tests of outputs: real ones of the standard library, which remember
what they were sent, and may be told to fail or to hang.

    with Hook() as hook:           # http; Hook(tls=files): https
        hook.url; hook.bodies; hook.answer = 500
    with Lines("tcp") as lines:    # octet-counted syslog by TCP, datagrams by UDP
        lines.port; lines.messages
"""
import http.server
import json
import os
import socket
import ssl
import subprocess
import threading


def certificate(folder):
    """(certificate, key) of localhost, that is its own authority."""
    made = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost", "-days", "2", "-out", made[0], "-keyout",
                    made[1]], check=True, capture_output=True)
    return made


class Hook:
    def __init__(self, tls=None, port=0):
        self.requests, self.answer, self.gate = [], 200, threading.Event()
        self.gate.set()
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                size = int(self.headers["Content-Length"])
                body = self.rfile.read(size)
                if len(body) < size:  # the sender was killed
                    self.close_connection = True
                    return
                hook.gate.wait()
                hook.requests.append((dict(self.headers), body, hook.answer))
                self.send_response(hook.answer)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # senders are killed
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.url = f"https://localhost:{self.port}/in" if tls else f"http://127.0.0.1:{self.port}/in"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def items(self):
        """What was accepted, in order: {"cursor", "tenant", "finding"}"""
        return [item for _, body, status in list(self.requests) if status == 200
                for item in json.loads(body)["findings"]]

    def close(self):
        self.gate.set()
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Lines:
    def __init__(self, kind, port=0, tls=None):
        self.messages, self.broken, self.kind = [], [], kind
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == "tcp"
                                    else socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("127.0.0.1", port))
        self.port = self.socket.getsockname()[1]
        self.links = []
        if kind == "tcp":
            self.socket.listen()
        self.tls = None
        if tls:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*tls)
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                if self.kind == "udp":
                    self.messages.append(self.socket.recv(1 << 16))
                else:
                    link = self.socket.accept()[0]
                    self.links.append(link)
                    threading.Thread(target=self.read, args=(link,), daemon=True).start()
            except OSError:
                return

    def read(self, link):
        data = b""
        try:
            if self.tls:
                link = self.tls.wrap_socket(link, server_side=True)
                self.links.append(link)
            while piece := link.recv(1 << 16):
                data += piece
                while b" " in data:
                    size, _, rest = data.partition(b" ")
                    if len(rest) < int(size):
                        break
                    self.messages.append(rest[:int(size)])
                    data = rest[int(size):]
        except OSError as error:
            self.broken.append(error)

    def close(self):
        self.socket.close()
        for link in self.links:
            try:
                link.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            link.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
