"""A gateway on a simulated modem, with the real programs, in a folder of its own. For the end-to-end tests.

    with lab.Lab(sys.argv[1], modems=1) as it:
        it.start()
        it.tell("text modem0 +491601112222 Hello")
        it.wait("the reply", lambda: it.log("submitted"))

Tests are functions named test_*; lab.main() runs them and ends with "N passed, N failed". A test's docstring says what it
shows.
"""
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]

CONF = """gateway = {{ name = "Lab"; country = "49"; database = "{dir}/simgate.db"; spool = "{dir}/spool"; socket = "{dir}/simgate.sock"; {gateway} }};
modems = ( {modems} );
{rest}
"""
FAMILY = os.environ.get("SIMGATE_PERSONALITY")  # what the simulated modems are, unless a test says otherwise
HAS_USSD = "quectel-bg96" not in (FAMILY or "").split(",")
PATIENCE = 4 if FAMILY else 1  # some rest for a second behind each message
RULES = 'rules = ( { name = "all"; reply = "auto reply"; } );'


class Failure(AssertionError):
    """What was expected did not happen."""


class Lab:
    def __init__(self, build, modems=1, modem_args=(), modem_conf="report = true;", gateway="", rest=RULES, pin="1234",
                 modem_log=True):
        self.build = pathlib.Path(build).resolve()
        base = os.environ.get("LAB_DIR") or ("/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="simgate-lab-", dir=base))
        self.count, self.modem_args, self.pin = modems, list(modem_args), pin
        self.modem_conf, self.gateway_conf, self.rest = modem_conf, gateway, rest
        self.modem_log = modem_log  # without it log() is empty, and the modem is faster
        self.modem = self.daemon = None
        self.conf, self.work = self.dir / "gateway.conf", self.dir
        self.env = dict(os.environ, SIMGATE_SOCKET=str(self.dir / "simgate.sock"))
        self.write_conf()

    # ---- configuration and processes

    def write_conf(self, rest=None, modem_conf=None, gateway=None):
        pin = f'pin = "{self.pin}";' if self.pin else ""
        conf = self.modem_conf if modem_conf is None else modem_conf
        modems = ", ".join(f'{{ name = "M{i}"; port = "{self.dir}/modem{i}"; {pin} {conf} }}' for i in range(self.count))
        text = CONF.format(dir=self.dir, modems=modems, gateway=self.gateway_conf if gateway is None else gateway,
                           rest=self.rest if rest is None else rest)
        self.conf.write_text(text)

    def start_modem(self):
        command = [self.build / "simgate-modem", "--dir", self.dir, "--count", str(self.count), *self.modem_args]
        if self.modem_log:
            command += ["--log", self.dir / "modem.log"]
        if self.pin:
            command += ["--pin", self.pin]
        if FAMILY and "--personality" not in self.modem_args:
            command += ["--personality", ",".join(FAMILY.split(",")[:self.count])]
        self.modem = subprocess.Popen([str(c) for c in command], stdout=subprocess.DEVNULL,
                                      stderr=open(self.dir / "modem.err", "ab"))
        self.wait("the simulated modem", lambda: (self.dir / f"modem{self.count - 1}").is_symlink() and self.modem_listens())

    def modem_listens(self):
        with socket.socket(socket.AF_UNIX) as s:
            return s.connect_ex(str(self.dir / "control")) == 0

    def start_daemon(self, wait=True, env=None, pass_fds=()):
        self.daemon = subprocess.Popen([str(self.build / "simgated"), "-c", str(self.conf)],
                                       stdout=subprocess.DEVNULL, stderr=open(self.work / "simgated.err", "ab"),
                                       env={**self.env, **(env or {})}, cwd=self.work, pass_fds=pass_fds)
        if wait:
            self.wait("the control socket", self.answers)

    def start(self, ready=True):
        """Both programs; with `ready` until all modems are."""
        self.start_modem()
        self.start_daemon()
        if ready:
            self.wait_ready()

    def wait_ready(self, seconds=30):
        self.wait("all modems to be ready", lambda: all(m["state"] == "ready" for m in self.modems()), seconds)

    def modems(self):
        return self.json("modems")["modems"]

    def modem_state(self, name="M0"):
        return next((m for m in self.modems() if m["name"] == name), {"state": "none"})["state"]

    def messages(self, *filters):
        """All of them, oldest first: every page of `simgate messages`."""
        rows, page = [], self.json("messages", "--limit", "1000", *filters)
        while True:
            rows += page["messages"]
            if "before" not in page:
                return rows[::-1]
            page = self.json("messages", "--limit", "1000", "--before", page["before"], *filters)

    def said(self, text):
        """Lines of simgated's log with this text in them."""
        path = self.work / "simgated.err"
        return [line for line in path.read_text(errors="replace").splitlines() if text in line] if path.exists() else []

    def answers(self):
        if self.daemon.poll() is not None:
            raise Failure(f"simgated ended with {self.daemon.returncode}:\n{self.tail()}")
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(self.env["SIMGATE_SOCKET"])
            return True
        except OSError:
            return False

    def kill(self):
        self.daemon.send_signal(signal.SIGKILL)
        self.daemon.wait()

    def stop_daemon(self, timeout=40):
        self.daemon.send_signal(signal.SIGTERM)
        return self.daemon.wait(timeout)

    def close(self):
        for process in (self.daemon, self.modem):
            if process and process.poll() is None:
                process.terminate()
                try:
                    process.wait(40)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind:
            print(f"--- the end of simgated's log ---\n{self.tail()}")
        self.close()

    def tail(self, lines=60):
        path = self.work / "simgated.err"
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else ""

    # ---- the simulated modem

    def tell(self, command):
        """One command to the simulated modem's control socket; its JSON answer."""
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(self.dir / "control"))
            s.sendall(command.encode() + b"\n")
            answer = b""
            while not answer.endswith(b"\n"):
                chunk = s.recv(65536)
                if not chunk:
                    break
                answer += chunk
        result = json.loads(answer)
        if result.get("ok") is False:
            raise Failure(f"simgate-modem: {command}: {result}")
        return result

    def log(self, kind=None, **fields):
        """The events of the network, from the simulated modem's own log."""
        path = self.dir / "modem.log"
        events = []
        for line in path.read_text().split("\n") if path.exists() else ():
            try:
                event = json.loads(line)
            except ValueError:
                continue  # a line being written
            if (kind is None or event["event"] == kind) and all(event.get(k) == v for k, v in fields.items()):
                events.append(event)
        return events

    # ---- the gateway's doors

    def run(self, *args, check=True, stdin="", timeout=60, env=None):
        """simgate ARGS: the finished process."""
        done = subprocess.run([str(self.build / "simgate"), *map(str, args)], input=stdin, capture_output=True, text=True,
                              env={**self.env, **(env or {})}, timeout=timeout)
        if check and done.returncode:
            raise Failure(f"simgate {' '.join(map(str, args))} ended with {done.returncode}: {done.stderr}{done.stdout}")
        return done

    def json(self, *args, **kw):
        return json.loads(self.run(*args, "--json", **kw).stdout)

    def drop(self, text, name=None, folder="outgoing"):
        """Puts a spool file as a careful script does: written elsewhere, then renamed into the folder."""
        name = name or f"test-{random.randrange(1 << 40):x}"
        data = text if isinstance(text, bytes) else text.encode()
        temp = self.dir / f".new-{name}"
        temp.write_bytes(data)
        os.rename(temp, self.dir / "spool" / folder / name)
        return name

    def files(self, folder):
        path = self.dir / "spool" / folder
        return sorted(p for p in path.iterdir() if not p.name.startswith(".")) if path.exists() else []

    def sql(self, query, *args):
        with sqlite3.connect(f"file:{self.dir}/simgate.db?mode=ro", uri=True, timeout=30) as db:
            return db.execute(query, args).fetchall()

    def wait(self, what, condition, seconds=30):
        """Until condition() is true; its value."""
        end = time.monotonic() + seconds * PATIENCE
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > end:
                raise Failure(f"{what} did not come within {seconds} s")
            time.sleep(0.02)


def equal(got, wanted, what="value"):
    if got != wanted:
        raise Failure(f"{what}: expected {wanted!r}, got {got!r}")


def true(value, what):
    if not value:
        raise Failure(what)


def main(scope):
    """Runs every test_* of the module: main(globals())."""
    build = sys.argv[1] if len(sys.argv) > 1 else "build"
    only = sys.argv[2:]
    passed = failed = 0
    for name, test in list(scope.items()):
        if not name.startswith("test_") or (only and name not in only):
            continue
        start = time.monotonic()
        try:
            test(build)
            passed += 1
            print(f"ok   {name} ({time.monotonic() - start:.1f}s)", flush=True)
        except Exception:  # noqa: BLE001: a test must not hide the others
            failed += 1
            traceback.print_exc(file=sys.stdout)
            print(f"FAIL {name} ({time.monotonic() - start:.1f}s)", flush=True)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
