#!/usr/bin/python3
"""USSD with the real programs: menus on the command line, at a terminal and by the socket; the balance and its alarm."""
import json
import os
import pty
import socket
import subprocess
import time

import lab


def on_modem(build, **conf):
    """Another modem stands in for families that have no USSD."""
    return lab.Lab(build, modem_args=() if lab.HAS_USSD else ["--personality", "generic"], **conf)


def menu(it):
    it.tell("ussd modem0 *100# ?1 Balance 2 Top up")
    it.tell("ussd modem0 1 Your balance is 12,34 EUR")
    it.tell("ussd modem0 2 ?How much?")


def ask(it, request):
    """One request by the control socket, and its answer."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(it.env["SIMGATE_SOCKET"])
        s.sendall(json.dumps(request).encode() + b"\n")
        return json.loads(s.makefile().readline())


def test_menu(build):
    """Replies on the command line lead through a menu; without them it is shown and cancelled, and the next one works."""
    with on_modem(build) as it:
        it.start()
        menu(it)
        done = it.run("ussd", "M0", "*100#", "--reply", "1")
        lab.equal(done.stdout.splitlines(), ["1 Balance 2 Top up", "Your balance is 12,34 EUR"], "a menu and its answer")
        lab.equal(it.run("ussd", "M0", "*100#").stdout.strip(), "1 Balance 2 Top up", "a menu alone")
        answer = it.json("ussd", "M0", "*100#", "--reply", "2,1")
        lab.equal([a["answer"] for a in answer["answers"]],
                  ["1 Balance 2 Top up", "How much?", "Your balance is 12,34 EUR"], "three answers")
        lab.equal((answer["answer"], answer["more"]), ("Your balance is 12,34 EUR", False), "the last")


def test_terminal(build):
    """At a terminal the replies are typed; the end of input cancels."""
    with on_modem(build) as it:
        it.start()
        menu(it)
        ours, theirs = pty.openpty()
        process = subprocess.Popen([str(it.build / "simgate"), "ussd", "M0", "*100#"], stdin=theirs, env=it.env,
                                   stdout=subprocess.PIPE, text=True)
        os.close(theirs)
        os.write(ours, b"2\n")
        time.sleep(2)
        os.write(ours, b"\x04")
        out, _ = process.communicate(timeout=30)
        os.close(ours)
        lab.true("> How much?\n" in out, out)
        lab.equal(process.returncode, 0, "exit status")
        lab.true("Balance" in it.run("ussd", "M0", "*100#").stdout, "nothing is left open")


def test_sessions(build):
    """By the socket: a session has a name, one modem has one, it is replied to and cancelled by anybody, and ends."""
    with on_modem(build) as it:
        it.start()
        menu(it)
        first = ask(it, {"do": "ussd", "modem": "M0", "code": "*100#", "keep": True})
        lab.true(first["ok"] and first["more"] and first["session"], str(first))
        busy = ask(it, {"do": "ussd", "modem": "M0", "code": "*100#"})
        lab.equal(busy["error"]["code"], "busy", "a second session")
        last = ask(it, {"do": "ussd reply", "session": first["session"], "text": "1", "keep": True})
        lab.equal((last["answer"], last["more"], "session" in last), ("Your balance is 12,34 EUR", False, False), "the end")
        over = ask(it, {"do": "ussd reply", "session": first["session"], "text": "1"})
        lab.equal(over["error"]["code"], "not_found", "a reply after the end")
        again = ask(it, {"do": "ussd", "modem": "M0", "code": "*100#", "keep": True})
        lab.true(ask(it, {"do": "ussd cancel", "session": again["session"]})["ok"], "cancelled")
        lab.true(ask(it, {"do": "ussd", "modem": "M0", "code": "*100#"})["ok"], "the modem is free")
        left = ask(it, {"do": "ussd", "modem": "M0", "code": "*100#", "keep": True})
        lab.true(left["session"], "a session is open when simgated ends")
        lab.equal(it.stop_daemon(), 0, "exit status")


def test_unasked(build):
    """What the network writes unasked is an event and a line of the log."""
    with on_modem(build) as it:
        it.start()
        watch = subprocess.Popen([str(it.build / "simgate"), "watch", "--json"], env=it.env, stdout=subprocess.PIPE, text=True)
        try:
            watch.stdout.readline()
            it.tell("ussd_push modem0 Your bundle ends tomorrow")
            for line in watch.stdout:
                event = json.loads(line)
                if event["kind"] == "ussd":
                    break
            lab.equal((event["modem"], event["text"]), ("M0", "Your bundle ends tomorrow"), "event")
        finally:
            watch.terminate()
            watch.wait()
        it.wait("the log", lambda: it.said("ussd from the network"))


BALANCE = 'balance = { code = "*100#"; pattern = "balance is {amount}"; below = "5.00"; };'


def test_balance(build):
    """The balance is asked, shown, and an alarm while it is low; one that is not told is an error."""
    with on_modem(build, modem_conf=BALANCE) as it:
        it.start()
        it.tell("ussd modem0 *100# Your balance is 4,50 EUR until 31.12.2026")
        told = it.json("balance")["balances"][0]
        lab.equal((told["modem"], told["amount"], told["low"]), ("M0", 4.5, True), "balance")
        it.wait("the alarm", lambda: "balance" in it.modems()[0].get("alarms", {}))
        lab.equal(it.run("status", check=False).returncode, 1, "exit status with an alarm")
        lab.true("4.50" in it.run("modems").stdout, "shown in the table")
        lab.true("Your balance is 4,50 EUR" in it.run("modems", "M0").stdout, "shown of the modem")
        it.tell("ussd modem0 *100# ?Your balance is 1.234,50 EUR. 1 Top up")
        lab.true("1234.50" in it.run("balance", "M0").stdout, "a higher one")
        lab.equal(it.modems()[0].get("alarms", {}), {}, "alarms")
        lab.equal(it.modems()[0]["balance"]["amount"], 1234.5, "kept")
        lab.equal(it.run("balance", "M9", check=False).returncode, 4, "an unknown modem")


def test_balance_unconfigured(build):
    """Without a code nothing can be asked; an amount that is none is found by config check."""
    with on_modem(build) as it:
        it.start()
        done = it.run("balance", check=False)
        lab.true(done.returncode == 4 and "modems[].balance" in done.stderr, done.stderr)
        it.write_conf(modem_conf='balance = { code = "*100#"; below = "little"; };')
        done = it.run("config", "check", it.conf, check=False)
        lab.true("modems[0].balance.below" in done.stdout + done.stderr, done.stdout + done.stderr)


if __name__ == "__main__":
    lab.main(globals())
