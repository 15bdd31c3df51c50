#!/usr/bin/python3
"""`make demo`: a small shop's gateway on a simulated modem, in build/demo.

A customer texts in and is answered, the delivery report comes back, a script's file is sent, a person sends a text. On a
terminal the gateway is then left running; otherwise the demo ends by itself, with status 0 only when every step worked.
"""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time

BUILD = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build").resolve()
DIR = BUILD / "demo"
INTERACTIVE = sys.stdin.isatty() and sys.stdout.isatty()
BOLD, DIM, PLAIN = ("\033[1m", "\033[2m", "\033[0m") if sys.stdout.isatty() else ("", "", "")
CUSTOMER = "+4915112345678"
LONGEST_DIR = 86  # with /simgate.sock below it still a unix socket's address

CONF = f"""# A small shop. Try your own changes: simgated -t -c FILE checks them, SIGHUP loads them.
gateway = {{ name = "Blue Bakery"; country = "49"; database = "{DIR}/simgate.db"; spool = "{DIR}/spool"; socket = "{DIR}/simgate.sock"; }};

modems = ( {{ name = "counter"; port = "{DIR}/modem0"; pin = "1234"; report = true; }} );

templates = {{ hours = "We are open Mon-Fri 9-18 and Sat 10-14. Your {{{{gateway.name}}}}"; }};

rules = (
  {{ name = "hours";  keywords = [ "hours", "open", "öffnungszeiten" ]; reply = "@hours"; }},
  {{ name = "order";  pattern = "(?i)\\\\border\\\\s*#?(?<number>\\\\d+)"; reply = "We look into order {{{{match.number}}}} and answer today."; }},
  {{ name = "others"; reply = "Thank you, we have your message and answer as soon as we can. {{{{gateway.name}}}}"; }}
);
"""


STARTED = {}


class Failed(Exception):
    pass


def step(text):
    print(f"\n{BOLD}{text}{PLAIN}", flush=True)


def note(text):
    print(f"  {text}", flush=True)


def command(text):
    print(f"  {DIM}$ {text}{PLAIN}", flush=True)


def end_of_log(name):
    path = DIR / f"{name}.log"
    lines = path.read_text(errors="replace").splitlines()[-20:] if path.exists() else []
    return f" The end of {path}:\n" + "\n".join(lines)


def wait(what, condition, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        for name, process in STARTED.items():
            if process.poll() is not None:
                raise Failed(f"{name} ended with status {process.returncode}.{end_of_log(name)}")
        time.sleep(0.05)
    raise Failed(f"{what} did not come within {seconds} s.{end_of_log('simgated')}")


def modem(text):
    """One command to the simulated modem."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(DIR / "control"))
        s.sendall(text.encode() + b"\n")
        return json.loads(s.makefile().readline())


def submitted(to, text):
    """What the simulated network took from the gateway."""
    path = DIR / "modem.log"
    for line in path.read_text().splitlines() if path.exists() else ():
        event = json.loads(line)
        if event["event"] == "submitted" and event["to"] == to and event["text"].startswith(text):
            return event
    return None


def simgate(*args, show=True):
    if show:
        command("simgate " + " ".join(f'"{a}"' if " " in a else a for a in args))
    done = subprocess.run([BUILD / "simgate", *args], capture_output=True, text=True,
                          env=dict(os.environ, SIMGATE_SOCKET=str(DIR / "simgate.sock")), timeout=60)
    if show:
        print("".join(f"    {line}\n" for line in done.stdout.splitlines()), end="", flush=True)
    if done.returncode:
        raise Failed(f"simgate {' '.join(args)}: {done.stderr.strip()}")
    return done.stdout


def stop_old():
    """A demo that was left running before."""
    for name in ("simgated", "simgate-modem"):
        pid = DIR / f"{name}.pid"
        if not pid.exists():
            continue
        try:
            number = int(pid.read_text())
            if pathlib.Path(f"/proc/{number}/exe").resolve().name.startswith(name):
                os.kill(number, signal.SIGTERM)
                wait(f"the end of the old {name}", lambda n=number: not pathlib.Path(f"/proc/{n}").exists())
        except (ValueError, OSError):
            pass
    shutil.rmtree(DIR, ignore_errors=True)


def start(name, *args):
    with open(DIR / f"{name}.log", "wb") as log:
        process = subprocess.Popen([BUILD / name, *args], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   start_new_session=True)
    (DIR / f"{name}.pid").write_text(f"{process.pid}\n")
    STARTED[name] = process


def delivered(text):
    messages = json.loads(simgate("messages", "--out", "--json", show=False))
    return any(m["text"].startswith(text) and m["state"] == "delivered" for m in messages["messages"])


def demo():
    if len(str(DIR)) > LONGEST_DIR:
        raise Failed(f"{DIR}: too long a path for sockets; at most {LONGEST_DIR} characters: move the sources nearer to the root")
    step("A shop with one modem (simulated: it speaks AT commands on a pseudo-terminal, as a stick does)")
    DIR.mkdir(parents=True)
    (DIR / "gateway.conf").write_text(CONF)
    start("simgate-modem", "--dir", str(DIR), "--count", "1", "--pin", "1234", "--number", "+491700000001",
          "--net-ms", "300", "--report-ms", "800", "--log", str(DIR / "modem.log"))
    wait("the simulated modem", lambda: (DIR / "modem0").exists() and (DIR / "control").exists())
    start("simgated", "-c", str(DIR / "gateway.conf"))
    wait("the gateway's socket", lambda: (DIR / "simgate.sock").exists())
    note(f"configuration: {DIR}/gateway.conf    log: {DIR}/simgated.log")
    wait("the modem", lambda: '"ready"' in simgate("modems", "--json", show=False))
    simgate("modems")

    question = "Open on Saturday?"
    step(f"A customer, {CUSTOMER}, texts: {question}")
    modem(f"text modem0 {CUSTOMER} {question}")
    wait("the automatic reply", lambda: submitted(CUSTOMER, "We are open"))
    note(f"on the air: \"{submitted(CUSTOMER, 'We are open')['text']}\"")
    wait("its delivery report", lambda: delivered("We are open"))
    note("and the network's delivery report came back.")

    step("A script drops a file into the spool directory (smstools3's format)")
    (DIR / "spool" / "new").write_text("To: 4915199999999\n\nYour cake is ready. 🎂\n")
    (DIR / "spool" / "new").rename(DIR / "spool" / "outgoing" / "cake")
    command(f"mv cake {DIR}/spool/outgoing/")
    wait("the file in sent/", lambda: (DIR / "spool" / "sent" / "cake").exists())
    note("moved to sent/ when the network had taken it:")
    print("".join(f"    {line}\n" for line in (DIR / "spool" / "sent" / "cake").read_text().splitlines()), end="")

    step("A person sends a text and waits for its delivery")
    simgate("send", "--to", "+4915188888888", "--wait", "Good morning from the bakery")
    wait("the customer's message in incoming/", lambda: list((DIR / "spool" / "incoming").glob("[!.]*")))

    step("What the gateway keeps")
    simgate("messages")
    simgate("status")


NEXT = 'What to do next: plug a modem in, and see README.md, "With a real modem, in five minutes".'


def interrupt(*_):
    raise KeyboardInterrupt


def main():
    signal.signal(signal.SIGTERM, interrupt)
    try:
        stop_old()
        demo()
    except (Failed, OSError, ValueError, subprocess.TimeoutExpired) as why:
        print(f"\nThe demo failed: {why}", file=sys.stderr)
        status = 1
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        status = 130
    else:
        status = 0
    if status == 0 and INTERACTIVE:
        step("The gateway is still running. Try:")
        print(f"""  export SIMGATE_SOCKET={DIR}/simgate.sock PATH="{BUILD}:$PATH"
  simgate-modem --dir {DIR} tell "text modem0 {CUSTOMER} Where is order 4711?"
  simgate rules test --from {CUSTOMER} "Open on Sunday?"     # which rule answers, and why
  simgate watch                    # what happens, as it happens (end with Ctrl-C)
  simgate send --to {CUSTOMER} --wait "See you tomorrow"
  simgate messages                 # and: simgate show 1
  simgate help
  # {NEXT}
To end it: kill $(cat {DIR}/simgated.pid {DIR}/simgate-modem.pid)""")
        return 0
    for process in reversed(STARTED.values()):
        process.terminate()
    for process in reversed(STARTED.values()):
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()
            status = 1
    if status == 0:
        step("The demo worked.")
        note(NEXT)
    return status


if __name__ == "__main__":
    sys.exit(main())
