#!/usr/bin/python3
"""gateway.conf: checked as a whole, read again while the daemon runs."""
import os
import signal
import subprocess

import lab

CUSTOMER = "+4915112345678"
TWO = ('{{ name = "M0"; port = "{dir}/modem0"; pin = "1234"; report = true; }}', '{{ name = "M1"; port = "{dir}/modem1"; pin = "1234"; }}')


def configure(it, modems=TWO, rest=lab.RULES, gateway=""):
    it.conf.write_text(lab.CONF.format(dir=it.dir, modems=", ".join(m.format(dir=it.dir) for m in modems), gateway=gateway, rest=rest))


def hangup(it, said="read again"):
    before = len(it.said(said))
    it.daemon.send_signal(signal.SIGHUP)
    it.wait(f"{said!r} in the log", lambda: len(it.said(said)) > before)


def answer_to(it, text, number=CUSTOMER):
    it.tell(f"text modem0 {number} {text}")
    return it.wait("the answer", lambda: it.log("submitted", to=number))[-1]["text"]


def test_new_rules(build):
    """After SIGHUP the new rules answer, and the modem was not interrupted: same connection, nothing lost on the way."""
    with lab.Lab(build, modem_args=["--net-ms", "200"]) as it:
        it.start()
        lab.equal(answer_to(it, "Hello"), "auto reply")
        since = it.modems()[0]["since"]
        opened = len(it.said("opening -> probing"))
        for n in range(5):
            it.drop(f"To: 49160{n:07d}\n\non the air during the reload {n}")
        it.write_conf(rest='rules = ( { name = "new"; reply = "another answer from {{gateway.name}}"; } );')
        hangup(it)
        lab.equal(answer_to(it, "Hello again", "+4915112345679"), "another answer from Lab")
        it.wait("the files to be sent", lambda: len(it.files("sent")) == 5)
        lab.equal(it.files("failed"), [])
        lab.equal((it.modems()[0]["since"], len(it.said("opening -> probing"))), (since, opened))


def test_modems_come_and_go(build):
    """A modem that the new file lacks is closed (another program can have its port), a new one comes, the third is not
    touched; one whose settings changed is opened again with them."""
    with lab.Lab(build, modems=3) as it:
        configure(it)
        it.start()
        before = it.modems()[0]
        third = '{{ name = "M2"; port = "{dir}/modem2"; pin = "1234"; }}'
        configure(it, (TWO[0], third))
        hangup(it)
        it.wait("M1 to be gone and M2 ready", lambda: {m["name"]: m["state"] for m in it.modems()} == {"M0": "ready", "M2": "ready"})
        lab.equal(it.modems()[0]["since"], before["since"])
        fd = os.open(os.path.realpath(it.dir / "modem1"), os.O_RDWR | os.O_NOCTTY)
        os.close(fd)
        configure(it, (TWO[0], third.replace('pin =', 'number = "+491529999999"; pin =')))
        hangup(it)
        it.wait("M2 with its new number", lambda: [m.get("number") for m in it.modems() if m["name"] == "M2" and
                                                   m["state"] == "ready"] == ["+491529999999"])
        lab.equal(len(it.modems()), 2)
        lab.equal(it.modems()[0]["since"], before["since"])
        it.tell("text modem2 +491600000001 to the reopened one")
        it.wait("its text", lambda: it.messages("--in", "--modem", "M2"))


def test_limits_change_at_once(build):
    """A limit is taken over by a modem that goes on running."""
    with lab.Lab(build, rest="rules = ();") as it:
        it.start()
        it.write_conf(modem_conf="limits = { per_day = 2; };")
        hangup(it)
        for n in range(4):
            it.run("send", "--to", CUSTOMER, f"limited {n}")
        it.wait("two to be held", lambda: len([m for m in it.messages("--out") if m["state"] == "queued"]) == 2
                and len(it.log("submitted")) == 2)
        it.wait("the reason to be told", lambda: [m for m in it.messages("--state", "queued") if "day" in m.get("reason", "")])
        it.write_conf(modem_conf="")
        hangup(it)
        it.wait("all to be out", lambda: len(it.log("submitted")) == 4)


def test_bad_file(build):
    """A file with problems changes nothing: each problem is in the log and told by `simgate reload`, the old rules answer."""
    with lab.Lab(build) as it:
        it.start()
        good = it.conf.read_text()
        it.conf.write_text(good.replace("country", "contry").replace("report = true", 'baud = "fast"')
                           + 'templates = { x = "{{nosuch.value}}"; };')
        hangup(it, "keep running")
        for text in (":1: gateway.contry", ":2: modems[0].baud"):
            lab.true(it.said(text), f"{text!r} in the log:\n{it.tail()}")
        done = it.run("reload", check=False)
        lab.true(done.returncode in (1, 4) and "gateway.contry" in done.stderr and "modems[0].baud" in done.stderr, f"{done}")
        lab.equal(answer_to(it, "Hello"), "auto reply")
        it.conf.unlink()
        hangup(it, "keep running")
        it.conf.write_text("this is { not libconfig")
        hangup(it, "keep running")
        lab.equal(answer_to(it, "Hello", "+4915112345680"), "auto reply")
        it.conf.write_text(good.replace("auto reply", "corrected"))
        it.run("reload")
        lab.equal(answer_to(it, "Hello", "+4915112345681"), "corrected")


def test_many_reloads(build):
    """Fifty reloads while messages go both ways: nothing lost, nothing doubled."""
    with lab.Lab(build, modems=2, modem_args=["--net-ms", "5"]) as it:
        it.start()
        for n in range(50):
            it.tell(f"text modem{n % 2} +49151{n:07d} in {n}")
            it.drop(f"To: 49160{n:07d}\n\nout {n}")
            if n % 2:
                it.write_conf(rest=f'rules = ( {{ name = "r{n}"; reply = "auto reply"; }} );')
            it.daemon.send_signal(signal.SIGHUP)
        it.wait("all", lambda: len(it.log("submitted")) >= 100 and len(it.files("sent")) == 50)
        lab.equal(len({(e["to"], e["text"]) for e in it.log("submitted")}), 100)
        lab.equal(len(it.log("submitted")), 100)


# ---- simgated -t


BAD = """gateway = {
  name = "Lab";
  contry = "49";
  drain = "soon";
};
modems = (
  { name = "M 0"; port = "/dev/ttyUSB0"; pin = "12"; },
  { port = "/dev/ttyUSB1"; baud = 5; receive = "fast"; },
  { name = "M2"; }
);
rules = (
  { name = "one"; pattern = "(unclosed"; reply = "x"; },
  { name = "two"; keywords = "open"; reply = "@nosuch"; }
);
"""


def check(it, text):
    it.conf.write_text(text)
    return subprocess.run([str(it.build / "simgated"), "-t", "-c", str(it.conf)], capture_output=True, text=True)


def test_all_errors_at_once(build):
    """-t tells every error of the file's form in one go, each with file, line, path and what was expected; status 3."""
    with lab.Lab(build) as it:
        done = check(it, BAD)
        lab.equal((done.returncode, done.stdout), (3, ""))
        for line, path, expected in ((3, "gateway.contry", 'did you mean "country"'), (4, "gateway.drain", "duration"),
                                     (8, "modems[1]", '"name" is missing'), (8, "modems[1].baud", "300"),
                                     (8, "modems[1].receive", '"direct"'), (13, "rules[1].keywords", "list")):
            lab.true(any(text.startswith(f"{it.conf}:{line}: {path}") and expected in text for text in done.stderr.splitlines()),
                     f"{line}, {path}, {expected} in:\n{done.stderr}")
        for line, path, expected in ((7, "modems[0].name", "letters"), (7, "modems[0].pin", "4 to 8 digits"),
                                     (9, "modems[2]", "port"), (12, "rules[0]", "pattern"), (13, "rules[1]", "nosuch")):
            lab.true(any(text.startswith(f"{it.conf}:{line}: {path}") and expected in text for text in done.stderr.splitlines()),
                     f"{line}, {path}, {expected} in:\n{done.stderr}")


def test_good_file(build):
    """-t of a good file says so, status 0, and touches nothing: no database, no socket."""
    with lab.Lab(build) as it:
        done = check(it, it.conf.read_text())
        lab.equal((done.returncode, done.stderr), (0, ""))
        lab.true("good" in done.stdout, done.stdout)
        lab.equal([p.name for p in it.dir.iterdir()], ["gateway.conf"])
    done = subprocess.run([f"{build}/simgated", "-t", "-c", str(lab.ROOT / "gateway.conf")], capture_output=True, text=True)
    lab.equal(done.returncode, 0, done.stderr)


def test_other_errors(build):
    """No file, no libconfig, a PIN's file that is not there, bad options: each told in words."""
    with lab.Lab(build) as it:
        done = check(it, "gateway = { name = \"Lab\";\nmodems = (")
        lab.true(done.returncode == 3 and f"{it.conf}:2: " in done.stderr, f"{done}")
        it.conf.unlink()
        done = subprocess.run([str(it.build / "simgated"), "-t", "-c", str(it.conf)], capture_output=True, text=True)
        lab.true(done.returncode == 3 and "No such file" in done.stderr and str(it.conf) in done.stderr, f"{done}")
        done = check(it, 'modems = ( { name = "M"; port = "/x"; pin = "file:/nonexistent/pin"; } );')
        lab.true(done.returncode == 3 and "/nonexistent/pin" in done.stderr and ":1: modems[0].pin" in done.stderr, f"{done}")
        done = check(it, 'modems = ( { name = "M"; port = "/x"; }, { name = "M"; port = "/x"; } );')
        lab.true("another modem has this name" in done.stderr and "another modem has this port" in done.stderr, f"{done}")
        for options in (["-x"], ["-c"], ["extra"]):
            done = subprocess.run([str(it.build / "simgated"), *options], capture_output=True, text=True)
            lab.true(done.returncode == 2 and "usage" in done.stderr, f"{options}: {done}")
        (it.dir / "pin").write_text("1234\n")
        done = check(it, f'modems = ( {{ name = "M"; port = "/x"; pin = "file:{it.dir}/pin"; }} );')
        lab.equal(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    lab.main(globals())
