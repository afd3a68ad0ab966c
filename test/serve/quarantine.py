"""What no decoder can read, what judges die of, and what intake rejected: in quarantine, by reference,
once, and counted alike in the metrics."""
import json
import os
import random
import re
import signal
import subprocess

from centre import Centre, MERLON, line


def listed(centre, query="", token=None):
    """All that the API has in quarantine, page by page."""
    found, after = [], 0
    while True:
        status, text = centre.ask(f"/api/v1/quarantine?after={after}&limit=7{query}", token)
        assert status == 200, (status, text)
        page = json.loads(text)
        found += page["quarantine"]
        after = page["next"]
        if not page["more"]:
            return found


def rejected(centre, *words):
    run = subprocess.run([MERLON, "log", "cat", "--rejected", "--data", centre.data, *words],
                         text=True, capture_output=True)
    assert run.returncode == 0, run
    return [json.loads(l) for l in run.stdout.splitlines()]


def metric(centre, name):
    found = re.search(rf"^{name} (\d+)$", centre.ask("/metrics")[1], re.M)
    return int(found.group(1)) if found else None


def judged_to_the_end(centre):
    def is_judged():
        try:
            told = json.loads(centre.ask("/api/v1/status")[1])["centre"]
        except (OSError, ValueError, KeyError):
            return False  # one that is just starting
        return told["watching"] and told["judge_lag"] == 0

    centre.until(is_judged, "all is judged")


ROWS = ['{"a":1}', '{"a":', '{"a":2,"b":"PLANTED"}', "[1]", '{"c":3}']


def what_cannot_be_read_is_listed_with_its_reason():
    with Centre(tenants=("sg/moh", "sg/mof")) as centre:
        centre.until(lambda: centre.ask("/readyz")[0] == 200, "it is ready")
        centre.send("tcp0", [line(1, True)])
        assert centre.post("web0", ROWS, path="/api/v1/ingest") == 200  # intake finds two
        assert centre.post("web1", ["\x00\x01 of no format"], path="/api/v1/ingest?format=squid") == 200
        centre.wait_findings(1)
        judged_to_the_end(centre)
        api, cat = listed(centre), rejected(centre)
        assert [(q["offset"], q["reason"], q["source"], q["tenant"]) for q in api] == [
            (q["offset"], q["reason"], q["source"], q["tenant"]) for q in cat], (api, cat)
        reasons = sorted(q["reason"].split(":")[0] for q in api)
        assert reasons == ["syntax", "syntax", "undecodable"], api
        assert [q["record"] for q in cat if q["reason"].startswith("syntax")] == [ROWS[1], ROWS[3]]
        assert metric(centre, "merlon_undecodable_records_total") == 1
        assert metric(centre, "merlon_passed_over_records_total") == 0
        # searched
        assert listed(centre, "&reason=syntax") == [q for q in api if q["reason"][0] == "s"]
        assert listed(centre, "&source=web1") == [q for q in api if q["source"][:4] == "web1"]
        assert listed(centre, "&source=web") == []
        assert rejected(centre, "--reason", "undecodable") == [
            q for q in cat if q["reason"][0] == "u"]
        assert rejected(centre, "--source", "web0") == [q for q in cat if q["tenant"] == "sg/moh"]
        # nobody sees another's
        assert listed(centre, "", centre.add_token("sg/mof", "reader")) == [
            q for q in api if q["tenant"] == "sg/mof"]
        assert centre.ask("/api/v1/quarantine", centre.add_token("sg/moh", "ingest"))[0] == 403
        assert len(centre.findings()) == 1


def what_judges_die_of_is_passed_over_and_listed():
    with Centre(environment={"MERLON_POINT": "judge.poison:1"}) as centre:
        lines = [line(i, i != 3) + (" POISON" if i in (1, 4) else "") for i in range(6)]
        centre.send("tcp0", lines)
        found = centre.wait_findings(3)
        judged_to_the_end(centre)
        numbers = sorted(int(f["event"]["message"].split()[1]) for f in found)
        assert numbers == [0, 2, 5], numbers
        api = listed(centre)
        assert [q["reason"] for q in api] == ["passed_over: judges died of it"] * 2, api
        assert [q["record"] for q in rejected(centre)] == [lines[1], lines[4]]
        assert metric(centre, "merlon_passed_over_records_total") == 2
        assert metric(centre, "merlon_undecodable_records_total") == 0


def quarantine_and_its_counters_agree_whoever_dies():
    dice = random.Random(5)
    with Centre() as centre:
        rows = []
        for part in range(40):
            now = [json.dumps({"n": part * 50 + i}) for i in range(50)]  # which squid does not write
            centre.until(lambda: centre.post("web0", now, path="/api/v1/ingest?format=squid") == 200,
                         "it is taken")
            rows += now
            if part % 4 == 0:
                try:
                    os.kill(centre.role(dice.choice(["judge", "judge", "log"])), signal.SIGKILL)
                except ProcessLookupError:
                    pass
        judged_to_the_end(centre)
        cat = rejected(centre)
        assert [q["record"] for q in cat] == rows, (len(cat), len(rows))
        assert [q["offset"] for q in listed(centre)] == [q["offset"] for q in cat]
        assert metric(centre, "merlon_undecodable_records_total") == len(rows)


TESTS = [what_cannot_be_read_is_listed_with_its_reason,
         what_judges_die_of_is_passed_over_and_listed,
         quarantine_and_its_counters_agree_whoever_dies]
