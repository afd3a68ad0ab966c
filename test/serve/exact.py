"""received = stored + rejected + dropped, exactly: the counters against what the log holds."""
import json
import os

import segments
from centre import Centre
from quarantine import judged_to_the_end

# Where a listener dies: before it has put, while it counts (two places), behind that.
POINTS = ["intake.owed:2", "intake.put:3", "intake.counted:3", "intake.after_put:3"]


def in_log(centre):
    """What the log has of each source: records, their bytes with line ends, rejected ones."""
    found = {}
    for frame in segments.Log(os.path.join(centre.data, "log")):
        if frame.kind in (segments.RECORDS, segments.REJECTED):
            at = found.setdefault((frame.tenant, frame.source), {"stored": 0, "rejected": 0,
                                                                 "received_bytes": 0})
            at["stored" if frame.kind == segments.RECORDS else "rejected"] += frame.count
            at["received_bytes"] += sum(len(record) + 1 for record in frame.records())
    for at in found.values():
        at["received"] = at["stored"] + at["rejected"]
    return found


def in_counters(centre, *more):
    sources = json.loads(centre.ask("/api/v1/status")[1])["sources"]
    names = ("stored", "rejected", "received_bytes", "received") + more
    return {(s["tenant"], s["source"]): {name: s[name] for name in names} for s in sources
            if s["received"] > 0}


def a_listener_that_dies_counting_has_counted():
    """Each request is a frame of records and one of rejected ones: it dies behind either."""
    for point in POINTS:
        with Centre(environment={"MERLON_POINT": point}) as centre:
            answers = [centre.post("web0", [f'{{"n":{i}}}', f"none {i}"], path="/api/v1/ingest")
                       for i in range(5)]
            assert None in answers, (point, answers)  # it died
            centre.until(lambda: centre.post("web0", ['{"a":1}'], path="/api/v1/ingest") == 200,
                         "another stands")
            judged_to_the_end(centre)
            log, counters = in_log(centre), in_counters(centre)
            assert log == counters, (point, log, counters)


TESTS = [a_listener_that_dies_counting_has_counted]
