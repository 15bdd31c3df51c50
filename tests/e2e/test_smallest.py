#!/usr/bin/python3
"""The smallest gateway.conf does the whole job."""
import os
import pathlib
import subprocess

import lab

SMALLEST = """gateway = { name = "Lab"; country = "49"; database = "x/simgate.db"; spool = "x/spool"; socket = "x/simgate.sock"; };
modems = ( { name = "M0"; port = "x/modem0"; %s report = true; } );
rules  = ( { name = "all"; reply = "auto reply"; } );
"""
CUSTOMER = "+4915112345678"


class Small(lab.Lab):
    """A laboratory whose everything is in x/ below the daemon's working directory."""

    def __init__(self, build, pin):
        super().__init__(build, pin=pin)
        self.home = self.dir
        (self.home / "gateway.conf").write_text(SMALLEST % (f'pin = "{pin}";' if pin else ""))
        self.conf, self.work = self.home / "gateway.conf", self.home
        self.dir = self.home / "x"
        self.env["SIMGATE_SOCKET"] = str(self.dir / "simgate.sock")

    def close(self):
        self.dir = self.home
        super().close()


def main_job(it):
    it.tell(f"text modem0 {CUSTOMER} Are you open?")
    reply = it.wait("the automatic reply", lambda: it.log("submitted"))[0]
    lab.equal((reply["to"], reply["text"]), (CUSTOMER, "auto reply"))
    it.wait("its delivery report", lambda: [m for m in it.messages("--out") if m["state"] == "delivered"])
    file = it.wait("the file in incoming/", lambda: it.files("incoming"))[0].read_text()
    lab.true(f"From: {CUSTOMER[1:]}\n" in file and file.endswith("\n\nAre you open?"), f"incoming file: {file!r}")
    received = it.messages("--in")[0]
    lab.equal((received["state"], received["text"], received["peer"]), ("handled", "Are you open?", CUSTOMER))

    it.drop("To: 491602222222\n\nYour cake is ready\n", "cake")
    it.wait("the file in sent/", lambda: it.files("sent"))
    lab.equal([p.name for p in it.files("sent")], ["cake"])
    lab.equal([e["text"].strip() for e in it.log("submitted", to="+491602222222")], ["Your cake is ready"])
    it.wait("its delivery", lambda: [m for m in it.messages("--out", "--peer", "+491602222222")
                                     if m["state"] == "delivered"])
    lab.true(it.json("status")["healthy"], "status is healthy")


def test_with_a_pin(build):
    """A SIM with PIN 1234: text in, automatic reply out, delivery report, incoming/ and sent/, with relative paths whose
    directories do not exist before."""
    with Small(build, "1234") as it:
        it.dir.mkdir()
        it.start()
        main_job(it)
        lab.equal(it.stop_daemon(), 0, "exit status after SIGTERM")


def test_without_a_pin(build):
    """The same with a SIM that asks for none."""
    with Small(build, None) as it:
        it.dir.mkdir()
        it.start()
        main_job(it)


def test_a_pin_that_is_not_asked_for(build):
    """The PIN stands in the file but the SIM asks for none: it is not used, and the modem is ready."""
    with Small(build, "1234") as it:
        it.dir.mkdir()
        it.pin = None
        it.start()
        lab.equal(it.modems()[0]["state"], "ready")


def tries_left(it):
    return it.tell("status")["modems"][0]["pin_tries"]


def test_a_wrong_pin_is_tried_once(build):
    """A wrong PIN costs one try, whatever happens afterwards (replug, restart of the daemon), and the command says what to
    do; so a SIM is never locked."""
    with Small(build, "9999") as it:
        it.dir.mkdir()
        it.pin = "1234"
        it.start(ready=False)
        it.wait("the modem to be locked", lambda: it.modem_state() == "locked")
        modem = it.modems()[0]
        lab.true("PIN" in modem["reason"], f"the reason names the PIN: {modem.get('reason')!r}")
        lab.equal(tries_left(it), 2, "tries left")
        lab.equal(modem.get("pin_tries", 2), 2, "tries left as the modem tells them, if it does")
        it.tell("fault modem0 vanish 300")
        it.wait("the port to be gone", lambda: it.modem_state() != "locked")
        it.wait("the modem to be locked again", lambda: it.modem_state() == "locked")
        lab.equal(tries_left(it), 2, "tries left after replug")
        done = it.run("status", check=False)
        lab.equal(done.returncode, 1, "exit status of `simgate status`")
        lab.true("PIN" in done.stdout, done.stdout)
        for _ in range(3):
            it.kill()
            it.start_daemon()
            it.wait("the modem to be locked", lambda: it.modem_state() == "locked")
            lab.equal(tries_left(it), 2, "tries left after a restart of the daemon")
        lab.true("simgate unlock M0" in it.modems()[0]["reason"], it.modems()[0]["reason"])
        it.conf.write_text(it.conf.read_text().replace("9999", "1234"))
        it.run("reload")
        it.run("unlock", "M0")  # another PIN is a second try all the same: only by an operator's word
        it.wait_ready()


def test_directories_are_made(build):
    """Database, socket and spool in directories that do not exist are made; the spool's folders are there."""
    with Small(build, None) as it:
        conf = SMALLEST % ""
        for name in ("simgate.db", "spool", "simgate.sock"):
            conf = conf.replace(f"x/{name}", f"x/deep/{name[:3]}{len(name)}/{name}")
        it.conf.write_text(conf)
        it.env["SIMGATE_SOCKET"] = str(it.dir / "deep/sim12/simgate.sock")
        it.start_daemon(wait=False)
        spool = it.dir / "deep/spo5/spool"
        it.wait("the spool", lambda: (spool / "report").is_dir())
        lab.equal(sorted(p.name for p in spool.iterdir() if p.is_dir() and p.name[0] != "."),
                  ["calls", "checked", "failed", "incoming", "outgoing", "report", "sent"])
        it.wait("an answer", lambda: it.run("status", check=False).returncode in (0, 1))
        lab.true((it.dir / "deep/sim10/simgate.db").exists(), "the database")


def test_no_modem_yet(build):
    """The daemon starts before the modem is plugged in, says what it misses, keeps what it is given, and sends it when the
    modem comes."""
    with Small(build, "1234") as it:
        it.dir.mkdir()
        it.start_daemon()
        sent = it.json("send", "--to", "0160 1234567", "patience")["messages"][0]
        lab.equal((sent["state"], sent["to"]), ("queued", "+491601234567"))
        modem = it.modems()[0]
        lab.true(modem["state"] != "ready" and "modem0" in modem["reason"], f"the reason names the port: {modem}")
        it.start_modem()
        it.wait("the message to be delivered", lambda: it.messages("--out")[0]["state"] == "delivered", 60)


if __name__ == "__main__":
    lab.main(globals())
