"""Everything that the ledger's tools know of the surface of `merlon serve`: how it is started,
where it listens, what its counters are called, how a finding names its event. What changes there is
changed here and nowhere else. A JSON file named by LEDGER_SETTINGS overrides single values:

    {"http_port": 18080, "token": "abc"}
"""
import json
import os

DEFAULTS = {
    # ---- the program: {merlon}, {data} and {config} are filled in
    "command": ["{merlon}", "serve", "-c", "{config}"],
    "point_variable": "MERLON_POINT",  # NAME:N, a process of it kills itself there
    "point_call": "point_pass",  # how the sources name such a point
    # The configuration: a head, and a line for each input of a plan.
    "config_head": "data: {data}\nrules: [{rules}]\nsegment_size: {segment}\nreserve: {reserve}\n"
                   "retention: {retention}\n"
                   "correlation: {{wait: {wait}s, lateness: {lateness}s}}\n"
                   "outputs:\n  - {{name: kept, kind: file, path: {data}/../kept.jsonl}}\n"
                   "api: {{listen: \"127.0.0.1:{api}\"}}\ninputs:\n",
    "config_input": "  - {{name: {name}, kind: {kind}, listen: \"{host}:{port}\", "
                    "tenant: {tenant}}}\n",
    "config_kinds": {"udp": "syslog-udp", "tcp": "syslog-tcp", "tls": "syslog-tls",
                     "lines": "http", "hec": "http", "hec-ack": "http", "bulk": "http"},
    # What it does already: faults are judged by so much.
    "correlates": True,  # findings of correlations
    # How long it waits for events that come out of order: senders stand still while it is killed,
    # and what comes later than that is counted as late, and not correlated.
    "correlation_wait_s": 4,
    "correlation_lateness_s": 60,  # as without configuration
    "http": True,  # inputs of kind http
    "metrics_route": "/metrics",  # of the API; none: the counters are not judged
    "ready_route": "/readyz",

    # ---- where it listens
    "host": "127.0.0.1",
    "http_port": 8088,
    "syslog_udp_port": 5514,
    "syslog_tcp_port": 5514,
    "syslog_tls_port": 6514,
    "key_header": "Idempotency-Key",  # a client's own id for a request (lines, hec)
    "token": "",  # sent with each request unless the input has its own
    "lines_route": "/api/v1/ingest",
    "lines_type": "application/x-ndjson",
    "lines_authorization": "Bearer {token}",
    "hec_route": "/services/collector/event",
    "hec_ack_route": "/services/collector/ack",
    "hec_authorization": "Splunk {token}",
    "bulk_route": "/exercise/_bulk",
    "bulk_authorization": "ApiKey {token}",
    # Answers that leave open whether the records are stored, unless their text holds the words;
    # other 4xx and 5xx say they are not.
    "unknown_status": [503, 504],
    "refused_words": "nothing was stored",

    # ---- what it stores
    "log": "log",  # below the data directory
    "findings": "findings",
    # Which bytes of a HEC or _bulk element become the record: "whole" or "inner" (the value of
    # "event"; the document line).
    "hec_record": "whole",
    "bulk_record": "inner",

    # ---- what it counts (Prometheus names; labels tenant, source, reason)
    "received": "merlon_received_records_total",
    "stored": "merlon_stored_records_total",
    "rejected": "merlon_rejected_records_total",
    "dropped": "merlon_dropped_records_total",
    "in_flight": "merlon_in_flight_records",
    "start": "process_start_time_seconds",
    # A counter's life: "ever" (kept over restarts) or "start" (begins with the process; then
    # "merlon_log_start_offset" says where the log stood).
    "counters_since": "start",
    "start_offset": "merlon_log_start_offset",

    # ---- bounds that are promised
    "udp_margin_ms": 1000,  # before a kill: what stood in the socket or the ring
    "tcp_loss_bytes": 16 << 20,  # per connection that a kill broke
    "detect_ms": 5000,  # from sending to finding, the first event behind a fault
    "restart_ms": 5000,
}


class Settings:
    def __init__(self, path=None):
        values = dict(DEFAULTS)
        path = path or os.environ.get("LEDGER_SETTINGS")
        if path:
            with open(path, encoding="utf-8") as f:
                own = json.load(f)
            strange = set(own) - set(DEFAULTS)
            if strange:
                raise SystemExit(f"{path}: no such setting: {sorted(strange)[0]}")
            values.update(own)
        self.__dict__.update(values)


def finding_event(finding):
    """The offset in the log of the event that a finding is about; None: not said."""
    for holder in (finding.get("source"), finding.get("id"), finding):
        if isinstance(holder, dict):
            for name in ("offset", "record"):
                if isinstance(holder.get(name), int):
                    return holder[name]
    return None


def finding_log(finding):
    """The log's id in a finding; None: not said."""
    source = finding.get("source")
    return source.get("log") if isinstance(source, dict) else None


def finding_tenant(finding, frame):
    """Whose finding it is: the frame says so, or the finding."""
    return frame.tenant if frame.tenant is not None else finding.get("tenant")
