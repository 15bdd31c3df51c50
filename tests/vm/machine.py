"""The booted machine with simgate installed, and one gateway on it after another, each with modems of its own.

    with Booted(machine, modems='{ name = "M0"; port = "/dev/ttyUSB0"; }') as it:
        it.start_daemon()
        it.plug(0)
        it.wait_ready()

A Booted is the end-to-end tests' Lab whose daemon runs in the guest, under systemd, as installed; the simulated modems run
here, at the other end of QEMU's USB serial adapters.
"""
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

from guest import WITH_US, Guest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))
import lab  # noqa: E402: it is in another folder

MODEMS = 3  # 0 and 1 are for USB serial adapters, 2 is inside the four-port stick
STICK = 2
SPOOL = "/var/spool/simgate"
GADGET = "/sys/kernel/config/usb_gadget/stick"
CONF = """gateway = {{ name = "Lab"; country = "49"; {gateway} }};
modems = ( {modems} );
{rest}
"""
# As `make install` does where it installs for real.
INSTALL = """
set -e
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,ro share /mnt/share
tar -C /mnt/share/root -c . | tar -C / -x --no-same-owner --keep-directory-symlink
systemd-sysusers
systemd-tmpfiles --create simgate.conf
chgrp -R simgate /etc/simgate
systemctl daemon-reload
udevadm control --reload
"""


class Machine:
    """QEMU, booted, with `make install` in it. There is one; each Booted leaves it clean."""

    def __init__(self, build, image):
        self.build = pathlib.Path(build).resolve()
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="simgate-vm-"))
        subprocess.run(["make", "-C", str(ROOT), f"BUILD={self.build}", f"DESTDIR={self.dir}/stage/root", "install"],
                       check=True, stdout=subprocess.DEVNULL)
        shutil.copy(ROOT / "tests/vm/stick.pl", self.dir / "stage")
        start = time.monotonic()
        try:
            self.guest = Guest(image, self.dir / "stage", {f"modem{i}": self.wire(i) for i in range(STICK)},
                               {"test.modem": self.wire(STICK)})
            self.guest.boot()
            self.boot_s = time.monotonic() - start
            self.guest.sh(INSTALL)
        except BaseException:
            self.close()
            raise

    def wire(self, number):
        return self.dir / f"modem{number}"

    def close(self):
        if hasattr(self, "guest"):
            self.guest.close()
        shutil.rmtree(self.dir, ignore_errors=True)


class Booted(lab.Lab):
    def __init__(self, machine, modems, gateway="", rest=lab.RULES, modem_args=()):
        self.machine, self.guest, self.conf_modems, self.plugged = machine, machine.guest, modems, set()
        super().__init__(machine.build, modems=MODEMS, gateway=gateway, rest=rest, modem_args=modem_args, pin="")
        self.start_modem()

    # ---- the daemon, in the guest

    def sh(self, script, seconds=60):
        return self.guest.sh(script, seconds)

    def write_conf(self, rest=None, modems=None, gateway=None):
        text = CONF.format(modems=self.conf_modems if modems is None else modems,
                           gateway=self.gateway_conf if gateway is None else gateway,
                           rest=self.rest if rest is None else rest)
        self.sh(f"cat > /etc/simgate/gateway.conf <<'CONF'\n{text}CONF\n"
                "chgrp simgate /etc/simgate/gateway.conf; chmod 640 /etc/simgate/gateway.conf")

    def start_daemon(self, wait=True, env=None, pass_fds=()):
        self.sh("systemctl start simgated")

    def kill(self):
        self.sh("systemctl kill --signal=KILL simgated")

    def stop_daemon(self, timeout=90):
        self.sh("systemctl stop simgated", timeout)

    def show(self, name):
        """A property of the unit."""
        return self.sh(f"systemctl show --value -p {name} simgated").strip()

    def journal(self, text=""):
        """The unit's lines since this gateway began, those with this text in them."""
        lines = self.sh("journalctl --sync; journalctl -u simgated --no-pager -o cat").splitlines()
        return [line for line in lines if text in line]

    def run(self, *args, check=True, stdin="", timeout=60, env=None):
        script = f"simgate {shlex.join(map(str, args))}"
        status, output = self.guest.run(f"{script} 2>/run/stderr; status=$?; cat /run/stderr >&2; exit $status", timeout)
        if check and status:
            raise lab.Failure(f"{script} ended with {status}: {output}\n{self.tail()}")
        return subprocess.CompletedProcess(script, status, output, "")

    def drop(self, text, name=None, folder="outgoing"):
        name = name or f"test-{time.monotonic_ns():x}"
        self.sh(f"cat > {SPOOL}/{folder}/.new-{name} <<'FILE'\n{text}\nFILE\nchmod 660 {SPOOL}/{folder}/.new-{name}; "
                f"mv {SPOOL}/{folder}/.new-{name} {SPOOL}/{folder}/{name}")
        return name

    def files(self, folder):
        return self.sh(f"ls {SPOOL}/{folder}").split()

    def tail(self, lines=60):
        return "\n".join(self.journal()[-lines:])

    # ---- the modems, here

    def start_modem(self):
        args = ["--unix", str(self.machine.dir / "modem"), "--count", str(MODEMS), "--control", str(self.dir / "control"),
                "--log", str(self.dir / "modem.log"), *self.modem_args]
        self.modem = subprocess.Popen([*WITH_US, str(self.build / "simgate-modem"), *args], stdout=subprocess.DEVNULL,
                                      stderr=open(self.dir / "modem.err", "ab"))
        self.wait("the simulated modems", lambda: (self.dir / "control").is_socket())
        for number in range(MODEMS):
            self.wait_wire(number)

    def wait_wire(self, number):
        """Until QEMU has the modem's socket again: it tries each second."""
        name = "test.modem" if number == STICK else f"modem{number}"
        self.wait(f"the wire of modem{number}", lambda: any(
            c["label"] == name and not c["filename"].startswith("disconnected") for c in self.guest.qmp("query-chardev")))

    def plug(self, number, port=None, serial="MODEM0001"):
        """The modem gets power and is on the bus; after an unplug() it begins anew."""
        self.tell(f"fault modem{number} return")
        self.wait_wire(number)
        self.guest.plug(f"stick{number}", f"modem{number}", str(port or number + 1), serial)
        self.plugged.add(number)

    def unplug(self, number):
        """It is off the bus and without power: what it was doing is cut off, its stores keep their messages."""
        self.guest.unplug(f"stick{number}")
        self.tell(f"fault modem{number} vanish")
        self.plugged.discard(number)

    def plug_stick(self):
        """The four-port stick, until the kernel has all its ports."""
        if self.guest.run("test -e /run/stick.ready")[0]:
            self.sh("setsid perl /mnt/share/stick.pl /dev/virtio-ports/test.modem > /run/stick.err 2>&1 &")
            self.wait("the stick", lambda: self.guest.run("test -e /run/stick.ready")[0] == 0)
        self.sh(f"> /run/stick.log; ls /sys/class/udc | grep dummy > {GADGET}/UDC")
        self.wait("its ports", lambda: len(self.sh("ls /dev").split("ttyUSB")) == 5)

    def unplug_stick(self):
        self.sh(f"test ! -e {GADGET}/UDC || echo > {GADGET}/UDC")

    def close(self):
        for number in list(self.plugged):
            self.guest.unplug(f"stick{number}")
        self.unplug_stick()
        self.guest.run("systemctl stop simgated; systemctl reset-failed simgated; rm -rf /var/lib/simgate/*; "
                       f"find {SPOOL} -type f -delete; pkill sleep; udevadm settle; journalctl --rotate; journalctl --vacuum-time=1s", 120)
        super().close()
