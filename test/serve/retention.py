"""Retention of a running centre: what is past its limits goes, in whole files, and nothing else."""
import json
import os
import re
import signal
import subprocess

import segments
from centre import Centre, MERLON, RULES, line

SMALL = "segment_size: 64K\nreserve: 1M\n"


def first_kept(centre, log="log"):
    names = [n for n in os.listdir(os.path.join(centre.data, log)) if n.endswith(".seg")]
    return min(int(n[:20]) for n in names)


def kept(centre, token=None):
    """{(tenant, kind): figures}"""
    rows = json.loads(centre.ask("/api/v1/status", token)[1])["kept"]
    return {(row["tenant"], row["kind"]): row for row in rows}


def figure(centre, tenant="sg/moh", kind="records", name="records"):
    return kept(centre).get((tenant, kind), {}).get(name, 0)


def numbers(findings):
    return [int(f["event"]["message"].split()[-1]) for f in findings]


def send(centre, count, name="tcp0", start=0, planted=lambda i: False):
    """About 2 KB each."""
    centre.send(name, [line(i, planted(i)) + " " + "x" * 1900 + f" {i}"
                       for i in range(start, start + count)])


def stored(centre):
    return sum(f.count for f in segments.Log(os.path.join(centre.data, "log"))
               if f.kind == segments.RECORDS)


def problems(centre):
    found = []
    for log in ("log", "findings"):
        reader = segments.Log(os.path.join(centre.data, log))
        for _ in reader:
            pass
        found += [p for p in reader.problems if p.name != "torn"]
    return found


def what_is_past_its_size_goes():
    with Centre(extra=SMALL + "retention: {size: 300K}\n") as centre:
        for part in range(10):  # so that one commit does not take all
            send(centre, 50, start=part * 50, planted=lambda i: i % 50 == 49)
            centre.wait_findings(part + 1)
        centre.until(lambda: first_kept(centre) > 300, "old files go")
        centre.until(lambda: 0 < figure(centre, name="bytes") <= 300 << 10, "it fits")
        row = kept(centre)["sg/moh", "records"]
        sizes = [os.path.getsize(os.path.join(centre.data, "log", n))
                 for n in os.listdir(os.path.join(centre.data, "log")) if n.endswith(".seg")]
        assert 150 << 10 < row["bytes"] <= sum(sizes), (row, sizes)
        centre.until(lambda: figure(centre) == stored(centre), "figures follow")
        row = kept(centre)["sg/moh", "records"]
        text = centre.ask("/metrics")[1]
        assert f'merlon_kept_bytes{{tenant="sg/moh",kind="records"}} {row["bytes"]}\n' in text, text
        held = [n for n in os.listdir(centre.data + "/log") if n.endswith(".held")]
        assert all(os.path.exists(f"{centre.data}/log/{n[:20]}.seg") for n in held), held
        cat = subprocess.run([MERLON, "log", "cat", "--from", "5", "--data", centre.data], text=True,
                             capture_output=True)
        assert f"offsets below {first_kept(centre)} were removed" in cat.stderr, cat.stderr
        assert len(cat.stdout.splitlines()) == row["records"]
        centre.stop()
        assert not problems(centre)
        centre.start()
        send(centre, 10, start=500, planted=lambda i: True)
        assert len(centre.wait_findings(20)) == 20  # judged once, and on from there
        centre.until(lambda: figure(centre, kind="findings") == 20, "they are counted")


def what_is_past_its_age_goes():
    with Centre(extra=SMALL + "retention: {age: 2s, findings: {age: 2s}}\n") as centre:
        sent = 0

        def both_go():
            nonlocal sent
            send(centre, 2, start=sent, planted=lambda i: i % 2 == 0)
            sent += 2
            return first_kept(centre) > 0 and first_kept(centre, "findings") > 0

        centre.wait_findings(0)
        centre.until(lambda: os.path.isdir(centre.data + "/findings"), "the logs are there")
        centre.until(both_go, "what is old goes while more comes")
        status, text = centre.ask("/api/v1/findings?after=0")
        assert status == 200 and json.loads(text)["unreadable"] >= 1, text
        centre.stop()
        assert not problems(centre)


def who_keeps_longer_keeps_what_is_shared():
    """And is told so, each tenant of its own."""
    extra = SMALL + "retention:\n  tenants:\n    sg/moh: {size: 100K}\n"
    with Centre(tenants=("sg/moh", "sg/mof"), extra=extra) as centre:
        for part in range(10):
            send(centre, 20, "tcp0", part * 20)
            send(centre, 1, "tcp1", part)
            # In each file of the log are both: where one came late, some would be the other's alone.
            centre.until(lambda: figure(centre) == part * 20 + 20 and
                         figure(centre, "sg/mof") == part + 1, "all is counted")
        beyond = kept(centre)["sg/moh", "records"]["beyond_bytes"]
        assert beyond == kept(centre)["sg/moh", "records"]["bytes"] - (100 << 10) > 0, beyond
        own = kept(centre, centre.add_token("sg/mof", "reader"))
        assert list(own) == [("sg/mof", "records")], own
        assert own["sg/mof", "records"]["beyond_bytes"] == 0


def what_is_not_judged_stays():
    with Centre(extra=SMALL + "retention: {size: 100K}\n") as centre:
        send(centre, 1, planted=lambda i: True)
        centre.wait_findings(1)
        judge = centre.role("judge")
        os.kill(judge, signal.SIGSTOP)
        try:
            for part in range(8):
                send(centre, 50, start=1 + part * 50, planted=lambda i: True)
                centre.until(lambda: figure(centre) >= 51 + part * 50, "it is counted")
            row = kept(centre)["sg/moh", "records"]
            assert row["beyond_bytes"] == row["bytes"] - (100 << 10), row
            assert first_kept(centre) <= 1
        finally:
            os.kill(judge, signal.SIGCONT)
        centre.until(lambda: first_kept(centre) > 300, "it is judged, and goes")
        found = centre.wait_findings(401)
        assert numbers(found) == list(range(401))


def how_far_was_judged_is_not_forgotten():
    """The last finding says so: it stays, however old, until there is another."""
    with Centre(extra=SMALL + "retention: {findings: {age: 1s}}\n") as centre:
        send(centre, 5, planted=lambda i: True)
        centre.wait_findings(5)
        centre.stop()
        centre.environment["MERLON_POINT"] = "judge.before_result:1"  # that there be no other one
        centre.start()
        centre.until(lambda: figure(centre, kind="findings", name="beyond_bytes") > 0, "it is old")
        centre.until(lambda: json.loads(centre.ask("/api/v1/status")[1])["up_seconds"] >= 3,
                     "it would have gone by now")
        centre.stop()
        del centre.environment["MERLON_POINT"]
        centre.start()
        send(centre, 1, start=5, planted=lambda i: True)
        centre.until(lambda: 'merlon_judged_records_total 1\n' in centre.ask("/metrics")[1],
                     "one more is judged, and only that one")


def kills_while_files_go_leave_no_hole():
    for point in ("remove.before:2", "remove.after:1"):
        with Centre(extra=SMALL + "retention: {size: 100K}\n",
                    environment={"MERLON_POINT": point}) as centre:
            for part in range(8):
                send(centre, 50, start=part * 50, planted=lambda i: i % 10 == 0)
                centre.wait_findings(5 * (part + 1))
            centre.until(lambda: first_kept(centre) > 200, "files go, whoever dies")
            assert "log: ended by signal 9" in centre.words()
            assert numbers(centre.findings()) == list(range(0, 400, 10))
            centre.kill()
            assert not problems(centre)


def change_rules(centre, version):
    """Others, in force; their hash."""
    path = os.path.join(centre.folder, "rules", "planted.yml")
    with open(path + ".new", "w") as out:
        out.write(RULES.replace("Marked Line", f"Version {version}"))
    os.rename(path + ".new", path)
    status, text = centre.ask("/api/v1/rules/reload", method="POST")
    assert status == 200, text
    return json.loads(text)["ruleset"]


def sets(centre):
    names = os.listdir(os.path.join(centre.data, "rulesets"))
    return {n for n in names if re.fullmatch("[0-9a-f]{64}", n)}


def named(centre, logs=("log", "findings")):
    """The sets that frames name which are kept."""
    return {frame.text(segments.RULESET) for log in logs
            for frame in segments.Log(os.path.join(centre.data, log))
            if segments.RULESET in frame.attributes}


def change_and_send(centre, hashes):
    """Other rules, and enough judged by them to begin files in both logs."""
    hashes.append(change_rules(centre, len(hashes)))
    start = 60 * len(hashes)
    send(centre, 60, start=start, planted=lambda i: True)
    centre.until(lambda: str(start + 59) in str(centre.findings()[-1:]), "all is judged")
    assert named(centre) <= sets(centre), (named(centre), sets(centre))


def sets_go_when_nothing_names_them():
    few = "retention: {size: 100K, findings: {size: 100K}}\n"
    with Centre(extra=SMALL + few) as centre:
        hashes = []
        while not hashes or hashes[0] in sets(centre):
            assert len(hashes) < 40, "they only grow"
            change_and_send(centre, hashes)
        assert hashes[-1] in sets(centre) and len(sets(centre)) < len(hashes)
        while True:  # one that may go, and is wanted again before it went
            change_and_send(centre, hashes)
            free = sorted(sets(centre) - named(centre), key=hashes.index)
            if free:
                break
        centre.until(lambda: figure(centre) == stored(centre), "it is known that it may go")
        for hash in (free[0], hashes[0]):
            assert change_rules(centre, hashes.index(hash)) == hash
            assert hash in sets(centre)
        centre.kill()
        centre.start()
        assert named(centre) <= sets(centre) and "cannot be had" not in centre.words()
        assert centre.stop() == 0 and problems(centre) == []


def sets_stay_while_one_log_names_them():
    for log, few in (("log", "{size: 100K}"), ("findings", "{findings: {size: 100K}}")):
        with Centre(extra=SMALL + f"retention: {few}\n") as centre:
            hashes = []
            while len(hashes) < 4 or first_kept(centre, log) == 0:
                change_and_send(centre, hashes)
            centre.until(lambda: figure(centre) == stored(centre), "it is counted")
            change_and_send(centre, hashes)
            assert hashes[0] not in named(centre, [log]) and set(hashes) <= sets(centre)


TESTS = [what_is_past_its_size_goes, what_is_past_its_age_goes,
         who_keeps_longer_keeps_what_is_shared, what_is_not_judged_stays,
         how_far_was_judged_is_not_forgotten,
         kills_while_files_go_leave_no_hole,
         sets_go_when_nothing_names_them, sets_stay_while_one_log_names_them]
