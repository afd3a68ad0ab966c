"""received = stored + rejected + dropped, exactly: the counters against what the log holds."""
import gzip
import http.client
import json
import os
import random

import segments
from centre import Centre
from quarantine import judged_to_the_end, rejected

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


LIMIT, KEPT = 32 << 20, 64 << 10
MANY = "; its first %d bytes are kept"


def body_of(centre, token, headers, pieces, path="/api/v1/ingest"):
    """The status of a request; `pieces` None: the head alone, which announces too much."""
    c = http.client.HTTPConnection("127.0.0.1", centre.ports["web0"], timeout=60)
    c.putrequest("POST", path)
    for name, value in {"Authorization": "Bearer " + token, **headers}.items():
        c.putheader(name, value)
    c.endheaders()
    for piece in pieces or ():
        c.send(piece)
    status = c.getresponse().status
    c.close()
    return status


def chunks(data):
    step = 1 << 20
    for at in range(0, len(data), step):
        part = data[at:at + step]
        yield b"%x\r\n%s\r\n" % (len(part), part)
    yield b"0\r\n\r\n"


def bodies_that_cannot_be_read_are_counted_and_kept():
    row = b'{"n":1,"text":"%s"}\n' % random.Random(3).randbytes(300).hex().encode()
    long = row * ((LIMIT + (1 << 20)) // len(row))
    packed = gzip.compress(row * 1000, 1)
    whole = gzip.compress(row, 1)
    with Centre(tenants=("sg",)) as centre:
        token = centre.add_token("sg/moh", "ingest")
        ask = {"Content-Encoding": "gzip", "Content-Length": str(len(packed) - 9)}
        assert body_of(centre, token, {"Content-Length": str(LIMIT + 1)}, None) == 413
        assert body_of(centre, token, {"Transfer-Encoding": "chunked"}, chunks(long)) == 413
        assert body_of(centre, token, ask, [packed[:-9]]) == 400
        assert body_of(centre, token, {**ask, "Content-Length": "9"}, [b"not gzip."]) == 400
        assert body_of(centre, token, {**ask, "Content-Length": str(len(whole))},
                       [whole], "/api/v1/ingest?tenant=sg/moh") == 200
        # nobody's: not counted
        assert body_of(centre, "merlon_" + "a" * 43, {"Content-Length": str(LIMIT + 1)}, None) == 401
        judged_to_the_end(centre)
        log, counters = in_log(centre), in_counters(centre, "reasons")
        reasons = counters[("sg/moh", "web0/127.0.0.1")].pop("reasons")
        assert log == counters and list(log) == [("sg/moh", "web0/127.0.0.1")], (log, counters)
        assert (reasons["too_long"], reasons["syntax"]) == (2, 2), reasons
        kept = [(q["reason"], q["record"]) for q in rejected(centre)]
        over = f"too_long: a body may have {LIMIT} bytes"
        text = (row * 1000)[:KEPT].decode()
        assert kept[0] == (over + " here" + MANY % 0, ""), kept[0]
        assert kept[1] == (over + MANY % KEPT, long[:KEPT].decode()), kept[1]
        assert kept[2] == ("syntax: gzip: cut short" + MANY % KEPT, text), kept[2][0]
        assert kept[3] == ("syntax: the body is not gzip" + MANY % 9, "not gzip."), kept[3]


TESTS = [a_listener_that_dies_counting_has_counted, bodies_that_cannot_be_read_are_counted_and_kept]
