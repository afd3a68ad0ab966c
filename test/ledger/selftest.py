"""The checker judged: runs in perfect order pass, and each fault that is planted in one is named,
with what follows from it and nothing else. Called by `run`."""
import contextlib
import copy
import io
import json
import os
import re
import tempfile
import traceback

import checker
import forge
import scene as scenes

CASES = []


def case(*expected, **options):
    """A fault to plant: the names that the checker must say; none: it must pass. more=True: it
    may say others too."""
    def keep(function):
        CASES.append((function, set(expected), options))
        return function
    return keep


# ---- nothing wrong
@case()
def in_order(s):
    pass


@case()
def unknown_and_stored(s):
    answer(s, "lines-a.0", 20, "U")


@case()
def unknown_and_not_stored(s):
    answer(s, "lines-a.0", 30, "U")
    s.frames = [f for f in s.frames if (f.connection, f.first // 10) != ("lines-a.0", 3)]


@case()
def never_answered(s):
    s.lines = [line for line in s.lines if not line.startswith("A lines-a.0 10 ")]


@case()
def sent_again_without_a_key(s):
    again(s, "bulk-c.0", 5)


@case()
def sent_again_with_a_key_stored_once(s):
    again(s, "hec-b.0", 6, store=False)


@case()
def refused_and_not_stored(s):
    answer(s, "lines-a.0", 20, "R", " 503")
    s.frames = [f for f in s.frames if (f.connection, f.first // 10) != ("lines-a.0", 2)]


@case()
def loss_that_is_counted(s):
    drop(s, "udp-e.0", 7)
    yield
    s.counters("syslog-udp/10.0.0.5")["dropped"]["kernel"] = 1
    s.counters("syslog-udp/10.0.0.5")["received"] += 1


@case()
def the_end_of_a_connection_that_a_kill_broke(s):
    kill_tcp(s, range(34, 40))


@case()
def a_piece_of_the_record_that_broke(s):
    kill_tcp(s, range(36, 40))
    answers = f"U tcp-d.0 36 4 1 {s.clock()} broken"
    s.lines.append(answers)
    frame, _ = s.frame("tcp-d.1", 39)
    record = s.plan.maker("tcp-d.0")(36)
    piece = copy.copy(frame)
    piece.content, piece.sequences, piece.connection = [record[:50]], [], "tcp-d.0"
    s.frames.append(piece)


@case()
def datagrams_at_the_time_of_a_kill(s):
    drop(s, "udp-e.0", 7)
    at = sent_at(s, "udp-e.0", 7)
    s.faults.append({"kind": "kill", "from_ns": at + 10**6, "to_ns": at + 10**7})


@case()
def a_torn_end(s):
    yield
    yield
    with open(s.log.path, "ab") as f:
        f.write(forge.frame_bytes(2, s.log.next, s.log.next, 1, [b"never acknowledged"])[:60])


@case()
def a_frame_inside_a_frame(s):
    s.frames[3].format = forge.frame_bytes(2, 3, 3, 1, [b"forged"])


# ---- the log
@case("lost")
def lost_batch(s):
    s.frames = [f for f in s.frames if (f.connection, f.first // 10) != ("lines-a.1", 1)]


@case("partial-batch")
def partly_stored_and_answered_200(s):
    drop(s, "hec-b.0", 15)


@case("lost")
def one_in_many_records(s):
    """One of a batch of its own."""
    for at, line in enumerate(s.lines):
        if line.startswith("A bulk-c.0 5 5 "):
            time = line.split()[5]
            s.lines[at:at + 1] = [f"A bulk-c.0 {n} 1 1 {time}" for n in range(5, 10)]
    drop(s, "bulk-c.0", 7)


@case("doubled")
def record_twice(s):
    frame, at = s.frame("lines-a.0", 13)
    frame.content.insert(at, frame.content[at])


@case("doubled")
def frame_twice(s):
    frame, _ = s.frame("tcp-d.0", 12)
    s.frames.insert(s.frames.index(frame), frame)


@case("doubled")
def key_not_heeded(s):
    again(s, "hec-b.0", 6)


@case("doubled")
def more_copies_than_tries(s):
    again(s, "bulk-c.0", 5)
    frame, _ = s.frame("bulk-c.0", 5)
    s.frames.append(frame)


@case("swapped")
def two_swapped(s):
    content = s.frame("tcp-d.1", 33)[0].content
    content[1], content[2] = content[2], content[1]


@case("swapped")
def frames_swapped(s):
    one, other = (s.frames.index(s.frame("lines-a.0", n)[0]) for n in (11, 21))
    s.frames[one], s.frames[other] = s.frames[other], s.frames[one]


@case("altered")
def byte_altered(s):
    frame, at = s.frame("lines-a.0", 13)
    frame.content[at] = frame.content[at].replace(b"Security", b"Securitx", 1)


@case("altered")
def end_cut(s):
    frame, at = s.frame("hec-b.0", 13)
    frame.content[at] = frame.content[at][:-1]


@case("foreign")
def of_another_run(s):
    frame, _ = s.frame("lines-a.0", 13)
    frame.content.append(b'{"Ledger":"MLEDG:other:lines-a.0:000000000001;"}')


@case("foreign")
def never_sent(s):
    frame, _ = s.frame("lines-a.0", 59)
    frame.content.append(s.plan.maker("lines-a.0")(60))


@case("foreign")
def a_piece_of_a_record(s):
    frame, at = s.frame("tcp-d.0", 13)
    frame.content.insert(at, frame.content[at][:40])


@case("wrong-tenant", "finding-tenant")
def tenants_of_two_inputs_swapped(s):
    for frame in s.frames:
        if frame.connection[:5] in ("lines", "hec-b"):
            frame.tenant = {"sg/health/moh": "sg/transport"}.get(frame.tenant, "sg/health/moh")


@case("wrong-source")
def source_of_another(s):
    s.frame("lines-a.0", 13)[0].source = "hec/10.0.0.2"


@case("refused-stored")
def refused_and_stored(s):
    answer(s, "lines-a.0", 20, "R", " 503")


@case("wrongly-rejected")
def good_one_in_quarantine(s):
    frame, at = s.frame("lines-a.1", 17)
    s.frame("lines-a.1", 59)[0].content.append(frame.content.pop(at))


@case("reused-offset", "lost", more=True)
def offset_used_again(s):
    s.frame("hec-b.0", 30)[0].back = 1


@case("lost", more=True)
def offset_used_again_behind_a_crash(s):
    """The new segment begins where something acknowledged stands: that counts no more."""
    frame = s.frames[s.frames.index(s.frame("lines-a.1", 30)[0]) + 1]
    frame.roll, frame.back = True, 10


@case("straddle", more=True)
def over_the_end_of_a_segment(s):
    frame = s.frames[s.frames.index(s.frame("lines-a.1", 30)[0]) + 1]
    frame.roll, frame.back = True, 1


@case("lost", "damage", "stored-counter", "finding-extra")
def bits_flipped(s):
    number = s.frames.index(s.frame("lines-a.0", 10)[0])
    yield
    yield
    place = [p for p in s.log.places if p[4] in (2, 3)][number]
    flip(place[0], place[1] + place[2] // 2)


@case("damage", "lost", more=True)
def a_segment_gone(s):
    yield
    yield
    os.remove(segment(s, 1))


@case("lost", "partial-batch", "stored-counter", more=True)
def acknowledged_end_cut(s):
    """No later frame says that it was durable: the ledger does."""
    yield
    yield
    os.truncate(s.log.path, s.log.places[-5][1] + 10)


@case("log-form")
def another_log_s_segment(s):
    yield
    yield
    with open(segment(s, 2), "r+b") as f:
        size = [p for p in s.log.places if p[0] == segment(s, 2)][0][2]
        offset = int(os.path.basename(segment(s, 2))[:20])
        head = forge.frame_bytes(1, offset, offset, 1, [], log="e" * 32)
        assert len(head) == size
        f.write(head)


@case("log-form")
def durable_ahead_of_itself(s):
    s.frames[3].durable = 10**6
    yield


# ---- counters
@case("status")
def no_counters_of_a_source(s):
    yield
    s.status["sources"].pop()


@case("conservation")
def received_and_not_accounted_for(s):
    yield
    s.counters("lines/10.0.0.1")["received"] += 1


@case("in-flight")
def still_in_flight(s):
    yield
    s.counters("lines/10.0.0.1")["received"] += 1
    s.counters("lines/10.0.0.1")["in_flight"] += 1


@case("stored-counter")
def stored_counted_short(s):
    yield
    s.counters("lines/10.0.0.1")["received"] -= 1
    s.counters("lines/10.0.0.1")["stored"] -= 1


@case("rejections-uncounted", "conservation")
def rejection_missed(s):
    yield
    s.counters("lines/10.0.0.1")["rejected"]["json"] -= 1


@case("rejections-uncounted")
def rejection_missed_altogether(s):
    yield
    s.counters("lines/10.0.0.1")["rejected"].clear()
    s.counters("lines/10.0.0.1")["received"] = s.counters("lines/10.0.0.1")["stored"]


@case("counter-wrapped")
def counter_of_32_bits(s):
    yield
    source = s.counters("hec/10.0.0.2")
    source["received"] += 2**32


@case("counter-backwards")
def counter_goes_down(s):
    yield
    earlier = copy.deepcopy(s.status)
    earlier["sources"][1]["received"] += 5
    s.put("earlier.json", json.dumps(earlier))


@case("loss-uncounted")
def datagram_lost(s):
    drop(s, "udp-e.0", 7)


@case("loss-uncounted")
def datagram_lost_long_before_a_kill(s):
    drop(s, "udp-e.0", 7)
    at = sent_at(s, "udp-e.0", 7) + 2 * 10**9
    s.faults.append({"kind": "kill", "from_ns": at, "to_ns": at})
    later(s)


@case("loss-uncounted")
def line_lost(s):
    drop(s, "tcp-d.1", 21)


@case("loss-uncounted")
def lost_in_the_middle_of_a_broken_connection(s):
    kill_tcp(s, [30])


@case("loss-uncounted")
def end_of_a_connection_lost_without_a_kill(s):
    kill_tcp(s, range(34, 40))
    s.faults.clear()


@case("loss-uncounted", settings={"tcp_loss_bytes": 300})
def more_lost_at_a_kill_than_promised(s):
    kill_tcp(s, range(30, 40))


@case("loss-overcounted")
def loss_counted_that_was_none(s):
    yield
    s.counters("syslog-udp/10.0.0.5")["dropped"]["kernel"] = 1
    s.counters("syslog-udp/10.0.0.5")["received"] += 1


# ---- findings
@case("finding-missing")
def finding_missing(s):
    yield
    s.findings.remove(next(f for f in s.findings if "source" in f[0]))


@case("finding-missing")
def correlation_missing(s):
    yield
    s.findings.remove(next(f for f in s.findings if "group" in f[0]))


@case("finding-doubled")
def finding_twice(s):
    yield
    s.findings.append(s.findings[3])


@case("finding-doubled")
def correlation_twice(s):
    yield
    s.findings.append(next(f for f in s.findings if "group" in f[0]))


@case("finding-extra")
def finding_of_a_plain_event(s):
    yield
    extra = copy.deepcopy(s.findings[0])
    extra[0]["source"]["offset"] += 1
    s.findings.append(extra)


@case("finding-extra")
def finding_of_another_rule(s):
    yield
    extra = copy.deepcopy(s.findings[0])
    extra[0]["rule"]["id"] = "another"
    s.findings.append(extra)


@case("finding-tenant")
def finding_of_a_foreign_tenant(s):
    yield
    s.findings[0][1] = "sg"


@case("finding-form", "finding-missing")
def finding_without_its_event(s):
    yield
    finding = next(f for f in s.findings if "source" in f[0])
    del finding[0]["source"]


@case("finding-form", "finding-missing")
def finding_of_another_log(s):
    yield
    finding = next(f for f in s.findings if "source" in f[0])
    finding[0]["source"]["log"] = "a" * 32


@case("judged")
def end_not_judged(s):
    yield
    s.through -= 1


@case("fresh-late")
def found_late(s):
    s.faults.append({"kind": "fdatasync", "from_ns": 0, "to_ns": 1})
    s.options["settings"] = {"detect_ms": 10}


@case("fresh-untested")
def nothing_behind_a_fault(s):
    s.faults.append({"kind": "fdatasync", "from_ns": 2 * 10**18, "to_ns": 2 * 10**18})


@case("generator")
def generator_killed(s):
    s.options["end"] = False


# ---- helpers of the cases
def answer(s, connection, first, letter, more=""):
    """Another answer to what was sent from `first` on."""
    for at, line in enumerate(s.lines):
        if line.startswith(f"A {connection} {first} "):
            s.lines[at] = letter + line[1:] + more
            return
    raise KeyError(first)


def again(s, connection, first, store=True):
    """Unknown at first, and sent again."""
    answer(s, connection, first, "U", " timeout")
    for at, line in enumerate(s.lines):
        if line.startswith(f"U {connection} {first} "):
            word = line.split()
            s.lines[at + 1:at + 1] = [f"S {connection} 0 {first} {word[3]} 2 {s.clock()}",
                                      f"A {connection} {first} {word[3]} 2 {s.clock()}"]
            break
    if store:
        frame, _ = s.frame(connection, first)
        s.frames.insert(s.frames.index(frame) + 1, frame)


def drop(s, connection, sequence):
    frame, at = s.frame(connection, sequence)
    frame.content.pop(at)
    frame.sequences.pop(at)
    if not frame.content:
        s.frames.remove(frame)


def kill_tcp(s, sequences):
    for sequence in sequences:
        drop(s, "tcp-d.0", sequence)
    for at, line in enumerate(s.lines):
        if line.startswith("C tcp-d.0 0 "):
            s.lines[at] = line.replace(" end", " broken")
    s.faults.append({"kind": "kill", "from_ns": 0, "to_ns": 1})


def sent_at(s, connection, sequence):
    return next(int(line.split()[6]) for line in s.lines
                if line.startswith(f"S {connection} 0 {sequence} "))


def later(s):
    """An attack behind all faults, so that there is a fresh one."""
    at = max(f["to_ns"] for f in s.faults)
    for number, line in enumerate(s.lines):
        word = line.split(" ")
        if word[0] == "S" and word[1] == "bulk-c.0" and word[3] == "15":
            word[6] = str(at + 10**6)
            s.lines[number] = " ".join(word)


def segment(s, number):
    return sorted({p[0] for p in s.log.places})[number]


def flip(path, at):
    with open(path, "r+b") as f:
        f.seek(at)
        byte = f.read(1)[0]
        f.seek(at)
        f.write(bytes([byte ^ 16]))


# ---- running them
def names(text):
    return set(re.findall(r"^FAIL ([a-z-]+):", text, re.M))


def judge(function, options, directory):
    s = scenes.Scene(directory)
    s.options = options
    step = function(s)
    advance = (lambda: next(step, None)) if step is not None else (lambda: None)
    advance()
    s.derive()
    advance()
    s.write(end=options.get("end", True))
    advance()
    arguments = ["--ledger", f"{directory}/ledger", "--data", f"{directory}/data", "--status"]
    if os.path.exists(f"{directory}/earlier.json"):
        arguments.append(f"{directory}/earlier.json")
    arguments.append(f"{directory}/status.json")
    if options.get("settings"):
        s.put("settings.json", json.dumps(options["settings"]))
        arguments += ["--settings", f"{directory}/settings.json"]
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        status = checker.main(arguments + ["--faults", f"{directory}/faults"])
    return status, out.getvalue()


def main():
    passed = failed = 0
    unseen = set(checker.CHECKS)
    for function, expected, options in CASES:
        name = function.__name__.replace("_", " ")
        with tempfile.TemporaryDirectory() as directory:
            try:
                status, text = judge(function, dict(options), directory)
            except Exception:  # pylint: disable=broad-except
                status, text = None, traceback.format_exc()
        unseen -= expected & names(text)
        found = names(text) & expected if options.get("more") else names(text)
        if found == expected and status == bool(expected):
            passed += 1
            continue
        failed += 1
        print(f"FAIL {name}: expected {sorted(expected)}, found {sorted(names(text))}\n{text}")
    if unseen:
        failed += 1
        print(f"FAIL never seen to fail: {sorted(unseen)}")
    return passed, failed
