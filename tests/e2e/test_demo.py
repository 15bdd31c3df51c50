#!/usr/bin/python3
"""The demonstration of the README: it works, it tells when it does not, and it leaves nothing running that it did not announce."""
import os
import pathlib
import pty
import re
import signal
import subprocess
import sys
import tempfile
import time

import lab

DEMO = str(lab.ROOT / "tests/demo.py")
PROGRAMS = ("simgated", "simgate", "simgate-modem")


def copy_of(build, directory):
    """A build directory of its own, so that a demonstration that somebody left running is not disturbed."""
    for name in PROGRAMS:
        os.symlink(os.path.realpath(os.path.join(build, name)), os.path.join(directory, name))


def running(directory):
    """Processes that have this directory in their command line."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and directory.encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            pass
    return [pid for pid in found if pid != os.getpid()]


def gone(directory):
    end = time.monotonic() + 20
    while running(directory):
        if time.monotonic() > end:
            raise lab.Failure(f"still running: {running(directory)}")
        time.sleep(0.05)


def test_without_a_terminal(build):
    """It goes through all its steps, ends by itself with status 0, and leaves nothing running."""
    with tempfile.TemporaryDirectory(prefix="simgate-demo-") as directory:
        copy_of(build, directory)
        done = subprocess.run([sys.executable, DEMO, directory], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        lab.equal(done.returncode, 0, done.stdout + done.stderr)
        for words in ("We are open", "delivery report came back", "moved to sent/", "delivered", "All is well", "The demo worked", "What to do next"):
            lab.true(words in done.stdout, f"{words!r} in:\n{done.stdout}")
        lab.true("\033" not in done.stdout, "no colours outside of a terminal")
        gone(directory)


def test_on_a_terminal(build):
    """It leaves the gateway running and prints what to type next; what it prints works; a second run takes the first one's
    place."""
    with tempfile.TemporaryDirectory(prefix="simgate-demo-") as directory:
        copy_of(build, directory)
        for _ in range(2):
            pid, fd = pty.fork()
            if pid == 0:
                os.execv(sys.executable, [sys.executable, DEMO, directory])
            output = b""
            while True:
                try:
                    chunk = os.read(fd, 65536)
                except OSError:
                    break
                if not chunk:
                    break
                output += chunk
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            os.close(fd)
            text = output.decode().replace("\r\n", "\n")
            lab.equal(status, 0, text)
        try:
            tips = text.split("still running. Try:")[1].split("To end it: ")
            lines = [re.sub(r"\s+#.*", "", line).strip() for line in re.sub("\033[^m]*m", "", tips[0]).splitlines()]
            script = "\n".join(line for line in lines if line and not line.startswith("simgate watch"))
            done = subprocess.run(["bash", "-e", "-c", script], capture_output=True, text=True, timeout=60)
            lab.equal(done.returncode, 0, script + done.stdout + done.stderr)
            lab.true("See you tomorrow" in done.stdout or "delivered" in done.stdout, done.stdout)
            lab.equal(len(running(directory)), 2, "processes left running")
        finally:
            subprocess.run(["bash", "-c", tips[1].strip()], check=True)
            gone(directory)


def failing(build, directory, program, script):
    copy_of(build, directory)
    os.unlink(os.path.join(directory, program))
    path = pathlib.Path(directory) / program
    path.write_text("#!/bin/sh\n" + script)
    path.chmod(0o755)
    done = subprocess.run([sys.executable, DEMO, directory], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    lab.true(done.returncode not in (0, None), f"status {done.returncode}: {done.stdout}")
    lab.true("The demo failed" in done.stderr, done.stderr)
    gone(directory)
    return done.stderr


def test_failures(build):
    """A step that fails ends it at once with the reason and a status that is not 0, and nothing stays."""
    with tempfile.TemporaryDirectory(prefix="simgate-demo-") as directory:
        lab.true("no luck today" in failing(build, directory, "simgated", "echo no luck today >&2; exit 1\n"), "the log's end is shown")
    with tempfile.TemporaryDirectory(prefix="simgate-demo-") as directory:
        failing(build, directory, "simgate", "echo nobody home >&2; exit 3\n")
    with tempfile.TemporaryDirectory(prefix="simgate-demo-") as directory:
        failing(build, directory, "simgate-modem", "exit 1\n")


def test_interrupted(build):
    """Ctrl-C in the middle ends everything."""
    with tempfile.TemporaryDirectory(prefix="simgate-demo-") as directory:
        copy_of(build, directory)
        process = subprocess.Popen([sys.executable, DEMO, directory], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True)
        for line in process.stdout:
            if "A customer" in line:
                break
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        lab.true(process.wait(60) != 0, "the status")
        gone(directory)


if __name__ == "__main__":
    lab.main(globals())
