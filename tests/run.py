#!/usr/bin/python3
"""Runs test programs, two at a time, and ends with the plain line "N passed, N failed".

    run.py [--jobs N] [--title TEXT] [--sum FILE] -- COMMAND… [-- COMMAND…]…

A program's tests are counted from what it prints: cmocka's lines, or its own closing line "N passed, N failed[, N
skipped]"; a program that prints neither counts as one test by its exit status. What a failing program printed is shown.
With --sum the counts are added to FILE, so that several runs can close with one line (run.py --total FILE).
"""
import concurrent.futures
import json
import pathlib
import re
import signal
import subprocess
import sys
import time

CMOCKA = {"passed": re.compile(r"^\[  PASSED  \] (\d+) test", re.M),
          "failed": re.compile(r"^\[  FAILED  \] (\d+) test", re.M),
          "skipped": re.compile(r"^\[  SKIPPED \] (\d+) test", re.M)}
PLAIN = re.compile(r"^(?:\w+: )?(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.M)
SHOWN_LINES = 200


def counts_of(output, status):
    plain = PLAIN.findall(output)
    if plain:
        passed, failed, skipped = (int(n or 0) for n in plain[-1])
    else:
        passed, failed, skipped = (sum(map(int, CMOCKA[k].findall(output))) for k in ("passed", "failed", "skipped"))
    if status != 0 and failed == 0:
        failed = 1
    if passed + failed + skipped == 0:
        passed = 1
    return passed, failed, skipped


def run(command):
    start = time.monotonic()
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=1800)
        output, status = done.stdout.decode(errors="replace"), done.returncode
    except subprocess.TimeoutExpired as late:
        output, status = (late.stdout or b"").decode(errors="replace") + "\nstopped after 1800 s\n", 124
    return command, output, status, time.monotonic() - start


def name_of(command):
    words = [w for w in command if not w.endswith(("python3", "env")) and "=" not in w]
    return " ".join(["/".join(pathlib.Path(words[0]).parts[-2:]), *words[1:]])[:70]


def show(result):
    command, output, status, seconds = result
    passed, failed, skipped = counts_of(output, status)
    extra = f", {skipped} skipped" if skipped else ""
    print(f"  {'ok  ' if not failed else 'FAIL'} {name_of(command):<70} {passed} passed{extra}  {seconds:.1f}s", flush=True)
    notes = [line for line in output.splitlines() if line.startswith("# ")]
    print("".join(f"       {line[2:]}\n" for line in notes), end="", flush=True)
    if failed:
        print("\n".join("    | " + line for line in output.splitlines()[-SHOWN_LINES:]), flush=True)
    return passed, failed, skipped


def closing(passed, failed, skipped):
    return f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else "")


def read_sum(path):
    return json.loads(path.read_text()) if path.exists() else [0, 0, 0]


def main(args):
    # A shell starts background jobs with SIGINT ignored, and tests that end programs by it would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    jobs, title, total = 2, "", None
    while args and args[0].startswith("--") and args[0] != "--":
        option, value, args = args[0], args[1], args[2:]
        if option == "--jobs":
            jobs = int(value)
        elif option == "--title":
            title = value
        elif option == "--sum":
            total = pathlib.Path(value)
        elif option == "--total":
            counts = read_sum(pathlib.Path(value))
            print(closing(*counts))
            return 1 if counts[1] or not counts[0] else 0
    commands, current = [], []
    for word in args:
        if word == "--":
            if current:
                commands.append(current)
            current = []
        else:
            current.append(word)
    if current:
        commands.append(current)
    if title:
        print(title, flush=True)
    counts = [0, 0, 0]
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for result in pool.map(run, commands):
            counts = [a + b for a, b in zip(counts, show(result))]
    if total:
        total.parent.mkdir(parents=True, exist_ok=True)
        total.write_text(json.dumps([a + b for a, b in zip(read_sum(total), counts)]))
        return 0 # the closing line judges, so that one failure does not hide the rest
    print(closing(*counts))
    return 1 if counts[1] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
