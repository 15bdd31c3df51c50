#!/usr/bin/python3
"""`simgate probe`: modems examined without and with simgated, and the self-test."""
import json
import os
import re
import signal
import subprocess
import sys
import time

import lab

FROM = "+491601234567"


def probe(it, *args, status=0):
    done = it.run("probe", *args, "--json", check=False, timeout=120)
    lab.equal(done.returncode, status, f"exit status ({done.stderr}{done.stdout[:300]})")
    return json.loads(done.stdout)


def test_without_daemon(build):
    """Nobody runs: the command starts simgated --probe itself, and tells what the modem is, its SIM, network and stores, and an
    entry that works when it is pasted into gateway.conf."""
    with lab.Lab(build, pin="", modem_args=["--personality", "huawei-e173"]) as it:
        it.start_modem()
        modem = probe(it, it.dir / "modem0")["modems"][0]
        for key, wanted in {"state": "ready", "manufacturer": "huawei", "model": "E173", "profile": "huawei-stick",
                            "sim": "READY", "registration": "home"}.items():
            lab.equal(modem.get(key), wanted, key)
        lab.true(re.match(r"\d{15}$", modem["imei"]) and re.match(r"\d{15}$", modem["imsi"]), "IMEI and IMSI")
        lab.true(modem["smsc"].startswith("+49") and modem["signal_dbm"] < -50, "SMSC and signal")
        lab.true(any(s["name"] == "SM" and s["size"] > 0 for s in modem["stores"]), f"stores: {modem['stores']}")
        lab.equal(modem["works"]["CNMI"].split(",")[1], "1", "CNMI")
        lab.equal(modem["problems"], [], "problems")
        lab.equal(modem["entry"], f'{{ name = "modem1"; port = "{it.dir}/modem0"; }}', "entry of a port that is not on USB")
        lab.equal(probe(it, os.path.relpath(it.dir / "modem0"))["modems"][0]["entry"], modem["entry"], "entry of a relative path")
        text = it.run("probe", it.dir / "modem0").stdout
        lab.true("E173" in text and modem["entry"] in text and "huawei-stick" in text, text)
        it.conf.write_text(re.sub(r"modems = .*", f"modems = ( {modem['entry']} );", it.conf.read_text()))
        it.start_daemon()
        it.wait_ready()


def test_nothing_is_changed(build):
    """A SIM's PIN is asked for and not tried, and a message that waits is still there for
    simgated."""
    with lab.Lab(build, pin="1234") as it:
        it.start_modem()
        for _ in range(4):  # a try each would have blocked the SIM
            modem = probe(it, it.dir / "modem0")["modems"][0]
            lab.equal((modem["state"], modem["sim"]), ("locked", "SIM PIN"))
            lab.equal(modem.get("pin_tries", 3), 3, "tries, where the modem tells them")
            lab.true("PIN" in modem["problems"][0] and "pin = " in modem["entry"], "the PIN is told")
    with lab.Lab(build, pin="") as it:
        it.start_modem()
        it.tell(f"text modem0 {FROM} still here")
        modem = probe(it, it.dir / "modem0")["modems"][0]
        lab.equal(max(s["used"] for s in modem["stores"]), 1, "messages in its stores")
        it.start_daemon()
        it.wait("the message", lambda: it.messages("--in", "--grep", "still here"))


def test_no_modem(build):
    """A port that is not there, one that is silent, one that another program has: each is told in words, with status 1."""
    with lab.Lab(build, pin="") as it:
        it.start_modem()
        gone = probe(it, it.dir / "modem7", status=1)["modems"][0]
        lab.true("No such file" in gone["problems"][0], gone)
        lab.true("entry" not in gone, "an entry for nothing")
        it.start_daemon()
        it.wait_ready()
        busy = json.loads(subprocess.run([str(it.build / "simgated"), "--probe", f"{it.dir}/modem0"], capture_output=True,
                                         text=True, timeout=60).stdout)
        lab.true("busy" in busy["problems"][0] and "simgated" in busy["problems"][0], busy)


def test_silent_port(build):
    """A port that never answers AT is given up within half a minute."""
    with lab.Lab(build, pin="") as it:
        it.start_modem()
        it.tell("fault modem0 silence 600000")
        modem = probe(it, it.dir / "modem0", status=1)["modems"][0]
        lab.equal(len(modem["problems"]), 1, "problems")
        lab.true("model" not in modem and "entry" not in modem, modem)


def test_by_daemon(build):
    """simgated runs: its own modems are asked while they work, by name or port or all; a free port beside them is examined, and
    stays free."""
    with lab.Lab(build, modems=2, pin="") as it:
        it.start_modem()
        it.count = 1
        it.write_conf()
        it.start_daemon()
        it.wait_ready()
        for args in ([], ["--modem", "M0"], [it.dir / "modem0"]):
            modems = probe(it, *args)["modems"]
            lab.equal([m.get("configured") for m in modems], ["M0"], f"modems of probe {args}")
            lab.equal((modems[0]["state"], modems[0]["problems"]), ("ready", []))
            lab.true("entry" not in modems[0] and modems[0]["stores"], modems[0])
        for args, status in ((["--modem", "M7"], 4), ([it.dir / "modem1", "--modem", "M0"], 2),
                             ([it.dir / "modem1", "--self-test", "own"], 2)):
            refused = it.run("probe", *args, check=False)
            lab.equal(refused.returncode, status, f"exit status of probe {args}")
            lab.true("expected one of: M0" in refused.stderr or "PORT stands alone" in refused.stderr, refused.stderr)
        own = modems[0]
        for _ in range(2):
            free = probe(it, it.dir / "modem1")["modems"][0]
            lab.equal((free["state"], free.get("configured")), ("ready", None))
            lab.true("port = " in free["entry"] and free["works"]["CSMS"] in (True, False), free)
            for key in ("CSMS", "CMMS"):  # of a family whose CMMS is never used it is not known
                lab.equal(own["works"].get(key, free["works"][key]), free["works"][key], key)
            names = [{s["name"] for s in m["stores"]} for m in (own, free)]
            lab.true(names[0] >= names[1], f"stores in use and examined: {names}")
        number = it.json("send", "--to", FROM, "goes on")["messages"][0]["id"]
        it.wait("its report", lambda: it.json("show", number)["message"]["state"] == "delivered")


def test_daemon_stops_meanwhile(build):
    """simgated can be stopped while it examines a modem that does not answer: at once, and cleanly."""
    with lab.Lab(build, modems=2, pin="") as it:
        it.start_modem()
        it.tell("fault modem1 silence 600000")
        it.count = 1
        it.write_conf()
        it.start_daemon()
        it.wait_ready()
        watcher = subprocess.Popen([str(it.build / "simgate"), "probe", f"{it.dir}/modem1"], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env=it.env)
        it.wait("it to begin", lambda: it.said("probe port="))
        busy = it.run("probe", check=False)
        lab.true("already" in busy.stderr, busy.stderr)
        lab.equal(it.stop_daemon(10), 0, "exit status of simgated")
        watcher.communicate(timeout=10)
        lab.equal(watcher.returncode, 3, "exit status of the command")


def test_leaves_while_waiting(build):
    """A command that is ended while modems are examined disturbs nobody."""
    with lab.Lab(build, modems=2, pin="") as it:
        it.start_modem()
        it.tell("fault modem1 silence 5000")
        it.count = 1
        it.write_conf()
        it.start_daemon()
        it.wait_ready()
        watcher = subprocess.Popen([str(it.build / "simgate"), "probe", f"{it.dir}/modem1"], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, env=it.env)
        it.wait("it to begin", lambda: it.said("probe port="))
        time.sleep(0.5)
        watcher.send_signal(signal.SIGKILL)
        watcher.wait()
        it.wait("the next one", lambda: it.run("probe", "--modem", "M0", check=False).returncode == 0, 60)


def test_self_test(build):
    """A text from the modem to itself: sent, received and reported, with its times; to a number that is not its own it never comes
    back, which is told; without simgated it is refused."""
    with lab.Lab(build, pin="", rest="") as it:
        it.start()
        own = it.modems()[0]["number"]
        for number in (own, "own"):
            times = probe(it, "--self-test", number)
            lab.equal((times["modem"], times["to"]), ("M0", own))
            lab.true(0 < times["sent_s"] <= times["reported_s"] and 0 < times["received_s"], times)
        lab.true("reported" in it.run("probe", "--modem", "M0", "--self-test", "own").stdout, "for people")
        other = it.run("probe", "--self-test", FROM, "--timeout", "4s", check=False)
        lab.equal(other.returncode, 5, "exit status")
        lab.true("did not come back" in other.stderr, other.stderr)
        it.stop_daemon()
        alone = it.run("probe", "--self-test", own, check=False)
        lab.equal(alone.returncode, 3, "exit status without simgated")
        lab.true("start it first" in alone.stderr, alone.stderr)
        lab.equal(it.run("probe", "--modem", "M0", check=False).returncode, 3, "exit status of one that only simgated knows")


lab.main(globals())
