"""Writes a log's bytes after doc/log.md, for the tests of the reader and the checker. It shares no
code with segments.py: sizes and tags are spelled out a second time.

    log = forge.Log("data/log")
    log.frame(2, [b"one", b"two"], tenant="sg", source="hec/x")
    log.roll()
    log.end()
"""
import os
import zlib

TAGS = {"tenant": 1, "source": 2, "format": 3, "key": 4, "reason": 5, "log": 7, "through": 9,
        "mark": 11}
IDENTITY = "0123456789abcdef" * 2
MARK = b"\x07markmar"


def frame_bytes(kind, offset, durable, receipt_ns, content, mark=MARK, **attributes):
    held = b""
    for name, value in [("mark", mark), *attributes.items()]:
        if value is None:
            continue
        value = value.encode() if isinstance(value, str) else value
        held += bytes([TAGS[name]]) + len(value).to_bytes(2, "little") + value
    body = b"".join(len(r).to_bytes(4, "little") for r in content)
    body += b"".join(r + b"\n" for r in content)
    flags = 0 if any(b"\n" in r for r in content) else 1
    return summed(bytes([kind, flags]) + len(held).to_bytes(2, "little")
                  + offset.to_bytes(8, "little") + durable.to_bytes(8, "little")
                  + receipt_ns.to_bytes(8, "little", signed=True)
                  + len(content).to_bytes(4, "little") + len(body).to_bytes(4, "little")
                  + held + body)


def summed(rest):
    """A frame of what stands behind its sum."""
    size = (len(rest) + 12).to_bytes(4, "little")
    return b"MLF1" + size + zlib.crc32(rest).to_bytes(4, "little") + rest


class Log:
    def __init__(self, directory, first=0, identity=IDENTITY, receipt_ns=10**18):
        self.directory, self.next, self.identity = directory, first, identity
        self.durable = first
        self.receipt_ns = receipt_ns
        self.file = None
        self.places = []  # (segment, byte, size, offset, kind) of each frame
        os.makedirs(directory, exist_ok=True)
        self.begin()

    def begin(self):
        self.path = os.path.join(self.directory, f"{self.next:020d}.seg")
        self.file = open(self.path, "xb")  # pylint: disable=consider-using-with
        self.frame(1, [], log=self.identity)

    def frame(self, kind, content, durable=None, receipt_ns=None, **attributes):
        """Its first offset. What was written before it counts as durable."""
        if durable is None:
            durable = self.next
        if receipt_ns is None:
            self.receipt_ns += 10**6
            receipt_ns = self.receipt_ns
        data = frame_bytes(kind, self.next, durable, receipt_ns, content,
                           **attributes)
        self.places.append((self.path, self.file.tell(), len(data), self.next, kind))
        self.file.write(data)
        offset, self.next = self.next, self.next + len(content)
        return offset

    def end(self, seal=True):
        if seal:
            self.frame(7, [])
        self.file.close()

    def roll(self):
        self.end()
        self.begin()
