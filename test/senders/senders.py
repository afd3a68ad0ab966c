"""The cases of test/senders/http: SET PORT TOKEN LOG."""
import gzip
import json
import logging
import subprocess
import sys
import uuid

SET, PORT, TOKEN, LOG = sys.argv[1:]
URL = "http://127.0.0.1:" + PORT


def committed():
    rows = [line.rstrip("\n").split("\t", 5) for line in open(LOG, encoding="utf-8", newline="\n")]
    return [dict(zip(("kind", "tenant", "source", "key", "reason", "bytes"), r)) for r in rows]


def check(name, fine, what=""):
    print("ok   %s: %s" % (SET, name) if fine else "FAIL %s: %s: %s" % (SET, name, what))


def added(before):
    return committed()[before:]


def curl(*args, data=None):
    out = subprocess.run(
        ["curl", "-sS", "-w", "\n%{http_code}", *args], input=data, capture_output=True, check=True)
    body, code = out.stdout.rsplit(b"\n", 1)
    return int(code), body.decode()


def curl_cases():
    auth = ["-H", "Authorization: Bearer " + TOKEN]
    code, body = curl(*auth, "--data-binary", '{"a":1}\n{"b":2}\nno\n', URL + "/api/v1/ingest")
    check("JSON lines", (code, json.loads(body)) == (200, {"accepted": 2, "rejected": 1}), body)
    check("committed", [r["bytes"] for r in committed()] == ['{"a":1}', '{"b":2}', "no"], committed())
    packed = gzip.compress(b'{"c":3}\n' * 1000)
    code, body = curl(*auth, "-H", "Content-Encoding: gzip", "--data-binary", "@-",
                      URL + "/api/v1/ingest", data=packed)
    check("gzip", (code, json.loads(body)["accepted"]) == (200, 1000), body)
    code, body = curl(*auth, "-H", "Transfer-Encoding: chunked", "-H", "Expect: 100-continue",
                      "--data-binary", "@-", URL + "/api/v1/ingest", data=b'{"d":4}\n' * 100000)
    check("chunked, asking first", (code, json.loads(body)["accepted"]) == (200, 100000), body)
    code, body = curl(*auth, "--data-binary", "@-", URL + "/api/v1/ingest", data=b"x" * (64 << 20))
    check("64 MiB are refused", code == 413, body)
    bomb = gzip.compress(b"\0" * (64 << 20))
    code, body = curl(*auth, "-H", "Content-Encoding: gzip", "--data-binary", "@-",
                      URL + "/api/v1/ingest", data=bomb)
    check("a bomb is refused", code == 413, body)
    code, body = curl("-d", "{}", URL + "/api/v1/ingest")
    check("no token", code == 401 and "error" in json.loads(body), body)
    code, body = curl("-u", "elastic:" + TOKEN, URL + "/")
    check("user and password", code == 200 and json.loads(body)["tagline"], body)


def elastic_cases():
    import elasticsearch
    from elasticsearch import helpers
    major = elasticsearch.__version__[0]
    if major >= 8:
        es = elasticsearch.Elasticsearch(URL, basic_auth=("elastic", TOKEN))
    else:
        es = elasticsearch.Elasticsearch(URL, http_auth=("elastic", TOKEN), http_compress=True)
    name = "Elasticsearch client %d: " % major
    check(name + "info", es.info()["tagline"] == "You Know, for Search")
    check(name + "ping", es.ping())
    before = len(committed())
    docs = [{"_index": "logs", "_id": str(i), "_source": {"n": i, "text": "é\n\"%d" % i}} for i in range(500)]
    done, errors = helpers.bulk(es, docs, chunk_size=100)
    check(name + "bulk", (done, errors) == (500, []), (done, errors))
    rows = added(before)
    check(name + "documents", [json.loads(r["bytes"]) for r in rows] == [d["_source"] for d in docs])
    check(name + "keys", [r["key"] for r in rows] == ["logs/%d" % i for i in range(500)])
    mixed = [{"_op_type": "create", "_index": "a", "_source": {"x": 1}},
             {"_op_type": "update", "_index": "a", "_id": "1", "doc": {"x": 2}},
             {"_op_type": "delete", "_index": "a", "_id": "1"},
             {"_op_type": "index", "_index": "a", "_source": {"x": 3}}]
    fine = [ok for ok, _ in helpers.streaming_bulk(es, mixed, raise_on_error=False)]
    check(name + "an answer an item", fine == [True, False, False, True], fine)
    before = len(committed())
    kind = {"document": {"a": 1}} if major >= 8 else {"body": {"a": 1}}
    got = es.index(index="logs", **kind)
    check(name + "index", got["result"] == "created" and json.loads(added(before)[0]["bytes"]) == {"a": 1}, got)
    if major >= 8:
        wrong = elasticsearch.Elasticsearch(URL, api_key="merlon_wrong")
        try:
            wrong.info()
            check(name + "a wrong key", False, "accepted")
        except elasticsearch.AuthenticationException as e:
            check(name + "a wrong key", e.status_code == 401)
        check(name + "the token as key", elasticsearch.Elasticsearch(URL, api_key=TOKEN).ping())


def otlp_cases():
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
    from opentelemetry.sdk.resources import Resource
    for compression in (Compression.NoCompression, Compression.Gzip):
        before = len(committed())
        provider = LoggerProvider(resource=Resource.create({"service.name": "shop"}))
        exporter = OTLPLogExporter(
            endpoint=URL + "/v1/logs", headers={"Authorization": "Bearer " + TOKEN}, compression=compression)
        provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
        logger = logging.getLogger(compression.value)
        logger.addHandler(LoggingHandler(logger_provider=provider))
        logger.setLevel(logging.INFO)
        for i in range(300):
            logger.info("login of %s", "user%d" % i, extra={"n": i, "ok": True, "part": 0.5})
        provider.shutdown()
        rows = [json.loads(r["bytes"]) for r in added(before)]
        name = "OpenTelemetry SDK, %s: " % compression.value
        bodies = [r["record"]["body"]["stringValue"] for r in rows]
        check(name + "bodies", bodies == ["login of user%d" % i for i in range(300)], bodies[:3])
        if not rows:
            continue
        attributes = {a["key"]: a["value"] for a in rows[7]["record"]["attributes"]}
        want = {"n": {"intValue": "7"}, "ok": {"boolValue": True}, "part": {"doubleValue": 0.5}}
        check(name + "attributes", want.items() <= attributes.items(), attributes)
        resource = {a["key"]: a["value"] for a in rows[7]["resource"]["attributes"]}
        check(name + "resource", resource["service.name"] == {"stringValue": "shop"}, resource)


def splunk_cases():
    import requests
    channel = str(uuid.uuid4()).upper()
    s = requests.Session()
    s.headers.update({"Authorization": "Splunk " + TOKEN, "X-Splunk-Request-Channel": channel})
    before = len(committed())
    events = [{"time": 1700000000 + i, "host": "h", "sourcetype": "x", "event": {"n": i}} for i in range(100)]
    ids = []
    for at in range(0, 100, 10):
        body = "".join(json.dumps(e) for e in events[at:at + 10])
        got = s.post(URL + "/services/collector/event", data=body).json()
        ids.append(got["ackId"])
    check("collector: events", [json.loads(r["bytes"]) for r in added(before)] == events)
    got = s.post(URL + "/services/collector/ack", json={"acks": ids + [999]}).json()
    want = dict({str(i): True for i in ids}, **{"999": False})
    check("collector: acks", got == {"acks": want}, got)
    got = s.post(URL + "/services/collector/event", data='{"event":1}{"event":')
    check("collector: a bad batch", got.status_code == 400 and got.json()["invalid-event-number"] == 1, got.text)
    got = s.post(URL + "/services/collector/raw", data=gzip.compress(b"one\ntwo\n"),
                 headers={"Content-Encoding": "gzip"})
    check("collector: raw lines", got.json()["code"] == 0 and [r["bytes"] for r in committed()[-2:]] == ["one", "two"], got.text)


if SET == "curl":
    curl_cases()
elif SET == "elastic7":
    elastic_cases()
else:
    elastic_cases()
    otlp_cases()
    splunk_cases()
print("done")
