"""The records of a run. Each is built from (run, connection, sequence) alone, so that its exact
bytes can be made again by whoever judges what was stored.

    plan = Plan.load("plan.json")
    make = plan.maker("hec-moh.3")       # a connection: input's name, dot, number
    make(17)                             # bytes
    make.planted(17)                     # None, or what must be found in it
    marker(stored)                       # (run, connection, sequence) or None

A plan is JSON:

    {"run": "a1",                        # letters, digits, - and _
     "start_ns": 1700000000000000000,    # event time of sequence 0
     "exact": true,                      # no findings but the planted ones
     "inputs": [
       {"name": "hec-moh",               # of the connections: hec-moh.0, hec-moh.1 ...
        "kind": "udp | tcp | tls | lines | hec | hec-ack | bulk",
        "tenant": "sg/health/moh",       # that the frames must name
        "source": "hec/127.0.0.1",       # and the source
        "form": "windows | syslog | syslog5424",
        "connections": 2, "count": 1000, # of records a connection
        "rate": 0,                       # records a second and connection; 0: as fast as it goes
        "batch": 50,                     # records a request or write
        "attack_every": 100,             # 0: none
        "burst_every": 500,              # 0: none; five refused logons in a row, correlated
        "key": true, "retry": 3,         # unknown requests are sent again under the same key
        "framing": "line | octets", "gzip": false, "token": "...", "host": "...", "port": 1,
        "ordered": true,                 # default: all but udp
        "bad_every": 0}]}                # malformed records among the others (lines)
"""
import json
import re
import time
import zlib

MARK = re.compile(rb"MLEDG:([A-Za-z0-9_-]+):([A-Za-z0-9_-]+\.[0-9]+):([0-9]{12});")
INPUT = {"form": "windows", "connections": 1, "count": 100, "rate": 0, "batch": 10,
         "attack_every": 0, "burst_every": 0, "key": False, "retry": 0, "framing": "line",
         "gzip": False, "bad_every": 0, "token": None, "host": None, "port": None, "ordered": None,
         "ca": None, "certificate": None, "private_key": None}
ACKNOWLEDGED = ("lines", "hec", "hec-ack", "bulk")
BURST = 5

# What is planted: name of the attack, id of the rule in rules/ that must find it, per form.
ATTACKS = {
    "windows": [("dump", "6f1f5a52-0c0e-4f0e-9b58-6c8a5d9f0a01"),
                ("clear", "6f1f5a52-0c0e-4f0e-9b58-6c8a5d9f0a02")],
    "syslog": [("intruder", "6f1f5a52-0c0e-4f0e-9b58-6c8a5d9f0a03")],
}
BURST_RULES = {"windows": "6f1f5a52-0c0e-4f0e-9b58-6c8a5d9f0a05",
               "syslog": "6f1f5a52-0c0e-4f0e-9b58-6c8a5d9f0a07"}
WORDS = ["svchost.exe -k netsvcs", "backup.cmd /quiet", "explorer.exe", "w32tm /resync",
         'wmic os get "Caption"', "Überprüfung.exe", "报告.exe --打开", "ipconfig /all",
         "notepad.exe C:\\temp\\lsass-notes.txt", "wevtutil qe Security /c:1"]
FILLER = "The quick grey heron stands over the slow river and waits for what moves below. " * 110


class Plan:
    def __init__(self, plan):
        self.run = plan["run"]
        self.start_ns = plan.get("start_ns", 1700000000000000000)
        self.exact = plan.get("exact", True)
        self.inputs = {}
        self.raw = plan
        for given in plan["inputs"]:
            strange = set(given) - set(INPUT) - {"name", "kind", "tenant", "source"}
            if strange:
                raise SystemExit(f"plan: {given['name']}: no such key: {sorted(strange)[0]}")
            entry = dict(INPUT, **given)
            if entry["ordered"] is None:
                entry["ordered"] = entry["kind"] != "udp"
            self.inputs[entry["name"]] = entry

    @staticmethod
    def load(path):
        with open(path, encoding="utf-8") as f:
            return Plan(json.load(f))

    def connections(self):
        return [f"{name}.{n}" for name, i in self.inputs.items() for n in range(i["connections"])]

    def input_of(self, connection):
        return self.inputs.get(connection.rpartition(".")[0])

    def maker(self, connection):
        return Maker(self, connection)


def marker(record):
    """(run, connection, sequence) that a record's bytes name; None: none."""
    found = MARK.search(record)
    return found and (found[1].decode(), found[2].decode(), int(found[3]))


class Maker:
    def __init__(self, plan, connection):
        self.connection = connection
        self.input = plan.input_of(connection)
        self.form = self.input["form"]
        self.family = "windows" if self.form == "windows" else "syslog"
        self.step_ns = 10**9 // self.input["rate"] if self.input["rate"] else 10**6
        self.start_ns = plan.start_ns
        self.mark = f"MLEDG:{plan.run}:{connection}:"
        self.seed = zlib.crc32(self.mark.encode())

    def kind(self, sequence):
        """("plain" | "attack" | "burst" | "bad" | "decoy", number)"""
        bad, attack, burst = (self.input[k] for k in ("bad_every", "attack_every", "burst_every"))
        if burst and sequence % burst < BURST and sequence >= burst:
            return "burst", sequence // burst
        if bad and sequence % bad == bad - 1:
            return "bad", sequence // bad
        if attack and sequence % attack == attack - 1:
            return "attack", sequence // attack
        if attack and sequence % attack == attack // 2:
            return "decoy", sequence // attack
        return "plain", 0

    def planted(self, sequence):
        """None, or ("event", rule id), or ("group", rule id, group)."""
        kind, number = self.kind(sequence)
        if kind == "attack":
            rules = ATTACKS[self.family]
            return "event", rules[number % len(rules)][1]
        if kind == "burst":
            return "group", BURST_RULES[self.family], self.victim(number)
        return None

    def victim(self, number):
        return f"exercise-{self.connection}-{number}"

    def element(self, sequence):
        """The record in the envelope of its input: what stands in a request's body."""
        record, kind = self(sequence), self.input["kind"]
        if kind in ("hec", "hec-ack"):
            event = record if self.form == "windows" else json.dumps(record.decode()).encode()
            return b'{"event":' + event + b',"sourcetype":"exercise"}'
        if kind == "bulk":
            own = f'"_id":"{self.connection}-{sequence}"' if self.input["key"] else ""
            return b'{"create":{%s}}\n' % own.encode() + record
        return record

    def stored(self, sequence, settings):
        """Which bytes of it become the record."""
        kind = self.input["kind"]
        whole = kind[:3] == "hec" and settings.hec_record == "whole" or \
            kind == "bulk" and settings.bulk_record == "whole"
        return self.element(sequence) if whole else self(sequence)

    def __call__(self, sequence):
        kind, number = self.kind(sequence)
        mark = f"{self.mark}{sequence:012d};"
        at_ns = self.start_ns + sequence * self.step_ns
        seconds, part = divmod(at_ns, 10**9)
        dice = zlib.crc32(b"%d" % sequence, self.seed)
        if kind == "bad":
            return f'{{"Ledger":"{mark}","broken":'.encode()
        if self.form == "windows":
            text = windows(kind, number, dice, self)
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
            stamp = f"{stamp}.{part // 1000:06d}Z"
            return f'{{"Ledger":"{mark}","TimeCreated":"{stamp}",{text}}}'.encode()
        body = shell(kind, number, dice, self)
        if self.form == "syslog5424":
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
            return (f"<38>1 {stamp}.{part // 1000:06d}Z node{dice % 40} sshd {dice % 30000} - - "
                    f"{body} {mark}").encode()
        stamp = time.strftime("%b %e %H:%M:%S", time.gmtime(seconds))
        return f"<38>{stamp} node{dice % 40} sshd[{dice % 30000}]: {body} {mark}".encode()


def windows(kind, number, dice, maker):
    """The members of an event behind its time."""
    common = (f'"Channel":"Security","Provider_Name":"Microsoft-Windows-Security-Auditing",'
              f'"Computer":"ws-{dice % 500:03d}.exercise.example",'
              f'"EventRecordID":{dice % 1000000},')
    if kind == "burst":
        return (common + f'"EventID":4625,"TargetUserName":"{maker.victim(number)}",'
                f'"LogonType":3,"Status":"0xc000006d"')
    if kind == "attack" and number % 2:
        return common + f'"EventID":1102,"SubjectUserName":"u{dice % 900}"'
    command = WORDS[dice % len(WORDS)]
    if kind == "attack":
        command = f"exercise-dump.exe --process lsass /out {dice}"
    if kind == "decoy":
        command = f"exercise-dump.txt --process lsass.log {dice}"
    # One record in 64 is some kilobytes long.
    filler = FILLER[:dice % 8000 if dice % 64 == 7 else dice % 200]
    return (common + f'"EventID":4688,"SubjectUserName":"u{dice % 900}",'
            f'"NewProcessName":"C:\\\\Windows\\\\System32\\\\p{dice % 77}.exe",'
            f'"CommandLine":{json.dumps(command, ensure_ascii=bool(dice % 2))},"Note":"{filler}"')


def shell(kind, number, dice, maker):
    address = f"198.51.100.{dice % 250}"
    if kind == "burst":
        return f"Failed password for {maker.victim(number)} from {address} port 4022 ssh2"
    if kind == "attack":
        return f"Accepted password for exercise-intruder from {address} port {dice % 60000} ssh2"
    if kind == "decoy":
        return f"Accepted password for exercise-guest from {address} port {dice % 60000} ssh2"
    filler = FILLER[:dice % 900 if dice % 64 == 7 else dice % 60]
    return f"Accepted publickey for u{dice % 900} from {address} port {dice % 60000} ssh2 {filler}|"
