"""The ledger of a run: a line for each change of state, written before the thing is done.

    P PLAN                                   the plan as JSON, first line
    O CONNECTION EPOCH TIME                  opened (epoch: counts up from 0)
    S CONNECTION EPOCH FIRST COUNT TRY TIME  about to be sent: sequences FIRST .. FIRST+COUNT-1
    A CONNECTION FIRST COUNT TRY TIME        acknowledged
    R CONNECTION FIRST COUNT TRY TIME STATUS refused
    U CONNECTION FIRST COUNT TRY TIME WHY    unknown
    C CONNECTION EPOCH TIME WHY              closed: "end", or "broken"
    E TIME                                   the generator has ended

Times are nanoseconds since 1970. What was sent and never answered is unknown where the input
acknowledges, "sent" where it does not. A ledger may consist of several files (one a generator).
"""
import collections
import json
import os
import threading
import time

Attempt = collections.namedtuple("Attempt", "epoch first count number time_ns")


class Writer:
    """One write call a line: a line that stands in the file is whole."""

    def __init__(self, path, plan, clock=time.time_ns):
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self.lock = threading.Lock()
        self.clock = clock
        if os.fstat(self.file).st_size == 0:
            self.line("P " + json.dumps(plan.raw, separators=(",", ":")))

    def line(self, text):
        data = (text + "\n").encode()
        with self.lock:
            if os.write(self.file, data) != len(data):
                raise OSError("ledger: a short write")

    def opened(self, connection, epoch):
        self.line(f"O {connection} {epoch} {self.clock()}")

    def closed(self, connection, epoch, why):
        self.line(f"C {connection} {epoch} {self.clock()} {why}")

    def sending(self, connection, epoch, first, count, number):
        self.line(f"S {connection} {epoch} {first} {count} {number} {self.clock()}")

    def answer(self, letter, connection, first, count, number, why=""):
        """letter: A, R or U"""
        why = " " + str(why).replace("\n", " ") if why != "" else ""
        self.line(f"{letter} {connection} {first} {count} {number} {self.clock()}{why}")

    def end(self):
        self.line(f"E {self.clock()}")
        os.close(self.file)


class Connection:
    """What happened to a connection's records."""

    def __init__(self):
        self.attempts = []
        self.answers = []  # (letter, first, count, number, time, why)
        self.epochs = {}  # epoch: "open" | "end" | "broken"

    def high(self):
        return max((a.first + a.count for a in self.attempts), default=0)


class Ledger:
    def __init__(self, paths):
        self.plan = None
        self.connections = collections.defaultdict(Connection)
        self.ended = True
        for path in paths:
            self.load(path)

    def load(self, path):
        ended = False
        with open(path, encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                if not line.endswith("\n"):
                    break  # the generator was ended in the middle of it: nothing was done yet
                ended = line[0] == "E"
                try:
                    self.take(line[0], line.rstrip("\n").split(" "), line)
                except (ValueError, IndexError) as error:
                    raise SystemExit(f"{path}:{number}: no line of a ledger: {error}") from error
        self.ended = self.ended and ended

    def take(self, letter, word, line):
        if letter == "P":
            plan = json.loads(line[2:])
            if self.plan not in (None, plan):
                raise ValueError("another plan")
            self.plan = plan
        elif letter == "O":
            self.connections[word[1]].epochs[int(word[2])] = "open"
        elif letter == "C":
            self.connections[word[1]].epochs[int(word[2])] = word[4]
        elif letter == "S":
            self.connections[word[1]].attempts.append(Attempt(*map(int, word[2:7])))
        elif letter in "ARU":
            self.connections[word[1]].answers.append(
                (letter, *map(int, word[2:6]), " ".join(word[6:])))
        elif letter != "E":
            raise ValueError(f"letter {letter}")
