#!/usr/bin/python3
"""Runs end-to-end tests with simulated modems of every family, several pairs at a time, and prints which pairs passed.

    families.py [--jobs N] BUILD "FAMILY…" "TEST…"

Each pair is as.py FAMILY tests/e2e/test_TEST.py BUILD. What a failing one printed is shown, and kept in
BUILD/families/FAMILY-TEST.log. Ended by Ctrl-C or SIGTERM it begins nothing more and tells of what it did not come to.
"""
import collections
import concurrent.futures
import pathlib
import signal
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import run  # noqa: E402: tests/run.py

ended = threading.Event()


def one(build, family, test):
    """Its command, output, exit status and seconds, or None when it was not begun."""
    if ended.is_set():
        return None
    command = ["python3", str(HERE / "as.py"), family, str(HERE / f"test_{test}.py"), build]
    return run.run(command)


def tell(logs, family, test, result):
    """One line of a pair that ran; its counts."""
    _, output, status, seconds = result
    passed, failed, _ = counts = run.counts_of(output, status)
    print(f"  {'FAIL' if failed else 'ok  '} {family:<16} {test:<9} {passed} passed  {seconds:.1f}s", flush=True)
    if failed:
        (logs / f"{family}-{test}.log").write_text(output)
        print("\n".join("    | " + line for line in output.splitlines()[-run.SHOWN_LINES:]), flush=True)
    return counts


def cell(counts):
    return "-" if counts is None else "FAIL" if counts[1] else str(counts[0])


def table(families, tests, pairs):
    width = max(map(len, families))
    print(" " * width, *tests)
    for family in families:
        print(f"{family:<{width}}", *(f"{cell(pairs.get((family, test))):>{len(test)}}" for test in tests))


def main(args):
    jobs = int(args[1]) if args[0] == "--jobs" else 2
    build, families, tests = args[-3], args[-2].split(), args[-1].split()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    logs = pathlib.Path(build) / "families"
    logs.mkdir(parents=True, exist_ok=True)
    begun, pairs = time.monotonic(), {}
    print(f"end to end, {len(families)} families x {len(tests)} tests, {jobs} at a time", flush=True)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        asked = {pool.submit(one, build, f, t): (f, t) for t in tests for f in families}
        for done in concurrent.futures.as_completed(asked):
            if done.result():
                pairs[asked[done]] = tell(logs, *asked[done], done.result())
    table(families, tests, pairs)
    passed, failed, skipped = (sum(c[i] for c in pairs.values()) for i in range(3))
    left = len(asked) - len(pairs)
    print(f"{len(pairs)} of {len(asked)} pairs in {(time.monotonic() - begun) / 60:.0f} min", flush=True)
    print(run.closing(passed, failed, skipped))
    return 1 if failed or left else 0


sys.exit(main(sys.argv[1:]))
