"""segments.py against directories whose bytes are made by hand: which records count, and what is
said of the rest. Called by `run`."""
import os
import tempfile

import forge
import segments

CASES = []


def case(expected, *problems):
    """The records that count, as one text, and the names of the problems."""
    def keep(function):
        CASES.append((function, expected, list(problems)))
        return function
    return keep


class Bytes:
    """A log to be broken: frames of one letter a record."""

    def __init__(self, directory):
        self.directory = directory
        self.parts = {}  # first offset: list of frames' bytes
        self.current = None

    def begin(self, first, durable=None):
        self.current = first
        durable = first if durable is None else durable
        self.parts[first] = [forge.frame_bytes(1, first, durable, 1, [], log=forge.IDENTITY)]
        return self

    def put(self, offset, text, durable=None, kind=2, **more):
        durable = offset if durable is None else durable
        self.parts[self.current].append(forge.frame_bytes(
            kind, offset, durable, 1, [c.encode() for c in text], **more))
        return self

    def raw(self, data):
        self.parts[self.current].append(data)
        return self

    def write(self):
        for first, parts in self.parts.items():
            with open(os.path.join(self.directory, f"{first:020d}.seg"), "wb") as f:
                f.write(b"".join(parts))


def wrong(frame):
    return frame[:-2] + bytes([frame[-2] ^ 1]) + frame[-1:]


@case("abcdef")
def frames_in_order(b):
    b.begin(0).put(0, "ab").put(2, "c").put(3, "", kind=7).begin(3).put(3, "def")


@case("abc")
def nothing_in_the_last_segment(b):
    b.begin(0).put(0, "abc").begin(3)


@case("abc")
def an_empty_last_segment(b):
    b.begin(0).put(0, "abc").begin(3)
    b.parts[3] = []


@case("abc", "torn")
def half_a_frame_at_the_end(b):
    b.begin(0).put(0, "abc").raw(forge.frame_bytes(2, 3, 3, 1, [b"d"])[:-1])


@case("abc", "torn")
def half_a_head(b):
    b.begin(0).put(0, "abc").begin(3)
    b.parts[3] = [b.parts[3][0][:20]]


@case("abc", "torn")
def a_frame_behind_a_torn_place(b):
    """It was not durable either."""
    b.begin(0).put(0, "abc").raw(wrong(forge.frame_bytes(2, 3, 3, 1, [b"d"]))).put(4, "e", 3)


@case("abce", "damage")
def a_durable_frame_broken(b):
    b.begin(0).put(0, "abc").raw(wrong(forge.frame_bytes(2, 3, 3, 1, [b"d"]))).put(4, "e")


@case("abc", "damage", "torn")
def durable_in_part(b):
    """3 was durable, 4 was not: 5 does not count."""
    b.begin(0).put(0, "abc").raw(wrong(forge.frame_bytes(2, 3, 3, 1, [b"d", b"e"])))
    b.put(5, "f", durable=4)


@case("abcXYZ")
def written_again_in_a_new_segment(b):
    b.begin(0).put(0, "abc").put(3, "xyz").begin(3).put(3, "XYZ")


@case("abcXY")
def written_again_behind_a_torn_place(b):
    b.begin(0).put(0, "abc").raw(wrong(forge.frame_bytes(2, 3, 3, 1, [b"x"]))).begin(3)
    b.put(3, "XY")


@case("abcdefg", "damage")
def end_of_an_old_segment_gone(b):
    """The next segment's name says that there was more."""
    b.begin(0).put(0, "abc").begin(5).put(5, "defg")


@case("abd", "reused-offset")
def an_offset_twice(b):
    b.begin(0).put(0, "ab").put(1, "c").put(2, "d")


@case("abcd", "straddle")
def over_the_end(b):
    b.begin(0).put(0, "abc").begin(2).put(2, "x").put(3, "d")
    b.parts[2].pop(1)


@case("abc", "log-form")
def no_head(b):
    b.begin(0).put(0, "abc")
    b.parts[0].pop(0)
    b.begin(3)


@case("abc", "log-form", "log-form")
def no_head_at_all(b):
    b.begin(0).put(0, "abc")
    b.parts[0].pop(0)


@case("abcd", "log-form")
def a_broken_head(b):
    """Another segment says the log's mark."""
    b.begin(0).put(0, "abc").begin(3).put(3, "d")
    b.parts[0][0] = wrong(b.parts[0][0])


@case("ae", "damage")
def forged_frames_in_a_broken_record(b):
    """Who made them does not know the log's mark."""
    forged = forge.frame_bytes(2, 1, 1, 1, [b"F"], mark=b"12345678")
    frame = forge.frame_bytes(2, 1, 1, 1, [forged, b"d"])
    b.begin(0).put(0, "a").raw(wrong(frame)).put(3, "e")


@case("ab", "log-form")
def a_frame_with_another_mark(b):
    b.begin(0).put(0, "a").put(1, "b", mark=b"12345678")


@case("ab", "log-form")
def a_mark_that_does_not_come_first(b):
    b.begin(0).put(0, "a")
    frame = bytearray(forge.frame_bytes(2, 1, 1, 1, [b"b"], tenant="t"))
    frame[48:63] = frame[59:63] + frame[48:59]
    b.raw(resummed(frame))


@case("ab", "log-form")
def a_frame_that_takes_no_offset(b):
    b.begin(0).put(0, "a").put(1, "", kind=4).put(1, "b")


@case("ab", "log-form", "log-form")
def a_broken_head_that_only_the_frames_make_up_for(b):
    b.begin(0).put(0, "ab")
    b.parts[0][0] = wrong(b.parts[0][0])


@case("abcd", "log-form")
def two_logs_mixed(b):
    b.begin(0).put(0, "abc").begin(3).put(3, "d")
    b.parts[3][0] = forge.frame_bytes(1, 3, 3, 1, [], log="cd" * 16)


@case("abc", "log-form")
def behind_a_seal(b):
    b.begin(0).put(0, "ab").put(2, "", kind=7).put(2, "c")


@case("ab", "log-form")
def a_tick_with_records(b):
    b.begin(0).put(0, "ab", kind=4)


@case("ab")
def a_tick_takes_an_offset(b):
    b.begin(0).put(0, "a").raw(forge.frame_bytes(4, 1, 1, 1, [b""])).put(2, "b")


@case("ab")
def files_that_are_no_segments(b):
    b.begin(0).put(0, "ab")
    for name in ("lock", "00000000000000000002.new"):
        with open(os.path.join(b.directory, name), "w", encoding="utf-8") as f:
            f.write("x")


@case("ab")
def an_unknown_tag(b):
    forge.TAGS["strange"] = 200
    b.begin(0).put(0, "ab", strange="x")


@case("a", "torn")
def a_tag_twice(b):
    forge.TAGS["again"] = 2
    b.begin(0).put(0, "a").put(1, "b", source="x", again="y")


@case("a", "torn")
def records_that_do_not_fill_the_frame(b):
    frame = bytearray(forge.frame_bytes(2, 1, 1, 1, [b"bb"]))
    frame[48 + 11] = 1  # the record's size
    b.begin(0).put(0, "a").raw(resummed(frame))


@case("a", "torn")
def more_records_than_bytes(b):
    frame = bytearray(forge.frame_bytes(2, 1, 1, 1, [b"bb"]))
    frame[40:44] = b"\xff\xff\xff\xff"
    b.begin(0).put(0, "a").raw(resummed(frame))


@case("a", "torn")
def larger_than_a_frame_may_be(b):
    b.begin(0).put(0, "a").raw(forge.frame_bytes(2, 1, 1, 1, [b"x" * (20 << 20)]))


@case("a", "torn")
def a_line_feed_that_the_flag_denies(b):
    frame = bytearray(forge.frame_bytes(2, 1, 1, 1, [b"x\ny"]))
    frame[13] = 1
    b.begin(0).put(0, "a").raw(resummed(frame))


def resummed(frame):
    return forge.summed(bytes(frame[12:]))


def main():
    passed = failed = 0
    for function, expected, problems in CASES:
        with tempfile.TemporaryDirectory() as directory:
            b = Bytes(directory)
            function(b)
            b.write()
            log = segments.Log(directory)
            found = b"".join(r for f in log for r in f.records()).decode("latin-1")
        said = [p.name for p in log.problems]
        if found == expected and said == problems:
            passed += 1
            continue
        failed += 1
        print(f"FAIL {function.__name__.replace('_', ' ')}: expected {expected!r} {problems}, "
              f"found {found[:80]!r} {log.problems}")
    return passed, failed
