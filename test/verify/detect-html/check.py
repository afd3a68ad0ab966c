"""check.py PAGE FINDINGS SUMMARY - reads a report strictly and compares every figure with the JSON
findings of the same run, computed again, and with its summary. Prints what is wrong; at the end
what it saw."""
import base64
import collections
import hashlib
import html.parser
import json
import re
import sys

VOID = {"meta", "input", "col", "br"}
OPTIONAL = {"option"}  # their end tags are left out
TAGS = VOID | OPTIONAL | set(
    "html head title style body a header p h1 h2 h3 h4 ul ol li b i span nav main section div svg "
    "details summary rect path table caption colgroup thead tbody tr th td dl dt dd time mark form label "
    "fieldset legend datalist select button article footer script".split())
ATTRIBUTES = set(
    "lang charset http-equiv content name class href id viewbox preserveaspectratio role aria-label "
    "aria-labelledby aria-hidden d x y width height scope tabindex datetime hidden for type list "
    "autocomplete spellcheck value checked placeholder".split())
LEVELS = ["", "informational", "low", "medium", "high", "critical"]
WRONG = []


def wrong(words):
    WRONG.append(words)
    print(words)


class Node:
    def __init__(self, tag, attributes, parent):
        self.tag, self.attributes, self.parent, self.children = tag, attributes, parent, []

    def text(self):
        return "".join(c if isinstance(c, str) else c.text() for c in self.children)

    def all(self, tag, **wanted):
        for child in self.children:
            if isinstance(child, Node):
                if child.tag == tag and all(
                        w in (child.attributes.get(k.strip("_"), "").split() if k == "class_"
                              else [child.attributes.get(k.strip("_"))]) for k, w in wanted.items()):
                    yield child
                yield from child.all(tag, **wanted)

    def one(self, tag, **wanted):
        found = list(self.all(tag, **wanted))
        if len(found) != 1:
            wrong(f"{len(found)} elements {tag} {wanted}")
        return found[0] if found else Node(tag, {}, None)


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.root = self.at = Node("root", {}, None)

    def handle_starttag(self, tag, attributes):
        if tag not in TAGS:
            wrong(f"element {tag}")
        for name, value in attributes:
            if name not in ATTRIBUTES and not re.fullmatch("data-[a-z]+", name):
                wrong(f"attribute {name} of {tag}")
            if name == "href" and not re.fullmatch("#[a-z0-9]+", value):
                wrong(f"link to {value}")
        if self.at.tag in OPTIONAL and self.at.tag == tag:
            self.at = self.at.parent
        node = Node(tag, dict(attributes), self.at)
        if len(node.attributes) != len(attributes):
            wrong(f"an attribute twice of {tag}")
        self.at.children.append(node)
        if tag not in VOID:
            self.at = node

    def handle_endtag(self, tag):
        if self.at.tag in OPTIONAL and tag not in OPTIONAL:
            self.at = self.at.parent
        if self.at.tag != tag:
            wrong(f"</{tag}> where <{self.at.tag}> is open")
            return
        self.at = self.at.parent

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.at = self.at.parent

    def handle_data(self, data):
        self.at.children.append(data)

    def handle_comment(self, data):
        wrong(f"comment {data[:40]!r}")


def number(text):
    found = re.match(r"[\d,]+", text)
    return int(found.group().replace(",", "")) if found else None


def same(what, got, wanted):
    if got != wanted:
        wrong(f"{what}: the page says {got!r}, the findings say {wanted!r}")


def spelled(text):
    """A JSON string as the page spells it: without what its <i> adds."""
    out, marks = [], 0
    for c in text.replace("\r\n", "\n"):
        code = ord(c)
        marks = marks + 1 if 0x300 <= code <= 0x36F else 0
        if c in "\n\t" or 0x20 <= code < 0x7F:
            out.append(c)
        elif code < 0x20 or code == 0x7F:
            out.append(f"\\x{code:02X}")
        elif re.match("[\x80-\x9f\xad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
                      "\ue000-\uf8ff\ufeff\ufff0-\ufffc\U000e0000-\U000e0fff\U000f0000-\U0010ffff]", c) or marks > 3:
            out.append(f"\\u{{{code:X}}}")
        else:
            out.append(c)
    return "".join(out)


def as_text(value):
    if isinstance(value, str):
        return spelled(value)
    return "{}" if isinstance(value, dict) else json.dumps(value)


def check_frame(raw, root):
    policy = [m.attributes["content"] for m in root.all("meta")
              if m.attributes.get("http-equiv") == "Content-Security-Policy"]
    wanted = "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'"
    hashes = []
    for tag in ("style", "script"):
        bodies = re.findall(rb"<%s>(.*?)</%s>" % (tag.encode(), tag.encode()), raw, re.S)
        if len(bodies) != 1:
            wrong(f"{len(bodies)} elements {tag}")
        digest = hashlib.sha256(bodies[0]).digest()
        hashes.append(f"'sha256-{base64.b64encode(digest).decode()}'")
    same("policy", policy, [wanted.format(*hashes)])
    if re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", raw):
        wrong("a control character")
    if re.search("[\x80-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]", raw.decode()):
        wrong("a character that hides or turns text")
    ids = [n.attributes["id"] for tag in TAGS for n in root.all(tag) if "id" in n.attributes]
    same("ids twice", [i for i, n in collections.Counter(ids).items() if n > 1], [])
    for link in root.all("a"):
        if link.attributes["href"][1:] not in ids:
            wrong(f"link into nothing: {link.attributes['href']}")


def check_totals(root, findings):
    same("title", number(root.one("head").one("title").text()), len(findings))
    same("heading", number(root.one("h1").text()), len(findings))
    levels = collections.Counter(f["rule"]["level"] or "" for f in findings)
    for node in root.one("ul", class_="levels").all("b"):
        name = LEVELS[int(node.attributes["data-level"])]
        same(f"level {name}", number(node.text()), levels.pop(name, 0))
    same("levels not shown", levels, {})
    drawn = collections.Counter()
    for node in root.one("section", id="time").all("td"):
        drawn[LEVELS[int(node.attributes["data-l"])]] += number(node.text())
    bars = collections.Counter()
    for svg in root.one("section", id="time").all("svg"):
        name = LEVELS[int(svg.attributes["class"][1:])]
        for bar in svg.all("rect"):
            bars[name] += number(bar.one("title").text().split(": ")[1])
    same("bars and figures", +bars, +drawn)
    outside = sum(number(b.text()) for b in root.one("section", id="time").all("b")
                  if "finding" in b.text())
    timed = collections.Counter(f["rule"]["level"] or "" for f in findings if f["time"])
    same("findings over time", sum(drawn.values()) + outside, sum(timed.values()))
    if not outside:
        same("findings over time by level", +drawn, timed)


def check_names(root, findings):
    names = {"hosts": collections.Counter(), "users": collections.Counter()}
    correlated = sum("group" in f for f in findings)
    for f in findings:
        # A correlation's host is that of one of its events, which are not told here; its user none.
        event = f.get("event", {}).get("Event", {})
        data = event.get("EventData") or {}
        users = [data.get(k) for k in ("User", "SubjectUserName", "TargetUserName", "AccountName")]
        if "group" in f:
            names["users"][None] += 1
            continue
        names["hosts"][f["event"].get("Computer") or event.get("System", {}).get("Computer")] += 1
        names["users"][next((u for u in users if isinstance(u, str) and u.strip() not in ("", "-")), None)] += 1
    for section, counts in names.items():
        without = counts.pop(None, 0)
        rows = list(root.one("section", id=section).all("tr"))[1:]
        same(f"{section} shown", len(rows), min(len(counts), 12))
        for row in rows:
            name = row.one("a").text()
            wanted = [n for h, n in counts.items() if spelled(h) == name]
            here = number(row.one("td", class_="n").text())
            if section == "users" or not correlated:
                same(f"{section} {name}", [here], wanted)
            elif not wanted or not wanted[0] <= here <= wanted[0] + correlated:
                wrong(f"{section} {name}: {here} of {wanted}")
        note = next(root.one("section", id=section).all("p")).text()
        if counts:
            same(f"{section} in all", number(note), len(counts))
            same(f"{section} without", number(note.split("; ")[1]) if "without" in note else 0, without)
    rules = collections.Counter(spelled(f["rule"]["title"]) for f in findings)
    for row in root.one("section", id="rules").one("tbody").all("tr"):
        same("rule", number(row.one("td", class_="n").text()), rules[row.one("a").text()])


def check_attack(root, findings):
    tactics, techniques, both = (collections.Counter() for _ in range(3))
    for f in findings:
        tags = {t.lower().replace("_", "-") for t in f["rule"]["tags"]}
        ids = {m.group(1).upper() for t in tags if (m := re.fullmatch(r"attack\.(t\d{4}(\.\d{3})?)", t))}
        names = {t[7:] for t in tags if re.fullmatch(r"attack\.[a-z-]+", t)} or {"no-tactic-named"}
        ids |= {i[:5] for i in ids}
        tactics.update(names if ids else names - {"no-tactic-named"})
        techniques.update(ids)
        both.update((n, i) for n in names for i in ids)
    seen = collections.Counter()
    for h3 in root.one("section", id="attack").all("h3"):
        name = re.sub(r" [\d,]+$", "", h3.text()).lower().replace(" ", "-")
        same(f"tactic {name}", number(h3.one("span").text()), tactics.pop(name, None))
        for link in h3.parent.all("a"):
            # A rule of several tactics counts only where its technique belongs: no more than both,
            # and each finding somewhere.
            technique = link.attributes["data-technique"]
            findings_here = number(next(link.parent.all("span")).text())
            if not 0 < findings_here <= both[name, technique]:
                wrong(f"{technique} under {name}: {findings_here} of {both[name, technique]}")
            seen[technique] += findings_here
    same("tactics not shown", tactics, {})
    same("techniques", set(seen), set(techniques))
    for technique in techniques:
        if seen[technique] < techniques[technique]:
            wrong(f"{technique}: {seen[technique]} of {techniques[technique]}")


def shown_text(dd):
    """The value's text, and what is left out of it: None where it is not whole."""
    for i in dd.all("i"):
        if " left out" in i.text():
            return None
    return dd.text()


def check_finding(article, finding):
    same("time", article.one("h4").text().split(" on host")[0].strip(),
         finding["time"][:19].replace("T", " ") if finding["time"] else "no time")
    fields = article.one("dl", class_="m")
    names = [n.text() for n in fields.all("dt")]
    values = list(fields.all("dd"))
    wanted = finding["matched"]
    same("matched", [n for n in names if n != "keywords"], [spelled(k) for k in wanted if k != "keywords"])
    same("keywords", [v.text() for n, v in zip(names, values) if n == "keywords"],
         [spelled(k) for k in wanted.get("keywords", [])])
    for name, dd in zip(names, values):
        text = shown_text(dd)
        if name != "keywords" and text is not None:
            value = next(v for k, v in wanted.items() if spelled(k) == name)
            same(f"value of {name}", text, as_text(value))
    source = f"{finding['source']['file']}, record {finding['source']['record']}"
    same("source", article.one("span", class_="src").text(), spelled(source))


def check_correlation(article, finding):
    rows = article.one("dl", class_="m")
    names, values = [n.text() for n in rows.all("dt")], [v.text() for v in rows.all("dd")]
    group = finding["group"]
    window = finding["window"]
    same("group", dict(zip(names[:len(group)], values)),
         {spelled(k): "none" if v is None else spelled(v) for k, v in group.items()})
    same("value", float(values[len(group)]), float(finding["value"]))
    same("window", values[len(group) + 1], f"{window['from']} to {window['to']}")
    same("inexact", names[len(group) + 2:], ["exact"] if finding["inexact"] else [])
    same("events", number(article.one("span", class_="src").text()), finding["events_total"])
    same("sources", [v.text().split(", record ")[0] for v in article.one("dl", class_="e").all("dd")],
         [spelled(e["source"]["file"]) for e in finding["events"]])
    for dd, event in zip(article.one("dl", class_="e").all("dd"), finding["events"]):
        same("record", number(dd.children[0].split(", record ")[1]), event["source"]["record"])


def check_findings(root, findings):
    by_rule = collections.defaultdict(list)
    for f in findings:
        by_rule[f["rule"]["hash"]].append(f)
    groups = list(root.one("section", id="findings").all("section", class_="g"))
    same("groups", len(groups), len(by_rule))
    order = [int(g.attributes["data-l"]) for g in groups]
    same("order of groups", order, sorted(order, reverse=True))
    shown = 0
    for group in groups:
        title = group.one("span", class_="title").text()
        mine = [fs for fs in by_rule.values() if spelled(fs[0]["rule"]["title"]) == title]
        if len(mine) != 1:
            wrong(f"rule {title}")
            continue
        same("findings of the rule", int(group.attributes["data-n"]), len(mine[0]))
        articles = list(group.all("article"))
        for article in articles:
            finding = mine[0][int(article.attributes["id"].split("-")[1]) - 1]
            (check_correlation if "group" in finding else check_finding)(article, finding)
        rest = [number(b.text()) for b in group.all("b") if "data-rest" in b.attributes]
        same("not shown", rest, [len(mine[0]) - len(articles)] if len(articles) < len(mine[0]) else [])
        shown += len(articles)
    hidden = [number(s.text()) for s in root.one("section", id="findings").all("span")
              if "data-hidden" in s.attributes]
    same("not shown in all", hidden, [len(findings) - shown] if shown < len(findings) else [])
    return shown


def check_summary(root, text):
    """What the summary and the page both say."""
    facts = {n.attributes["data-fact"]: number(n.text()) for n in root.one("section", id="reading").all("td")}
    for key, pattern in (("events", r"Events +([\d,]+) in"), ("files", r" in ([\d,]+) files?"),
                         ("rejected", r"([\d,]+) records? rejected"), ("rules", r"Rules +([\d,]+)"),
                         ("unreadable", r"([\d,]+) inputs? not read"), ("refused", r"([\d,]+) refused"),
                         ("unroutable", r"([\d,]+) of a logsource that nothing maps"),
                         ("unseen", r"([\d,]+) of a logsource that no event had"),
                         ("undetermined", r"([\d,]+) results? undetermined")):
        found = re.search(pattern, text)
        same(key, facts.get(key), number(found.group(1)) if found else 0)
    same("findings", number(root.one("h1").text()), number(re.search(r"Findings +([\d,]+)", text).group(1)))
    parts = {part.split("\n")[0]: [number(m) for m in re.findall(r"^ +([\d,]+)  ", part, re.M)]
             for part in text.split("\n\n")}
    for title, section in (("Top rules", "rules"), ("Top hosts", "hosts")):
        rows = [number(td.text()) for td in root.one("section", id=section).all("td", class_="n")]
        same(title, rows[:10], parts.get(title, []))
    tactics = sorted((number(h.one("span").text()) for h in root.one("section", id="attack").all("h3")), reverse=True)
    same("tactics", tactics[:10], parts.get("ATT&CK tactics", []))


def main():
    raw = open(sys.argv[1], "rb").read()
    findings = [json.loads(line) for line in open(sys.argv[2], encoding="utf-8", newline="\n")]
    page = Page()
    page.feed(raw.decode("utf-8"))
    page.close()
    if page.at is not page.root:
        wrong(f"<{page.at.tag}> is not closed")
    check_frame(raw, page.root)
    check_totals(page.root, findings)
    shown = 0
    if findings:
        check_names(page.root, findings)
        check_attack(page.root, findings)
        shown = check_findings(page.root, findings)
    check_summary(page.root, open(sys.argv[3], encoding="utf-8").read())
    print(f"{len(findings)} findings, {shown} shown, {len(WRONG)} wrong")


main()
