#!/usr/bin/python3
"""simgate-modem, judged by others: smstools, gammu-smsd and Kannel, unmodified from Debian.

Each sends a hundred messages and receives a hundred through its own simulated modem, all three at once. A
message counts when both sides have it: the modem's log and the peer's own spool, exactly once each. A peer
that is not installed is skipped by name.

    tests/e2e/test_peers.py BUILD [PEER ...]

BUILD is the build directory, or the program itself. COUNT and DEADLINE (seconds) in the environment change the
hundred and the time. Prints `N passed, N failed`; exits 0 when nothing failed.
"""
import collections
import http.server
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

COUNT = int(os.environ.get("COUNT", "100"))
DEADLINE_S = int(os.environ.get("DEADLINE", "600"))
CUSTOMER = "+491701%06d"


class Modem:
    """A running simgate-modem and its log."""

    def __init__(self, program, directory):
        self.directory = directory
        self.log_path = os.path.join(directory, "modem.log")
        self.process = subprocess.Popen(
            [program, "--dir", directory, "--log", self.log_path],
            stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if line.strip() == "ready":
                break
        self.device = os.path.join(directory, "modem0")

    def tell(self, command):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(os.path.join(self.directory, "control"))
            s.sendall(command.encode() + b"\n")
            answer = json.loads(s.makefile().readline())
        if not answer["ok"]:
            raise RuntimeError("%s: %s" % (command, answer["error"]))
        return answer

    def events(self):
        with open(self.log_path, encoding="utf-8") as f:
            return [json.loads(line) for line in f if line.endswith("\n")]

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


class Peer:
    """What the three have in common: a directory, a modem, a process or two."""
    needs = ()

    def __init__(self, program):
        self.directory = tempfile.mkdtemp(prefix="simgate-%s-" % self.name)
        self.modem = Modem(program, self.directory)
        self.processes = []
        self.failures = []
        self.passes = 0

    def path(self, *parts):
        return os.path.join(self.directory, *parts)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)
        return self.path(name)

    def spawn(self, *command):
        out = open(self.path("output.%d" % len(self.processes)), "wb")
        self.processes.append(subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
            cwd=self.directory, start_new_session=True))

    def stop(self):
        for p in reversed(self.processes):
            try:
                os.killpg(p.pid, signal.SIGTERM)
                p.wait(5)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                os.killpg(p.pid, signal.SIGKILL)
                p.wait(5)
        self.modem.stop()

    def check(self, what, wanted, got):
        if wanted == got:
            self.passes += 1
        else:
            self.failures.append("%s: %s: wanted %s, got %s" % (self.name, what, wanted, got))

    def outgoing(self):
        return ["%s out %d" % (self.name, i) for i in range(COUNT)]

    def incoming(self):
        return ["%s in %d" % (self.name, i) for i in range(COUNT)]

    def finished(self):
        events = self.modem.events()
        return (sum(e["event"] == "submitted" for e in events) >= COUNT and
                sum(taken_from_modem(e) for e in events) >= COUNT and
                len(self.sent()) >= COUNT and len(self.received()) >= COUNT)

    def run(self):
        until = time.monotonic() + DEADLINE_S
        try:
            self.start()
            for i, text in enumerate(self.incoming()):
                self.modem.tell("text modem0 %s %s" % (CUSTOMER % i, text))
            for i, text in enumerate(self.outgoing()):
                self.send(CUSTOMER % i, text)
            while time.monotonic() < until and not self.finished():
                if any(p.poll() is not None for p in self.processes):
                    break
                time.sleep(0.5)
            time.sleep(1)  # a message too many would come now
            self.judge()
        except Exception as e:  # a peer that cannot run is a failure, not the end of the others
            self.failures.append("%s: %s" % (self.name, e))
        finally:
            self.stop()

    def judge(self):
        events = self.modem.events()
        submitted = collections.Counter(e["text"] for e in events if e["event"] == "submitted")
        taken = collections.Counter(e["text"] for e in events if taken_from_modem(e))
        self.check("submitted, in the modem's log", (COUNT, {1}),
                   (len(submitted.keys() & set(self.outgoing())), set(submitted.values())))
        self.check("acknowledged, in the modem's log", (COUNT, {1}),
                   (len(taken.keys() & set(self.incoming())), set(taken.values())))
        self.check("sent, in its own books", COUNT, len(self.sent()))
        received = collections.Counter(self.received())
        self.check("received, in its own books", (COUNT, {1}),
                   (len(received.keys() & set(self.incoming())), set(received.values())))


def taken_from_modem(event):
    """A message that left the modem: deleted, acknowledged, or shown where the modem acknowledges itself."""
    if event.get("report"):
        return False
    return event["event"] in ("deleted", "acked") or (event["event"] == "shown" and not event.get("code"))


def read_files(directory):
    for name in sorted(os.listdir(directory)):
        try:
            with open(os.path.join(directory, name), encoding="utf-8", errors="replace") as f:
                yield f.read()
        except FileNotFoundError:
            pass


class Smstools(Peer):
    name = "smstools"
    needs = ("/usr/sbin/smsd",)

    def start(self):
        for d in ("outgoing", "checked", "incoming", "sent", "failed"):
            os.mkdir(self.path(d))
        conf = self.write("smsd.conf", """devices = GSM1
outgoing = {d}/outgoing
checked = {d}/checked
incoming = {d}/incoming
sent = {d}/sent
failed = {d}/failed
logfile = {d}/smsd.log
infofile = {d}/smsd.info
pidfile = {d}/smsd.pid
delaytime = 1
delaytime_mainprocess = 1
blocktime = 5
errorsleeptime = 1

[GSM1]
device = {device}
baudrate = 115200
incoming = yes
""".format(d=self.directory, device=self.modem.device))
        self.spawn("/usr/sbin/smsd", "-t", "-c", conf)

    def send(self, to, text):
        name = text.replace(" ", "-")
        self.write(name, "To: %s\n\n%s" % (to.lstrip("+"), text))
        os.rename(self.path(name), self.path("outgoing", name))

    def sent(self):
        return list(read_files(self.path("sent")))

    def received(self):
        return [f.split("\n\n", 1)[1].strip() for f in read_files(self.path("incoming")) if "\n\n" in f]


class Gammu(Peer):
    name = "gammu-smsd"
    needs = ("/usr/bin/gammu-smsd",)

    def start(self):
        for d in ("inbox", "outbox", "sent", "error"):
            os.mkdir(self.path(d))
        conf = self.write("gammu.conf", """[gammu]
device = {device}
connection = at115200

[smsd]
service = files
inboxpath = {d}/inbox/
outboxpath = {d}/outbox/
sentsmspath = {d}/sent/
errorsmspath = {d}/error/
logfile = {d}/gammu.log
debuglevel = 0
commtimeout = 1
sendtimeout = 10
receivefrequency = 1
statusfrequency = 0
checksecurity = 0
checkbattery = 0
checksignal = 0
checknetwork = 0
loopsleep = 1
""".format(d=self.directory, device=self.modem.device))
        self.spawn("/usr/bin/gammu-smsd", "-c", conf)

    def send(self, to, text):
        self.write("new.txt", text)
        os.rename(self.path("new.txt"), self.path("outbox", "OUT%s.txt" % to))

    def sent(self):
        return [n for n in os.listdir(self.path("sent")) if n.endswith(".txt")]

    def received(self):
        return [f.strip() for f in read_files(self.path("inbox"))]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Kannel(Peer):
    name = "kannel"
    needs = ("/usr/sbin/bearerbox", "/usr/sbin/smsbox")

    def start(self):
        self.got = []
        self.service = self.listen()
        self.ports = [free_port() for _ in range(3)]
        os.mkdir(self.path("spool"))
        conf = self.write("kannel.conf", """group = core
admin-port = {p[0]}
smsbox-port = {p[1]}
admin-password = x
log-file = {d}/kannel.log
log-level = 1
access-log = {d}/access.log
store-type = spool
store-location = {d}/spool
box-allow-ip = 127.0.0.1
admin-interface = 127.0.0.1
smsbox-interface = 127.0.0.1
admin-allow-ip = 127.0.0.1

group = smsc
smsc = at
smsc-id = sim
modemtype = generic
device = {device}
speed = 115200
my-number = +491520000000

group = modems
id = generic
name = "Simulated modem"
detect-string = "simgate"
init-string = "AT+CNMI=1,2,0,1,0"

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {p[2]}
sendsms-interface = 127.0.0.1
global-sender = 491520000000
log-file = {d}/smsbox.log
log-level = 1

group = sendsms-user
username = test
password = test
max-messages = 1

group = sms-service
keyword = default
get-url = "http://127.0.0.1:{http}/?text=%b"
max-messages = 0
catch-all = true
""".format(d=self.directory, device=self.modem.device, p=self.ports,
           http=self.service.server_address[1]))
        self.spawn("/usr/sbin/bearerbox", conf)
        wait_for_port(self.ports[1])
        self.spawn("/usr/sbin/smsbox", conf)
        wait_for_port(self.ports[2])
        # Kannel reads no store: what comes before its AT+CNMI it never sees.
        wait_until(lambda: "successfully opened" in open(self.path("kannel.log"), encoding="utf-8").read(),
                   "kannel did not open the modem")

    def listen(self):
        got = self.got

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
                got.append(query["text"][0])
                self.send_response(200)
                self.send_header("Content-Type", "text/plain")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    def send(self, to, text):
        query = urllib.parse.urlencode({"username": "test", "password": "test", "to": to, "text": text})
        urllib.request.urlopen("http://127.0.0.1:%d/cgi-bin/sendsms?%s" % (self.ports[2], query), timeout=10)

    def sent(self):
        try:
            with open(self.path("access.log"), encoding="utf-8", errors="replace") as f:
                return re.findall(r"Sent SMS .*\[to:([^]]*)\]", f.read())
        except FileNotFoundError:
            return []

    def received(self):
        return list(self.got)


def wait_until(true, complaint):
    for _ in range(150):
        if true():
            return
        time.sleep(0.1)
    raise RuntimeError(complaint)


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def wait_for_port(port):
    wait_until(lambda: answers(port), "port %d does not answer" % port)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program = os.path.abspath(sys.argv[1])
    if os.path.isdir(program):
        program = os.path.join(program, "simgate-modem")
    wanted = sys.argv[2:]
    runs, skipped = [], []
    for kind in (Smstools, Gammu, Kannel):
        if wanted and kind.name not in wanted:
            continue
        if all(os.access(p, os.X_OK) for p in kind.needs):
            runs.append(kind(program))
        else:
            skipped.append(kind.name)
    threads = []
    for peer in runs:
        def timed(p=peer):
            start = time.monotonic()
            p.run()
            print("# %s: %d out and %d in, %.0f s, %d checks passed, %d failed" % (
                p.name, COUNT, COUNT, time.monotonic() - start, p.passes, len(p.failures)), flush=True)
        threads.append(threading.Thread(target=timed))
        threads[-1].start()
    for t in threads:
        t.join()
    for peer in runs:
        for failure in peer.failures:
            print("FAIL %s (files in %s)" % (failure, peer.directory))
        if not peer.failures:
            shutil.rmtree(peer.directory, ignore_errors=True)
    for name in skipped:
        print("# skipped: %s is not installed" % name)
    failed = sum(len(p.failures) for p in runs)
    print("%d passed, %d failed%s" % (sum(p.passes for p in runs), failed,
                                      ", %d skipped" % len(skipped) if skipped else ""))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
