"""What `rules backtest` says against what is counted here from the findings of `detect`."""
import collections
import csv
import json
import subprocess
import sys

merlon, rules, logs = sys.argv[1:]


def run(*words):
    done = subprocess.run([merlon, *words], capture_output=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


found = collections.defaultdict(list)
for finding in run("detect", "-q", "-r", rules, "-o", "json", logs):
    found[finding["rule"]["title"]].append(finding)
hosts = collections.defaultdict(collections.Counter)
for line in subprocess.run([merlon, "detect", "-q", "-r", rules, "-o", "csv", logs], capture_output=True,
                           text=True).stdout.splitlines()[1:]:
    cells = next(csv.reader([line]))
    hosts[cells[2]][cells[6]] += 1
rows = run("rules", "backtest", "-q", rules, logs)
seen = set()
for row in rows:
    mine = found.get(row["rule"], [])
    seen.add(row["rule"])
    days = collections.Counter(f["time"][:10] for f in mine if f["time"])
    named = collections.Counter({h: n for h, n in hosts[row["rule"]].items() if h})
    assert row["findings"] == len(mine), (row, len(mine))
    assert row["days"] == len(days) and row["hosts"] == len(named), (row, days, named)
    if days:
        busiest = min(days, key=lambda d: (-days[d], d))
        assert row["busiest_day"] == f"{busiest} ({days[busiest]})", row
    top = sorted(named, key=lambda h: (-named[h], h))[:5]
    shown = row["top_hosts"] if isinstance(row["top_hosts"], list) else [row["top_hosts"]]
    assert [f"{h} ({named[h]})" for h in top] == [h for h in shown if h], row
    assert row["evaluated"] >= row["held"] and row["cpu_us"] >= 0, row
assert set(found) <= seen and sum(r["findings"] for r in rows) > 500, len(rows)
assert [r["findings"] for r in rows] == sorted((r["findings"] for r in rows), reverse=True)
correlated = [r for r in rows if r["findings"] and not r["evaluated"]]
print("same:", len(rows) > 100, "with correlations:", len(correlated) > 0)
