"""A quiet hour, then a minute in which many addresses try once each, then quiet again."""
import json


def event(second, address, year=2024):
    time = f"{year}-03-01T{12 + second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z"
    system = {"Provider": {"#attributes": {"Name": "Microsoft-Windows-Security-Auditing"}}, "EventID": 4625,
              "Channel": "Security", "Computer": "DC-1", "TimeCreated": {"#attributes": {"SystemTime": time}}}
    print(json.dumps({"Event": {"System": system, "EventData": {"IpAddress": address}}}))


for second in range(0, 3600, 7):
    event(second, f"10.0.0.{second % 3}")
    if second % 100 == 0:
        event(second, "10.9.9.9", 2099)
for i in range(600):
    event(3600 + i // 10, f"10.1.{i // 250}.{i % 250}")
    if i % 40 == 0:
        event(3600 + i // 10, "10.0.0.1")
for second in range(3660, 7200, 7):
    event(second, f"10.0.0.{second % 3}")
