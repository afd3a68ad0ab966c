"""Makes rules for the shim (shim.c says what they are) and reads its files.

    environment = shim.environment(library, [shim.rule("fail", call="fsync", nth=3)], state=path)
    subprocess.run(command, env=environment)
    shim.counts(path)["fsync"], shim.matched(path)[0], shim.struck(path)[0]
    for entry in shim.recorded(path): entry.call, entry.path, entry.number, entry.data
"""
import collections
import os
import struct

CALLS = ["open", "close", "read", "write", "fsync", "fdatasync", "rename", "unlink", "ftruncate",
         "fallocate", "mkdir", "malloc", "mmap", "socket", "bind", "listen", "accept", "connect",
         "recv", "send", "poll", "fork", "clock"]
RULES = 16
ENTRY = struct.Struct("<IIiiqqII")

Entry = collections.namedtuple("Entry", "call process file result number path data")


def rule(action, onward=False, **keys):
    words = [f"{k}={v}" for k, v in keys.items()] + (["onward"] if onward else [])
    return action + (":" + ",".join(words) if words else "")


def environment(library, rules, state=None, record=None, base=None):
    rules = list(rules)
    if state:
        rules.insert(0, rule("state", file=state))
    if record:
        rules.insert(0, rule("file", file=record))
    return dict(os.environ if base is None else base, LD_PRELOAD=library,
                MERLON_SHIM=";".join(rules))


def numbers(path):
    with open(path, "rb") as f:
        data = f.read()
    return struct.unpack_from(f"<{len(CALLS) + 1 + 2 * RULES}Q", data)


def counts(path):
    """How many calls of each kind there were, by any process."""
    return dict(zip(CALLS, numbers(path)))


def matched(path):
    """How many calls each rule concerned."""
    start = len(CALLS) + 1
    return numbers(path)[start:start + RULES]


def struck(path):
    """At how many of them it acted."""
    start = len(CALLS) + 1 + RULES
    return numbers(path)[start:start + RULES]


def recorded(path):
    """The calls in the order of their ends."""
    with open(path, "rb") as f:
        data = f.read(8)
        data += f.read(int.from_bytes(data, "little"))
    at = 8
    while at + ENTRY.size <= len(data):
        (size, call, process, file, result, number, path_size,
         data_size) = ENTRY.unpack_from(data, at)
        if size == 0:
            return  # the process was killed while it wrote this down
        begin = at + ENTRY.size
        end = begin + path_size
        yield Entry(CALLS[call], process, file, result, number, data[begin:end].decode(),
                    data[end:end + data_size])
        at += size
