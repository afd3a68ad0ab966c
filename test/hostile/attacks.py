"""What somebody may do to a listener. Each attack is a function of (place, stop): it goes on until
`stop` is set, and gives what it counted.

    place.ports, place.token, place.foreign, place.folder     # see run
"""
import contextlib
import gzip
import os
import random
import socket
import ssl

CONNECTIONS = 1000
LINE = 64 << 20


def reach(place, name):
    # Of an address of its own: a listener takes only so many connections of one.
    s = socket.create_connection(("127.0.0.1", place.ports[name]), 10, ("127.0.0.2", 0))
    s.settimeout(10)
    return s


def drip(place, stop, name, beginning):
    """Connections that send a byte at a time and never come to an end."""
    sockets, closed = [], 0
    for _ in range(CONNECTIONS):
        with contextlib.suppress(OSError):
            s = reach(place, name)
            s.sendall(beginning)
            sockets.append(s)
        if stop.is_set():
            break
    opened = len(sockets)
    while not stop.wait(0.2):
        for s in list(sockets):
            try:
                s.sendall(b"x")
            except OSError:
                sockets.remove(s)
                closed += 1
    for s in sockets:
        s.close()
    return f"{opened} opened, {closed} closed by the listener"


def slow_headers(place, stop):
    return drip(place, stop, "web", b"POST /api/v1/ingest HTTP/1.1\r\nHost: x\r\nX-Slow: ")


def slow_bodies(place, stop):
    return drip(place, stop, "web", b"POST /api/v1/ingest HTTP/1.1\r\nHost: x\r\nContent-Length: "
                b"1000000\r\nAuthorization: Bearer " + place.token.encode() + b"\r\n\r\n{")


def slow_lines(place, stop):
    return drip(place, stop, "tcp", b"<38>Nov 22 10:00:00 slow sshd[1]: ")


def slow_handshakes(place, stop):
    return drip(place, stop, "tls", b"\x16\x03\x01\x02\x00\x01")


def again(place, stop, name, send):
    """Connection after connection, each with what `send` does."""
    count = refused = 0
    while not stop.is_set():
        try:
            with reach(place, name) as s:
                count += 1
                send(s)
        except OSError:
            refused += 1
    return f"{count} connections, {refused} broken off"


def long_lines(place, stop):
    block = b"A" * (1 << 20)

    def send(s):
        for _ in range(LINE >> 20):
            if stop.is_set():
                return
            s.sendall(block)
        s.sendall(b"\n")
    return again(place, stop, "tcp", send)


def long_counts(place, stop):
    block = b"B" * (1 << 20)

    def send(s):
        s.sendall(b"%d " % LINE)
        for _ in range(LINE >> 20):
            if stop.is_set():
                return
            s.sendall(block)
    return again(place, stop, "tcp", send)


def bad_framing(place, stop):
    dice = random.Random(1)
    kinds = [lambda: b"99999999999999999999 <38>x", lambda: b"0 0 0 0 ", lambda: b"12 <38>short",
             lambda: b"\0" * 5000, lambda: dice.randbytes(20000), lambda: b"-5 <38>x\n",
             lambda: b"\n" * 20000]
    return again(place, stop, "tcp", lambda s: s.sendall(dice.choice(kinds)()))


def request(body, *headers):
    lines = ["POST /api/v1/ingest HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def told(s):
    with contextlib.suppress(OSError):
        return s.recv(200)
    return b""


BOMBS = [gzip.compress(b"\0" * LINE, 9), gzip.compress(b'{"a":1}\n' * (LINE >> 3), 9)]


def bombs(place, stop):
    dice = random.Random(2)

    def send(s):
        s.sendall(request(dice.choice(BOMBS), "Content-Encoding: gzip",
                          "Authorization: Bearer " + place.token))
        answer = told(s)
        assert not answer.startswith(b"HTTP/1.1 200"), answer
    return again(place, stop, "web", send)


def large_bodies(place, stop):
    head = (f"POST /api/v1/ingest HTTP/1.1\r\nHost: x\r\nContent-Length: {LINE}\r\n"
            f"Authorization: Bearer {place.token}\r\n\r\n").encode()
    block = b"{}\n" * (1 << 18)

    def send(s):
        s.sendall(head)
        for _ in range(LINE // len(block)):
            s.sendall(block)
        assert not told(s).startswith(b"HTTP/1.1 200")
    return again(place, stop, "web", send)


def broken_requests(place, stop):
    dice = random.Random(3)
    kinds = [lambda: dice.randbytes(5000), lambda: b"GET " + b"a" * 100000 + b" HTTP/1.1\r\n\r\n",
             lambda: b"POST /api/v1/ingest HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n",
             lambda: b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
             lambda: b"POST /api/v1/ingest HTTP/1.1\r\n" + b"X: y\r\n" * 20000,
             lambda: request(b"{}", "Authorization: Bearer " + "merlon_" + "A" * 43)]

    def send(s):
        s.sendall(dice.choice(kinds)())
        assert not told(s).startswith(b"HTTP/1.1 200")
    return again(place, stop, "web", send)


def foreign_tenants(place, stop):
    """Another agency's token, for a tenant that is not its own: one connection, as fast as it goes."""
    body = b'{"EventID":1102,"Channel":"Security"}\n'
    text = request(body, "Authorization: Bearer " + place.foreign).replace(
        b"/api/v1/ingest", b"/api/v1/ingest?tenant=sg/good", 1)
    count = 0
    s = reach(place, "web")
    while not stop.is_set():
        s.sendall(text)
        answer = s.recv(2000)
        assert b" 403 " in answer[:20], answer
        count += 1
    s.close()
    return f"{count} refused"


def wrong_certificates(place, stop):
    """Nobody's certificate, another authority's, and no TLS at all."""
    def context(pair):
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
        if pair:
            made.load_cert_chain(os.path.join(place.folder, pair + ".pem"),
                                 os.path.join(place.folder, pair + ".key"))
        return made
    contexts = [context(None), context("stranger")]
    heard = count = 0
    while not stop.is_set():
        for name in ("tls", "webtls"):
            count += 3
            with contextlib.suppress(OSError), reach(place, name) as plain:
                plain.sendall(b"<38>Nov 22 10:00:00 x y: FOREIGN\n")
                told(plain)
            for each in contexts:
                with contextlib.suppress(OSError), reach(place, name) as s, \
                        each.wrap_socket(s, server_hostname="x") as secure:
                    secure.sendall(request(b'{"a":"FOREIGN"}', "Authorization: Bearer "
                                           + place.token) if name == "webtls" else
                                   b"<38>Nov 22 10:00:00 x y: FOREIGN\n")
                    heard += secure.recv(100).startswith(b"HTTP/1.1 200")
    assert heard == 0, heard
    return f"{count} tried"


ALL = [slow_headers, slow_bodies, slow_lines, slow_handshakes, long_lines, long_counts, bad_framing,
       bombs, large_bodies, broken_requests, foreign_tenants, wrong_certificates]
