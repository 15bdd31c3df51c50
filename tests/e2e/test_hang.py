#!/usr/bin/python3
"""Modems that hang, reboot, fill up, or garble their line: nothing is lost, nothing doubled unmarked."""
import collections
import time

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


def test_reboot(build):
    """A modem that reboots by itself, losing its settings, is set up again; PIN included; nothing lost either way."""
    with lab.Lab(build, modem_args=["--net-ms", "20"], gateway='on_unknown = "resend"; unknown_wait = "1s";', rest="rules = ();") as it:
        it.start()
        for n in range(20):
            it.drop(f"To: {TO[1:]}\nReport: yes\n\nout {n}")
            it.tell(f"text modem0 +49151{n:07d} in {n}")
            if n in (5, 12):
                it.tell("fault modem0 reboot 300")
        it.wait("all files", lambda: len(it.files("sent")) == 20, 90)
        it.wait("all texts", lambda: len(it.messages("--in", "--state", "handled")) == 20, 60)
        sent_once(it, [f"out {n}" for n in range(20)])


def test_silence(build):
    """A modem that hangs is brought back by the ladder; what hung over it goes out afterwards, once."""
    with lab.Lab(build, gateway='on_unknown = "resend"; unknown_wait = "1s";', rest="rules = ();",
                 modem_conf='report = true; send_timeout = "10s";') as it:
        it.start()
        it.run("send", "--to", TO, "before")
        it.wait("one", lambda: len(it.log("submitted")) == 1)
        it.tell("fault modem0 silence 30000")  # longer than prompt and resynchronisation take
        it.run("send", "--to", TO, "during the silence")
        it.tell("text modem0 +4915112345678 during the silence, in")
        it.wait("it to go out", lambda: [m for m in it.messages("--out", "--grep", "during") if m["state"] == "delivered"], 90)
        it.wait("the text", lambda: it.messages("--in", "--state", "handled"), 60)
        sent_once(it, ["before", "during the silence"])
        lab.true(it.modems()[0]["recoveries"] >= 1, "recoveries are counted")


def test_memory_full(build):
    """A full SIM is emptied, and what the network held back comes in."""
    with lab.Lab(build, rest="rules = ();") as it:
        it.start_modem()
        it.tell("fault modem0 capacity SM 5")
        for n in range(30):
            it.tell(f"text modem0 +49151{n:07d} in {n}")
        it.start_daemon()
        it.wait("all texts", lambda: len(it.messages("--in", "--state", "handled")) == 30, 60)
        lab.equal(sorted(m["text"] for m in it.messages("--in")), sorted(f"in {n}" for n in range(30)))
        it.wait("an empty SIM", lambda: "in " not in str(it.tell("store modem0 SM")))


def test_bad_line(build):
    """Bytes that are lost, doubled and changed on the line: after it is over all is in (a sweep finds what a garbled notice
    hid) and out, once or marked."""
    with lab.Lab(build, gateway='on_unknown = "resend"; unknown_wait = "1s";', rest="rules = ();",
                 modem_conf='report = true; send_timeout = "10s"; sweep = "10s";') as it:
        it.start()
        for fault in ("garbage 0.002", "drop 0.002", "double 0.002"):
            it.tell(f"fault modem0 {fault} 1500")
            for n in range(10):
                it.drop(f"To: {TO[1:]}\n\n{fault} out {n}")
                it.tell(f"text modem0 +49151{n:07d} {fault} in {n}")
                time.sleep(0.1)
        # A module on NB-IoT is given seven minutes for a result that was lost.
        it.wait("all texts", lambda: len(it.messages("--in", "--state", "handled")) >= 30, 130 if lab.FAMILY else 90)
        lab.equal(len({m["text"] for m in it.messages("--in")}), 30)
        it.wait("all files", lambda: len(it.files("sent")) + len(it.files("failed")) == 30, 90)
        blind = collections.Counter(e["text"] for e in it.log("submitted") if not e.get("reject_duplicates"))
        lab.equal({t: n for t, n in blind.items() if n > 1}, {}, "sent again unmarked")


if __name__ == "__main__":
    lab.main(globals())
