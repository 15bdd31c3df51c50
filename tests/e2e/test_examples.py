#!/usr/bin/python3
"""The examples of docs/examples: each is a whole gateway.conf, with tests of its own."""
import pathlib
import subprocess

import lab

EXAMPLES = ("alerts", "bakery", "clinic")


def example(name):
    return pathlib.Path("docs/examples") / name / "gateway.conf"


def check(build, path):
    return subprocess.run([pathlib.Path(build) / "simgated", "-t", "-c", path], capture_output=True, text=True, timeout=30)


def test_all_load(build):
    """Each example is found good by simgated -t, which also runs the tests that stand in it."""
    for name in EXAMPLES:
        done = check(build, example(name))
        lab.equal((done.returncode, done.stderr), (0, ""), name)
        lab.true(" tests)" in done.stdout, f"{name} has tests: {done.stdout!r}")


def test_all_are_known(build):
    """No example is left out here."""
    found = sorted(p.parent.name for p in pathlib.Path("docs/examples").glob("*/gateway.conf"))
    lab.equal(found, sorted(EXAMPLES), "examples")


def test_their_tests_can_fail(build):
    """A rule that no longer does what the file's own test says is told with file, line and what was expected."""
    with lab.Lab(build) as it:
        text = example("bakery").read_text().replace('"refund"', '"remorse"')
        (it.dir / "broken.conf").write_text(text)
        done = check(build, it.dir / "broken.conf")
        lab.true(done.returncode != 0, "it is refused")
        lab.true("tests[" in done.stderr and "complaint" in done.stderr, f"named: {done.stderr!r}")


if __name__ == "__main__":
    lab.main(globals())
