#!/usr/bin/python3
"""The shell of simgate-modem: pseudo-terminals, sockets, control socket, scenario, log, clean end.

    tests/e2e/test_simulated_modem.py BUILD

BUILD is the build directory, or the program itself. Prints `N passed, N failed`; exits 0 when nothing failed.
"""
import fcntl
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import time
import traceback

PROGRAM = None


class Running:
    """A simgate-modem in a directory of its own."""

    def __init__(self, *arguments, dir_option=True):
        self.directory = tempfile.mkdtemp(prefix="simgate-modem-")
        options = ["--dir", self.path("x")] if dir_option else ["--control", self.path("control")]
        self.process = subprocess.Popen(
            [PROGRAM, *options, *[a.replace("@", self.directory) for a in arguments]],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.listed = []
        for line in self.process.stdout:
            if line.strip() == "ready":
                return
            self.listed.append(line.split())
        raise AssertionError(self.process.stderr.read())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(10)
        shutil.rmtree(self.directory)

    def path(self, *parts):
        return os.path.join(self.directory, *parts)

    def tell(self, *command):
        control = ["--dir", self.path("x")] if os.path.isdir(self.path("x")) else ["--control", self.path("control")]
        done = subprocess.run([PROGRAM, *control, "tell", *command], capture_output=True, text=True, timeout=10)
        answer = json.loads(done.stdout)
        assert (done.returncode == 0) == answer["ok"]
        return answer

    def open(self, name="modem0"):
        return os.open(self.path("x", name), os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)


def read_until(fd, end, timeout=3):
    got = b""
    until = time.monotonic() + timeout
    while end not in got:
        left = until - time.monotonic()
        assert left > 0 and select.select([fd], [], [], left)[0], "wanted %r, got %r" % (end, got)
        got += fd.recv(4096) if isinstance(fd, socket.socket) else os.read(fd, 4096)
    return got


def ask(fd, line):
    (fd.sendall if isinstance(fd, socket.socket) else lambda b: os.write(fd, b))(line.encode() + b"\r")
    return read_until(fd, b"OK\r\n")


def wait_for(true, timeout=5):
    until = time.monotonic() + timeout
    while not true():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)


def test_reopened():
    """The pseudo-terminal outlives its hosts: no exclusive lock and no stale bytes are left behind."""
    with Running() as r:
        fd = r.open()
        ask(fd, "ATE0")
        fcntl.ioctl(fd, termios.TIOCEXCL)
        ask(fd, "AT+CNMI=2,1")
        os.write(fd, b"AT+CSQ\r")
        time.sleep(0.1)
        os.close(fd)
        time.sleep(0.1)
        r.tell("text", "modem0", "+491715", "nobody listens")
        fd = r.open()
        locked = bytearray(4)
        fcntl.ioctl(fd, 0x80045440, locked)  # TIOCGEXCL
        assert locked == bytearray(4)
        assert ask(fd, "AT+CPMS?").startswith(b'\r\n+CPMS: "SM",1,50')
        os.close(fd)


def test_vanish_and_return():
    """A modem that vanishes takes its link with it; it returns under the same name, rebooted."""
    with Running() as r:
        fd = r.open()
        ask(fd, "AT")
        r.tell("fault", "modem0", "vanish", "500")
        wait_for(lambda: not os.path.lexists(r.path("x", "modem0")))
        assert os.read(fd, 100) == b""
        os.close(fd)
        wait_for(lambda: os.path.lexists(r.path("x", "modem0")))
        fd = r.open()
        read_until(fd, b"+CPIN: READY")
        os.close(fd)


def test_many_count_up():
    """Modems have names, numbers and IMEIs that count up, and reach each other."""
    with Running("--count", "12", "--number", "+491700000008") as r:
        assert [m[2] for m in r.listed][:4] == ["+49170000000%d" % n for n in (8, 9)] + [
            "+49170000001%d" % n for n in (0, 1)]
        status = r.tell("status")["modems"]
        assert len({m["imei"] for m in status}) == 12
        fd = r.open("modem0")
        ask(fd, "ATE0")
        os.write(fd, b"AT+CMGS=18\r")
        read_until(fd, b"> ")
        os.write(fd, b"0001000C91947100000090000005C8329BFD06\x1a")
        read_until(fd, b"OK\r\n")
        os.close(fd)
        assert r.tell("status")["modems"][1]["stores"]["SM"][0] == 1


def test_sockets():
    """TCP and unix sockets carry the same dialogue; one host at a time; vanish closes the connection."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    with Running("--tcp", str(port), dir_option=False) as r:
        with socket.create_connection(("127.0.0.1", port)) as s:
            ask(s, "AT")
            with socket.create_connection(("127.0.0.1", port)) as second:
                assert second.recv(1) == b""
            ask(s, "AT")
            r.tell("fault", "modem0", "vanish", "100")
            assert s.recv(1) == b""
    with Running("--unix", "@/line", "--count", "2", dir_option=False) as r:
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(r.path("line1"))
            ask(s, "AT")


def test_scenario_and_log():
    """A scenario's commands come at their times, and every event is in the log file."""
    with tempfile.NamedTemporaryFile("w", suffix=".scenario") as f:
        f.write("# two customers\n100ms text modem0 +491715 One\n+100ms text modem0 +491716 Two\\nlines\n"
                "every 300ms text modem0 +491717 Again\n")
        f.flush()
        with Running("--scenario", f.name, "--log", "@/log") as r:
            wait_for(lambda: r.tell("counts")["injected"] >= 4)
            with open(r.path("log"), encoding="utf-8") as log:
                events = [json.loads(line) for line in log]
            texts = [e["text"] for e in events if e["event"] == "injected"]
            assert texts[:4] == ["One", "Two\nlines", "Again", "Again"], texts
            assert [e["seq"] for e in events] == list(range(1, len(events) + 1))
            assert r.tell("log", "2")["events"][0]["seq"] == 3
    with tempfile.TemporaryDirectory() as directory:
        done = subprocess.run([PROGRAM, "--dir", directory, "--scenario", "/dev/stdin"],
                              input="soon status\n", capture_output=True, text=True, timeout=10)
    assert done.returncode == 1 and ":1: expected" in done.stderr


def test_pin_and_pace():
    """The options for PIN, line rate and network time reach the modem."""
    with Running("--pin", "1234", "--baud", "9600", "--net-ms", "300") as r:
        fd = r.open()
        start = time.monotonic()
        assert b"+CPIN: SIM PIN" in ask(fd, "AT+CPIN?")
        assert time.monotonic() - start > 0.03
        ask(fd, "AT+CPIN=1234")
        os.close(fd)


def test_personalities():
    """Modems of several families side by side; the list of names is the manual's."""
    listed = subprocess.run([PROGRAM, "--personality", "list"], capture_output=True, text=True, timeout=10)
    names = [line.split()[0] for line in listed.stdout.splitlines()]
    assert listed.returncode == 0 and "generic" in names and len(names) > 15
    with open(os.path.join(os.path.dirname(__file__), "../../docs/simgate-modem.1"), encoding="utf-8") as manual:
        text = manual.read().replace("\\-", "-")
    assert [n for n in names if ".B %s\n" % n not in text] == []
    with Running("--personality", "huawei-e173,simcom-sim800", "--count", "3") as r:
        assert [m["personality"] for m in r.tell("status")["modems"]] == ["huawei-e173", "simcom-sim800", "huawei-e173"]
        for modem, model in (("modem0", b"E173"), ("modem1", b"SIMCOM_SIM800L"), ("modem2", b"E173")):
            fd = r.open(modem)
            assert model in ask(fd, "AT+CGMM")
            os.close(fd)


def test_all_ports():
    """The other ports of a stick are there, answer as what they are, and leave and return with it."""
    with Running("--personality", "simcom-sim7600", "--all-ports") as r:
        assert {m[0]: m[2] for m in r.listed[1:]} == {"modem0-if0": "diagnostics", "modem0-if1": "GPS", "modem0-if3": "data",
                                                      "modem0-if4": "auxiliary"}
        fd = r.open("modem0-if3")
        assert b"ERROR" in (os.write(fd, b"AT+CMGF=0\r"), read_until(fd, b"ERROR\r\n"))[1]
        os.close(fd)
        fd = r.open("modem0-if1")
        read_until(fd, b"$GP")
        os.close(fd)
        fd = r.open("modem0")
        ask(fd, "AT+CFUN=1,1")
        wait_for(lambda: not os.path.lexists(r.path("x", "modem0-if1")) and not os.path.lexists(r.path("x", "modem0")))
        os.close(fd)
        wait_for(lambda: os.path.lexists(r.path("x", "modem0-if1")) and os.path.lexists(r.path("x", "modem0")), 10)


def test_replay():
    """A trace is answered from; a file that is none is told with its line."""
    with tempfile.NamedTemporaryFile("w", suffix=".trace") as f:
        f.write('# simgate trace 1\n0.000 > AT\\r\n0.010 < \\r\\nOK\\r\\n\n1.000 > AT+CGMM\\r\n'
                '1.100 < \\r\\nE173\\r\\n\\r\\nOK\\r\\n\n')
        f.flush()
        with Running("--replay", f.name) as r:
            fd = r.open()
            assert ask(fd, "AT") == b"\r\nOK\r\n"
            assert ask(fd, "AT+CGMM") == b"\r\nE173\r\n\r\nOK\r\n"
            os.close(fd)
        with tempfile.TemporaryDirectory() as directory:
            done = subprocess.run([PROGRAM, "--dir", directory, "--replay", "/dev/null"], capture_output=True, text=True,
                                  timeout=10)
        assert done.returncode == 1 and "/dev/null:1:" in done.stderr, done.stderr


def test_end():
    """SIGTERM and "quit" end it with status 0, and no link or socket stays."""
    for end in (lambda r: r.process.send_signal(signal.SIGTERM), lambda r: r.tell("quit")):
        with Running("--count", "3") as r:
            end(r)
            assert r.process.wait(5) == 0
            assert os.listdir(r.path("x")) == []


def test_usage():
    """Wrong usage is told in words and by status 2; help and version are not."""
    for arguments, status in ((["--help"], 0), (["--version"], 0), ([], 2), (["--count", "0", "--dir", "x"], 2),
                              (["--tcp", "1", "--unix", "x"], 2), (["tell", "status"], 2), (["--what"], 2),
                              (["--dir", "x", "--personality", "nokia-3310"], 2),
                              (["--tcp", "1", "--all-ports"], 2)):
        done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=10)
        assert done.returncode == status, (arguments, done)
        assert (done.stdout if status == 0 else done.stderr), arguments


def main():
    global PROGRAM
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    PROGRAM = os.path.abspath(sys.argv[1])
    if os.path.isdir(PROGRAM):
        PROGRAM = os.path.join(PROGRAM, "simgate-modem")
    passed = failed = 0
    for name, test in list(globals().items()):
        if not name.startswith("test_"):
            continue
        try:
            test()
            passed += 1
        except Exception:
            failed += 1
            print("FAIL %s: %s" % (name, test.__doc__))
            traceback.print_exc(file=sys.stdout)
    print("%d passed, %d failed" % (passed, failed))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
