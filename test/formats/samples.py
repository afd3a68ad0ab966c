"""A sample of every format that the program reads: real lines of the shared test data where it has
some, made ones of the documented shape where not (`made` says what is made).

    for sample in samples.all_of(shared):
        sample.name, sample.format, sample.head + sample.rows, sample.made

`head` is what stands once at the start of such a file; `rows` are whole records that may be repeated."""
import collections
import functools
import gzip
import io
import json
import os
import re
import subprocess
import tarfile

Sample = collections.namedtuple("Sample", "name format head rows made")
MADE = {}


def sample(name, format, made=""):
    """Registers a function of `shared` that gives rows, or head and rows."""
    def register(function):
        MADE[name] = (format, function, made)
        return function
    return register


@functools.lru_cache(None)
def unpacked(path):
    return subprocess.run(["zstd", "-dc", "--long=27", path], check=True, stdout=subprocess.PIPE).stdout


@functools.lru_cache(None)
def members(path):
    """{name: bytes} of an archive."""
    with tarfile.open(fileobj=io.BytesIO(unpacked(path))) as tar:
        return {m.name: tar.extractfile(m).read() for m in tar if m.isfile()}


def network(shared, name):
    return f"{shared}/data/linux-network/{name}"


def files(shared, archive, pattern):
    found = members(network(shared, archive) if "/" not in archive else f"{shared}/data/{archive}")
    return b"".join(tidy(data) for name, data in sorted(found.items()) if re.search(pattern, name))


def tidy(data):
    """Lines that end in a newline, the last one too."""
    return data.replace(b"\r\n", b"\n").rstrip(b"\n") + b"\n"


def lines(data, pattern=b""):
    return b"".join(l + b"\n" for l in data.splitlines() if re.search(pattern, l))


def cases(shared, file, key, words):
    """The objects of a file of test cases whose `key` is one of the words."""
    for line in unpacked(network(shared, file)).splitlines():
        case = json.loads(line)
        if not words or case[key] in words:
            yield case


def vendor(shared, *names, keep=""):
    out = []
    for case in cases(shared, "vendor-log-formats.jsonl.zst", "format", names):
        text = (case["input"] or {}).get("message", "")
        if isinstance(text, str) and "\n" not in text and re.match(keep, text):
            out.append(text)
    return "\n".join(out).encode() + b"\n"


def decoded(shared, *decoders):
    return "".join(c["log"] + "\n" for c in cases(shared, "wazuh-ossec-rule-tests.jsonl.zst", "decoder", decoders)
                   if "\n" not in c["log"]).encode()


def grok(shared, file, keep):
    return "".join(c["message"] + "\n" for c in cases(shared, "grok-sample-messages.jsonl.zst", "file", [file])
                   if re.search(keep, c["message"])).encode()


def split(data):
    """The lines that begin with # at the start, and the others."""
    rows = data.splitlines(keepends=True)
    at = next((i for i, row in enumerate(rows) if not row.startswith(b"#")), len(rows))
    return b"".join(rows[:at]), b"".join(row for row in rows[at:] if not row.startswith(b"#"))


def syslogged(data, host="gateway"):
    return b"".join(b"<134>Jul 12 10:%02d:%02d %s " % (i // 60 % 60, i % 60, host.encode()) + line + b"\n"
                    for i, line in enumerate(data.splitlines()))


# ---- syslog, and what is sent by it ---------------------------------------------------------------

@sample("syslog", "syslog")
def _(shared):
    """sshd"""
    return files(shared, "loghub-2k.tar.zst", "OpenSSH_2k.log$")


@sample("syslog-linux", "syslog")
def _(shared):
    """kernel, sshd, su, ftpd, cups, ..."""
    return files(shared, "loghub-2k.tar.zst", "Linux_2k.log$")


@sample("syslog-auth", "syslog")
def _(shared):
    """A host's auth.log: sudo, cron, systemd-logind, sshd."""
    return files(shared, "elastic-examples-logs.tar.zst", "/auth.log$")


@sample("sudo", "syslog")
def _(shared):
    return lines(decoded(shared, "sudo"), rb"sudo: ")


@sample("cron-systemd", "syslog")
def _(shared):
    return files(shared, "forensics/plaso-artifacts.tar.zst", "syslog/syslog_(cron.log|rsyslog)$") + \
        decoded(shared, "systemd")


@sample("cisco-asa", "syslog")
def _(shared):
    return decoded(shared, "cisco-asa")


@sample("pairs", "syslog")
def _(shared):
    """Fortinet's name=value"""
    return vendor(shared, "Fortinet/fortigate", keep="time=|date=")


@sample("cef", "syslog")
def _(shared):
    return vendor(shared, keep="CEF:")


@sample("cef-syslog", "syslog", "the syslog header in front of each line")
def _(shared):
    return syslogged(vendor(shared, keep="CEF:"))


@sample("leef", "syslog")
def _(shared):
    return vendor(shared, keep="LEEF:")


@sample("dnsmasq", "syslog")
def _(shared):
    return decoded(shared, "dnsmasq")


@sample("journal", "journal", "the entries around the messages of loghub's Linux")
def _(shared):
    out = []
    for i, line in enumerate(files(shared, "loghub-2k.tar.zst", "Linux_2k.log$").splitlines()):
        found = re.match(rb"\S+ +\d+ [\d:]+ (\S+) ([^\[:( ]+)[^\[:]*(?:\[(\d+)\])?: (.*)$", line)
        if found:
            host, program, pid, message = found.groups()
            stamp = 1709287200000000 + i * 1000003
            out.append(b"__CURSOR=s=bcce4fb8ffcb40e9a6e05eee8b7831bf;i=%x;b=ef603549a36f4d3bb7d1ab9a5ee6ab4d\n"
                       b"__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=ef603549a36f4d3bb7d1ab9a5ee6ab4d\n"
                       b"_TRANSPORT=syslog\nPRIORITY=6\nSYSLOG_FACILITY=10\nSYSLOG_IDENTIFIER=%s\n_UID=0\n_GID=0\n"
                       b"_COMM=%s\n_EXE=/usr/sbin/%s\n_SYSTEMD_UNIT=%s.service\n_PID=%s\n_HOSTNAME=%s\nMESSAGE=%s\n\n"
                       % (i, stamp, stamp % 1000000000, program, program, program, program, pid or b"1", host, message))
    return b"".join(out)


@sample("auditd", "auditd")
def _(shared):
    return lines(files(shared, "auditd-go-libaudit.tar.zst", r"\.log$"), rb"^type=")


# ---- name servers ---------------------------------------------------------------------------------

@sample("bind", "bind", "time and category in front of each message")
def _(shared):
    return b"".join(b"28-Nov-2024 15:26:%02d.498 queries: info: %s\n" % (i % 60, l)
                    for i, l in enumerate(lines(vendor(shared, "BIND/bind"), rb"^client ").splitlines()))


@sample("unbound", "unbound", "[time] unbound in front of each message, where syslog's header stood")
def _(shared):
    found = [re.sub(rb"^.*?: (?=\[)", b"", l) for l in vendor(shared, "Unbound/unbound").splitlines()]
    return b"".join(b"[15705269%02d] unbound%s\n" % (i % 100, l) for i, l in enumerate(found) if l.startswith(b"["))


@sample("windows-dns", "windows-dns", "all")
def _(shared):
    names = ("(3)www(7)example(3)com(0)", "(5)login(15)microsoftonline(3)com(0)", "(1)7(3)113(1)0(3)203(7)in-addr(4)arpa(0)")
    out = []
    for i in range(600):
        kind, side = (("A", "Rcv"), ("AAAA", "Rcv"), ("PTR", "Snd"), ("A", "Snd"))[i % 4]
        out.append(f"7/12/2024 10:{i // 60 % 60:02}:{i % 60:02} AM 0E{i % 256:02X} PACKET  00000212CE1B{i:04X} UDP {side} "
                   f"10.1.{i % 7}.{i % 251:<8} {i * 97 % 65536:04x} {'R Q [8081   DR  NOERROR]' if side == 'Snd' else '  Q [0001   D   NOERROR]'} "
                   f"{kind:6} {names[i % 3]}\n")
    return "".join(out).encode()


# ---- web servers and proxies ----------------------------------------------------------------------

@sample("access", "access")
def _(shared):
    return tidy(unpacked(network(shared, "weblog-apache-normal.log.zst")))


@sample("apache-error", "apache-error")
def _(shared):
    return files(shared, "loghub-2k.tar.zst", "Apache_2k.log$")


@sample("nginx-error", "nginx-error")
def _(shared):
    return lines(decoded(shared, "nginx-errorlog"), rb"^\d{4}/\d\d/\d\d ")


@sample("squid", "squid", "requests of the access log as Squid writes them")
def _(shared):
    out = []
    for line in unpacked(network(shared, "weblog-apache-normal.log.zst")).decode("utf-8", "replace").splitlines():
        found = re.match(r'(\S+) .*?"(\S+) (\S+) [^"]*" (\d+) (\d+)', line)
        if found:
            client, method, target, status, size = found.groups()
            out.append(f"1431850000.{len(out) % 1000:03d}    120 {client} TCP_MISS/{status} {size} {method} "
                       f"http://www.example.org{target} - HIER_DIRECT/192.0.2.7 text/html\n")
    return "".join(out).encode()


@sample("squid-native", "squid")
def _(shared):
    return vendor(shared, "Squid/squid", keep=r"\d+\.\d+ +\d") + grok(shared, "squid_spec.rb", "")


@sample("w3c", "w3c")
def _(shared):
    """IIS"""
    return split(files(shared, "forensics/plaso-artifacts.tar.zst", "iis/iis6.log$"))


@sample("iis", "iis")
def _(shared):
    return vendor(shared, "Microsoft/microsoft-iis")


@sample("alb", "aws-access")
def _(shared):
    return files(shared, "forensics/plaso-artifacts.tar.zst", "aws_elb_access.log$")


@sample("elb", "aws-access")
def _(shared):
    return grok(shared, "aws_spec.rb", "^201[45]-..-..T")


@sample("s3", "aws-access", "the accounts' ids in full, which the data abbreviates")
def _(shared):
    full = b"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be "
    return grok(shared, "aws_spec.rb", "^79a5 mybucket").replace(b"79a5 ", full)


# ---- tables ---------------------------------------------------------------------------------------

def zeek(shared, name):
    archive = members(network(shared, "zeek-logs-wrccdc.tar.zst"))
    data = next(gzip.decompress(d) for n, d in archive.items() if n.endswith(f"zeek-default/{name}.log.gz"))
    return split(data)


for log in ("dns", "ssl", "notice", "smb_mapping", "smtp", "syslog", "weird"):
    sample("zeek" if log == "dns" else f"zeek-{log}", "zeek")(functools.partial(zeek, name=log))


@sample("csv", "csv")
def _(shared):
    head, rows = unpacked(f"{shared}/data/cloud/m365-unified-audit-log.csv.zst").split(b"\n", 1)
    return head + b"\n", tidy(rows)


@sample("csv-loghub", "csv")
def _(shared):
    head, rows = files(shared, "loghub-2k.tar.zst", "Linux_2k.log_structured.csv$").split(b"\n", 1)
    return head + b"\n", rows


@sample("vpcflow", "vpcflow")
def _(shared):
    return vendor(shared, "AWS/aws-flow-logs", keep=r"\d")


# ---- JSON -----------------------------------------------------------------------------------------

@sample("suricata", "json")
def _(shared):
    """EVE: an event a line, as Suricata writes it (the data has them in arrays)."""
    found = members(network(shared, "suricata-eve-samples.tar.zst"))
    return b"".join(json.dumps(event, separators=(",", ":")).encode() + b"\n" for name, data in sorted(found.items())
                    if name.endswith("alerts-only.json") for event in json.loads(data))


@sample("suricata-array", "json")
def _(shared):
    found = members(network(shared, "suricata-eve-samples.tar.zst"))
    return b"", found["suricata-sample/samples/wrccdc-2018/alerts-only.json"]


@sample("cloudtrail", "json")
def _(shared):
    return tidy(unpacked(f"{shared}/data/cloud/invictus-aws-cloudtrail.jsonl.zst"))


@sample("zeek-json", "json")
def _(shared):
    archive = members(network(shared, "zeek-logs-wrccdc.tar.zst"))
    return next(tidy(gzip.decompress(d)) for n, d in archive.items() if n.endswith("zeek-json/dns.json.gz"))


@sample("evtx", "evtx")
def _(shared):
    archive = members(f"{shared}/data/windows/evtx-attack.tar.zst")
    return b"", next(d for n, d in sorted(archive.items()) if n.endswith(".evtx"))


def one(shared, name):
    """The sample of a name; None where the shared data is not there."""
    format, function, made = MADE[name]
    try:
        rows = function(shared)
    except (OSError, subprocess.CalledProcessError, KeyError, StopIteration):
        return None
    head, rows = rows if isinstance(rows, tuple) else (b"", rows)
    return Sample(name, format, head, rows, made) if rows.strip() else None


def all_of(shared):
    return [s for s in (one(shared, name) for name in MADE) if s]
