"""Who is silent is known: after restarts too, until it is forgotten, and that is said."""
import datetime
import json
import os
import struct
import sys
import time
import zlib

from centre import Centre, MERLON, Skip, line

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "faults"))
import shim  # noqa: E402

HOUR = 3600
HEAD = 52  # of DATA/sources


def later(centre, seconds):
    """From the next start on its clock is so far ahead of the truth."""
    library = os.path.join(os.environ.get("BUILD", os.path.dirname(MERLON)), "test", "shim.so")
    if not os.path.exists(library):
        raise Skip("shim: it is not built: make tests")
    state = os.path.join(centre.folder, f"clock-{seconds}")
    centre.environment = shim.environment(
        library, [shim.rule("clock", add=seconds, onward=True)], state=state,
        base={k: v for k, v in centre.environment.items() if k != "MERLON_SHIM"})


def rows(centre, token=None):
    """What is known of each source, by its input's name."""
    status, text = centre.ask("/api/v1/status", token)
    return {r["source"].split("/")[0]: r for r in json.loads(text)["sources"] if "last" in r} \
        if status == 200 else {}


def listed(centre):
    """The list on disk: its head, (last, tenant, name) of each source, and the log's offset."""
    if not os.path.exists(os.path.join(centre.data, "sources")):
        return b"", [], -1
    with open(os.path.join(centre.data, "sources"), "rb") as f:
        data = f.read()
    at, found = HEAD, []
    while at < len(data):
        last, tenant, name = struct.unpack_from("<qBB", data, at)
        at += 10 + tenant + name
        text = data[at - tenant - name:at].decode()
        found.append((last, text[:tenant], text[tenant:]))
    return data[:HEAD], found, struct.unpack_from("<Q", data, 12)[0]


def committed(centre):
    return json.loads(centre.ask("/api/v1/status")[1])["centre"]["log_committed"]


def write_list(centre, head, sources):
    body = head[12:] + b"".join(struct.pack("<qBB", last, len(tenant), len(name)) +
                                (tenant + name).encode() for last, tenant, name in sources)
    with open(os.path.join(centre.data, "sources"), "wb") as f:
        f.write(head[:8] + struct.pack("<I", zlib.crc32(body)) + body)


def seconds(stamp):
    return datetime.datetime.fromisoformat(stamp.split(".")[0].rstrip("Z") + "+00:00").timestamp()


def who_was_silent_before_a_restart_is_known_after_it():
    with Centre(tenants=("sg/moh", "sg/mof")) as centre:
        centre.send("tcp0", [line(1)])
        assert centre.post("web1", ['{"a":1}'], "/api/v1/ingest") == 200
        centre.until(lambda: [r["stored"] for r in rows(centre).values()] == [1, 1], "both are stored")
        before = {name: row["last"] for name, row in rows(centre).items()}
        assert sorted(before) == ["tcp0", "web1"], before

        def is_known(hours):
            now = rows(centre)
            return {n: r["last"] for n, r in now.items()} == before and all(
                r["received"] == 0 and
                abs(time.time() + hours * HOUR - seconds(r["last"]) - r["silent_seconds"]) < 60
                for r in now.values())

        centre.kill()  # with the log alone, or with a list
        later(centre, 3 * HOUR)
        centre.start()
        centre.until(lambda: is_known(3), "killed: they are known")
        reader = centre.add_token("sg/mof", "reader")
        centre.until(lambda: list(rows(centre, reader)) == ["web1"], "to their agency alone")
        # The list says how much of the log it has: at the end, all.
        centre.until(lambda: listed(centre)[2] >= 0, "a list is there")
        centre.send("tcp1", [line(2)])
        centre.until(lambda: rows(centre).get("tcp1", {}).get("stored") == 1, "one more is stored")
        before["tcp1"] = rows(centre)["tcp1"]["last"]
        end = committed(centre)
        assert centre.stop() == 0
        assert listed(centre)[2] >= end, (listed(centre), end)
        later(centre, 5 * HOUR)
        centre.start()
        centre.until(lambda: is_known(5), "stopped: they are known")
        # One that only the list knows.
        assert centre.stop() == 0
        head, sources, _ = listed(centre)
        assert len(sources) == 3, sources
        write_list(centre, head, sources + [(int((time.time() - HOUR) * 1e9), "sg/moh", "old/h")])
        centre.start()
        centre.until(lambda: "old" in rows(centre), "the list is believed")
        assert HOUR * 6 - 60 < rows(centre)["old"]["silent_seconds"] < HOUR * 6 + 60
        assert 'merlon_last_record_time_seconds{tenant="sg/moh",source="old/h"} ' in \
            centre.ask("/metrics")[1]
        # It is damaged: what the log has is known all the same, and the rest is not made up.
        assert centre.stop() == 0
        with open(os.path.join(centre.data, "sources"), "r+b") as f:
            f.seek(HEAD + 3)
            byte = f.read(1)
            f.seek(HEAD + 3)
            f.write(bytes([byte[0] ^ 16]))
        centre.start()
        centre.until(lambda: is_known(5), "damaged: they are known")
        assert "sources: it is damaged" in centre.words(), centre.words()


def rewrite(centre, old, new):
    with open(centre.config) as f:
        text = f.read()
    assert old in text, text
    with open(centre.config, "w") as f:
        f.write(text.replace(old, new))


def silence_is_told_and_in_the_end_forgotten():
    """By its input's measure; who comes again is new; who was heard last stays."""
    with Centre(tenants=("sg/moh", "sg/mof"), start=False,
                extra="sources: {silent_after: 90m, forget_after: 10h}\n") as centre:
        rewrite(centre, "name: tcp1,", "name: tcp1, silent_after: 5h,")
        centre.start()
        for name in ("tcp0", "tcp1"):
            centre.send(name, [line(1)])
            centre.until(lambda: rows(centre).get(name, {}).get("stored") == 1, "it is stored")
        assert not any(r["silent"] for r in rows(centre).values())
        assert centre.stop() == 0
        later(centre, 2 * HOUR)
        centre.start()

        def silent():
            return {n: (r["silent_after_seconds"], r["silent"]) for n, r in rows(centre).items()}

        centre.until(lambda: silent() == {"tcp0": (5400, True), "tcp1": (5 * HOUR, False)},
                     "one is silent")
        figures = centre.ask("/metrics")[1]
        assert 'merlon_source_silent{tenant="sg/moh",source="tcp0/127.0.0.1"} 1' in figures, figures
        assert 'merlon_source_silent{tenant="sg/mof",source="tcp1/127.0.0.1"} 0' in figures, figures
        # What is forgotten leaves the list, too.
        assert centre.post("web0", ['{"a":1}'], "/api/v1/ingest") == 200
        centre.until(lambda: rows(centre).get("web0", {}).get("stored") == 1, "it is stored")
        assert centre.stop() == 0
        later(centre, 11 * HOUR)
        centre.start()
        centre.until(lambda: list(rows(centre)) == ["web0"], "two are forgotten")
        for name, tenant in (("tcp0", "sg/moh"), ("tcp1", "sg/mof")):
            assert centre.words().count(f"source {name}/127.0.0.1 of {tenant}: silent since") == 1, \
                centre.words()
        assert "\nmerlon_forgotten_sources_total 2\n" in centre.ask("/metrics")[1]
        centre.until(lambda: [s[2].split("/")[0] for s in listed(centre)[1]] == ["web0"],
                     "the list has one")
        centre.send("tcp0", [line(2)])
        centre.until(lambda: rows(centre).get("tcp0", {}).get("stored") == 1, "it comes again")
        assert rows(centre)["tcp0"]["received"] == 1
        # Long behind all: the one that was heard last stays.
        assert centre.stop() == 0
        later(centre, 22 * HOUR)
        centre.start()
        centre.until(lambda: list(rows(centre)) == ["tcp0"], "the last one stays")


def whoever_dies_over_the_list_it_is_whole():
    with Centre() as centre:
        centre.send("tcp0", [line(1)])
        centre.until(lambda: rows(centre).get("tcp0", {}).get("stored") == 1, "it is stored")
        last = rows(centre)["tcp0"]["last"]
        for point in ("listed", "before_sync", "before_rename", "published"):
            assert centre.stop() == 0
            if point != "listed":
                os.unlink(os.path.join(centre.data, "sources"))  # one is written at once
            centre.environment["MERLON_POINT"] = f"sources.{point}:1"
            centre.start()
            centre.until(lambda: "log: ended by signal 9" in centre.words(), "it dies at " + point)
            centre.kill()
            del centre.environment["MERLON_POINT"]
            centre.start()
            centre.until(lambda: {n: r["last"] for n, r in rows(centre).items()} == {"tcp0": last},
                         "it is known")
            centre.until(lambda: [s[2].split("/")[0] for s in listed(centre)[1]] == ["tcp0"],
                         "the list has it")


TESTS = [who_was_silent_before_a_restart_is_known_after_it,
         silence_is_told_and_in_the_end_forgotten, whoever_dies_over_the_list_it_is_whole]
