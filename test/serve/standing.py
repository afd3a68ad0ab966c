"""What rules cost, whether they can fire on what agencies send, clocks of sources, hours."""
import datetime
import json
import os

from centre import Centre, line

ABSENT = """\
title: Absent Field
id: 7d0e6a1c-1111-4f6f-8c1b-000000000001
logsource: {product: linux, service: sshd}
detection:
    s: {NoSuchField: x}
    condition: s
"""
WINDOWS = """\
title: Clear Log
id: 7d0e6a1c-1111-4f6f-8c1b-000000000002
logsource: {product: windows, service: security}
detection:
    s: {EventID: 1102}
    condition: s
"""


def rules_are_added(centre):
    for name, text in (("absent", ABSENT), ("windows", WINDOWS)):
        with open(os.path.join(centre.folder, "rules", name + ".yml"), "w") as out:
            out.write(text)


def standing(centre, query="", token=None):
    status, text = centre.ask("/api/v1/rules" + query, token)
    assert status in (200, 503), (status, text)
    return json.loads(text) if status == 200 else {"tenants": []}


def whys(centre, tenant, token=None):
    """{title: (why, field)} of the rules that cannot fire; None: nothing is known yet."""
    for row in standing(centre, "?tenant=" + tenant, token)["tenants"]:
        if "cannot_fire" in row:
            return {r["title"]: (r["why"], r.get("field")) for r in row["cannot_fire"]}
    return None


def rules_stand_by_what_each_agency_sends():
    with Centre(tenants=("sg/moh", "sg/mof"), start=False) as centre:
        rules_are_added(centre)
        centre.start()
        centre.send("tcp0", [line(i, planted=i % 2 == 0) for i in range(300)])
        assert centre.post("web1", ['{"EventID":1102,"Channel":"Security"}'],
                           "/api/v1/ingest") == 200
        centre.wait_findings(151)
        moh = {"Absent Field": ("tests", "NoSuchField"), "Clear Log": ("unseen", None)}
        mof = {"Absent Field": ("unseen", None), "Marked Line": ("unseen", None)}
        centre.until(lambda: (whys(centre, "sg/moh"), whys(centre, "sg/mof")) == (moh, mof),
                     "the verdicts of both")
        reader = centre.add_token("sg/mof", "reader")
        assert [t["tenant"] for t in standing(centre, token=reader)["tenants"]] == ["sg/mof"]
        assert "costs" not in standing(centre, token=reader)
        assert centre.ask("/api/v1/rules?tenant=sg/moh", reader)[0] == 403

        def cost():
            return {c["title"]: (c["evaluated"], c["matched"]) for c in standing(centre)["costs"]}

        centre.until(lambda: cost().get("Marked Line", (0, 0))[1] == 150, "each match is counted")
        assert cost()["Marked Line"][0] >= 150 and cost()["Clear Log"] == (1, 1), cost()
        # Another judge begins anew; other rules, too.
        centre.kill_role("judge")
        centre.send("tcp0", [line(300)])
        centre.until(lambda: whys(centre, "sg/moh") == moh and whys(centre, "sg/mof") is None,
                     "another judge knows what came since")
        os.unlink(os.path.join(centre.folder, "rules", "windows.yml"))
        assert centre.ask("/api/v1/rules/reload", method="POST")[0] == 200
        centre.send("tcp0", [line(301)])
        centre.until(lambda: standing(centre).get("rules") == 2 and
                     whys(centre, "sg/moh") == {"Absent Field": ("tests", "NoSuchField")},
                     "the other set is looked at")


def sources_tell_their_clocks_and_hours():
    with Centre() as centre:
        past = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=3)
        stamp = past.strftime("%Y-%m-%dT%H:%M:%SZ")
        centre.send("tcp0", [f"<38>1 {stamp} host1 sshd 1 - - PLANTED 1"])
        centre.wait_findings(1)
        assert centre.post("web0", ['{"no":"time"}'], "/api/v1/ingest") == 200

        def sources():
            status = json.loads(centre.ask("/api/v1/status?hours=1")[1])
            return {s["source"].split("/")[0]: s for s in status["sources"]}

        centre.until(lambda: "clock_skew_seconds" in sources()["tcp0"], "its clock is told")
        skew = sources()["tcp0"]["clock_skew_seconds"]
        assert -3 * 3600 - 120 < skew < -3 * 3600 + 120, skew
        centre.until(lambda: sources()["web0"]["stored"] == 1, "it is stored")
        assert "clock_skew_seconds" not in sources()["web0"], sources()
        for source in sources().values():
            hours = source["hours"]
            for figure in ("received", "stored", "rejected", "dropped"):
                assert sum(h[figure] for h in hours) == source[figure], source
        assert "hours" not in json.loads(centre.ask("/api/v1/status")[1])["sources"][0]
        assert 'merlon_source_clock_skew_seconds{tenant="sg/moh",source="tcp0/' in \
            centre.ask("/metrics")[1]


TESTS = [rules_stand_by_what_each_agency_sends, sources_tell_their_clocks_and_hours]
