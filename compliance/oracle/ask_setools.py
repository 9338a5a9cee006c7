"""Asks setools' own commands, all within one process.

Reads questions as JSON lines, {"tool": "sesearch", "words": [...]}, and answers each with a line
{"code": 0, "lines": [...], "said": "...", "seconds": 0.1}: the exit code, what went to standard output, what to standard error,
and the time without reading the policy. A policy is read once, however often it is asked.
"""

import contextlib
import io
import json
import sys
import time
import warnings

import setools

warnings.simplefilter("ignore")
READ = setools.SELinuxPolicy
POLICIES = {}
PROGRAMS = {}
READING = 0.0


def policy(path=None):
    """The policy of this file, read once."""
    global READING
    if path not in POLICIES:
        start = time.perf_counter()
        POLICIES[path] = READ(path)
        READING += time.perf_counter() - start
    return POLICIES[path]


def program(tool):
    """The command, compiled once."""
    if tool not in PROGRAMS:
        path = "/usr/bin/" + tool
        with open(path, encoding="utf-8") as file:
            PROGRAMS[tool] = compile(file.read(), path, "exec")
    return PROGRAMS[tool]


def ask(tool, words):
    """Runs the command with these words."""
    global READING
    out, err = io.StringIO(), io.StringIO()
    code, READING = 0, 0.0
    sys.argv = ["/usr/bin/" + tool, *words]
    start = time.perf_counter()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            exec(program(tool), {"__name__": "__main__"})
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else (0 if end.code is None else 1)
        except Exception as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            code = 1
    seconds = time.perf_counter() - start - READING
    return {"code": code, "lines": out.getvalue().splitlines(), "said": err.getvalue(), "seconds": seconds}


def main():
    """One answer a line."""
    setools.SELinuxPolicy = policy
    answers = sys.stdout
    for line in sys.stdin:
        question = json.loads(line)
        answers.write(json.dumps(ask(question["tool"], question["words"])) + "\n")
        answers.flush()


main()
