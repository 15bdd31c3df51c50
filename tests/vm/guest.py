"""A Debian booted by QEMU without KVM: runs scripts in it, plugs USB serial modems in and out.

    with Guest("build/vm", share="build/stage", wires={"modem0": "/tmp/x/modem0"}) as guest:
        guest.boot()
        guest.sh("systemctl start simgated")
        guest.plug("stick", wire="modem0", port="1")

Scripts go through a virtio port to agent.pl; USB devices through QEMU's monitor. A wire is a unix socket on which somebody
listens (the simulated modem); QEMU connects to it again and again, and what a device on it reads and writes goes there.
"""
import json
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

# Ends what it starts when the test is killed.
WITH_US = ["setpriv", "--pdeathsig", "KILL"]
# A /dev/kvm that opens may still not boot this kernel, and the tests are to measure the same everywhere.
QEMU = [*WITH_US, "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-machine", "q35,hpet=off",
        "-accel", "tcg,thread=multi,tb-size=256", "-cpu", "max", "-smp", "2", "-m", "512", "-no-reboot"]
KERNEL = ("console=ttyS0 quiet panic=-1 mitigations=off audit=0 random.trust_cpu=on tsc=reliable no_timer_check "
          "systemd.show_status=0 rw")


class GuestError(RuntimeError):
    """QEMU, or a script in the guest, did not do what it should."""


class Guest:
    def __init__(self, image, share, wires, ports=None):
        """wires: name to socket path, for plug(); ports: name of a virtio port in the guest to socket path."""
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="simgate-vm-"))
        args = [*QEMU, "-serial", f"file:{self.dir}/console", "-kernel", f"{image}/vmlinuz", "-initrd", f"{image}/initrd.gz",
                "-append", KERNEL,
                "-drive", f"file={image}/root.ext4,if=none,id=root,format=raw,snapshot=on,cache=unsafe",
                "-device", "virtio-blk-pci,drive=root", "-device", "virtio-rng-pci",
                "-virtfs", f"local,path={share},mount_tag=share,security_model=none,readonly=on",
                "-device", "virtio-serial-pci", "-chardev", f"socket,id=agent,path={self.dir}/agent,server=on,wait=off",
                "-device", "virtserialport,chardev=agent,name=test.agent",
                "-qmp", f"unix:{self.dir}/qmp,server=on,wait=off", "-device", "qemu-xhci,id=usb"]
        for name, path in wires.items():
            args += ["-chardev", f"socket,id={name},path={path},reconnect=1"]
        for name, path in (ports or {}).items():
            args += ["-chardev", f"socket,id={name},path={path},reconnect=1",
                     "-device", f"virtserialport,chardev={name},name={name}"]
        self.log = open(self.dir / "qemu.log", "wb")
        self.qemu = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)
        try:
            self.agent, self.monitor = self.connect("agent"), self.connect("qmp")
            self.agent_file, self.monitor_file = self.agent.makefile("rb"), self.monitor.makefile("rb")
            self.monitor_file.readline()
            self.qmp("qmp_capabilities")
        except BaseException:
            self.close()
            raise

    def connect(self, name):
        end = time.monotonic() + 20
        while True:
            s = socket.socket(socket.AF_UNIX)
            try:
                s.connect(str(self.dir / name))
                return s
            except OSError:
                s.close()
                if self.qemu.poll() is not None or time.monotonic() > end:
                    raise GuestError(f"QEMU did not start: {(self.dir / 'qemu.log').read_text()}") from None
                time.sleep(0.05)

    def boot(self, seconds=180):
        """Until the agent answers."""
        self.agent.settimeout(seconds)
        try:
            if self.agent_file.readline().strip() != b"READY":
                raise GuestError("the agent's first line is not READY")
        except OSError as late:
            raise GuestError(f"no agent within {seconds} s; the console's end:\n{self.console()}") from late

    def run(self, script, seconds=60):
        """Its exit status and all that it printed. What takes longer is killed (status 124 or 137)."""
        data = script.encode()
        self.agent.settimeout(seconds + 30)
        self.agent.sendall(b"RUN %d %d\n" % (seconds, len(data)) + data)
        head = self.agent_file.readline().split()
        if len(head) != 3:
            raise GuestError(f"the guest is gone; the console's end:\n{self.console()}")
        return int(head[1]), self.agent_file.read(int(head[2])).decode(errors="replace")

    def sh(self, script, seconds=60):
        """What it printed; it must end with 0."""
        status, output = self.run(script, seconds)
        if status:
            raise GuestError(f"status {status} of: {script}\n{output}")
        return output

    def qmp(self, command, **arguments):
        request = {"execute": command, **({"arguments": arguments} if arguments else {})}
        self.monitor.sendall(json.dumps(request).encode() + b"\n")
        while True:
            answer = json.loads(self.monitor_file.readline())
            if "error" in answer:
                raise GuestError(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def plug(self, name, wire, port, serial="MODEM0001"):
        """A USB serial adapter (FTDI's) into this port of the hub. The wire's other end may come and go."""
        self.qmp("device_add", driver="usb-serial", id=name, chardev=wire, serial=serial, bus="usb.0", port=port,
                 **{"always-plugged": True})

    def unplug(self, name):
        self.qmp("device_del", id=name)

    def console(self):
        return (self.dir / "console").read_text(errors="replace")[-2000:]

    def peak_mb(self):
        """QEMU's largest resident size."""
        status = pathlib.Path(f"/proc/{self.qemu.pid}/status").read_text()
        return next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM"))

    def close(self):
        self.qemu.kill()  # its disk is a snapshot: nothing is lost
        self.qemu.wait()
        self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)
