#!/usr/bin/python3
"""`make bench-peers`: smstools from Debian beside simgate, on the same simulated modem, in one run.

    peers.py BUILD [NAME…]     NAME: out, line, latency, in, idle

smsd is unmodified and tuned for speed as its documents recommend (see SMSD_CONF). Both do the same work one after the
other, RUNS times in turns (3); the medians are printed, and what simgate reaches to what smstools reaches. Folders are
in BUILD/bench, or in LAB_DIR. IDLE_SECONDS (60) is how long idling is watched.
"""
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import run  # noqa: E402
from run import lab  # noqa: E402

RUNS = int(os.environ.get("RUNS", "3"))
SMSD = "/usr/sbin/smsd"

# What doc/configure.html says makes smsd faster: notifier (files are picked up at once), trust_outgoing,
# spool_directory_order (no sorting), nothing asked of the modem before a message that need not be, no waiting for
# unexpected input before each command (twice 0.1 s), answers polled often, a second where it must sleep at all.
SMSD_CONF = """devices = GSM1
outgoing = {d}/spool/outgoing
checked = {d}/spool/checked
incoming = {d}/spool/incoming
sent = {d}/spool/sent
failed = {d}/spool/failed
logfile = {d}/smsd.log
infofile = {d}/smsd.info
pidfile = {d}/smsd.pid
loglevel = 4
delaytime = 1
delaytime_mainprocess = 1
notifier = yes
trust_outgoing = yes
spool_directory_order = yes
executable_check = no
autosplit = 3
blocktime = 5
errorsleeptime = 1

[GSM1]
device = {d}/modem0
baudrate = 115200
incoming = yes
check_network = 0
pre_init = no
detect_message_routing = no
detect_unexpected_input = no
poll_faster = {poll}
"""
FOLDERS = ("outgoing", "checked", "incoming", "sent", "failed")


class Smstools:
    name = "smstools"

    def __init__(self, modem_args=()):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="smstools-", dir=os.environ["LAB_DIR"]))
        self.modem_args, self.modem, self.daemon = list(modem_args), None, None
        for folder in FOLDERS:
            (self.dir / "spool" / folder).mkdir(parents=True)
        (self.dir / "smsd.conf").write_text(SMSD_CONF.format(d=self.dir, poll=os.environ.get("POLL_FASTER", "200")))

    def start_modem(self):
        self.modem = subprocess.Popen([run.BUILD / "simgate-modem", "--dir", self.dir, *self.modem_args],
                                      stdout=subprocess.DEVNULL)
        self.wait("the simulated modem", (self.dir / "control").is_socket)

    def start_daemon(self):
        self.daemon = subprocess.Popen([SMSD, "-t", "-c", self.dir / "smsd.conf"], cwd=self.dir, start_new_session=True,
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def ready(self):
        """It says nothing when it is ready: one message is sent."""
        self.wait("smsd's processes", lambda: len(self.pids()) > 1)
        (self.dir / "first").write_text("To: 4915112345678\n\nfirst\n")
        os.rename(self.dir / "first", self.dir / "spool" / "outgoing" / "first")
        self.wait("its first message", lambda: os.listdir(self.dir / "spool" / "sent"))
        time.sleep(1.5)

    def pids(self):
        """Those of its session."""
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = path.read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[3]) == self.daemon.pid and fields[0] != "Z":
                found.append(int(path.parent.name))
        return found

    tell, wait = lab.Lab.tell, lab.Lab.wait

    def close(self):
        if self.daemon:
            os.killpg(self.daemon.pid, signal.SIGTERM)
            try:
                self.daemon.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.daemon.pid, signal.SIGKILL)
                self.daemon.wait()
        if self.modem:
            self.modem.terminate()
            self.modem.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


class Simgate(lab.Lab):
    name = "simgate"

    def __init__(self, modem_args=()):
        super().__init__(run.BUILD, rest=run.NO_RULES, modem_conf="", gateway=run.QUIET, pin="", modem_log=False,
                         modem_args=modem_args)

    def ready(self):
        run.ready(self)

    def pids(self):
        return [self.daemon.pid]


class Meter:
    """run.Meter for all processes of a daemon."""

    def __init__(self, it):
        self.meters = [run.Meter(pid) for pid in it.pids()]

    def seconds(self):
        return self.meters[0].seconds()

    def cpu_ms(self):
        return sum(m.cpu_ms() for m in self.meters)

    def wakeups(self):
        return sum(m.wakeups() for m in self.meters)


def in_spool(it, folder):
    return len(os.listdir(it.dir / "spool" / folder))


def started(kind, modem_args=()):
    it = kind(modem_args)
    it.start_modem()
    it.start_daemon()
    it.ready()
    return it


# ---- the work: each returns what was measured, by name

def send_all(it, n, text):
    """Seconds and CPU until all are on the air; CPU until all files are in sent/ too."""
    before, sent, meter = run.submitted(it), in_spool(it, "sent"), Meter(it)
    start = run.drop_many(it, n, text)
    it.wait("all messages on the air", lambda: run.submitted(it) - before >= n, 600)
    seconds = time.monotonic() - start
    it.wait("all files in sent/", lambda: in_spool(it, "sent") - sent >= n, 600)
    return seconds, time.monotonic() - start, meter.cpu_ms() / n


def work_out(kind):
    n = 4000 if kind is Simgate else 400
    it = started(kind)
    try:
        seconds, all_seconds, cpu = send_all(it, n, "To: 4915112345678\n\nHello from the spool, number {n}.\n")
    finally:
        it.close()
    return {"messages a second on the air": n / seconds, "messages a second until in sent/": n / all_seconds,
            "CPU per message, ms": cpu}


def work_line(kind):
    n = 300
    it = started(kind, ["--baud", "115200"])
    try:
        before = run.counts(it)
        seconds = send_all(it, n, f"To: 4915112345678\n\n{run.LINE_TEXT}\n")[0]
        after = run.counts(it)
    finally:
        it.close()
    octets = sum(after[k] - before[k] for k in ("bytes_in", "bytes_out"))
    return {"messages a second": n / seconds, "share of the line's time": octets * 10 / 115200 / seconds,
            "bytes on the line per message": octets / n}


def work_latency(kind):
    it = kind()
    modem = run.QuickModem(it.dir / "modem0")
    modem.start()
    it.start_daemon()
    times = []
    try:
        it.ready()
        for i in range(50):
            (it.dir / "new").write_text(f"To: 4915112345678\n\nHello {i}\n")
            seen, start = len(modem.pdus), time.monotonic_ns()
            os.rename(it.dir / "new", it.dir / "spool" / "outgoing" / f"one{i}")
            run.wait_for(lambda n=seen: len(modem.pdus) > n)
            times.append((modem.pdus[seen][0] - start) / 1e6)
            time.sleep(0.2)
    finally:
        it.close()
    return {"rename to the PDU's last byte, median ms": statistics.median(times)}


def work_in(kind):
    n = 4000 if kind is Simgate else 600
    it = started(kind)
    try:
        meter = Meter(it)
        run.inject(it, n)
        it.wait("all messages to be deleted and in incoming/",
                lambda: run.counts(it)["deleted_messages"] >= n and in_spool(it, "incoming") >= n, 600)
        return {"messages a second, deleted and in incoming/": n / meter.seconds(), "CPU per message, ms": meter.cpu_ms() / n}
    finally:
        it.close()


def work_idle(kind):
    length = float(os.environ.get("IDLE_SECONDS", "60"))
    it = started(kind)
    try:
        time.sleep(3)
        meter = Meter(it)
        time.sleep(length)
        return {"wake-ups a second": meter.wakeups() / length, "CPU, s/hour": meter.cpu_ms() / 1000 / length * 3600,
                "memory (proportional), MiB": sum(run.memory_mib(pid)[1] for pid in it.pids())}
    finally:
        it.close()


WORK = {"out": ("Outbound, one modem without delay", work_out), "line": ("Outbound, one modem at 115200 baud", work_line),
        "latency": ("An idle daemon, one message", work_latency), "in": ("Inbound", work_in), "idle": ("Idle, one modem", work_idle)}


def compare(title, work):
    results = {Simgate: [], Smstools: []}
    for _ in range(RUNS):
        for kind, all_runs in results.items():
            all_runs.append(work(kind))
    run.title(title)
    for name in results[Simgate][0]:
        ours, theirs = (statistics.median(r[name] for r in results[k]) for k in (Simgate, Smstools))
        ratio = f"{ours / theirs:.3g}" if theirs else "-"
        print(f"  {name:<46} {ours:>12,.3f} {theirs:>12,.3f} {ratio:>10}", flush=True)


def main():
    if not os.access(SMSD, os.X_OK):
        sys.exit("smstools is not installed")
    made = "LAB_DIR" not in os.environ
    if made:
        os.environ["LAB_DIR"] = str(run.BUILD / "bench")
        os.makedirs(os.environ["LAB_DIR"], exist_ok=True)
    run.machine()
    print(f"{'':<48} {'simgate':>12} {'smstools':>12} {'ratio':>10}")
    for name in sys.argv[2:] or WORK:
        compare(*WORK[name])
    if made:
        shutil.rmtree(os.environ["LAB_DIR"], ignore_errors=True)


if __name__ == "__main__":
    main()
