"""Rules that an agency chose, and its exceptions: what is held back, for whom, and by which set."""
import json
import os
import re
import signal

import segments
from centre import Centre, RULES, line
from live import quiet, replayed, told

MARKED = "5b7bb1d8-55ef-4f6f-8c1b-6c5b6e9d7d11"
MORE = """\
title: Second Word
id: 00000000-0000-4000-8000-000000000002
tags: [attack.credential_access, attack.t1110]
logsource: {product: linux, service: sshd}
detection:
    words: [SECOND]
    condition: words
level: low
---
title: Red
id: 00000000-0000-4000-8000-000000000003
name: base_red
logsource: {product: linux, service: sshd}
detection:
    words: [RED]
    condition: words
---
title: Three Red
id: 00000000-0000-4000-8000-000000000004
correlation: {type: event_count, rules: [base_red], group-by: [host], timespan: 1h, condition: {gte: 3}}
level: high
"""
FILTER = """\
title: Known
logsource: {{product: linux}}
filter:
    rules: {rule}
    selection: {{message|contains: '{text}'}}
    condition: not selection
"""


class Agencies(Centre):
    def __init__(self, tenants, rows):
        super().__init__(tenants, start=False)
        with open(os.path.join(self.folder, "rules", "more.yml"), "w") as out:
            out.write(MORE)
        with open(self.config) as text:
            self.plain = text.read()
        self.set_rows(rows)

    def set_rows(self, rows):
        with open(self.config, "w") as out:
            out.write(self.plain + "tenants:\n" + "".join(
                f"  - {row.format(folder=self.folder)}\n" for row in rows))

    def except_(self, name, rule, text):
        with open(os.path.join(self.folder, name), "w") as out:
            out.write(FILTER.format(rule=rule, text=text))

    def sends(self, i, *words):
        self.send(f"tcp{i}", [line(n, False).replace("quiet", word) for word, n in words])

    def seen(self):
        """{tenant: [title, or title and number]} of all findings."""
        found = {}
        for f in self.findings():
            events = f.get("events")
            tenant = (events[0] if events else f)["source"]["tenant"]
            what = f["rule"]["title"] if events else (
                f["rule"]["title"] + " " + f["event"]["message"].split()[-1])
            found.setdefault(tenant, []).append(what)
        return {tenant: sorted(all_of) for tenant, all_of in found.items()}

    def expect(self, wanted):
        self.until(lambda: sum(map(len, self.seen().values())) >= sum(map(len, wanted.values())),
                   f"findings {wanted}")
        quiet(self)
        assert self.seen() == wanted, self.seen()

    def held(self, token=None):
        rows = json.loads(self.ask("/api/v1/status", token)[1])["held_back"]
        return {(row["tenant"], row["rule"]): row["matches"] for row in rows}


def reload(centre):
    status, text = centre.ask("/api/v1/rules/reload", method="POST")
    return status, json.loads(text)


def an_exception_is_its_agency_s_own():
    tenants = ("sg/moh/a", "sg/moh/b", "sg/mof")
    rows = ("{{tenant: sg/moh, rules: {{exclude: ['tag:attack.t1110']}}}}",
            "{{tenant: sg/moh/a, exceptions: ['{folder}/a.yml']}}")
    with Agencies(tenants, rows) as centre:
        centre.except_("a.yml", f"[{MARKED}, nobody]", "PLANTED 70")
        centre.start()
        for i in range(3):
            centre.sends(i, ("PLANTED", 70), ("SECOND", 5), ("PLANTED", 1))
        both = ["Marked Line 1", "Marked Line 70"]
        centre.expect({"sg/moh/a": ["Marked Line 1"], "sg/moh/b": both,
                       "sg/mof": both + ["Second Word 5"]})
        assert centre.held() == {("sg/moh/a", MARKED): 1}, centre.held()
        metric = f'merlon_held_back_matches_total{{tenant="sg/moh/a",rule="{MARKED}"}} 1'
        assert metric in centre.ask("/metrics")[1].splitlines(), centre.ask("/metrics")[1]
        other = centre.add_token("sg/mof", "reader")
        assert centre.held(other) == {} and "sg/moh" not in centre.ask("/metrics", other)[1]
        assert re.search(r"a\.yml:1: an exception of sg/moh/a names no rule: nobody",
                         centre.words()), centre.words()
        centre.stop()
        assert replayed(centre) == told(centre)


def correlations_count_what_is_the_agency_s():
    """Of four that send the same, one's exception takes an event, one chose no base rule, one no
    correlation."""
    tenants = ("sg/a", "sg/b", "sg/c", "sg/d")
    rows = ("{{tenant: sg/a, exceptions: ['{folder}/a.yml']}}",
            "{{tenant: sg/c, rules: {{exclude: [Red]}}}}",
            "{{tenant: sg/d, rules: {{exclude: ['Three*']}}}}")
    with Agencies(tenants, rows) as centre:
        centre.except_("a.yml", "[base_red]", "RED 30")
        centre.start()
        for i in range(4):
            centre.sends(i, ("RED", 1), ("RED", 30), ("PLANTED", 9))
        centre.expect({tenant: ["Marked Line 9"] for tenant in tenants})
        centre.kill_role("judge")
        for i in range(4):
            centre.sends(i, ("RED", 2))
        wanted = {tenant: ["Marked Line 9"] for tenant in tenants}
        wanted["sg/b"] = ["Marked Line 9", "Three Red"]
        centre.expect(wanted)
        centre.sends(0, ("RED", 3))  # the third that counts
        wanted["sg/a"] = ["Marked Line 9", "Three Red"]
        centre.expect(wanted)
        assert centre.held() == {("sg/a", "00000000-0000-4000-8000-000000000003"): 1}, centre.held()
        centre.stop()
        assert replayed(centre) == told(centre)


def a_reload_takes_them_and_a_bad_one_changes_nothing():
    rows = ("{{tenant: sg, exceptions: ['{folder}/a.yml']}}",)
    with Agencies(("sg/a",), rows) as centre:
        centre.except_("a.yml", "any", "PLANTED 70")
        centre.start()
        centre.sends(0, ("PLANTED", 70), ("PLANTED", 1))
        centre.expect({"sg/a": ["Marked Line 1"]})
        centre.except_("a.yml", f"[{MARKED}]", "PLANTED 80")
        assert reload(centre)[0] == 200
        centre.sends(0, ("PLANTED", 70), ("PLANTED", 80))
        centre.expect({"sg/a": ["Marked Line 1", "Marked Line 70"]})
        with open(os.path.join(centre.folder, "a.yml"), "w") as out:
            out.write(RULES)  # no filter
        status, answer = reload(centre)
        assert status == 409 and answer["problems"][0]["file"].endswith("a.yml"), answer
        assert "filters" in answer["problems"][0]["reason"], answer
        centre.set_rows(("{{tenant: sg, rules: {{levle: high}}}}",))
        status, answer = reload(centre)
        assert status == 409 and "level" in answer["problems"][0]["reason"], answer
        centre.kill_role("judge")
        centre.sends(0, ("PLANTED", 80), ("PLANTED", 2))
        centre.expect({"sg/a": ["Marked Line 1", "Marked Line 2", "Marked Line 70"]})
        centre.set_rows(("{{tenant: sg, rules: {{level: critical, include: ['product:linux']}}}}",
                         "{{tenant: sg/z, exceptions: []}}"))
        centre.process.send_signal(signal.SIGHUP)
        centre.until(lambda: len(marks(centre)) == 3, "the log names the set")
        centre.sends(0, ("PLANTED", 3))
        centre.set_rows(("{{tenant: sg, rules: {{level: high}}}}",))
        assert reload(centre)[0] == 200
        centre.sends(0, ("SECOND", 4), ("PLANTED", 4))
        centre.expect({"sg/a": ["Marked Line 1", "Marked Line 2", "Marked Line 4",
                                "Marked Line 70"]})
        assert sum(centre.held().values()) == 3, centre.held()
        centre.stop()
        assert replayed(centre) == told(centre)


def marks(centre):
    log = segments.Log(os.path.join(centre.data, "log"))
    return [frame.offset for frame in log if frame.kind == segments.RULES]


TESTS = [an_exception_is_its_agency_s_own, correlations_count_what_is_the_agency_s,
         a_reload_takes_them_and_a_bad_one_changes_nothing]
