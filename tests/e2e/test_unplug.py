#!/usr/bin/python3
"""Modems that vanish, lose their network, or belong to another program: nothing is lost, nothing doubled unmarked, and the
command says what is the matter."""
import collections
import fcntl
import os
import subprocess
import sys

import lab

TO = "+491601234567"


def sent_once(it, texts):
    """Each of these was taken by the network; more often only where the store marked a possible duplicate and TP-RD said so."""
    air = collections.Counter(e["text"] for e in it.log("submitted"))
    lab.equal(sorted(set(texts) - air.keys()), [], "never sent")
    blind = collections.Counter(e["text"] for e in it.log("submitted") if not e.get("reject_duplicates"))
    lab.equal({t: n for t, n in blind.items() if n > 1}, {}, "sent again unmarked")
    marked = {m["text"] for m in it.messages("--out") if "possible_duplicate" in m["flags"]}
    lab.equal(sorted(t for t, n in air.items() if n > 1 and t not in marked), [], "doubled and not marked in the store")


def test_unplugged_idle(build):
    """A port that vanishes is told with its path; when it returns the modem is set up again, with what came meanwhile."""
    with lab.Lab(build) as it:
        it.start()
        it.tell("fault modem0 vanish")
        modem = it.wait("the modem to be absent", lambda: [m for m in it.modems() if m["state"] != "ready"])[0]
        lab.true("unplugged" in modem["reason"] or "modem0" in modem["reason"], f"the reason: {modem['reason']!r}")
        it.tell(f"text modem0 {TO} while it was unplugged")
        number = it.json("send", "--to", TO, "waits for the modem")["messages"][0]["id"]
        lab.equal(it.json("show", number)["message"]["state"], "queued")
        it.tell("fault modem0 return")
        it.wait_ready()
        it.wait("what came meanwhile", lambda: it.messages("--in", "--grep", "unplugged", "--state", "handled"))
        it.wait("what waited", lambda: it.json("show", number)["message"]["state"] == "delivered")
        it.wait("the reply", lambda: it.log("submitted", text="auto reply"))
        sent_once(it, ["waits for the modem", "auto reply"])


def test_unplugged_while_sending(build):
    """Unplugged and replugged again and again while texts go both ways, also in the middle of a PDU."""
    with lab.Lab(build, modem_args=["--net-ms", "40", "--report-ms", "100"], gateway='on_unknown = "resend"; unknown_wait = "1s";',
                 rest="rules = ();") as it:
        it.start()
        texts = [f"out {n} " + "long " * (40 * (n % 3)) for n in range(40)]
        for n, text in enumerate(texts):
            it.drop(f"To: 4916{n:08d}\n\n{text}")
            it.tell(f"text modem0 +49151{n:07d} in {n}")
            if n % 8 == 7:
                it.tell(f"fault modem0 vanish {100 + 50 * n}")
                it.wait_ready()
        it.wait("all files to be sent", lambda: len(it.files("sent")) == 40, 60)
        it.wait("all texts to be in", lambda: len(it.messages("--in", "--state", "handled")) == 40)
        lab.equal(sorted(m["text"] for m in it.messages("--in")), sorted(f"in {n}" for n in range(40)))
        marked = {m["text"] for m in it.messages("--out") if "possible_duplicate" in m["flags"]}
        parts = collections.Counter((e["to"], e.get("part", 1)) for e in it.log("submitted") if not e.get("reject_duplicates"))
        lab.equal({p: n for p, n in parts.items() if n > 1}, {}, "parts sent again unmarked")
        lab.equal(len({e["to"] for e in it.log("submitted")}), 40, "recipients reached")
        print(f"# {len(marked)} possible duplicates, marked")


def test_held_by_another_program(build):
    """A port that another program has locked, as ModemManager does, is not disturbed; the reason names the program and what
    to do; when it lets go the modem is taken."""
    with lab.Lab(build) as it:
        it.start_modem()
        program = it.dir / "ModemManager"
        program.symlink_to(sys.executable)
        port = os.path.realpath(it.dir / "modem0")
        holder = subprocess.Popen([str(program), "-c", "import fcntl, os, sys, termios, time\n"
                                   "fd = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)\n"
                                   "fcntl.flock(fd, fcntl.LOCK_EX)\nprint('held', flush=True)\ntime.sleep(600)", port],
                                  stdout=subprocess.PIPE)
        try:
            holder.stdout.readline()
            it.start_daemon()
            modem = it.wait("the reason", lambda: [m for m in it.modems() if m["state"] != "opening" and "reason" in m])[0]
            lab.true(str(holder.pid) in modem["reason"], f"the holder's pid in {modem['reason']!r}")
            lab.true("ModemManager" in modem["reason"] or "python" in modem["reason"], f"its name in {modem['reason']!r}")
            lab.true(it.said(str(holder.pid)), "the log says so too")
        finally:
            holder.kill()
            holder.wait()
        it.wait_ready(60)


def test_port_is_exclusive(build):
    """While simgated has the port, another flock fails, as other gateways test it."""
    with lab.Lab(build) as it:
        it.start()
        try:
            fd = os.open(os.path.realpath(it.dir / "modem0"), os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError:
            return  # TIOCEXCL, for those that are not root
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            raise lab.Failure("the port could be locked")
        except OSError:
            pass
        finally:
            os.close(fd)


def test_no_network(build):
    """Without registration texts wait, with the reason told; they go when the network is back."""
    with lab.Lab(build, rest="rules = ();") as it:
        it.start()
        it.tell("fault modem0 no_network 3000")
        it.wait("the modem to notice", lambda: it.modem_state() != "ready")
        number = it.json("send", "--to", TO, "after the outage")["messages"][0]["id"]
        it.wait("it to be delivered", lambda: it.json("show", number)["message"]["state"] == "delivered", 60)
        sent_once(it, ["after the outage"])


def test_failover(build):
    """With one modem of a pool gone the other takes what was not begun."""
    with lab.Lab(build, modems=2, modem_conf='report = true; pool = "shop";', rest="rules = ();") as it:
        it.start()
        it.tell("fault modem0 vanish")
        it.wait("M0 to be gone", lambda: it.modem_state("M0") != "ready")
        for n in range(6):
            it.run("send", "--to", f"+4916000000{n:02d}", "--pool", "shop", f"by the other {n}")
        it.wait("all", lambda: len([m for m in it.messages("--out") if m["state"] == "delivered" and m["modem"] == "M1"]) == 6)


if __name__ == "__main__":
    lab.main(globals())
