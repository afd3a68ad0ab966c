"""Makes archives that an installer of rules must survive, in the current folder."""
import gzip, io, tarfile, zipfile

RULE = b"""title: Good
id: 5a5f2b2e-3333-4000-8000-000000000001
logsource:
    product: linux
detection:
    k: [x]
    condition: k
"""


def tar(name, entries, mode="w"):
    with tarfile.open(name, mode) as t:
        for path, kind, data in entries:
            info = tarfile.TarInfo(path)
            info.type = kind
            if kind == tarfile.REGTYPE:
                info.size = len(data)
                t.addfile(info, io.BytesIO(data))
            else:
                info.linkname = data
                t.addfile(info)


REG, SYM, LNK, CHR, DIR = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE
good = ("top/good.yml", REG, RULE)
tar("up.tar", [good, ("top/../../up.yml", REG, RULE)])
tar("absolute.tar", [("/etc/cron.d/x.yml", REG, RULE)])
tar("backslash.tar", [("top\\..\\x.yml", REG, RULE)])
tar("control.tar", [("top/a\x1b[31mb.yml", REG, RULE)])
tar("long.tar", [("d/" * 40 + "a" * 930 + ".yml", REG, RULE)])
tar("deep.tar", [("d/" * 64 + "a.yml", REG, RULE)])
tar("deep-fits.tar", [good, ("top/" + "d/" * 62 + "a.yml", REG, RULE)])
tar("twice.tar", [good, good])
tar("links.tar", [good, ("top/passwd.yml", SYM, "/etc/passwd"), ("top/hard.yml", LNK, "top/good.yml"),
                  ("top/null.yml", CHR, ""), ("top/dir.yml", DIR, "")])
tar("huge-file.tar.gz", [good, ("top/huge.yml", REG, b" " * ((16 << 20) + 1))], "w:gz")
tar("no-rules.tar", [("top/readme.txt", REG, b"hello")])
tar("no-loading.tar", [("top/a.yml", REG, b"title: only\n")])
tar("cut.tar.gz", [good, ("top/b.yml", REG, RULE * 500)], "w:gz")
whole = open("cut.tar.gz", "rb").read()
open("cut.tar.gz", "wb").write(whole[: len(whole) - 40])
with gzip.open("bomb.tar.gz", "wb", 9) as g:
    info = tarfile.TarInfo("top/zeros.bin")
    info.size = 3 << 30
    g.write(info.tobuf())
    zeros = b"\0" * (8 << 20)
    for _ in range(140):
        g.write(zeros)
with zipfile.ZipFile("up.zip", "w") as z:
    z.writestr("../up.yml", RULE)
with zipfile.ZipFile("backslash.zip", "w") as z:
    info = zipfile.ZipInfo("x.yml")
    info.filename = "..\\up.yml"
    z.writestr(info, RULE)
open("empty.zip", "wb").close()
open("text.bin", "wb").write(b"neither this nor that\n" * 40)
open("magic.tar.gz", "wb").write(b"\x1f\x8b" + b"garbage" * 100)
