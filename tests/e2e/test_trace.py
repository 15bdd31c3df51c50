#!/usr/bin/python3
"""Recordings of a modem's line: by `trace = true` in gateway.conf and by `simgate trace`."""
import re
import signal
import subprocess
import sys
import time

import lab

TO = "+491601234567"
LINE = re.compile(r"^\d+\.\d{3} [><!](?: [ -~]*)?$")


def well_formed(text):
    lines = text.splitlines()
    lab.equal(lines[0], "# simgate trace 1", "the first line")
    lab.true(re.match(r'^# modem M0; ".*" ".*" revision=".*"; profile \S+; \S+Z; (not )?masked$', lines[1]), lines[1])
    for line in lines[2:]:
        lab.true(LINE.match(line), f"no line of a trace: {line!r}")


def exchange(it):
    number = it.json("send", "--to", TO, "private words")["messages"][0]["id"]
    it.wait("its report", lambda: it.json("show", number)["message"]["state"] == "delivered")
    it.tell(f"text modem0 {TO} secret question")
    it.wait("the answer", lambda: it.log("submitted", text="auto reply"))


def test_configured(build):
    """`trace = true` records from the first AT into a file beside the database, which only group members may read, with numbers,
    texts and the PIN masked; after a restart into another one."""
    with lab.Lab(build, modem_conf="report = true; trace = true;") as it:
        it.start()
        exchange(it)
        it.stop_daemon()
        files = sorted((it.dir / "traces").iterdir())
        lab.equal(len(files), 1, "files")
        lab.true(re.match(r"M0-\d{8}T\d{6}Z\.trace$", files[0].name), files[0].name)
        lab.equal(oct(files[0].stat().st_mode & 0o777), "0o640", "mode")
        text = files[0].read_text()
        well_formed(text)
        lab.true("> AT\\r\n" in text and "! ready" in text and "AT+CMGS=" in text, "the exchange")
        lab.true('AT+CPIN=\\"****' in text or 'AT+CPIN="****"' in text, "the PIN's place")
        lab.true("1234567" not in text and "61103254" not in text and '"1234"' not in text, "a number or the PIN is in it")
        it.start_daemon()
        it.wait_ready()
        lab.equal(len(list((it.dir / "traces").iterdir())), 2, "files after a restart")


def test_live(build):
    """`simgate trace` shows what passes while it runs, to several at a time, and ends after --for."""
    with lab.Lab(build) as it:
        it.start()
        command = [str(it.build / "simgate"), "trace", "M0"]
        masked = subprocess.Popen([*command, "--for", "6s"], stdout=subprocess.PIPE, text=True, env=it.env)
        plain = subprocess.Popen([*command, "--unmasked"], stdout=open(it.dir / "plain.trace", "wb"), env=it.env)
        it.wait("both to be recorded", lambda: len(it.said("trace modem=M0")) == 2)
        exchange(it)
        out, _ = masked.communicate(timeout=30)
        lab.equal(masked.returncode, 0, "exit status")
        well_formed(out)
        lab.true("AT+CMGS=" in out and "61103254" not in out, "masked")
        plain.send_signal(signal.SIGINT)
        plain.wait(10)
        text = (it.dir / "plain.trace").read_text()
        well_formed(text)
        lab.true("; not masked" in text and "61103254" in text, "unmasked")


def test_ends_with_the_modem(build):
    """A modem that is taken out of gateway.conf ends its traces, with the reason; an unknown one is refused."""
    with lab.Lab(build, modems=2) as it:
        it.start()
        done = it.run("trace", "M7", check=False)
        lab.equal(done.returncode, 4, "exit status for an unknown modem")
        watcher = subprocess.Popen([str(it.build / "simgate"), "trace", "M1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True, env=it.env)
        it.wait("it to be recorded", lambda: it.said("trace modem=M1"))
        it.count = 1
        it.write_conf()
        it.run("reload")
        _, err = watcher.communicate(timeout=30)
        lab.equal(watcher.returncode, 1, "exit status")
        lab.true("not configured any more" in err, err)


def test_daemon_stops(build):
    """When simgated stops, who listens is told, and the last lines are there."""
    with lab.Lab(build) as it:
        it.start()
        watcher = subprocess.Popen([str(it.build / "simgate"), "trace", "M0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True, env=it.env)
        it.wait("it to be recorded", lambda: it.said("trace modem=M0"))
        time.sleep(0.2)
        it.run("at", "M0", "AT+CSQ")
        it.stop_daemon()
        out, err = watcher.communicate(timeout=30)
        lab.equal(watcher.returncode, 3, "exit status")
        lab.true("AT+CSQ" in out and "stopping" in err, out + err)


def test_played_back(build):
    """A masked recording is a test of its own: the simulated modem plays it back, and a gateway with the same settings is set up,
    sends, and receives the masked text."""
    with lab.Lab(build, modem_conf="report = true; trace = true;", modem_args=["--personality", "huawei-e173"]) as it:
        it.start()
        exchange(it)
        it.stop_daemon()
        recording = next((it.dir / "traces").iterdir()).read_text()
    lab.true('"huawei" "E173"' in recording, "what the modem is")
    with lab.Lab(build, modem_conf="report = true;", rest="") as it:
        path = it.dir / "bug.trace"
        path.write_text(recording)
        it.modem_args = ["--replay", path]
        it.start_modem()
        it.start_daemon()
        it.wait_ready()
        modem = it.json("modems", "M0")["modems"][0]
        lab.equal((modem["manufacturer"], modem["model"]), ("huawei", "E173"))
        number = it.json("send", "--to", TO, "something else")["messages"][0]["id"]
        it.wait("the message to be sent", lambda: it.json("show", number)["message"]["state"] in ("sent", "delivered"))
        come = it.wait("the text that came", lambda: it.messages("--in"), 60)
        lab.equal(come[0]["text"], "x" * len("secret question"), "its text")
        lab.true(come[0]["peer"].startswith("+49") and come[0]["peer"] != TO, come[0]["peer"])


lab.main(globals())
