#!/usr/bin/python3
"""`make bench`: measures and prints a table; docs/performance.md holds the figures of one machine.

    run.py BUILD [NAME…]     NAME: pure, store, out, line, latency, in, many, idle

Each figure is from one run of the real programs (release build) on simulated modems; the machine's noise is in it.
"""
import os
import pathlib
import pty
import statistics
import subprocess
import sys
import threading
import time
import tty

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import lab  # noqa: E402

BUILD = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build").resolve()
TICKS = os.sysconf("SC_CLK_TCK")
NO_RULES = "rules = ();"
QUIET = 'log = "warning";'


def row(name, value, unit):
    value = f"{value:,.0f}" if isinstance(value, (int, float)) and abs(value) >= 100 else (
        f"{value:.3g}" if isinstance(value, float) else str(value))
    print(f"  {name:<62} {value:>12} {unit}", flush=True)


def title(text):
    print(f"\n{text}", flush=True)


# ---- what the kernel knows of a process

def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mib(pid):
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Rss:"):
            rss = int(line.split()[1]) / 1024
        if line.startswith("Pss:"):
            return rss, int(line.split()[1]) / 1024
    return 0, 0


def wakeups(pid):
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        for line in (task / "status").read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches"):
                total += int(line.split()[1])
    return total


def ready(it):
    it.wait("all modems to be ready",
            lambda: all(m["state"] == "ready" for m in it.json("modems")["modems"]), 60)


def counts(it):
    return it.tell("counts")


def submitted(it):
    return counts(it)["submitted"]


def drop_many(it, n, text="To: 4915112345678\n\nHello from the spool, number {n}. How are you today?\n", batch="out"):
    """n files written elsewhere first, then renamed into outgoing/ as fast as can be; the time of the first rename."""
    new = it.dir / "new"
    new.mkdir(exist_ok=True)
    for i in range(n):
        (new / f"{batch}{i}").write_text(text.format(n=i))
    start = time.monotonic()
    for i in range(n):
        os.rename(new / f"{batch}{i}", it.dir / "spool" / "outgoing" / f"{batch}{i}")
    return start


def outbound(modems, n, args=(), name=""):
    """messages a second, CPU per message, memory; all durable."""
    with lab.Lab(BUILD, modems=modems, rest=NO_RULES, modem_conf="", gateway=QUIET, modem_args=args) as it:
        it.start()
        ready(it)
        before = cpu_seconds(it.daemon.pid)
        start = drop_many(it, n)
        it.wait("all messages on the air", lambda: submitted(it) >= n, 300)
        seconds = time.monotonic() - start
        it.wait("all files in sent/", lambda: len(os.listdir(it.dir / "spool" / "sent")) >= n, 300)
        all_seconds = time.monotonic() - start
        cpu = (cpu_seconds(it.daemon.pid) - before) / n
        rss, pss = memory_mib(it.daemon.pid)
        row(f"{name}: messages a second on the air", n / seconds, "/s")
        row(f"{name}: the same until every file is in sent/", n / all_seconds, "/s")
        row(f"{name}: CPU per message", cpu * 1000, "ms")
        row(f"{name}: memory after that (resident; proportional)", f"{rss:.1f}; {pss:.1f}", "MiB")


def bench_out():
    title("From the spool to the network, no network delay, every message with its three commits")
    outbound(1, 6000, name="1 modem")


def bench_many():
    title("More modems")
    outbound(8, 12000, name="8 modems")
    outbound(64, 24000, name="64 modems")


def send_by_socket(it, n):
    """n messages by the control socket, pipelined, from one client."""
    import json
    import socket
    s = socket.socket(socket.AF_UNIX)
    s.connect(str(it.dir / "simgate.sock"))
    lines = b"".join(json.dumps({"id": i, "do": "send", "to": ["+4915112345678"], "text": f"Hello number {i}, how are you?"})
                     .encode() + b"\n" for i in range(n))
    start = time.monotonic()
    threading.Thread(target=s.sendall, args=(lines,), daemon=True).start()
    got = 0
    while got < n:
        chunk = s.recv(1 << 16)
        if not chunk:
            raise lab.Failure("the control socket closed")
        got += chunk.count(b"\n")
    return start, time.monotonic() - start


def bench_socket():
    title("From the control socket")
    n = 6000
    with lab.Lab(BUILD, rest=NO_RULES, modem_conf="", gateway=QUIET) as it:
        it.start()
        ready(it)
        before = cpu_seconds(it.daemon.pid)
        start, accepted = send_by_socket(it, n)
        it.wait("all messages on the air", lambda: submitted(it) >= n, 300)
        row("1 modem: messages accepted a second (durable)", n / accepted, "/s")
        row("1 modem: messages a second on the air", n / (time.monotonic() - start), "/s")
        row("1 modem: CPU per message", (cpu_seconds(it.daemon.pid) - before) / n * 1000, "ms")


def bench_line():
    title("One modem at 115200 baud: how much of the line's time is used")
    n = 600
    with lab.Lab(BUILD, rest=NO_RULES, modem_conf="", gateway=QUIET, modem_args=["--baud", "115200"]) as it:
        it.start()
        ready(it)
        text = "To: 4915112345678\n\n" + "A message of one hundred and forty characters, more or less, as shops write them to their customers every day of the week. Good bye!\n"
        before = counts(it)
        start = drop_many(it, n, text)
        it.wait("all messages on the air", lambda: submitted(it) >= n, 300)
        seconds = time.monotonic() - start
        after = counts(it)
        octets = (after["bytes_in"] - before["bytes_in"]) + (after["bytes_out"] - before["bytes_out"])
        row("messages a second", n / seconds, "/s")
        row("bytes on the line per message, both ways", octets / n, "bytes")
        row("share of the line's limit (one byte at a time, 10 bits each)", octets * 10 / 115200 / seconds, "")


class QuickModem(threading.Thread):
    """A modem that answers at once and notes when the last byte of each PDU came (in this process's clock)."""

    def __init__(self, link):
        super().__init__(daemon=True)
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        os.symlink(os.ttyname(slave), link)
        self.slave, self.pdus, self.inbox, self.lock = slave, [], {}, threading.Lock()

    def put(self, text):
        os.write(self.master, text.encode())

    def answer(self, line):
        upper = line.upper()
        fixed = {"AT+CPIN?": "+CPIN: READY", "AT+CGSN": "490154203237518", "AT+CIMI": "262011234567890", "AT+CMEE?": "+CMEE: 1",
                 "AT+CREG?": "+CREG: 1,1", "AT+CEREG?": "+CEREG: 1,1", "AT+CGREG?": "+CGREG: 1,1", "AT+CSQ": "+CSQ: 20,99",
                 "AT+COPS?": '+COPS: 0,0,"Lab"', "AT+CSCA?": '+CSCA: "+491710760000",145', "AT+CGMI": "Lab", "AT+CGMM": "Quick",
                 "AT+CGMR": "1", "AT+CSMS?": "+CSMS: 0,1,1,1", "AT+CMGF?": "+CMGF: 0", "AT+CNMI?": "+CNMI: 2,1,0,1,0",
                 "AT+CPMS=?": '+CPMS: ("SM"),("SM"),("SM")', "AT+CPMS?": '+CPMS: "SM",0,50,"SM",0,50,"SM",0,50'}
        if upper in fixed:
            return f"\r\n{fixed[upper]}\r\n\r\nOK\r\n"
        if upper.startswith("AT+CSMS="):
            return "\r\n+CSMS: 1,1,1\r\n\r\nOK\r\n"
        if upper.startswith("AT+CPMS="):
            return "\r\n+CPMS: 0,50,0,50,0,50\r\n\r\nOK\r\n"
        if upper.startswith("AT+CMGR="):
            pdu = self.inbox.get(int(upper.split("=")[1]))
            return f"\r\n+CMGR: 0,,{len(pdu) // 2 - 8}\r\n{pdu}\r\n\r\nOK\r\n" if pdu else "\r\n+CMS ERROR: 321\r\n"
        if upper.startswith("AT+CMGD="):
            self.inbox.pop(int(upper.split("=")[1].split(",")[0]), None)
        return "\r\nOK\r\n"

    def run(self):
        pending = b""
        mr = 0
        while True:
            pending += os.read(self.master, 4096)
            now = time.monotonic_ns()
            while True:
                cut = min((pending.find(c) for c in (b"\r", b"\x1a") if c in pending), default=-1)
                if cut < 0:
                    break
                word, end = pending[:cut].strip().decode(errors="replace"), pending[cut:cut + 1]
                pending = pending[cut + 1:]
                if end == b"\x1a":
                    self.pdus.append((now, word))
                    mr = (mr + 1) % 256
                    self.put(f"\r\n+CMGS: {mr}\r\n\r\nOK\r\n")
                elif word.upper().startswith("AT+CMGS="):
                    self.put("\r\n> ")
                elif word:
                    self.put(self.answer(word.lstrip("\x1b")))


# SMSC +491710760000; DELIVER from +4915112345678: "hours"
DELIVER = "07919471017600F0040D91945111325476F80000621112903242400568F7BB3E07"


def quick_lab(rest):
    it = lab.Lab(BUILD, rest=rest, modem_conf="", gateway=QUIET, pin="")
    modem = QuickModem(it.dir / "modem0")
    modem.start()
    it.start_daemon()
    ready(it)
    return it, modem


def percentiles(name, values_ns):
    values = sorted(v / 1e6 for v in values_ns)
    row(f"{name}, median", statistics.median(values), "ms")
    row(f"{name}, 99th of 100", values[int(len(values) * 0.99)], "ms")


def bench_latency():
    title("An idle daemon: how fast is one message")
    it, modem = quick_lab('rules = ( { name = "all"; reply = "auto reply"; } ); guard = { replies = 1000; };')
    with it:
        times = []
        for i in range(300):
            (it.dir / "new").write_text(f"To: 4915112345678\n\nHello {i}\n")
            seen = len(modem.pdus)
            start = time.monotonic_ns()
            os.rename(it.dir / "new", it.dir / "spool" / "outgoing" / f"one{i}")
            it.wait("the PDU", lambda n=seen: len(modem.pdus) > n)
            times.append(modem.pdus[seen][0] - start)
            time.sleep(0.01)
        percentiles("from a file's rename into outgoing/ to its PDU's last byte", times)
        times = []
        for i in range(300):
            # another second in the service centre's time stamp, so that it is another message
            pdu = DELIVER.replace("62111290324240", f"621112{i // 60 % 24 % 10}{i // 60 % 24 // 10}{i % 60 % 10}{i % 60 // 10}4240")
            modem.inbox[1] = pdu
            seen = len(modem.pdus)
            start = time.monotonic_ns()
            modem.put('\r\n+CMTI: "SM",1\r\n')
            it.wait("the reply", lambda n=seen: len(modem.pdus) > n)
            times.append(modem.pdus[seen][0] - start)
            it.wait("the deletion", lambda: 1 not in modem.inbox)
            time.sleep(0.01)
        percentiles("automatic reply: from the notice to the reply's last byte", times)


def bench_in():
    title("Inbound, from the network to the database, deleted from the SIM")
    n = 4000
    with lab.Lab(BUILD, rest=NO_RULES, modem_conf="", gateway=QUIET) as it:
        it.start()
        ready(it)
        before = cpu_seconds(it.daemon.pid)
        start = time.monotonic()
        for i in range(n):
            it.tell(f"text modem0 +49151{i:07d} Hello number {i}, are you open?")
        it.wait("all messages to be deleted", lambda: counts(it)["deleted_messages"] >= n, 300)
        seconds = time.monotonic() - start
        row("messages a second, stored and deleted", n / seconds, "/s")
        row("CPU per message", (cpu_seconds(it.daemon.pid) - before) / n * 1000, "ms")


def bench_idle():
    title("Idle")
    length = float(os.environ.get("IDLE_SECONDS", "200"))
    for modems in (1, 64):
        with lab.Lab(BUILD, modems=modems, gateway=QUIET) as it:
            it.start()
            ready(it)
            time.sleep(3)
            wakes, cpu = wakeups(it.daemon.pid), cpu_seconds(it.daemon.pid)
            time.sleep(length)
            row(f"{modems} modem{'s' * (modems > 1)}: wake-ups a second", (wakeups(it.daemon.pid) - wakes) / length, "/s")
            row(f"{modems} modem{'s' * (modems > 1)}: wake-ups a second and modem",
                (wakeups(it.daemon.pid) - wakes) / length / modems, "/s")
            row(f"{modems} modem{'s' * (modems > 1)}: CPU", (cpu_seconds(it.daemon.pid) - cpu) / length * 3600, "s/hour")
            row(f"{modems} modem{'s' * (modems > 1)}: memory (resident; proportional)",
                "; ".join(f"{m:.1f}" for m in memory_mib(it.daemon.pid)), "MiB")


def programs(names):
    for name in names:
        path = BUILD / "tests" / "bench" / name
        if not path.exists():
            continue
        done = subprocess.run([path], capture_output=True, text=True, check=False)
        for line in done.stdout.splitlines():
            parts = line.split("\t")
            if len(parts) == 3:
                row(parts[0], float(parts[1]), parts[2])


def bench_pure():
    title("One core, no input and output")
    programs(["bench_pdu", "bench_at", "bench_engine"])


def bench_store():
    title("The store and the queue")
    programs(["bench_store", "bench_gateway"])


BENCHES = {"pure": bench_pure, "store": bench_store, "out": bench_out, "socket": bench_socket, "many": bench_many,
           "line": bench_line, "latency": bench_latency, "in": bench_in, "idle": bench_idle}


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    print(f"{os.cpu_count()} cores, {model}; Linux {os.uname().release}; load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    machine()
    for wanted in sys.argv[2:] or BENCHES:
        BENCHES[wanted]()
