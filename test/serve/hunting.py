"""`merlon hunt` over a centre's log: what the log gives is what files with the same lines give."""
import json
import os
import re
import subprocess
import tempfile
import threading
import time

from centre import Centre, MERLON, line
import live
import segments


def hunt(*words, code=0):
    run = subprocess.run([MERLON, "hunt", "-o", "json", *words], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
    assert run.returncode == code, (run.returncode, run.stderr)
    return [json.loads(row) for row in run.stdout.splitlines()], run.stderr


def offsets(centre, tenant):
    if not os.path.isdir(os.path.join(centre.data, "log")):
        return []  # it is just starting
    return [(frame.offset + i, frame.source, record.decode())
            for frame in segments.Log(os.path.join(centre.data, "log"))
            if frame.kind == segments.RECORDS and frame.tenant.startswith(tenant)
            for i, record in enumerate(frame.records())]


QUERIES = ("* | count by pid, host, message", "message|contains: quiet | count",
           "host: host2 | stack host by pid", "* | timechart 1m",
           "pid: ['3', '7'] | join on host (message|contains: PLANTED | count by host)"
           " | fields pid, host, count")


def a_hunt_over_the_log_is_one_over_the_same_files():
    lines = {"sg/moh": [line(i, planted=i % 7 == 0) for i in range(900)],
             "sg/mof": [line(i, planted=i == 3, host="host2") for i in range(300)]}
    with Centre(tenants=("sg/moh", "sg/mof"), extra="segment_size: 1M\n") as centre:
        for number, tenant in enumerate(lines):
            for start in range(0, len(lines[tenant]), 100):
                centre.send(f"tcp{number}", lines[tenant][start:start + 100])
        centre.until(lambda: len(offsets(centre, "sg")) == 1200, "all are stored")
        running = {t: [hunt("--data", centre.data, "--tenant", t, q)[0] for q in QUERIES]
                   for t in ("sg/moh", "sg/mof", "sg")}
        assert centre.stop() == 0
        for tenant, results in running.items():
            for query, rows in zip(QUERIES, results):
                with tempfile.NamedTemporaryFile("w", suffix=".log", dir=centre.folder) as file:
                    mine = [t for t in lines if t == tenant or t.startswith(tenant + "/")]
                    file.write("".join(l + "\n" for t in mine for l in lines[t]))
                    file.flush()
                    # Syslog's times have no year: the log has that of receipt, the file its own.
                    same = hunt(query, file.name)[0]
                assert sorted(map(str, rows)) == sorted(map(str, same)), (query, rows, same)
                assert rows or tenant != "sg", query
                assert rows == hunt("--data", centre.data, "--tenant", tenant, query)[0]
        # Identity, place and range.
        there = offsets(centre, "sg/mof")
        rows, _ = hunt("--data", centre.data, "--tenant", "sg/mof", "* | fields _id, _source, _raw")
        assert [(int(r["_id"]), r["_source"], r["_raw"]) for r in rows] == there
        first, last = there[5][0], there[90][0]
        rows, _ = hunt("--data", centre.data, "--tenant", "sg/mof", "--from", str(first), "--to", str(last),
                       "* | fields _id")
        assert [int(r["_id"]) for r in rows] == [o for o, _, _ in there if first <= o < last]
        assert hunt("--data", centre.data, "--from", "2100-01-01", "* | count")[0] == [{"count": 0}]
        assert hunt("--data", centre.data, "--to", "2100-01-01", "* | count")[0] == [{"count": 1200}]
        assert hunt("--data", centre.data, "--tenant", "sg/m", "* | count")[0] == [{"count": 0}]


def a_hunt_says_what_it_could_not_search():
    with Centre() as centre:
        centre.send("tcp0", [line(i) for i in range(50)])
        centre.until(lambda: len(offsets(centre, "sg")) == 50, "they are stored")
        assert centre.post("web0", ["{"], "/api/v1/ingest?format=json") in (200, 400)
        centre.send("tcp0", [line(i) for i in range(50)])
        centre.until(lambda: len(offsets(centre, "sg")) >= 100, "they are stored")
        assert centre.stop() == 0
        rows, said = hunt("--data", centre.data, "host: host1 | count", code=1)
        assert rows == [{"count": 100}] and ("could not be read" in said or "quarantine" in said), said
        name = os.path.join(centre.data, "log", sorted(os.listdir(os.path.join(centre.data, "log")))[0])
        with open(name, "r+b") as segment:
            text = segment.read()
            segment.seek(text.index(b"quiet 20"))
            segment.write(b"QUIET")
        rows, said = hunt("--data", centre.data, "host: host1 | count", code=1)
        assert 0 < rows[0]["count"] < 100 and "log: offsets" in said, (rows, said)
        # A join reads twice, and says it once.
        _, again = hunt("--data", centre.data, "pid: 1 | join on pid (pid: 1)", code=1)
        assert again.count("log: offsets") == said.count("log: offsets"), again


def a_hunt_reads_what_was_stored_when_it_began():
    """Each of its readings sees the same, though the centre writes all the time."""
    with Centre(extra="segment_size: 1M\n") as centre:
        def send_on():
            for start in range(0, 20000, 500):
                centre.send("tcp0", [line(i) + "x" * 300 for i in range(start, start + 500)])
                time.sleep(0.02)

        centre.send("tcp0", [line(0)])
        centre.until(lambda: len(offsets(centre, "sg")) == 1, "the first is stored")
        sender = threading.Thread(target=send_on, daemon=True)
        sender.start()
        counts = []
        while sender.is_alive():
            rows, _ = hunt("--data", centre.data, "* | join not on message (* | count by message)")
            assert rows == [], rows[:3]
            counts += [row["count"] for row in hunt("--data", centre.data, "* | count")[0]]
        sender.join()
        assert counts == sorted(counts) and counts[0] < counts[-1], counts


def findings_of(centre, *words, code=0):
    run = subprocess.run([MERLON, "hunt", "-o", "json", "--rule", os.path.join(centre.folder, "rules"),
                          "-c", centre.config, *words], capture_output=True, text=True)
    assert code is None or run.returncode == code, (run.returncode, run.stderr)
    return run.stdout.splitlines(), run.stderr


def rules_hunt_what_a_centre_would_have_found():
    """Live, over the log and in part of it; the correlation's windows begin before that part."""
    with live.Live(tenants=("sg/moh", "sg/mof")) as centre:
        now = time.time_ns() - 2 * 10**9
        words = ("RED", "GREEN", "BLUE", "quiet")
        for number, host in ((0, "h1"), (1, "h2")):
            centre.send(f"tcp{number}", [live.line(now + i * 10**7, i, words[i % (4 - number)], host, i)
                                         for i in range(40)])
        assert centre.post("web0", ["{"], "/api/v1/ingest?format=json") in (200, 400)
        centre.until(lambda: live.titles(centre.findings()).count("All colours of one host") >= 2
                     and "Many of one host" in live.titles(centre.findings()), "all is found")
        live.quiet(centre)
        assert centre.stop() == 0
        # A set of rules that was in force has a name.
        told = [re.sub(r',"ruleset":"\w+"', "", f) for f in live.told(centre).decode().splitlines()]
        assert live.replayed(centre) == live.told(centre)  # nothing but findings
        found, said = findings_of(centre, code=1)
        assert found == told and len(told) > 8, [(a, b) for a, b in zip(found, told) if a != b][:1]
        assert "searched 80 records" in said and "not complete: records not searched, in quarantine or unreadable: 1" in said, said
        for tenant in ("sg/moh", "sg/mof"):
            mine = [f for f in told if json.loads(f)["events"][0]["source"]["tenant"] == tenant]
            of_it, said = findings_of(centre, "--tenant", tenant, code=int(tenant == "sg/moh"))
            assert of_it == mine and mine and len(mine) < len(told), (tenant, len(of_it), len(mine))
        assert findings_of(centre, "--tenant", "sg/m")[0] == []
        middle = json.loads(told[len(told) // 2])["events"][-1]["source"]["offset"]
        before, _ = findings_of(centre, "--to", str(middle), code=None)
        behind, _ = findings_of(centre, "--from", str(middle), code=None)
        assert sorted(before + behind) == sorted(told), (len(before), len(behind), len(told))
        run = subprocess.run([MERLON, "rules", "backtest", os.path.join(centre.folder, "rules"), "-o", "json",
                              "-c", centre.config, "--days", "1"], capture_output=True, text=True)
        counted = {r["rule"]: r["findings"] for r in map(json.loads, run.stdout.splitlines())}
        for title in counted:
            assert counted[title] == live.titles(map(json.loads, told)).count(title), (title, counted)
        assert run.returncode == 1 and "searched 80 records" in run.stderr and len(counted) == 8, run
        # Other forms have a row each.
        for form, head in (("csv", 1), ("table", 1)):
            rows, _ = findings_of(centre, "-o", form, code=1)
            assert len(rows) == len(told) + head, (form, rows[:3])
            assert all("tcp" in row for row in rows[head:]), rows


TESTS = [rules_hunt_what_a_centre_would_have_found, a_hunt_reads_what_was_stored_when_it_began, a_hunt_over_the_log_is_one_over_the_same_files, a_hunt_says_what_it_could_not_search]
