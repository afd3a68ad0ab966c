"""`merlon tail`: each stored record once, whoever dies; of one's own tenant; fit for a terminal."""
import json
import os
import pty
import signal
import subprocess
import tempfile

from centre import Centre, MERLON, PATIENCE, line
import segments


class Tail:
    """merlon tail, whose output goes to a file."""

    def __init__(self, centre, token, *options, out=None):
        self.centre = centre
        self.words = tempfile.NamedTemporaryFile(dir=centre.folder, delete=False)
        self.errors = tempfile.NamedTemporaryFile(dir=centre.folder, delete=False)
        self.process = subprocess.Popen([MERLON, "tail", "--data", centre.data, *options],
                                        stdout=self.words if out is None else out, stderr=self.errors,
                                        env=dict(os.environ, MERLON_TOKEN=token))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def lines(self):
        with open(self.words.name) as text:
            return text.read().splitlines()

    def said(self):
        with open(self.errors.name) as text:
            return text.read()

    def until(self, count):
        self.centre.until(lambda: len(self.lines()) >= count, f"{count} lines of tail: {self.said()}")
        return self.lines()

    def ends(self, with_signal=None):
        if with_signal:
            self.process.send_signal(with_signal)
        return self.process.wait(PATIENCE)


def stored(centre, tenant):
    if not os.path.isdir(os.path.join(centre.data, "log")):
        return []  # it is just starting
    return [(frame.offset + i, record.decode())
            for frame in segments.Log(os.path.join(centre.data, "log"))
            if frame.kind == segments.RECORDS and frame.tenant == tenant
            for i, record in enumerate(frame.records())]


def tail_gives_each_record_once_whoever_dies():
    with Centre(tenants=("sg/moh", "sg/mof"), extra="segment_size: 1M\n") as centre:
        moh = centre.add_token("sg/moh", "reader")
        centre.send("tcp0", [line(i) for i in range(20)])
        centre.until(lambda: len(stored(centre, "sg/moh")) == 20, "the first are stored")
        with Tail(centre, moh, "-o", "json", "-n", "5") as tail:
            assert [json.loads(l)["record"] for l in tail.until(5)] == [line(i) for i in range(15, 20)]
            count = 20
            for part, end in enumerate(("api", "log", None, "api")):
                # More than a segment holds, so that they roll.
                pad = "x" * 900
                for tenant in ("tcp0", "tcp1"):
                    centre.send(tenant, [f"{line(count + i)} {tenant} {pad}" for i in range(400)])
                count += 400
                if end:
                    centre.kill_role(end)
                else:  # what its sockets still hold would be lost: the protocol has no answer
                    centre.until(lambda: len(stored(centre, "sg/moh")) == count, "all are stored")
                    assert centre.stop() == 0
                    centre.start()
                centre.until(lambda: len(stored(centre, "sg/moh")) == count, "all are stored")
            rows = [json.loads(l) for l in tail.until(count - 15)]
            assert [(r["offset"], r["record"]) for r in rows] == stored(centre, "sg/moh")[15:]
            assert {(r["tenant"], r["source"]) for r in rows} == {("sg/moh", "tcp0/127.0.0.1")}
            assert tail.ends(signal.SIGINT) == 0
        assert len(os.listdir(os.path.join(centre.data, "log"))) > 5  # they did roll


def tail_keeps_to_what_is_asked_for():
    with Centre(tenants=("sg/moh", "sg/mof")) as centre:
        moh = centre.add_token("sg/moh", "reader")
        centre.send("tcp1", [line(1, planted=True)])
        centre.send("tcp0", [line(i, planted=i == 7) for i in range(2, 20)])
        centre.wait_findings(2)
        with Tail(centre, moh, "--tenant", "sg/mof") as tail:
            assert tail.ends() == 1 and "403" in tail.said(), tail.said()
        with Tail(centre, "merlon_" + "x" * 43) as tail:
            assert tail.ends() == 1 and "401" in tail.said(), tail.said()
        with Tail(centre, moh, "--grep", "quiet 1", "--source", "tcp0") as tail:
            words = tail.until(10)
            assert [w.split(" ", 3)[1:] for w in words] == [
                ["sg/moh", "tcp0/127.0.0.1", line(i)] for i in range(10, 20)], words
        with Tail(centre, moh, "--findings", "-o", "json") as tail:
            assert json.loads(tail.until(1)[0])["source"]["tenant"] == "sg/moh"
            centre.send("tcp1", [line(20, planted=True)])
            centre.send("tcp0", [line(21, planted=True)])
            centre.wait_findings(4)
            assert [json.loads(l)["event"]["message"][-2:] for l in tail.until(2)] == [" 7", "21"]
        with Tail(centre, centre.token, "--findings", "--level", "high", "-n", "1") as tail:
            assert tail.until(1)[0].endswith("sg/moh tcp0/127.0.0.1 high Marked Line (record %d)" % (
                centre.findings()[-1]["source"]["offset"])), tail.lines()


def tail_ends_with_its_reader_and_spares_the_terminal():
    with Centre() as centre:
        centre.send("tcp0", [line(1) + " \x1b[2J\x9b\u202ered"])
        centre.until(lambda: len(stored(centre, "sg/moh")) == 1, "it is stored")
        for how in ("table", "json"):
            ours, theirs = pty.openpty()
            with Tail(centre, centre.token, "-o", how, out=theirs):
                words = b""
                while not words.endswith(b"\n"):
                    words += os.read(ours, 4096)
            os.close(ours)
            os.close(theirs)
            words = words.decode().rstrip("\r\n")
            assert "red" in words and words.isascii() and words.isprintable(), words
        out, into = os.pipe()
        with Tail(centre, centre.token, out=into) as tail:
            os.close(into)
            assert os.read(out, 4096)
            os.close(out)
            assert tail.ends() == 0, tail.said()  # though nothing more comes


TESTS = [tail_gives_each_record_once_whoever_dies, tail_keeps_to_what_is_asked_for,
         tail_ends_with_its_reader_and_spares_the_terminal]
