#!/usr/bin/python3
"""The daemon as a service: what it tells systemd, how it stops, what it logs; the unit and what `make install` puts where."""
import os
import pathlib
import signal
import shutil
import socket
import subprocess
import tempfile
import time

import lab

CUSTOMER = "+4915112345678"


class Systemd:
    """The service manager's side of NOTIFY_SOCKET."""

    def __init__(self, directory):
        self.path = str(directory / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.setblocking(False)
        self.heard = []

    def listen(self):
        while True:
            try:
                self.heard += self.socket.recv(65536).decode().split("\n")
            except BlockingIOError:
                return self.heard

    def has(self, line, times=1):
        return self.listen().count(line) >= times


# ---- systemd's protocol


def test_notify(build):
    """READY=1 once the control socket answers, WATCHDOG=1 again and again, RELOADING=1 and READY=1 around a reload, STOPPING=1
    at the end."""
    with lab.Lab(build) as it:
        systemd = Systemd(it.dir)
        it.start_modem()
        it.start_daemon(wait=False, env={"NOTIFY_SOCKET": systemd.path, "WATCHDOG_USEC": "400000"})
        it.wait("READY=1", lambda: systemd.has("READY=1"))
        lab.true(it.answers(), "the control socket answers when READY=1 is told")
        lab.true(any(line.startswith("STATUS=") for line in systemd.heard), f"a STATUS: {systemd.heard}")
        it.wait("WATCHDOG=1 thrice", lambda: systemd.has("WATCHDOG=1", 3))
        it.daemon.send_signal(signal.SIGHUP)
        it.wait("RELOADING=1 and READY=1", lambda: systemd.has("RELOADING=1") and systemd.has("READY=1", 2))
        lab.equal(it.stop_daemon(), 0, "exit status")
        lab.true(systemd.has("STOPPING=1"), f"STOPPING=1 in {systemd.heard}")


def test_a_stopped_loop_is_noticed(build):
    """Without the loop turning there is no WATCHDOG=1: systemd would restart it."""
    with lab.Lab(build) as it:
        systemd = Systemd(it.dir)
        it.start_daemon(env={"NOTIFY_SOCKET": systemd.path, "WATCHDOG_USEC": "200000"})
        it.wait("WATCHDOG=1", lambda: systemd.has("WATCHDOG=1"))
        it.daemon.send_signal(signal.SIGSTOP)
        time.sleep(0.1)
        systemd.listen()
        systemd.heard.clear()
        time.sleep(0.6)
        lab.equal(systemd.listen(), [], "told while stopped")
        it.daemon.send_signal(signal.SIGCONT)
        it.wait("WATCHDOG=1 again", lambda: systemd.has("WATCHDOG=1"))


# ---- stop


def test_drain(build):
    """SIGTERM while a message is on the air: its result is awaited and kept, nothing new is begun; the rest goes out after the
    next start; nothing is doubled."""
    with lab.Lab(build, rest="rules = ();", modem_args=["--net-ms", "700"]) as it:
        it.start()
        for n in range(3):
            it.run("send", "--to", CUSTOMER, f"number {n}")
        it.wait("one on the air", lambda: it.messages("--state", "submitting"))
        lab.equal(it.stop_daemon(), 0, "exit status")
        states = sorted(row[0] for row in it.sql("SELECT state FROM message"))
        on_air = len(it.log("submitted"))
        lab.true(on_air >= 1 and 9 not in states and 2 not in states, f"states {states}, on the air {on_air}")
        it.start_daemon()
        # A report may have come to a line that nobody listened to.
        it.wait("all to be sent", lambda: all(m["state"] in ("sent", "delivered") for m in it.messages()))
        lab.equal(sorted(e["text"] for e in it.log("submitted")), ["number 0", "number 1", "number 2"])


def test_drain_is_bounded(build):
    """A modem that never answers does not hold the stop up beyond gateway.drain; the message becomes unknown, and is settled at
    the next start by policy."""
    with lab.Lab(build, rest="rules = ();", gateway='drain = "1s"; unknown_wait = "0s";', modem_args=["--net-ms", "600000"]) as it:
        it.start()
        it.run("send", "--to", CUSTOMER, "into the void")
        it.wait("it on the air", lambda: it.messages("--state", "submitting"))
        lab.equal(it.stop_daemon(30), 0, "exit status")
        lab.true(it.said("still on the air"), it.tail())
        it.start_daemon()
        message = it.wait("it to be unknown", lambda: it.messages("--state", "unknown"))[0]
        it.wait("it to be left to a person", lambda: not it.json("status", check=False)["healthy"])
        done = it.run("status", check=False)
        lab.true(done.returncode == 1 and "--state unknown" in done.stdout, f"status says what to do: {done.stdout}")
        lab.true("failed" in it.run("cancel", message["id"]).stdout, "it is given up")
        lab.equal(it.json("show", message["id"])["message"]["state"], "failed")
        lab.true(it.json("status")["healthy"], "nothing is left to look after")


def test_ctrl_c(build):
    """SIGINT stops it like SIGTERM, leaves no socket behind, and it can be started again."""
    with lab.Lab(build) as it:
        it.start()
        it.daemon.send_signal(signal.SIGINT)
        lab.equal(it.daemon.wait(20), 0)
        lab.true(not (it.dir / "simgate.sock").exists(), "the socket is gone")
        it.start_daemon()
        it.wait_ready()


def test_second_daemon(build):
    """A second daemon with the same file ends with status 1 and says who is there; the first works on."""
    with lab.Lab(build) as it:
        it.start()
        done = subprocess.run([str(it.build / "simgated"), "-c", str(it.conf)], capture_output=True, text=True, timeout=30)
        lab.equal(done.returncode, 1, done.stderr)
        lab.true("another simgate" in done.stderr or "in use" in done.stderr, done.stderr)
        other = it.dir / "other.conf"
        other.write_text(it.conf.read_text().replace("simgate.sock", "other.sock"))
        done = subprocess.run([str(it.build / "simgated"), "-c", str(other)], capture_output=True, text=True, timeout=30)
        lab.equal(done.returncode, 1, done.stderr)
        lab.true("simgate.db" in done.stderr and "another" in done.stderr, f"the database in use: {done.stderr}")
        lab.true(it.json("status")["healthy"], "the first one")
        it.tell(f"text modem0 {CUSTOMER} still there?")
        it.wait("its reply", lambda: it.log("submitted"))


def test_cannot_start(build):
    """What hinders a start is told in one line with the path, status 1: database, spool, socket."""
    with lab.Lab(build) as it:
        (it.dir / "file").write_text("")
        good = it.conf.read_text()
        for name in ("simgate.db", "spool", "simgate.sock"):
            it.conf.write_text(good.replace(f"{it.dir}/{name}", f"{it.dir}/file/{name}"))
            done = subprocess.run([str(it.build / "simgated"), "-c", str(it.conf)], capture_output=True, text=True, timeout=30)
            lab.equal(done.returncode, 1, done.stderr)
            lab.true(f"{it.dir}/file" in done.stderr and "Not a directory" in done.stderr, f"{name}: {done.stderr}")
        it.conf.write_text(good)
        for path in it.dir.glob("simgate.db*"):
            path.unlink()
        (it.dir / "simgate.db").write_bytes(b"this is not a database, but somebody's letter\n" * 200)
        done = subprocess.run([str(it.build / "simgated"), "-c", str(it.conf)], capture_output=True, text=True, timeout=30)
        lab.true(done.returncode == 1 and "simgate.db" in done.stderr, f"{done}")
        lab.true((it.dir / "simgate.db").read_bytes().startswith(b"this is not"), "somebody's letter is left alone")


# ---- log


def test_log_is_masked(build):
    """At level info neither full numbers nor texts nor PINs are in the log; at debug they may be."""
    with lab.Lab(build, rest='rules = ( { name = "all"; reply = "secretreply"; } );', pin="4711") as it:
        it.start()
        it.tell(f"text modem0 {CUSTOMER} secretquestion")
        it.run("send", "--to", "+491609876543", "secretmessage", "--wait")
        it.drop("To: 491608765432\n\nsecretfile")
        it.drop("To: 491607654321\nPriority: secretvalue\n\nsecretbad")
        it.wait("both files", lambda: it.files("sent") and it.files("failed"))
        it.tell("text modem0 +4915155555555 STOP")
        it.wait("consent", lambda: it.log("submitted", to="+4915155555555"))
        it.tell("fault modem0 cms 1")
        it.run("send", "--to", "+491606666666", "secretfailure", "--wait", check=False)
        it.stop_daemon()
        text = (it.work / "simgated.err").read_text()
        for secret in ("secretquestion", "secretreply", "secretmessage", "secretfile", "secretbad", "secretfailure", "15112345678",
                       "1609876543", "1608765432", "1607654321", "15155555555", "1606666666", "4711"):
            lines = [line for line in text.splitlines() if secret in line]
            lab.equal(lines, [], f"{secret} in the log")
        lab.true("message=" in text, "outcomes are logged")


# ---- the unit and make install


def install(build, stage, *more):
    done = subprocess.run(["make", "-C", str(lab.ROOT), f"BUILD={os.path.abspath(build)}", f"DESTDIR={stage}", *more],
                          capture_output=True, text=True)
    lab.equal(done.returncode, 0, done.stdout + done.stderr)


def files_of(stage):
    return sorted(str(p.relative_to(stage)) for p in pathlib.Path(stage).rglob("*") if not p.is_dir())


def staged(build):
    """`make install` into a tree of its own, once."""
    if not hasattr(staged, "tree"):
        staged.tree = tempfile.TemporaryDirectory(prefix="simgate-stage-")
        install(build, staged.tree.name, "install")
    return pathlib.Path(staged.tree.name)


def test_install(build):
    """make install puts everything where Debian expects it, with the right modes."""
    stage = staged(build)
    wanted = {"usr/bin/simgated": 0o755, "usr/bin/simgate": 0o755, "usr/bin/simgate-modem": 0o755,
              "lib/systemd/system/simgated.service": 0o644, "usr/lib/sysusers.d/simgate.conf": 0o644,
              "usr/lib/tmpfiles.d/simgate.conf": 0o644, "etc/simgate/gateway.conf": 0o640,
              "usr/share/bash-completion/completions/simgate": 0o644, "usr/share/man/man8/simgated.8": 0o644,
              "usr/share/man/man1/simgate.1": 0o644, "usr/share/man/man1/simgate-modem.1": 0o644,
              "usr/share/man/man5/gateway.conf.5": 0o644, "usr/share/man/man7/simgate-spool.7": 0o644,
              "usr/share/man/man7/simgate-protocol.7": 0o644, "usr/share/doc/simgate/README.md": 0o644}
    for path, mode in wanted.items():
        lab.true((stage / path).is_file(), f"{path} is missing among {files_of(stage)}")
        lab.equal(f"{(stage / path).stat().st_mode & 0o7777:o}", f"{mode:o}", path)
    done = subprocess.run([str(stage / "usr/bin/simgated"), "-t", "-c", str(stage / "etc/simgate/gateway.conf")],
                          capture_output=True, text=True)
    lab.equal(done.returncode, 0, done.stderr)
    lab.equal((stage / "etc/simgate").stat().st_mode & 0o007, 0, "/etc/simgate holds PINs")


def test_uninstall(build):
    """make uninstall removes every file but gateway.conf; install again keeps a changed gateway.conf."""
    with tempfile.TemporaryDirectory(prefix="simgate-stage-") as stage:
        install(build, stage, "install")
        conf = pathlib.Path(stage) / "etc/simgate/gateway.conf"
        conf.write_text("# mine\n")
        install(build, stage, "install")
        lab.equal(conf.read_text(), "# mine\n")
        install(build, stage, "uninstall")
        lab.equal(files_of(stage), ["etc/simgate/gateway.conf"])


def test_prefix(build):
    """With another PREFIX the unit starts the program there."""
    with tempfile.TemporaryDirectory(prefix="simgate-stage-") as stage:
        install(build, stage, "PREFIX=/usr/local", "install")
        unit = (pathlib.Path(stage) / "lib/systemd/system/simgated.service").read_text()
        lab.true("ExecStart=/usr/local/bin/simgated -c /etc/simgate/gateway.conf" in unit, unit)
        lab.true((pathlib.Path(stage) / "usr/local/bin/simgate").exists(), "simgate")


def test_unit(build):
    """systemd-analyze finds nothing to say about the installed unit, its program and its manual pages, and calls its sandbox
    good."""
    stage = staged(build)
    with tempfile.TemporaryDirectory(prefix="simgate-unit-") as directory:
        unit = pathlib.Path(directory) / "simgated.service"
        unit.write_text((stage / "lib/systemd/system/simgated.service").read_text().replace("/usr/bin/simgated",
                                                                                            f"{stage}/usr/bin/simgated"))
        done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True,
                              env={**os.environ, "MANPATH": f"{stage}/usr/share/man:"})
        lab.equal((done.returncode, done.stdout + done.stderr), (0, ""), "systemd-analyze verify")
        done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=25", str(unit)],
                              capture_output=True, text=True)
        lab.equal(done.returncode, 0, done.stdout[-200:] + done.stderr)


def test_user_and_directories(build):
    """The sysusers and tmpfiles snippets make the user simgate and the spool's folders, on an empty root."""
    stage = staged(build)
    with tempfile.TemporaryDirectory(prefix="simgate-root-") as root:
        for folder in ("etc", "usr/lib/sysusers.d", "usr/lib/tmpfiles.d", "var/spool"):
            (pathlib.Path(root) / folder).mkdir(parents=True)
        for snippet in ("sysusers.d", "tmpfiles.d"):
            shutil.copy(stage / "usr/lib" / snippet / "simgate.conf", pathlib.Path(root) / "usr/lib" / snippet / "simgate.conf")
        done = subprocess.run(["systemd-sysusers", f"--root={root}", "simgate.conf"], capture_output=True, text=True)
        lab.equal(done.returncode, 0, done.stderr)
        user = [line for line in (pathlib.Path(root) / "etc/passwd").read_text().splitlines() if line.startswith("simgate:")]
        lab.true(user and "nologin" in user[0] and "/var/lib/simgate" in user[0], f"{user}")
        if os.geteuid() == 0:
            done = subprocess.run(["systemd-tmpfiles", f"--root={root}", "--create", "simgate.conf"], capture_output=True, text=True)
            lab.equal((done.returncode, done.stderr), (0, ""), "systemd-tmpfiles")
            outgoing = pathlib.Path(root) / "var/spool/simgate/outgoing"
            lab.equal(f"{outgoing.stat().st_mode & 0o7777:o}", "2770", "outgoing/")


def test_manual_pages(build):
    """The manual pages format without a warning."""
    pages = sorted((lab.ROOT / "docs").glob("*.[1578]"))
    lab.true(len(pages) >= 6, f"{pages}")
    for page in pages:
        for command in (["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", str(page)], ["groff", "-man", "-ww", "-Tutf8", str(page)]):
            done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "MANWIDTH": "80", "LC_ALL": "C.UTF-8"})
            lab.equal((done.returncode, done.stderr), (0, ""), f"{' '.join(command)}")


if __name__ == "__main__":
    lab.main(globals())
