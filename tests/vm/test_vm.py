#!/usr/bin/python3
"""simgate as installed, on a booted Debian: its unit under systemd, and modems on USB lines through the kernel's own drivers,
udev and libserialport. QEMU's USB serial adapters have simulated modems at their other ends.

    test_vm.py BUILD [TEST…]    says "skipped" and why where QEMU cannot run
"""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

from machine import STICK, Booted, Machine, lab

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build").resolve()
IMAGE = BUILD / "vm"
INTERFACES = "for t in /dev/ttyUSB*; do t=${t##*/}; echo $t $(cat /sys/class/tty/$t/device/../bInterfaceNumber); done"
FIXED = '{ name = "M0"; port = "/dev/ttyUSB0"; report = true; }'
TO, OTHER = "+491601234567", "+491607654321"


IMEI = ("357805020000000", "357805020000015", "357805020000023")  # as simgate-modem counts


def by_imei(number):
    return f'{{ name = "M{number}"; imei = "{IMEI[number]}"; report = true; }}'


def the_machine():
    """Booted by the first test that asks."""
    if not hasattr(the_machine, "it"):
        the_machine.it = None  # it is tried once
        the_machine.it = Machine(BUILD, IMAGE)
        print(f"# booted in {the_machine.it.boot_s:.1f} s", flush=True)
    lab.true(the_machine.it, "the machine did not come up")
    return the_machine.it


def gateway(modems=FIXED, **more):
    return Booted(the_machine(), modems, **more)


def test_installed_without_a_modem(build):
    """Nothing was ever plugged in: systemd has nothing to say about the unit, it starts and is ready; `simgate modems` says
    absent, `simgate status` that nobody is needed yet; the daemon runs as the user simgate, without privileges."""
    with gateway() as it:
        lab.equal(it.guest.run("systemd-analyze verify --man=no simgated.service"), (0, ""), "systemd-analyze verify")
        lab.equal(it.guest.run("lsmod | grep usbserial"), (1, ""), "a driver for sticks is loaded already")
        it.start_daemon()
        lab.equal((it.show("ActiveState"), it.show("SubState")), ("active", "running"))
        modem = it.modems()[0]
        lab.equal(modem["state"], "absent", f"{modem}")
        it.run("status")
        status = it.sh(f"cat /proc/{it.show('MainPID')}/status")
        uid = it.sh("id -u simgate").strip()
        lab.true(f"Uid:\t{uid}\t{uid}" in status and "CapEff:\t0000000000000000" in status and "Seccomp:\t2" in status, status)


def test_plugged_later(build):
    """A stick is plugged in for the first time while the daemon runs: the unit's device rules let it open a tty whose driver
    was not loaded when it started."""
    with gateway() as it:
        it.start_daemon()
        it.plug(0)
        it.wait_ready()


def test_exchange(build):
    """On a USB line through libserialport: a text in is answered, a text and a spool file go out and their delivery reports
    come."""
    with gateway() as it:
        it.plug(0)
        it.start_daemon()
        it.wait_ready()
        it.tell(f"text modem0 {TO} Grüße, wann öffnet ihr? 😀")
        it.wait("the answer", lambda: it.log("submitted", to=TO, text="auto reply"))
        it.run("send", "--to", TO, "--wait", "by hand " + "and long " * 40)
        it.drop(f"To: {TO[1:]}\nReport: yes\n\nby a script")
        it.wait("all to be delivered", lambda: sorted(m["state"] for m in it.messages("--out")) == ["delivered"] * 3)
        it.wait("its file", lambda: len(it.files("sent")) == 1 and len(it.files("incoming")) == 1)
        lab.equal([m["text"] for m in it.messages("--in")], ["Grüße, wann öffnet ihr? 😀"])


def test_killed(build):
    """SIGKILL: systemd starts it again, and what was accepted goes out."""
    with gateway(modem_args=["--net-ms", "500"]) as it:
        it.plug(0)
        it.start_daemon()
        it.wait_ready()
        for n in range(6):
            it.drop(f"To: {TO[1:]}\n\ntext {n}")
        it.wait("some to be sent", lambda: len(it.log("submitted")) >= 2)
        pid = it.show("MainPID")
        it.kill()
        it.wait("systemd to start it again", lambda: it.show("MainPID") not in ("0", pid) and it.show("SubState") == "running")
        it.wait("all to be settled", lambda: sorted({m["state"] for m in it.messages("--out")} - {"unknown"}) == ["delivered"], 60)
        texts = [e["text"] for e in it.log("submitted")]
        lab.equal(len(texts), len(set(texts)), f"sent twice: {texts}")
        lab.true(len(it.messages("--out")) == 6, "accepted, and there")
        lab.equal(it.show("NRestarts"), "1")


def test_hung_daemon(build):
    """A daemon whose loop does not turn is ended by the watchdog and started again."""
    with gateway() as it:
        it.sh("mkdir -p /run/systemd/system/simgated.service.d; printf '[Service]\nWatchdogSec=2\n' "
              "> /run/systemd/system/simgated.service.d/test.conf; systemctl daemon-reload")
        try:
            it.start_daemon()
            pid = it.show("MainPID")
            it.sh(f"sleep 3; test $(systemctl show --value -p MainPID simgated) = {pid}; kill -STOP {pid}")
            it.wait("another process", lambda: it.show("MainPID") not in ("0", pid) and it.show("SubState") == "running", 60)
            lab.true(it.journal("Watchdog timeout"), "the journal says why")
        finally:
            it.sh("rm -r /run/systemd/system/simgated.service.d; systemctl daemon-reload")


def test_reload_and_stop(build):
    """`systemctl reload` takes a new configuration while a modem stays ready, and keeps the old one where the new one has
    mistakes; `systemctl stop` lets what is on the air end, and leaves nothing failed."""
    with gateway(modem_args=["--net-ms", "3000"]) as it:
        it.plug(0)
        it.start_daemon()
        it.wait_ready()
        since = it.modems()[0]["since"]
        it.write_conf(rest='rules = ( { name = "all"; reply = "another reply"; } );')
        it.sh("systemctl reload simgated")
        it.write_conf(rest="nonsense = 1;")
        it.sh("systemctl reload simgated")
        it.wait("the mistake to be told", lambda: it.journal("nonsense"))
        lab.equal(it.modems()[0]["since"], since, "the modem's state is as old as before")
        it.tell(f"text modem0 {TO} Hello")
        it.wait("the answer to be on the air", lambda: [m for m in it.messages("--out") if m["state"] == "submitting"])
        it.stop_daemon()
        lab.equal([e["text"] for e in it.log("submitted")], ["another reply"])
        lab.equal((it.show("ActiveState"), it.show("Result"), it.show("NRestarts")), ("inactive", "success", "0"))
        it.write_conf()
        it.start_daemon()
        lab.equal(it.messages("--out")[0]["state"] in ("sent", "delivered"), True, "its outcome was kept")


def numbered_away(it, tty="/dev/ttyUSB0"):
    """Somebody who keeps the dead tty open, as programs do: its number is not free for the replugged stick."""
    it.sh(f"setsid sleep 600 < {tty} > /dev/null 2>&1 & sleep 0.1")


def test_unplugged_while_sending(build):
    """Pulled when the network had just taken a message and not answered yet: absent by the line itself, the message held as
    unknown, another one waits. Plugged in again it is another ttyUSB and the same modem: the report settles the first, the
    second goes out, nothing goes twice."""
    with gateway(by_imei(0), modem_args=["--report-ms", "8000"]) as it:
        it.plug(0)
        it.start_daemon()
        it.wait_ready()
        lab.equal(it.modems()[0]["port"], "/dev/ttyUSB0")
        it.tell("fault modem0 ok_lost")
        first = it.json("send", "--to", TO, "cut off")["messages"][0]["id"]
        it.wait("the network to have it", lambda: it.log("submitted", text="cut off"))
        numbered_away(it)
        pulled = time.monotonic()
        it.unplug(0)
        it.wait("it to be absent", lambda: it.modem_state() == "absent")
        print(f"# absent {time.monotonic() - pulled:.1f} s after it was pulled")
        lab.equal(it.json("show", first)["message"]["state"], "unknown")
        second = it.json("send", "--to", OTHER, "waits")["messages"][0]["id"]
        it.tell("fault modem0 no_network 3600000")  # a modem that is not set up yet would lose the report
        it.plug(0)
        it.wait("the kernel to see it", lambda: it.guest.run("test -e /dev/ttyUSB1")[0] == 0)
        seen = time.monotonic()
        it.wait("it to be set up", lambda: it.modem_state() == "registering", 60)
        it.tell("fault modem0 clear")
        it.wait_ready(60)
        print(f"# ready {time.monotonic() - seen:.1f} s after it was on the bus again")
        lab.equal(it.modems()[0]["port"], "/dev/ttyUSB1")
        for number in first, second:
            it.wait("both to be delivered", lambda: it.json("show", number)["message"]["state"] == "delivered")
        lab.equal([e["text"] for e in it.log("submitted")], ["cut off", "waits"])


def test_identical_sticks(build):
    """Two sticks with the same USB serial number, plugged in either order: told apart by IMEI and by place on the bus."""
    with gateway(f"{by_imei(0)}, {by_imei(1)}", rest="rules = ();") as it:
        it.start_daemon()
        for order in (1, 0), (0, 1):
            for number in order:
                it.plug(number)
                it.wait("its tty", lambda: it.guest.run(f"test -e /dev/ttyUSB{order.index(number)}")[0] == 0)
            it.wait_ready(60)
            check_sticks(it, order)
            for number in order:
                it.unplug(number)
            it.wait("both to be absent", lambda: {m["state"] for m in it.modems()} == {"absent"})
        it.write_conf(modems='{ name = "M0"; usb = "1-1"; }, { name = "M1"; usb = "1-2"; }')
        it.sh("systemctl reload simgated")
        for number in 1, 0:
            it.plug(number)
        it.wait_ready(60)
        check_sticks(it, None)


def check_sticks(it, order):
    """Each modem is on its own stick, and sends by it."""
    for number in 0, 1:
        modem = next(m for m in it.modems() if m["name"] == f"M{number}")
        lab.equal(modem["imei"], IMEI[number], f"M{number}")
        if order:
            lab.equal(modem["port"], f"/dev/ttyUSB{order.index(number)}", f"M{number}")
        text = f"by M{number} at {time.monotonic_ns()}"
        it.run("send", "--to", TO, "--modem", f"M{number}", "--wait", text)
        lab.equal([e["modem"] for e in it.log("submitted", text=text)], [f"modem{number}"])


def test_four_ports(build):
    """A stick with four serial ports on the kernel's `option` driver, found by IMEI: its AT port (interface 2) is used, and
    diagnostics (0) and GPS (1, which talks) are never opened. Interface 3 is a second AT port, and may be tried."""
    with gateway(by_imei(STICK), rest="rules = ();") as it:
        it.start_daemon()
        it.sh("inotifywait -q -m -e open --format %f -o /run/opened /dev > /dev/null 2>&1 & echo $! > /run/inotify.pid")
        it.plug_stick()
        it.wait_ready(60)
        it.run("send", "--to", TO, "--wait", "by the stick")
        port = it.modems()[0]["port"]
        lab.equal(it.sh(f"cat /sys/class/tty/{port[5:]}/device/../bInterfaceNumber").strip(), "02", port)
        opened = set(it.sh("kill $(cat /run/inotify.pid); grep ttyUSB /run/opened").split())
        interfaces = dict(line.split() for line in it.sh(INTERFACES).splitlines())
        lab.true({interfaces[tty] for tty in opened} <= {"02", "03"}, f"opened: {opened} of {interfaces}")
        lab.true("interface 0" not in it.sh("cat /run/stick.log"), "nothing is written to diagnostics")
        check_rules(it, port)
        held = it.sh(f"readlink /proc/{it.show('MainPID')}/fd/* | grep ttyUSB")
        lab.equal(held.split(), [port], "ports that the daemon has open")


def check_rules(it, port):
    """What the installed udev rules made of the four-port stick."""
    links = dict(line.split(" -> ../") for line in it.sh("cd /dev/simgate; stat -c %N * | tr -d \"'\"").splitlines())
    ports = {link.rpartition("-")[2]: tty for link, tty in links.items() if link.startswith("usb-")}
    lab.equal(sorted(ports), ["if00", "if01", "if02", "if03"], f"{links}")
    lab.equal([tty for link, tty in links.items() if link.startswith("at-")], [port[5:]], f"{links}")
    lab.equal(ports["if02"], port[5:], f"{links}")
    lab.equal(it.sh(f"stat -c '%G %a' {port}").strip(), "simgate 660", port)
    said = it.sh(f"udevadm info --query=property {port}").split()
    lab.true({"ID_MM_PORT_IGNORE=1", "SIMGATE_ROLE=at", "SIMGATE_FAMILY=simcom-4g"} <= set(said), f"{said}")
    device = it.sh(f"realpath /sys/class/tty/{port[5:]}/device/../..").strip()
    lab.true("ID_MM_DEVICE_IGNORE=1" in it.sh(f"udevadm info --query=property {device}").split(), device)
    lab.equal(it.sh(f"stat -c '%G %A' {device}/authorized").strip(), "simgate -rw-rw-r--", "authorized")


def test_hung_modem(build):
    """A stick that hangs so that nothing said on its line helps is taken off the bus and put back, out of the unit's sandbox;
    then it works, and what waited goes out."""
    with gateway(by_imei(STICK), rest="rules = ();") as it:
        it.start_daemon()
        it.plug_stick()
        it.wait_ready(60)
        it.sh("dmesg --clear")
        it.tell(f"fault modem{STICK} silence 3600000")
        began = time.monotonic()
        it.run("send", "--to", TO, "waits for a replug")
        it.wait("the kernel to let it on the bus again", lambda: it.guest.run("dmesg | grep -q 'authorized to connect'")[0] == 0, 300)
        it.tell(f"fault modem{STICK} clear")
        print(f"# put back on the bus {time.monotonic() - began:.0f} s after it hung")
        it.wait("the message", lambda: it.log("submitted", text="waits for a replug"), 120)
        lab.equal([e["text"] for e in it.log("submitted")], ["waits for a replug"])


SKIPPED = {75: "the guest's packages cannot be had or unpacked here", 77: "the guest's image is made by root only"}


def skip_reason():
    """Why it cannot run here, or None: then the image is there."""
    for program in "qemu-system-x86_64", "mmdebstrap", "modprobe", "cpio":
        if not shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin"):
            return f"no {program} here, and it could not be installed"
    status = subprocess.run([str(HERE / "image.sh"), str(IMAGE)], stdin=subprocess.DEVNULL, check=False).returncode
    if status and status not in SKIPPED:
        raise SystemExit(f"image.sh ended with {status}")
    return SKIPPED.get(status)


if __name__ == "__main__":
    reason = skip_reason()
    if reason:
        tests = sum(name.startswith("test_") for name in globals())
        print(f"# skipped: {reason}\n0 passed, 0 failed, {tests} skipped")
        sys.exit(0)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        lab.main(globals())
    finally:
        if getattr(the_machine, "it", None):
            print(f"# QEMU took {the_machine.it.guest.peak_mb()} MB", flush=True)
            the_machine.it.close()
