"""How a centre starts: right behind one that was killed, beside one that runs, beside `token add`."""
import contextlib
import fcntl
import hashlib
import json
import os
import re
import signal
import socket
import subprocess

from centre import Centre, MERLON, PATIENCE, line

KILLS = 3


def keep_ports(centre):
    """From now on those that it has."""
    ports = [centre.api] + [int(p) for p in re.findall(r"input \S+: \S+ at 127\.0\.0\.1:(\d+)",
                                                       centre.words())]
    with open(centre.config) as old:
        parts = old.read().split("127.0.0.1:0")
    with open(centre.config, "w") as out:
        out.write(parts[0] + "".join(f"127.0.0.1:{p}{rest}" for p, rest in zip(ports, parts[1:])))


def is_held(centre):
    """Has somebody taken the directory?"""
    try:
        with open(os.path.join(centre.data, "lock")) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return False
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True


def is_living(centre):
    """Has a centre that is not ending taken it?"""
    with open("/proc/locks") as locks:
        return re.search(rf": POSIX +\S+ +\S+ +{centre.process.pid} ", locks.read()) is not None


@contextlib.contextmanager
def other(centre):
    """Another centre of the same configuration, and what it says; ended with the block."""
    path = os.path.join(centre.folder, "other")
    with open(path, "w") as out:
        process = subprocess.Popen([MERLON, "serve", "-c", centre.config], stderr=out)

    def words():
        with open(path) as text:
            return text.read()
    try:
        yield process, words
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def is_done(process, words):
    """It has ended or it serves."""
    return process.poll() is not None or "api: http" in words()


def is_open(process, path):
    folder = f"/proc/{process.pid}/fd"
    with contextlib.suppress(FileNotFoundError):
        return any(os.readlink(os.path.join(folder, fd)) == path for fd in os.listdir(folder))
    return False


@contextlib.contextmanager
def other_that_waits(centre):
    """Another, of a directory that nobody living has: what a centre left running still holds it."""
    os.mkdir(centre.data, 0o700)
    path = os.path.realpath(os.path.join(centre.data, "lock"))
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with other(centre) as (process, words):
            centre.until(lambda: is_open(process, path) or is_done(process, words), "it asks")
            assert os.listdir(centre.data) == ["lock"], "changed before it was held"
            yield process, words, lambda: fcntl.flock(file, fcntl.LOCK_UN)


def a_directory_given_back_is_taken():
    with Centre(start=False) as centre, other_that_waits(centre) as (process, words, give_back):
        give_back()
        centre.until(lambda: is_done(process, words), "it serves")
        assert process.poll() is None, words()


def who_waits_for_a_directory_can_be_stopped():
    with Centre(start=False) as centre, other_that_waits(centre) as (process, words, _):
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 1
        assert f"{centre.data}: still held by what another centre has left running" in words()
        assert os.listdir(centre.data) == ["lock"]


def a_start_waits_for_one_that_is_ending():
    with Centre() as centre:
        listen = centre.role("listen")
        keep_ports(centre)
        os.kill(listen, signal.SIGSTOP)
        centre.process.send_signal(signal.SIGTERM)
        centre.until(lambda: not is_living(centre), "it ends")
        with other(centre) as (process, words):
            path = os.path.realpath(os.path.join(centre.data, "lock"))
            centre.until(lambda: is_open(process, path) or is_done(process, words), "it asks")
            os.kill(listen, signal.SIGCONT)
            assert centre.process.wait(PATIENCE) == 0
            centre.until(lambda: is_done(process, words), "it serves")
            assert process.poll() is None, words()


def a_start_right_behind_a_kill_finds_its_ports():
    with Centre() as centre:
        keep_ports(centre)
        for i in range(KILLS):
            centre.send("tcp0", [line(i, planted=True)])
            centre.wait_findings(i + 1)
            killed = centre.process
            killed.kill()
            centre.start()
            killed.wait()
            assert centre.process.poll() is None, centre.words()
        assert len(centre.findings()) == KILLS
        assert centre.stop() == 0


def a_port_that_is_taken_is_named():
    with Centre() as centre:
        keep_ports(centre)
        assert centre.stop() == 0
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", centre.ports["tcp0"]))
            taken.listen()
            with other(centre) as (process, words):
                centre.until(lambda: is_done(process, words), "it gives up")
                assert process.poll() == 1, words()
                wanted = f"input tcp0: 127.0.0.1:{centre.ports['tcp0']}: Address already in use"
                assert wanted in words(), words()


def a_port_that_becomes_free_is_taken():
    with Centre() as centre:
        keep_ports(centre)
        assert centre.stop() == 0
        with contextlib.ExitStack() as both:
            with socket.socket() as taken:
                taken.bind(("127.0.0.1", centre.ports["tcp0"]))
                taken.listen()
                process, words = both.enter_context(other(centre))
                centre.until(lambda: is_held(centre) or is_done(process, words), "it has begun")
            centre.until(lambda: is_done(process, words), "it serves")
            assert process.poll() is None, words()


def a_second_centre_is_kept_off_the_directory():
    with Centre() as centre:
        centre.send("tcp0", [line(1, True)])
        centre.wait_findings(1)
        with open(os.path.join(centre.data, "api")) as file:
            before = file.read()
        with other(centre) as (process, words):  # its ports are the system's choice: others
            centre.until(lambda: is_done(process, words), "it gives up")
            assert process.poll() == 1, words()
            assert f"held by process {centre.process.pid}" in words(), words()
        with open(os.path.join(centre.data, "api")) as file:
            assert file.read() == before
        centre.send("tcp0", [line(2, True)])
        assert len(centre.wait_findings(2)) == 2


def is_waiting(process):
    """For a lock on a file."""
    with open("/proc/locks") as locks:
        return re.search(rf"-> FLOCK +\S+ +\S+ +{process.pid} ", locks.read()) is not None


@contextlib.contextmanager
def other_that_waits_for_tokens(centre):
    """Another, while somebody else is about the tokens, as `token add` is."""
    os.mkdir(centre.data, 0o700)
    folder = os.open(centre.data, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    with other(centre) as (process, words):
        centre.until(lambda: is_waiting(process) or is_done(process, words), "it asks for them")
        assert "tokens.jsonl" not in os.listdir(centre.data), "made while another holds them"
        yield process, words, lambda: os.close(folder)


def add_token(data):
    add = [MERLON, "token", "add", "--data", data, "--name", "first", "--tenant", "sg", "--role", "ingest"]
    return subprocess.Popen(add, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def sums_of(centre):
    with open(os.path.join(centre.data, "tokens.jsonl")) as file:
        return {json.loads(row)["sha256"] for row in file}


def a_token_made_at_the_first_start_is_kept():
    with Centre(start=False) as centre:
        with other_that_waits_for_tokens(centre) as (process, words, give_back):
            with add_token(centre.data) as adding:
                try:
                    centre.until(lambda: is_waiting(adding) or adding.poll() is not None, "both wait")
                finally:
                    give_back()
                secrets = [adding.communicate()[0].strip()]
            centre.until(lambda: is_done(process, words), "it serves")
            assert process.poll() is None, words()
            secrets += re.findall(r"shown this once: (\S+)", words())
            wanted = {hashlib.sha256(s.encode()).hexdigest() for s in secrets}
            assert sums_of(centre) == wanted, (sums_of(centre), secrets)


def a_token_made_before_the_first_is_enough():
    with Centre(start=False) as centre:
        with other_that_waits_for_tokens(centre) as (process, words, give_back):
            with add_token(centre.folder) as adding:
                secret = adding.communicate()[0].strip()
            os.rename(os.path.join(centre.folder, "tokens.jsonl"),
                      os.path.join(centre.data, "tokens.jsonl"))
            give_back()
            centre.until(lambda: is_done(process, words), "it serves")
            assert process.poll() is None and "shown this once" not in words(), words()
            assert sums_of(centre) == {hashlib.sha256(secret.encode()).hexdigest()}


TESTS = [a_start_right_behind_a_kill_finds_its_ports, a_directory_given_back_is_taken,
         who_waits_for_a_directory_can_be_stopped, a_start_waits_for_one_that_is_ending,
         a_port_that_is_taken_is_named, a_port_that_becomes_free_is_taken,
         a_second_centre_is_kept_off_the_directory, a_token_made_at_the_first_start_is_kept,
         a_token_made_before_the_first_is_enough]
