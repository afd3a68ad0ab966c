"""Findings sent out, to receivers that answer, fail, hang and die."""
import hashlib
import hmac
import json
import os
import re
import signal
import socket
import subprocess
import tempfile

from centre import Centre, Skip, line
from receivers import Hook, Lines, certificate


def numbers(items):
    return [int(item["finding"]["event"]["message"].split()[-1]) for item in items]


def planted(first, count):
    return [line(i, True) for i in range(first, first + count)]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def outputs(*rows):
    return "outputs:\n" + "".join(f"  - {{{row}}}\n" for row in rows)


def status(centre, name):
    rows = json.loads(centre.ask("/api/v1/status")[1])["outputs"]
    return next(row for row in rows if row["name"] == name)


def a_webhook_gets_all_signed():
    with Hook() as hook, tempfile.NamedTemporaryFile("w") as secret:
        secret.write("swordfish\n")
        secret.flush()
        with Centre(extra=outputs(f"name: hook, kind: webhook, url: \"{hook.url}\", "
                                  f"secret: {secret.name}")) as centre:
            centre.send("tcp0", planted(0, 250))
            centre.until(lambda: len(hook.items()) == 250, "all are sent")
            assert numbers(hook.items()) == list(range(250))
            assert hook.items()[7]["finding"] == centre.findings()[7]
            assert hook.items()[0]["tenant"] == "sg/moh"
            cursors = [item["cursor"] for item in hook.items()]
            assert cursors == sorted(set(cursors))
            for headers, body, _ in hook.requests:
                sum_ = hmac.new(b"swordfish", body, hashlib.sha256).hexdigest()
                assert headers["Merlon-Signature"] == "sha256=" + sum_, headers
                first, last = headers["Merlon-Cursor"].split("-")
                own = [item["cursor"] for item in json.loads(body)["findings"]]
                assert [int(first), int(last)] == [own[0], own[-1]], (headers, own)
                assert len(own) <= 100
            centre.until(lambda: status(centre, "hook")["lag"] == 0, "nothing is left")
            assert status(centre, "hook")["sent"] == 250
            text = centre.ask("/metrics")[1]
            assert 'merlon_output_sent_findings_total{output="hook"} 250\n' in text, text
            reader = centre.add_token("sg/moh", "reader")
            assert "merlon_output" not in centre.ask("/metrics", reader)[1]
            assert centre.stop() == 0
            centre.start()
            centre.send("tcp0", planted(250, 1))
            centre.until(lambda: len(hook.items()) > 250, "it goes on")
            assert numbers(hook.items()) == list(range(251))  # a clean end doubles nothing


def only_what_is_wanted_is_sent():
    with Hook() as one, Hook() as none:
        with Centre(tenants=("sg/moh", "sg/mof"), extra=outputs(
                f"name: one, kind: webhook, url: \"{one.url}\", tenant: sg/mof, level: high",
                f"name: none, kind: webhook, url: \"{none.url}\", level: critical")) as centre:
            centre.send("tcp0", planted(0, 10))
            centre.send("tcp1", planted(10, 10))
            centre.until(lambda: len(one.items()) == 10, "its own are sent")
            centre.until(lambda: status(centre, "none")["lag"] == 0, "all are passed over")
            assert numbers(one.items()) == list(range(10, 20)) and not none.requests


def a_dead_receiver_holds_back_nobody_and_misses_nothing():
    port = free_port()
    with Hook() as well, Hook() as hanging:
        hanging.gate.clear()
        with Centre(extra=outputs(
                f'name: dead, kind: webhook, url: "http://127.0.0.1:{port}/"',
                f'name: hanging, kind: webhook, url: "{hanging.url}"',
                f'name: well, kind: webhook, url: "{well.url}"')) as centre:
            centre.send("tcp0", planted(0, 100))
            centre.until(lambda: len(well.items()) == 100, "the living one has all")
            centre.until(lambda: status(centre, "dead")["failing"], "the dead one is known")
            assert status(centre, "dead")["lag"] >= 100
            assert status(centre, "hanging")["lag"] >= 100
            assert "output dead: " in centre.words()
            hanging.gate.set()
            with Hook(port=port) as dead:
                dead.answer = 500
                centre.until(lambda: len(dead.requests) >= 2, "it is tried again")
                dead.answer = 200
                centre.until(lambda: len(dead.items()) == 100 == len(hanging.items()), "both have all")
                assert numbers(dead.items()) == numbers(hanging.items()) == list(range(100))
                centre.until(lambda: not status(centre, "dead")["failing"], "it is well again")


def a_clean_end_keeps_what_was_not_taken():
    port = free_port()
    with Centre(extra=outputs(f'name: dead, kind: webhook, url: "http://127.0.0.1:{port}/"')) as centre:
        centre.send("tcp0", planted(0, 150))
        centre.until(lambda: status(centre, "dead")["failing"], "it is dead")
        assert centre.stop() == 0
        with Hook(port=port) as hook:
            centre.start()
            centre.until(lambda: len(hook.items()) >= 150, "all come after the next start")
            assert numbers(hook.items()) == list(range(150))


def kills_double_some_and_lose_nothing():
    """Of the output's process and of all, at points and at any time."""
    for point in (None, "output.sent:2", "output.before_send:3", "cursor.before_sync:2",
                  "cursor.before_rename:2", "cursor.published:3"):
        with Hook() as hook, tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "findings.jsonl")
            with Centre(environment={"MERLON_POINT": point} if point else None, extra=outputs(
                    f'name: hook, kind: webhook, url: "{hook.url}"',
                    f'name: file, kind: file, path: {path}')) as centre:
                def written():
                    with open(path) as f:
                        return [json.loads(l) for l in f.read().splitlines()]

                for part in range(6):
                    centre.send("tcp0", planted(part * 100, 100))
                    centre.until(lambda: len(set(numbers(hook.items()))) > part * 100 + 30, "some")
                    if part == 3:
                        centre.kill()
                        centre.start()
                    elif not point:
                        os.kill(centre.role("output"), signal.SIGKILL)
                centre.until(lambda: len(set(numbers(hook.items()))) == 600, "the hook has all")
                centre.until(lambda: len(set(numbers(written()))) == 600, "the file has all")
                for items in (hook.items(), written()):
                    by = {}
                    for item in items:  # the key tells the doubles
                        assert by.setdefault(item["cursor"], item) == item
                    assert sorted(numbers(by.values())) == list(range(600)), len(by)


def a_file_is_rotated():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "out.jsonl")
        with Centre(extra=outputs(f"name: file, kind: file, path: {path}, size: 20K")) as centre:
            for part in range(6):
                centre.send("tcp0", planted(part * 20, 20))
                centre.until(lambda: status(centre, "file")["sent"] == part * 20 + 20, "written")
            names = sorted(os.listdir(folder))
            assert len(names) > 2 and names[0] == "out.jsonl", names
            os.rename(path, path + ".moved")
            centre.process.send_signal(signal.SIGHUP)
            centre.until(lambda: centre.send("tcp0", planted(120, 1)) or os.path.exists(path), "reopened")
            centre.until(lambda: status(centre, "file")["lag"] == 0, "all is written")
            found = []
            for name in sorted(os.listdir(folder), key=lambda n: (n == "out.jsonl", n.endswith("moved"), n)):
                with open(os.path.join(folder, name)) as f:
                    text = f.read()
                    assert text.endswith("\n")
                    found += [json.loads(l) for l in text.splitlines()]
            cursors = [item["cursor"] for item in found]
            assert cursors == sorted(set(cursors)) and set(numbers(found)) == set(range(121))


def a_torn_line_is_cut_off():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "out.jsonl")
        with open(path, "w") as f:
            f.write('{"whole":1}\n{"cursor":17,"fin')
        with Centre(extra=outputs(f"name: file, kind: file, path: {path}")) as centre:
            centre.send("tcp0", planted(0, 1))
            centre.until(lambda: status(centre, "file")["sent"] == 1, "written")
            with open(path) as f:
                rows = [json.loads(l) for l in f.read().splitlines()]
            assert rows[0] == {"whole": 1} and numbers(rows[1:]) == [0], rows


SYSLOG = re.compile(rb"<(\d+)>1 (\S+) (\S+) merlon - (\d+) - (.*)$", re.S)


def syslog_goes_by_each_transport():
    with tempfile.TemporaryDirectory() as folder:
        made = certificate(folder)
        with Lines("tcp") as tcp, Lines("udp") as udp, Lines("tcp", tls=made) as tls:
            with Centre(extra=outputs(
                    f'name: tcp, kind: syslog, url: "tcp://127.0.0.1:{tcp.port}"',
                    f'name: udp, kind: syslog, url: "udp://127.0.0.1:{udp.port}", form: cef',
                    f'name: tls, kind: syslog, url: "tls://localhost:{tls.port}", '
                    f'authority: {made[0]}')) as centre:
                centre.send("tcp0", planted(0, 50))
                for lines in (tcp, udp, tls):
                    centre.until(lambda: len(lines.messages) >= 50, "all have come")
                for lines in (tcp, tls):
                    parts = [SYSLOG.match(m).groups() for m in lines.messages]
                    assert {p[0] for p in parts} == {b"107"}  # audit, error
                    items = [json.loads(p[4]) for p in parts]
                    assert numbers(items) == list(range(50))
                    assert [int(p[3]) for p in parts] == [item["cursor"] for item in items]
                cef = SYSLOG.match(udp.messages[3]).group(5).decode()
                assert re.match(r"CEF:0\|Merlon\|Merlon\|[^|]+\|5b7bb1d8-55ef-4f6f-8c1b-6c5b6e9d7d11"
                                r"\|Marked Line\|8\|externalId=\d+ rt=\d+ cs1Label=tenant "
                                r"cs1=sg/moh cs2Label=source cs2=tcp0/127\.0\.0\.1 ", cef), cef
                # The other side ends the connection: what comes then goes by a new one.
                tcp.links[0].shutdown(socket.SHUT_RDWR)
                tcp.links[0].close()
                centre.send("tcp0", planted(50, 5))
                centre.until(lambda: len(tcp.messages) >= 55, "it connects again")


def certificates_are_verified():
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as other:
        made, foreign = certificate(folder), certificate(other)
        with Hook(tls=made) as good, Hook(tls=foreign) as bad, Hook(tls=made) as named:
            url = named.url.replace("localhost", "127.0.0.1")
            with Centre(extra=outputs(
                    f'name: good, kind: webhook, url: "{good.url}", authority: {made[0]}',
                    f'name: bad, kind: webhook, url: "{bad.url}", authority: {made[0]}',
                    f'name: named, kind: webhook, url: "{url}", authority: {made[0]}')) as centre:
                centre.send("tcp0", planted(0, 5))
                centre.until(lambda: len(good.items()) == 5, "the right one is believed")
                for name in ("bad", "named"):
                    centre.until(lambda: status(centre, name)["failing"], "the wrong one is not")
                assert not bad.requests and not named.requests


def its_process_is_sealed():
    with Hook() as hook, tempfile.TemporaryDirectory() as folder:
        test = {"MERLON_SANDBOX_TEST": f"exec,open:/etc/shadow,write:/tmp/merlon-seal,write:{folder}/x"}
        with Centre(environment=test, extra=outputs(
                f'name: hook, kind: webhook, url: "{hook.url}"')) as centre:
            centre.send("tcp0", planted(0, 1))
            centre.until(lambda: len(hook.items()) == 1, "it is sent")
            words = centre.words()
            if "sandbox: " not in words:
                raise Skip("serve/outputs-sealed: built with sanitizers")
            assert "sandbox: output: seccomp" in words and "POSSIBLE" not in words, words


def what_an_output_has_not_sent_stays():
    """Retention waits for the slowest, and goes on without it when it is taken away."""
    port = free_port()
    extra = "segment_size: 16K\nreserve: 1M\nretention: {findings: {size: 30K}}\n"
    with Centre(extra=extra + outputs(f'name: dead, kind: webhook, url: "http://127.0.0.1:{port}/"')) \
            as centre:
        def first():
            return min(int(n[:20]) for n in os.listdir(centre.data + "/findings")
                       if n.endswith(".seg"))

        def beyond():
            rows = json.loads(centre.ask("/api/v1/status")[1])["kept"]
            return sum(r["beyond_bytes"] for r in rows if r["kind"] == "findings")

        for part in range(10):
            centre.send("tcp0", planted(part * 20, 20))
            centre.wait_findings(part * 20 + 20)
        centre.until(lambda: beyond() > 30 << 10, "there is too much")
        assert first() == 0
        with Hook(port=port) as hook:
            centre.until(lambda: len(hook.items()) == 200, "it has all")
            assert numbers(hook.items()) == list(range(200))
            centre.until(lambda: first() > 0, "what was sent goes")


def rsyslogd():
    """(program, its modules, its libraries): installed, or unpacked by test/senders/syslog --fetch; or None."""
    unpacked = os.path.join(os.environ.get("BUILD", "build"), "senders-root")
    for root in (unpacked, "/"):
        found = os.path.join(root, "usr/sbin/rsyslogd")
        modules = os.path.join(root, "usr/lib/x86_64-linux-gnu/rsyslog")
        if os.path.exists(found) and os.path.isdir(modules):
            return found, modules, os.path.dirname(modules)
    return None


def a_real_rsyslog_takes_it():
    daemon = rsyslogd()
    if not daemon:
        raise Skip("serve/rsyslog: not here; test/senders/syslog --fetch unpacks it")
    with tempfile.TemporaryDirectory() as folder:
        port, out = free_port(), os.path.join(folder, "out")
        with open(os.path.join(folder, "conf"), "w") as f:
            f.write(f'global(workDirectory="{folder}" maxMessageSize="64k")\n'
                    f'module(load="{daemon[1]}/imtcp.so")\n'
                    'template(name="t" type="string" string="%app-name% %msgid% %msg%\\n")\n'
                    f'input(type="imtcp" address="127.0.0.1" port="{port}" ruleset="store")\n'
                    f'ruleset(name="store") {{ action(type="omfile" file="{out}" template="t") }}\n')
        command = [daemon[0], "-n", "-f", f"{folder}/conf", "-i", f"{folder}/pid", "-M", daemon[1]]
        environment = dict(os.environ, LD_LIBRARY_PATH=daemon[2])
        with subprocess.Popen(command, env=environment) as server:
            try:
                with Centre(extra=outputs(
                        f'name: tcp, kind: syslog, url: "tcp://127.0.0.1:{port}"')) as centre:
                    def rows():
                        if not os.path.exists(out):
                            return []
                        with open(out, encoding="utf-8") as text:
                            return [row.split(" ", 2) for row in text.read().splitlines()]

                    centre.send("tcp0", planted(0, 100))
                    centre.until(lambda: len(rows()) >= 100, "it has written all")
                    assert {row[0] for row in rows()} == {"merlon"}
                    items = [json.loads(row[2]) for row in rows()]
                    assert numbers(items) == list(range(100))
                    assert [int(row[1]) for row in rows()] == [item["cursor"] for item in items]
            finally:
                server.terminate()


TESTS = [a_webhook_gets_all_signed, only_what_is_wanted_is_sent,
         a_dead_receiver_holds_back_nobody_and_misses_nothing,
         a_clean_end_keeps_what_was_not_taken, kills_double_some_and_lose_nothing,
         a_file_is_rotated, a_torn_line_is_cut_off, syslog_goes_by_each_transport,
         certificates_are_verified, its_process_is_sealed, what_an_output_has_not_sent_stays,
         a_real_rsyslog_takes_it]
