"""Reads the log's bytes as doc/log.md has them, with code of its own: nothing here knows src/wal.

    log = segments.Log("data/log")
    for frame in log:                  # in order, those that count
        for index, record in enumerate(frame.records()):
            print(frame.offset + index, frame.tenant, frame.source, frame.key, record)
    for problem in log.problems:       # complete when the loop has ended
        print(problem.name, problem.words)

Problems: "damage" (durable offsets that cannot be read), "torn" (an end that was never durable:
no fault), "reused-offset" (two frames for one offset), "straddle" (a frame over a segment's end),
"log-form" (what the page does not allow otherwise).

As a program: segments.py DIRECTORY prints every record's offset, kind, tenant, source, key,
receipt time and size, then the problems.
"""
import collections
import mmap
import os
import re
import struct
import sys
import zlib

HEAD, RECORDS, REJECTED, TICK, RULES, FINDINGS, SEAL, MATCHES, UNREAD = range(1, 10)
KINDS = {1: "head", 2: "records", 3: "rejected", 4: "tick", 5: "rules", 6: "findings", 7: "seal",
         8: "matches", 9: "unread"}
TENANT, SOURCE, FORMAT, KEY, REASON, HEADER, LOG, RULESET, THROUGH, RING, MARK = range(1, 12)
FIXED = 48
LIMIT = 20 << 20
MAGIC = b"MLF1"
FORM = struct.Struct("<4sIIBBHQQqII")
SUMMED = 12  # first byte behind the sum
ID = re.compile(r"[0-9a-f]{32}")
NAME = re.compile(r"([0-9]{20})\.seg$")

Problem = collections.namedtuple("Problem", "name words")


class Frame:
    """One frame; its bytes are a copy."""

    def __init__(self, body, fields, attributes):
        (_, self.size, _, self.kind, self.flags, self.attribute_size, self.offset, self.durable,
         self.receipt_ns, self.count, self.record_size) = fields
        self.attributes = attributes
        self.body = body
        self.segment = None
        self.at = None

    def text(self, tag):
        value = self.attributes.get(tag)
        return None if value is None else value.decode("utf-8", "backslashreplace")

    tenant = property(lambda self: self.text(TENANT))
    source = property(lambda self: self.text(SOURCE))
    reason = property(lambda self: self.text(REASON))
    mark = property(lambda self: self.attributes.get(MARK))
    key = property(lambda self: self.attributes.get(KEY))
    end = property(lambda self: self.offset + self.count)

    def records(self):
        sizes = struct.unpack_from(f"<{self.count}I", self.body, FIXED + self.attribute_size)
        at = FIXED + self.attribute_size + 4 * self.count
        for size in sizes:
            yield self.body[at:at + size]
            at += size + 1


def attributes_of(body, size):
    """The attributes as {tag: value}; None: malformed."""
    found, at, end = {}, FIXED, FIXED + size
    while at < end:
        if at + 3 > end:
            return None
        tag, length = body[at], body[at + 1] | body[at + 2] << 8
        at += 3
        if at + length > end or tag in found:
            return None
        found[tag] = bytes(body[at:at + length])
        at += length
    return found


def records_agree(body, fields):
    """The sizes cover the records, and each has its line feed."""
    flags, attribute_size, count, size = fields[4], fields[5], fields[9], fields[10]
    start = FIXED + attribute_size
    if start + size != len(body) or 4 * count > size:
        return False
    at = start + 4 * count
    for length in struct.unpack_from(f"<{count}I", body, start):
        at += length + 1
        if at > len(body) or body[at - 1] != 10:
            return False
        if flags & 1 and body.find(b"\n", at - length - 1, at - 1) >= 0:
            return False
    return at == len(body)


def frame_at(data, at):
    """The frame that stands at `at`, or words for why there is none."""
    if at + FIXED > len(data):
        return "fewer than 48 bytes are left"
    fields = FORM.unpack_from(data, at)
    magic, size = fields[0], fields[1]
    if magic != MAGIC:
        return "no MLF1"
    if size > LIMIT or size != FIXED + fields[5] + fields[10]:
        return f"a size of {size}"
    if at + size > len(data):
        return f"{size} bytes announced, {len(data) - at} there"
    body = data[at:at + size]
    if zlib.crc32(body[SUMMED:]) != fields[2]:
        return "the sum is wrong"
    attributes = attributes_of(body, fields[5])
    if attributes is None:
        return "malformed attributes"
    if not records_agree(body, fields):
        return "sizes and records do not agree"
    return Frame(body, fields, attributes)


class Segment:
    def __init__(self, path, first, mark=None):
        self.path, self.first, self.mark = path, first, mark
        self.name = os.path.basename(path)
        with open(path, "rb") as f:
            size = os.fstat(f.fileno()).st_size
            self.data = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) if size else b""

    def head(self):
        """The HEAD at byte 0; None: there is none."""
        frame = frame_at(self.data, 0)
        return frame if isinstance(frame, Frame) and frame.kind == HEAD else None

    def frames(self, at=0):
        """(frame, None) or (None, words for what stands in the way), all that can be found. Behind
        a place where none stands only frames with the log's mark are."""
        while at < len(self.data):
            frame = frame_at(self.data, at)
            if isinstance(frame, Frame):
                frame.segment, frame.at = self.name, at
                yield frame, None
                at += frame.size
                continue
            yield None, f"{self.name} byte {at}: {frame}"
            at = self.search(at + 1)

    def search(self, at):
        while True:
            at = self.data.find(MAGIC, at)
            if at < 0:
                return len(self.data)
            frame = frame_at(self.data, at)
            if isinstance(frame, Frame) and self.mark in (None, frame.mark):
                return at
            at += 1


class Log:
    """Iterate once; `problems`, `id`, `first` and `next` are complete afterwards."""

    def __init__(self, directory):
        self.directory = directory
        self.problems = []
        self.id = None
        self.names = []
        self.strange = []
        for name in sorted(os.listdir(directory)):
            match = NAME.fullmatch(name)
            if match:
                self.names.append((int(match[1]), os.path.join(directory, name)))
            elif name.endswith(".seg"):
                self.problem("log-form", f"{name} is no name of a segment")
        self.first = self.names[0][0] if self.names else 0
        self.next = self.first
        self.torn = False
        self.starts = []  # offsets at which a segment was begun
        self.mark = self.find_mark()

    def find_mark(self):
        """What all frames carry: of the first HEAD that can be read, else of the first frame."""
        segments = [Segment(path, first) for first, path in self.names]
        heads = [h for h in (s.head() for s in segments) if h is not None]
        for head in heads:
            if ID.fullmatch(head.text(LOG) or ""):
                self.id = head.text(LOG)
                return head.mark
        if self.names:
            self.problem("log-form", f"{self.directory}: no HEAD says the log's id")
        for segment in segments:
            for frame, _ in segment.frames():
                if frame is not None:
                    return frame.mark
        return None

    def problem(self, name, words):
        self.problems.append(Problem(name, words))

    def durable_behind(self, index, at):
        """All offsets below it were on disk: what frames from there on say, and later names."""
        most = max([first for first, _ in self.names[index + 1:]], default=0)
        for number in range(index, len(self.names)):
            segment = Segment(self.names[number][1], self.names[number][0], self.mark)
            for frame, _ in segment.frames(at if number == index else 0):
                if frame is not None:
                    most = max(most, frame.durable)
        return most

    def __iter__(self):
        for index, (first, path) in enumerate(self.names):
            if self.torn and self.torn_is_final(index, first):
                return
            limit = self.names[index + 1][0] if index + 1 < len(self.names) else None
            self.starts.append(first)
            yield from self.segment(index, Segment(path, first, self.mark), limit)
        # What is missing before a later segment is found there, by its first offset.

    def torn_is_final(self, index, first):
        """A segment behind a torn end: begun at that end, it goes on; else nothing counts."""
        if first <= self.next:
            self.torn = False
            return False
        return not self.missing(index, 0, first, "the segment's name")

    def missing(self, index, at, to, words):
        """Offsets [self.next, to) are not there. True: go on behind them."""
        durable = self.durable_behind(index, at)
        if self.next < durable:
            self.problem("damage", f"offsets {self.next} to {min(to, durable) - 1} cannot be read "
                                   f"({words})")
        if to <= durable:
            self.next = to
            self.torn = False
            return True
        self.torn = True
        self.problem("torn", f"the log ends at {max(self.next, durable)}: {words}")
        return False

    def segment(self, index, segment, limit):
        """The frames of one segment that count."""
        if segment.first > self.next and not self.missing(index, 0, segment.first, "no segment"):
            return
        sealed, words, began = False, None, False
        for frame, why in segment.frames():
            if frame is None:
                words = why
                continue
            where = f"{segment.name} byte {frame.at}"
            if not began:
                self.head(frame, segment, where)
            elif frame.kind == HEAD:
                self.problem("log-form", f"{where}: a HEAD in the middle")
            began = True
            if sealed:
                self.problem("log-form", f"{where}: a frame behind the SEAL")
            sealed = sealed or frame.kind == SEAL
            if limit is not None and frame.offset + bool(frame.count) > limit:
                continue  # written again in the next segment
            if limit is not None and frame.end > limit:
                self.problem("straddle", f"{where}: offsets {frame.offset} to {frame.end - 1}, the "
                                         f"next segment begins at {limit}")
            if frame.offset < self.next:
                if frame.count and words is None:
                    self.problem("reused-offset", f"{where}: offset {frame.offset} again, "
                                                  f"{self.next} was expected")
                continue
            if frame.offset > self.next and not self.missing(
                    index, frame.at, frame.offset, words or f"{where}: a gap"):
                return
            words = None
            self.form(frame, where)
            self.next = frame.end
            yield frame
        self.segment_end(index, segment, began, words)

    def segment_end(self, index, segment, began, words):
        last = index + 1 == len(self.names)
        if not began and not last:
            self.problem("log-form", f"{segment.name} has no frame")
        if words is None:
            return
        if last:
            self.problem("torn", f"the log ends at {self.next}: {words}")
            self.torn = True

    def head(self, frame, segment, where):
        if frame.kind != HEAD:
            self.problem("log-form", f"{where}: the first frame is no HEAD")
        elif frame.offset != segment.first:
            self.problem("log-form", f"{where}: the HEAD says offset {frame.offset}")
        else:
            said = frame.text(LOG)
            if said is None or not ID.fullmatch(said):
                self.problem("log-form", f"{where}: a HEAD without the log's id")
            elif said != self.id:
                self.problem("log-form", f"{where}: a segment of log {said} in log {self.id}")

    def form(self, frame, where):
        kind = KINDS.get(frame.kind, str(frame.kind))
        if bool(frame.count) == (frame.kind in (HEAD, SEAL)):
            self.problem("log-form", f"{where}: a {kind} frame with {frame.count} records")
        elif frame.kind in (TICK, RULES) and frame.record_size != 5:
            self.problem("log-form", f"{where}: a {kind} frame with more than an empty record")
        if frame.mark != self.mark or next(iter(frame.attributes), None) != MARK:
            self.problem("log-form", f"{where}: the frame does not begin with the log's mark")
        if frame.durable > frame.offset:
            self.problem("log-form", f"{where}: durable {frame.durable} is above its own offset")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    log = Log(sys.argv[1])
    for frame in log:
        kind = KINDS.get(frame.kind, str(frame.kind))
        if not frame.count:
            print(f"{frame.offset} {kind} {frame.tenant or '-'} {frame.source or '-'}")
        for index, record in enumerate(frame.records()):
            print(f"{frame.offset + index} {kind} {frame.tenant or '-'} {frame.source or '-'} "
                  f"{(frame.key or b'-').decode('utf-8', 'backslashreplace')} {frame.receipt_ns} "
                  f"{len(record)}")
    for problem in log.problems:
        print(f"{problem.name}: {problem.words}")
    sys.exit(any(p.name != "torn" for p in log.problems))


if __name__ == "__main__":
    main()
