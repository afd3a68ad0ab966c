"""The runner judged, on a program of a few lines. Called by `run`."""
import contextlib
import io
import os
import tempfile

SOURCE = """#include "half.h"

int half(int n)
{
    return n / 2;
}
"""
MAIN = """#include "half.h"

int main(void)
{
    return half(10) == 5 ? 0 : 1;
}
"""
MAKEFILE = """$(BUILD)/half: half.c main.c half.h
\tgcc -o $@ half.c main.c
"""
# Name, text, and what is said of it.
CASES = [
    ("caught", "file: half.c\n--- old\n    return n / 2;\n--- new\n    return n / 3;\n--- end\n",
     "ok   caught: caught (exit status 1)"),
    ("in-a-header", "file: half.h\n--- old\nint half(int n);\n--- new\nint half(int n);\n"
     "#define half(n) 7\n--- end\nfile: half.c\n--- old\nint half(int n)\n--- new\n"
     "int (half)(int n)\n--- end\n", "ok   in-a-header: caught (exit status 1)"),
    ("endless", "file: main.c\nseconds: 1\n--- old\n    return half(10) == 5 ? 0 : 1;\n--- new\n"
     "    for (;;) {\n    }\n--- end\n", "ok   endless: caught (time was up)"),
    ("unseen", "file: half.c\n--- old\n    return n / 2;\n--- new\n    return n >> 1;\n--- end\n",
     "FAIL unseen: not caught"),
    ("unbuilt", "file: half.c\n--- old\n    return n / 2;\n--- new\n    return m;\n--- end\n",
     "FAIL unbuilt: does not build"),
    ("always", "file: half.c\ncommand: false\n--- old\n    return n / 2;\n--- new\n    return 1;\n"
     "--- end\n", "FAIL always: fails without the mutant"),
    ("gone", "file: half.c\n--- old\n    return n / 4;\n--- new\n    return 1;\n--- end\n",
     "FAIL gone: the old text stands 0 times in half.c"),
    ("twice", "file: half.h\n--- old\n/* */\n--- new\n\n--- end\n",
     "FAIL twice: the old text stands 2 times in half.h"),
    ("fileless", "file: none.c\n--- old\nx\n--- new\ny\n--- end\n",
     "FAIL fileless: there is no none.c"),
    ("endless-text", "file: half.c\n--- old\nx\n--- new\ny\n", "FAIL endless-text: no `--- end`"),
    ("strange", "colour: red\n", "FAIL strange:2: no such key: colour: red"),
    ("coverless", "file: half.c\ncovers: nothing\n--- old\n    return n / 2;\n--- new\n"
     "    return 1;\n--- end\n", "FAIL coverless: covers nothing, which is not there"),
]
COMMON = "build: half\ncommand: {BUILD}/half\n"


def put(directory, name, text):
    path = os.path.join(directory, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def main(run):
    """(passed, failed)"""
    passed = failed = 0

    def see(what, good, text):
        nonlocal passed, failed
        passed, failed = passed + bool(good), failed + (not good)
        if not good:
            print(f"FAIL {what}:\n{text}")

    with tempfile.TemporaryDirectory() as scratch:
        tree, table = os.path.join(scratch, "tree"), os.path.join(scratch, "table")
        for name, text in (("half.c", SOURCE), ("main.c", MAIN), ("Makefile", MAKEFILE),
                           ("half.h", "/* */\nint half(int n);\n/* */\n")):
            put(tree, name, text)
        for name, text, _ in CASES:
            command = "" if "command:" in text else COMMON
            put(table, name, f"what: {name}\n" + (command or "build: half\n") + "covers: half.c\n"
                * ("covers" not in text) + text if name != "strange" else "what: x\n" + text)
        arguments = ["--tree", tree, "--table", table, "--build", os.path.join(scratch, "build")]

        def said(*more):
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                status = run(arguments + list(more))
            return status, out.getvalue()

        status, text = said("--all")
        for name, _, expected in CASES:
            see(name, expected in text.splitlines(), text)
        see("the count", status and text.endswith("\n3 passed, 9 failed\n"), text)
        status, text = said("--all")
        see("results stand", "3 results stand" in text and "ok " not in text, text)
        put(tree, "half.c", SOURCE.replace("half", "half", 1) + "\n")
        status, text = said("--all")
        see("until a file changes", "0 results stand" in text and text.count("ok ") == 3, text)
        status, text = said("--sample", "2")
        see("a sample", text.count("ok ") + text.count("FAIL unseen: ") + text.count(
            "FAIL unbuilt: ") + text.count("FAIL always: ") == 2, text)
        status, text = said("caught")
        see("one by name", "ok   caught" in text and "in-a-header:" not in text, text)
    return passed, failed
