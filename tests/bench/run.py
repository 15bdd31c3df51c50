#!/usr/bin/python3
"""`make bench`: measures and prints a table; docs/performance.md holds the figures of one machine.

    run.py BUILD [NAME…]     NAME: pure, handlers, store, out, socket, many, million, line, latency, in, idle

Each figure is from one run of the real programs (release build) on simulated modems; the machine's noise is in it.
Databases and spools are in BUILD/bench, on the disk that BUILD is on; LAB_DIR in the environment puts them elsewhere.
"""
import json
import os
import pathlib
import pty
import shutil
import socket
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
MEMORY = "/dev/shm"


def row(name, value, unit):
    value = f"{value:,.0f}" if isinstance(value, (int, float)) and abs(value) >= 100 else (
        f"{value:.3g}" if isinstance(value, float) else str(value))
    print(f"  {name:<72} {value:>12} {unit}", flush=True)


def title(text):
    print(f"\n{text}", flush=True)


def a_lab(modems=1, rest=NO_RULES, **more):
    return lab.Lab(BUILD, modems=modems, rest=rest, modem_conf="", gateway=QUIET, modem_log=False, **more)


# ---- what the kernel knows of a process

def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mib(pid):
    """Resident; of that its share of what others use too; and what it alone wrote (the rest is code of libraries)."""
    lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    kib = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return [kib[name] / 1024 for name in ("Rss", "Pss", "Private_Dirty")]


def wakeups(pid):
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        for line in (task / "status").read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches"):
                total += int(line.split()[1])
    return total


class Meter:
    """What a process used since the meter was made."""

    def __init__(self, pid):
        self.pid, self.cpu, self.woken, self.start = pid, cpu_seconds(pid), wakeups(pid), time.monotonic()

    def seconds(self):
        return time.monotonic() - self.start

    def cpu_ms(self, n=1):
        return (cpu_seconds(self.pid) - self.cpu) * 1000 / n

    def wakeups(self):
        return wakeups(self.pid) - self.woken


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


def show_memory(it, name):
    row(f"{name}: memory (resident; proportional; its own)", "; ".join(f"{m:.1f}" for m in memory_mib(it.daemon.pid)), "MiB")


def outbound(modems, n, args=()):
    """From the spool: messages a second, CPU per message, memory; all durable."""
    name = f"{modems} modem{'s' * (modems > 1)}"
    with a_lab(modems, modem_args=args) as it:
        it.start()
        ready(it)
        meter = Meter(it.daemon.pid)
        start = drop_many(it, n)
        it.wait("all messages on the air", lambda: submitted(it) >= n, 300)
        seconds = time.monotonic() - start
        it.wait("all files in sent/", lambda: len(os.listdir(it.dir / "spool" / "sent")) >= n, 300)
        all_seconds = time.monotonic() - start
        row(f"{name}: messages a second on the air", n / seconds, "/s")
        row(f"{name}: the same until every file is in sent/", n / all_seconds, "/s")
        row(f"{name}: CPU per message", meter.cpu_ms(n), "ms")
        show_memory(it, name)


def bench_out():
    title("Spool files to the network, one modem without network delay")
    outbound(1, 6000)


def bench_many():
    title("Spool files to the network, more modems")
    outbound(8, 12000)
    outbound(64, 24000)


# ---- the control socket

class Client:
    """Requests to the control socket, pipelined."""

    def __init__(self, it):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(it.dir / "simgate.sock"))
        self.rest = b""

    def send_many(self, n):
        """Queues n messages; returns when each has been acknowledged."""
        lines = b"".join(json.dumps({"id": i, "do": "send", "to": ["+4915112345678"],
                                     "text": f"Hello number {i}, how are you?"}).encode() + b"\n" for i in range(n))
        writer = threading.Thread(target=self.socket.sendall, args=(lines,), daemon=True)
        writer.start()
        self.answers(n)
        writer.join()

    def answers(self, n):
        while n > 0:
            chunk = self.socket.recv(1 << 16)
            if not chunk:
                raise lab.Failure("the control socket closed")
            chunk = self.rest + chunk
            lines = chunk.split(b"\n")
            self.rest = lines.pop()
            n -= len(lines)
            if any(b'"ok":false' in line.replace(b" ", b"") for line in lines):
                raise lab.Failure(f"refused: {lines[0]}")

    def send_one(self, text):
        self.socket.sendall(json.dumps({"id": 1, "do": "send", "to": ["+4915112345678"], "text": text}).encode() + b"\n")


CLIENTS = 16  # each has a few requests under way at a time: one alone waits for the disk


def send_by_all(clients, n):
    threads = [threading.Thread(target=client.send_many, args=(n // len(clients),)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def by_socket(modems, n):
    name = f"{modems} modem{'s' * (modems > 1)}"
    with a_lab(modems) as it:
        it.start()
        ready(it)
        clients, meter = [Client(it) for _ in range(CLIENTS)], Meter(it.daemon.pid)
        send_by_all(clients, n)
        accepted = meter.seconds()
        it.wait("all messages on the air", lambda: submitted(it) >= n, 300)
        seconds = meter.seconds()
        time.sleep(0.2)
        row(f"{name}: messages accepted a second (durable)", n / accepted, "/s")
        row(f"{name}: messages a second on the air", n / seconds, "/s")
        row(f"{name}: CPU per message", meter.cpu_ms(n), "ms")
        show_memory(it, name)


def bench_socket():
    title("The control socket to the network, no network delay")
    by_socket(1, 12000)
    by_socket(8, 24000)
    by_socket(64, 24000)


def bench_million():
    count = int(os.environ.get("MILLION", "1000000"))
    title(f"Flat? {count:,} messages through 8 modems, one database")
    step = count // (10 * CLIENTS) * CLIENTS
    with a_lab(8) as it:
        it.start()
        ready(it)
        clients = [Client(it) for _ in range(CLIENTS)]
        for i in range(10):
            meter = Meter(it.daemon.pid)
            send_by_all(clients, step)
            it.wait("all messages on the air", lambda n=(i + 1) * step: submitted(it) >= n, 600)
            row(f"messages {i * step + 1:,} to {(i + 1) * step:,}: a second; CPU per message",
                f"{step / meter.seconds():,.0f}; {meter.cpu_ms(step):.3f}", "/s; ms")
        row("size of the database", os.path.getsize(it.dir / "simgate.db") / count, "bytes/message")
        show_memory(it, "8 modems")


# ---- one line at its own speed

LINE_TEXT = ("A message of one hundred and forty characters, more or less, as shops write them to their customers "
             "every day of the week. Good bye!")


def share_of_line(name, n, before, after, seconds):
    octets = sum(after[k] - before[k] for k in ("bytes_in", "bytes_out"))
    share = octets * 10 / 115200 / seconds
    row(f"{name}: messages a second", n / seconds, "/s")
    row(f"{name}: share of the line's time in use (10 bits a byte, one way at a time)", share, "")
    return share


def bench_line():
    title("One modem at 115200 baud: simgate, then a bare loop of AT+CMGS in C on the same line")
    n = int(os.environ.get("LINE_MESSAGES", "600"))
    with lab.Lab(BUILD, rest=NO_RULES, modem_conf="", gateway=QUIET, pin="", modem_args=["--baud", "115200"]) as it:
        it.start()
        ready(it)
        before = counts(it)
        start = drop_many(it, n, f"To: 4915112345678\n\n{LINE_TEXT}\n")
        it.wait("all messages on the air", lambda: submitted(it) >= n, 300)
        ours = share_of_line("simgate", n, before, counts(it), time.monotonic() - start)
        it.stop_daemon()
        pdu = it.log("submitted")[-1]["pdu"]
        before = counts(it)
        done = subprocess.run([BUILD / "tests" / "bench" / "bench_line", it.dir / "modem0", str(n),
                               str(len(pdu) // 2 - 1 - int(pdu[:2], 16)), pdu], capture_output=True, text=True, check=True)
        bare = share_of_line("bare loop", n, before, counts(it), float(done.stdout.split("\t")[3]))
        row("simgate to the bare loop", ours / bare, "")


class QuickModem(threading.Thread):
    """A modem that answers at once and notes when the last byte of each PDU came (in this process's clock)."""

    def __init__(self, link):
        super().__init__(daemon=True)
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        os.symlink(os.ttyname(slave), link)
        self.slave, self.pdus, self.inbox, self.read_ns = slave, [], {}, 0

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
            self.read_ns = time.monotonic_ns()
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
STAMP = "62111290324240"


def quick_lab(rest):
    it = lab.Lab(BUILD, rest=rest, modem_conf="", gateway=QUIET, pin="")
    modem = QuickModem(it.dir / "modem0")
    modem.start()
    it.start_daemon()
    ready(it)
    return it, modem


def percentiles(name, values_ns):
    values = sorted(v / 1e6 for v in values_ns)
    row(f"{name}: median; 99th of 100", f"{statistics.median(values):.2f}; {values[int(len(values) * 0.99)]:.2f}", "ms")


SINGLE = 300


def wait_for(condition):
    """Without polling so often that the modem's thread would be kept from its work."""
    while not condition():
        time.sleep(0.002)


def spool_latency(it, modem):
    times = []
    for i in range(SINGLE):
        (it.dir / "new").write_text(f"To: 4915112345678\n\nHello {i}\n")
        seen, start = len(modem.pdus), time.monotonic_ns()
        os.rename(it.dir / "new", it.dir / "spool" / "outgoing" / f"one{i}")
        wait_for(lambda n=seen: len(modem.pdus) > n)
        times.append(modem.pdus[seen][0] - start)
        time.sleep(0.02)
    percentiles("from a file's rename into outgoing/ to its PDU's last byte", times)


def socket_latency(it, modem):
    times, client = [], Client(it)
    for i in range(SINGLE):
        seen, start = len(modem.pdus), time.monotonic_ns()
        client.send_one(f"Hello {i}")
        wait_for(lambda n=seen: len(modem.pdus) > n)
        client.answers(1)
        times.append(modem.pdus[seen][0] - start)
        time.sleep(0.02)
    percentiles("from a request on the control socket to its PDU's last byte", times)


def reply_latency(it, modem):
    times, from_notice = [], []
    for i in range(SINGLE):
        # another minute and second in the service centre's time stamp, so that it is another message
        minute, second = divmod(i, 60)
        stamp = f"{minute % 10}{minute // 10}{second % 10}{second // 10}"
        modem.inbox[1] = DELIVER.replace(STAMP, STAMP[:8] + stamp + STAMP[12:])
        seen, start = len(modem.pdus), time.monotonic_ns()
        modem.put('\r\n+CMTI: "SM",1\r\n')
        wait_for(lambda n=seen: len(modem.pdus) > n and 1 not in modem.inbox)
        times.append(modem.pdus[seen][0] - modem.read_ns)
        from_notice.append(modem.pdus[seen][0] - start)
        time.sleep(0.02)
    percentiles("automatic reply: last byte of the message to last byte of the reply", times)
    percentiles("the same from the notice (+CMTI) on", from_notice)


def bench_latency():
    here = os.environ.get("LAB_DIR")
    for place, name in ((here, "on the disk"), (MEMORY, "in memory: what is left when a commit costs nothing")):
        title(f"An idle daemon: how fast is one message, database and spool {name}")
        os.environ["LAB_DIR"] = place
        it, modem = quick_lab('rules = ( { name = "all"; reply = "auto reply"; } ); guard = { replies = 1000; };')
        with it:
            spool_latency(it, modem)
            socket_latency(it, modem)
            reply_latency(it, modem)
    os.environ["LAB_DIR"] = here


def inject(it, n):
    """n texts for the first modem, through one connection."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(it.dir / "control"))
        lines = b"".join(f"text modem0 +49151{i:07d} Hello number {i}, are you open?\n".encode() for i in range(n))
        writer = threading.Thread(target=s.sendall, args=(lines,), daemon=True)
        writer.start()
        got = 0
        while got < n:
            got += s.recv(1 << 16).count(b"\n")


def bench_in():
    title("Inbound: from the network to the database, until deleted from the SIM")
    n = 12000
    with a_lab() as it:
        it.start()
        ready(it)
        meter = Meter(it.daemon.pid)
        inject(it, n)
        it.wait("all messages to be deleted", lambda: counts(it)["deleted_messages"] >= n, 300)
        row("messages a second, stored and deleted", n / meter.seconds(), "/s")
        row("CPU per message", meter.cpu_ms(n), "ms")


def bench_idle():
    title("Idle, with the default settings")
    length = float(os.environ.get("IDLE_SECONDS", "200"))
    for modems in (1, 8, 64):
        name = f"{modems} modem{'s' * (modems > 1)}"
        with a_lab(modems, rest=lab.RULES) as it:
            it.start()
            ready(it)
            time.sleep(3)
            meter = Meter(it.daemon.pid)
            time.sleep(length)
            row(f"{name}: wake-ups a second; and modem",
                f"{meter.wakeups() / length:.3f}; {meter.wakeups() / length / modems:.3f}", "/s")
            row(f"{name}: CPU", meter.cpu_ms() / 1000 / length * 3600, "s/hour")
            show_memory(it, name)


def programs(names):
    for name in names:
        path = BUILD / "tests" / "bench" / name
        if not path.exists():
            continue
        done = subprocess.run([path], capture_output=True, text=True, check=False,
                              env=dict(os.environ, TMPDIR=os.environ["LAB_DIR"]))
        for line in done.stdout.splitlines():
            parts = line.split("\t")
            if len(parts) == 3:
                row(parts[0], float(parts[1]), parts[2])


def bench_pure():
    title("One core, no input and output")
    programs(["bench_pdu", "bench_at", "bench_engine"])


def bench_store():
    title("The store and the queue")
    programs(["bench_store", "bench_gateway", "bench_desk", "bench_campaign"])


def bench_handlers():
    title("Handlers: programs, a server on the loopback, Lua, a shared object; 16 events at a time")
    programs(["bench_handlers"])


BENCHES = {"pure": bench_pure, "handlers": bench_handlers, "store": bench_store, "out": bench_out, "many": bench_many, "socket": bench_socket,
           "million": bench_million, "line": bench_line, "latency": bench_latency, "in": bench_in, "idle": bench_idle}


def sync_ms(directory):
    """Median time of write and fdatasync of 4 KiB at the end of a file."""
    path, times = pathlib.Path(directory) / "sync-test", []
    fd = os.open(path, os.O_CREAT | os.O_RDWR)
    for _ in range(200):
        os.write(fd, b"x" * 4096)
        start = time.perf_counter()
        os.fdatasync(fd)
        times.append((time.perf_counter() - start) * 1000)
    os.close(fd)
    path.unlink()
    return statistics.median(times)


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    print(f"{os.cpu_count()} cores, {model}; Linux {os.uname().release}; load {os.getloadavg()[0]:.1f}")
    print(f"an fdatasync of 4 KiB takes {sync_ms(os.environ['LAB_DIR']):.2f} ms where the databases are")


def main():
    made = "LAB_DIR" not in os.environ
    if made:
        os.environ["LAB_DIR"] = str(BUILD / "bench")
        os.makedirs(os.environ["LAB_DIR"], exist_ok=True)
    machine()
    for wanted in sys.argv[2:] or BENCHES:
        BENCHES[wanted]()
    if made:
        shutil.rmtree(os.environ["LAB_DIR"], ignore_errors=True)


if __name__ == "__main__":
    main()
