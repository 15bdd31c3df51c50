#!/usr/bin/python3
"""Every subcommand of simgate against a running daemon: answers for people and as JSON, exit statuses, refusals."""
import json
import os
import pathlib
import pty
import pwd
import select
import shutil
import sqlite3
import subprocess
import sys
import time

import lab

DONE, FAILED, USAGE, UNREACHABLE, REFUSED, NO_OUTCOME = range(6)
CUSTOMER = "+491601234567"
shared = None


def the_lab(build):
    """One gateway for most tests here: two modems in a pool, reports after 0.2 s."""
    global shared
    if shared is None:
        conf = 'report = true; pool = "shop";'
        rest = """rules = ( { name = "hours"; keywords = [ "hours" ]; reply = "@hours"; },
                            { name = "order"; pattern = "(?i)order (?<n>\\\\d+)"; reply = "Order {{match.n}} for {{message.from}}."; } );
                  templates = { hours = "Open 9-18. {{gateway.name}}"; };"""
        shared = lab.Lab(build, modems=2, modem_conf=conf, rest=rest, modem_args=["--report-ms", "200"])
        shared.start()
    return shared


def refused(it, status, said, *args, **kw):
    """The command ends with this status, prints nothing on standard output, and says why on standard error."""
    done = it.run(*args, check=False, **kw)
    lab.equal((done.returncode, done.stdout), (status, ""), f"simgate {args}: status and output ({done.stderr!r})")
    for text in [said] if isinstance(said, str) else said:
        lab.true(text in done.stderr, f"simgate {args}: {text!r} expected in {done.stderr!r}")


def sent(it, *args, **kw):
    answer = it.json("send", *args, **kw)["messages"]
    return answer[0] if len(answer) == 1 else answer


def shown(it, number):
    return it.json("show", number)["message"]


def final(it, number, state="delivered"):
    return it.wait(f"message {number} to be {state}", lambda: (lambda m: m if m["state"] == state else None)(shown(it, number)))


# ---- send


def test_send(build):
    """A text goes out, national numbers are read with the country, the id is told at once."""
    it = the_lab(build)
    done = it.run("send", "--to", "0160 1234567", "Good", "morning")
    lab.true(CUSTOMER in done.stdout and "queued" in done.stdout, done.stdout)
    it.wait("the text on the air", lambda: it.log("submitted", to=CUSTOMER, text="Good morning"))


def test_send_wait(build):
    """--wait shows each step and ends with the delivery; its exit status tells delivered from not delivered."""
    it = the_lab(build)
    done = it.run("send", "--to", CUSTOMER, "--wait", "steps")
    steps = [word for word in ("queued", "sent", "delivered") if word in done.stdout]
    lab.equal(steps, ["queued", "sent", "delivered"], done.stdout)
    message = sent(it, "--to", CUSTOMER, "--wait", "steps as JSON")
    lab.equal(message["state"], "delivered")
    it.tell("report +49162 46 100")
    done = it.run("send", "--to", "+491622222222", "--wait", "never arrives", check=False)
    lab.equal(done.returncode, FAILED, f"status of an undelivered message: {done.stdout}{done.stderr}")
    lab.true("undelivered" in done.stdout and "expired" in done.stdout, f"the network's reason in words: {done.stdout}")
    done = it.run("send", "--to", CUSTOMER, "--no-report", "--wait", "no report", check=False)
    lab.equal(done.returncode, DONE, done.stderr)
    lab.true("delivered" not in done.stdout, f"without a report it ends with sent: {done.stdout}")


def test_send_refused_by_the_network(build):
    """A permanent refusal fails the message with the network's reason in words, exit status 1; nothing is tried again."""
    it = the_lab(build)
    it.tell("fault modem0 cms 1")
    it.tell("fault modem1 cms 1")
    done = it.run("send", "--to", "+491633333333", "--wait", "no such number", check=False)
    lab.equal(done.returncode, FAILED, done.stdout + done.stderr)
    lab.true("unassigned" in done.stdout.lower(), f"CMS 1 in words: {done.stdout}")
    it.tell("fault all clear")
    lab.equal(it.log("submitted", to="+491633333333"), [])


def test_send_timeout(build):
    """--wait --timeout ends with status 5 while the message goes on, and tells which one that is."""
    it = the_lab(build)
    for how in ((), ("--json",)):
        done = it.run("send", "--to", CUSTOMER, "--at", "+2h", "--wait", "--timeout", "1s", *how, "later", check=False)
        lab.equal(done.returncode, NO_OUTCOME, done.stdout + done.stderr)
        number = it.messages("--state", "queued")[-1]["id"]
        if how:
            told = json.loads(done.stdout)
            lab.equal((told["error"]["code"], told["messages"][0]["id"]), ("timeout", number))
        else:
            lab.true(f"message {number}" in done.stdout, done.stdout)
        it.run("cancel", number)


def test_send_many(build):
    """Several --to, repeated and with commas: one message each. With a bad one among them none goes out, exit status 4, so that
    the corrected command doubles nothing."""
    it = the_lab(build)
    got = sent(it, "--to", "01601111111,01601111112", "--to", "+43 660 1111113", "to all")
    lab.equal([m["to"] for m in got], ["+491601111111", "+491601111112", "+436601111113"])
    for m in got:
        final(it, m["id"])
    refused(it, REFUSED, ("nonsense", "nothing was sent to the others"), "send", "--to", "01601111111,nonsense", "to both")
    lab.equal(it.messages("--grep", "to both"), [])


def test_send_stdin(build):
    """"-" reads standard input, several lines and UTF-8, unchanged but for the last newline."""
    it = the_lab(build)
    text = "Line one\n\n  Grüße, 日本 🎂 {}[]~\\|^€\nlast"
    number = sent(it, "--to", CUSTOMER, "-", stdin=text + "\n")["id"]
    final(it, number)
    lab.equal(shown(it, number)["text"], text)
    refused(it, REFUSED, "text", "send", "--to", CUSTOMER, "-", stdin="")


def test_send_key(build):
    """The same key again is the same message; another recipient with that key is not."""
    it = the_lab(build)
    first = sent(it, "--to", CUSTOMER, "--key", "order-17", "once")
    again = sent(it, "--to", CUSTOMER, "--key", "order-17", "once")
    other = sent(it, "--to", "+491601234568", "--key", "order-17", "once")
    lab.equal((first["id"], first["existed"], again["existed"]), (again["id"], False, True))
    lab.true(other["id"] != first["id"] and not other["existed"], "the other recipient's own message")
    final(it, other["id"])
    lab.equal(len(it.log("submitted", to=CUSTOMER, text="once")), 1, "texts on the air")


def test_send_options(build):
    """--flash, --validity, --priority, --modem, --pool, --report reach PDU and store; wrong values are refused in words."""
    it = the_lab(build)
    number = sent(it, "--to", CUSTOMER, "--flash", "--validity", "2h", "--priority", "high", "--modem", "M1", "flash")["id"]
    message = final(it, number)
    lab.equal((message["priority"], message["modem"], "flash" in message["flags"]), ("high", "M1", True))
    pdu = it.json("pdu", "decode", it.log("submitted", text="flash")[0]["pdu"])["pdus"][0]
    lab.equal(pdu.get("class"), 0, f"class of {pdu}")
    lab.true(str(pdu.get("validity", "")).startswith("2h") or "7200" in json.dumps(pdu), f"validity of {pdu}")
    lab.equal(final(it, sent(it, "--to", CUSTOMER, "--pool", "shop", "by pool")["id"])["pool"], "shop")
    refused(it, REFUSED, "M9", "send", "--to", CUSTOMER, "--modem", "M9", "x")
    refused(it, REFUSED, "nopool", "send", "--to", CUSTOMER, "--pool", "nopool", "x")
    refused(it, USAGE, ("--priority", "high"), "send", "--to", CUSTOMER, "--priority", "urgent", "x")
    refused(it, USAGE, "--at", "send", "--to", CUSTOMER, "--at", "soon", "x")
    refused(it, USAGE, "--validity", "send", "--to", CUSTOMER, "--validity", "forever", "x")
    refused(it, USAGE, "--to", "send", "no recipient")
    refused(it, USAGE, "TEXT", "send", "--to", CUSTOMER)
    refused(it, REFUSED, "30", "send", "--to", CUSTOMER, "x" * 153 * 31)


def test_send_at(build):
    """--at holds a message until its time and tells so; a time behind us means at once."""
    it = the_lab(build)
    number = sent(it, "--to", CUSTOMER, "--at", "+1h", "in an hour")["id"]
    soon = sent(it, "--to", CUSTOMER, "--at", "+1s", "in a second")["id"]
    lab.true(shown(it, number)["due"] > shown(it, number)["created"], "due is later")
    final(it, soon)
    lab.equal(shown(it, number)["state"], "queued")
    it.run("cancel", number)


# ---- cancel, retry, show, messages


def test_cancel(build):
    """A message that waits is cancelled and stays so; one that went out cannot be; what there is not is told."""
    it = the_lab(build)
    number = sent(it, "--to", CUSTOMER, "--at", "+1h", "cancel me")["id"]
    it.run("cancel", number)
    message = shown(it, number)
    lab.equal(message["state"], "cancelled")
    lab.equal([h["state"] for h in message["history"] if "part" not in h], ["queued", "cancelled"])
    refused(it, REFUSED, "cancelled", "cancel", number)
    gone = sent(it, "--to", CUSTOMER, "gone out")["id"]
    final(it, gone)
    refused(it, REFUSED, "delivered", "cancel", gone)
    refused(it, REFUSED, "999999", "cancel", 999999)
    refused(it, USAGE, "ID", "cancel", "seventeen")
    lab.equal(it.log("submitted", text="cancel me"), [])


def test_retry(build):
    """A failed message is sent by retry, under its own id, with the whole history; one that was delivered is not."""
    it = the_lab(build)
    it.tell("fault modem0 cms 1")
    it.tell("fault modem1 cms 1")
    number = sent(it, "--to", CUSTOMER, "try again")["id"]
    final(it, number, "failed")
    it.tell("fault all clear")
    it.run("retry", number)
    final(it, number)
    states = [h["state"] for h in shown(it, number)["history"]]
    lab.true(states.index("failed") < states.index("delivered"), f"history: {states}")
    refused(it, REFUSED, "delivered", "retry", number)
    lab.equal(len(it.log("submitted", text="try again")), 1)


def test_show(build):
    """show tells parts, report and history with times and modem; for people the same words."""
    it = the_lab(build)
    number = sent(it, "--to", CUSTOMER, "long " * 40)["id"]
    message = final(it, number)
    lab.equal((len(message["part_list"]), message["parts"]), (2, 2))
    lab.true(all(p["state"] == "delivered" and p["modem"] in ("M0", "M1") for p in message["part_list"]), "parts")
    lab.equal(len({p["modem"] for p in message["part_list"]}), 1, "SIMs of one message")
    lab.equal(len(message["reports"]), 2)
    people = it.run("show", number).stdout
    for word in (CUSTOMER, "delivered", "submitting", "queued", message["modem"]):
        lab.true(word in people, f"{word} in:\n{people}")
    refused(it, REFUSED, "888888", "show", 888888)


def test_messages(build):
    """Filters by direction, state, number, modem, time and text, alone and together; paging gives each message once."""
    it = the_lab(build)
    for n in range(23):
        it.tell(f"text modem{n % 2} +49170000{n:04d} question {n}")
    it.wait("all to be handled", lambda: len(it.messages("--in", "--grep", "question", "--state", "handled")) == 23)
    lab.equal(len(it.messages("--in", "--grep", "question", "--modem", "M1")), 11)
    lab.equal([m["text"] for m in it.messages("--peer", "0170000 0007")], ["question 7"])
    lab.equal(it.messages("--out", "--grep", "question"), [])
    lab.equal(it.messages("--since", "2030-01-01 00:00"), [])
    lab.equal(len(it.messages("--since", "1h", "--grep", "question", "--in")), 23)
    lab.equal(it.messages("--until", "1h"), [])
    pages, page = [], it.json("messages", "--limit", 5, "--grep", "question")
    while page["messages"]:
        pages.append([m["id"] for m in page["messages"]])
        if "before" not in page:
            break
        page = it.json("messages", "--limit", 5, "--grep", "question", "--before", page["before"])
    ids = [i for p in pages for i in p]
    lab.equal((len(ids), sorted(ids, reverse=True)), (23, ids), "pages, newest first")
    people = it.run("messages", "--grep", "question 22").stdout
    lab.true("question 22" in people and "handled" in people, people)
    lab.true("no messages" in it.run("messages", "--grep", "no such text").stdout, "an empty list says so")
    refused(it, USAGE, "--state", "messages", "--state", "lost")


# ---- status, modems, watch


def test_status_and_modems(build):
    """status and modems for people and programs: state, operator, signal, IMEI; no colours outside of a terminal."""
    it = the_lab(build)
    status = it.json("status")
    lab.true(status["healthy"] and not status["problems"] and len(status["modems"]) == 2, status)
    one = it.json("modems", "M1")["modems"]
    lab.equal(([m["name"] for m in one], one[0]["state"], one[0]["registration"]), (["M1"], "ready", "home"))
    lab.true(one[0]["imei"] and one[0]["imsi"] and one[0]["signal_dbm"] < 0, one)
    people = it.run("status").stdout + it.run("modems").stdout
    lab.true("\033" not in people and "All is well" in people and "M1" in people, people)
    refused(it, REFUSED, "M7", "modems", "M7")
    lines = it.json("modems", "M0", "--line")["modems"][0]["line"]
    lab.true(any("AT" in line for line in lines), "the last exchanges")


def test_colours_on_a_terminal(build):
    """On a terminal there are colours, with NO_COLOR there are none."""
    it = the_lab(build)
    for extra, wanted in (({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
        parent, child = pty.openpty()
        env = {k: v for k, v in it.env.items() if k != "NO_COLOR"}
        process = subprocess.Popen([str(it.build / "simgate"), "status"], stdout=child, env={**env, **extra})
        os.close(child)
        output = b""
        while True:
            try:
                chunk = os.read(parent, 65536)
            except OSError:
                break
            output += chunk
            if not chunk:
                break
        process.wait()
        os.close(parent)
        lab.equal(b"\033[" in output, wanted, f"colours with {extra}")


def test_watch(build):
    """watch --json prints an event a line as things happen: received, handled, accepted, sent, report."""
    it = the_lab(build)
    process = subprocess.Popen([str(it.build / "simgate"), "watch", "--json"], stdout=subprocess.PIPE, text=True, env=it.env)
    lab.equal(json.loads(process.stdout.readline())["kind"], "watching")
    it.tell("text modem0 +491709999999 hours")
    events, deadline = [], time.monotonic() + 20
    while time.monotonic() < deadline and not any(e["kind"] == "report" for e in events):
        if select.select([process.stdout], [], [], 1)[0]:
            line = process.stdout.readline()
            if not line:
                break
            events.append(json.loads(line))
    process.terminate()
    process.wait()
    kinds = {e["kind"] for e in events}
    lab.true({"received", "handled", "queued", "submitting", "sent", "report"} <= kinds, f"events: {events}")


def test_watch_for_people(build):
    """watch for people flushes each line at once, also into a pipe."""
    it = the_lab(build)
    process = subprocess.Popen([str(it.build / "simgate"), "watch"], stdout=subprocess.PIPE, env=it.env)
    said = []

    def heard():  # again and again: it may not listen yet, and reports of the tests before may come first
        it.tell("text modem0 +491709999998 anybody?")
        if select.select([process.stdout], [], [], 0.2)[0]:
            said.append(os.read(process.stdout.fileno(), 65536))
        return b"received" in b"".join(said)

    it.wait("a line of what was received", heard)
    process.terminate()
    process.wait()


# ---- backup, config check, pdu, at, ussd, rules test, reload


def test_backup(build):
    """A backup made while the daemon works opens with SQLite, is whole, and holds the messages; an existing file is not
    overwritten."""
    it = the_lab(build)
    number = sent(it, "--to", CUSTOMER, "in the backup")["id"]
    final(it, number)
    file = it.dir / "backup.db"
    answer = it.json("backup", file)
    lab.equal((answer["file"], answer["bytes"]), (str(file), file.stat().st_size))
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as db:
        lab.equal(db.execute("PRAGMA integrity_check").fetchone()[0], "ok")
        lab.equal(db.execute("SELECT text FROM message WHERE id = ?", (number,)).fetchone()[0], "in the backup")
    lab.equal(file.stat().st_mode & 0o077 & 0o007, 0, "others may not read it")
    size = file.stat().st_size
    done = it.run("backup", file, check=False)
    lab.true(done.returncode in (FAILED, REFUSED) and str(file) in done.stderr, f"{done.returncode} {done.stderr}")
    lab.equal(file.stat().st_size, size)
    done = it.run("backup", "/nonexistent/backup.db", check=False)
    lab.true(done.returncode in (FAILED, REFUSED) and "/nonexistent" in done.stderr, f"{done.returncode} {done.stderr}")


def test_config_check(build):
    """config check reads the running daemon's file, or any other; tells every problem with file and line, exit status 1."""
    it = the_lab(build)
    done = it.run("config", "check")
    lab.true(str(it.conf) in done.stdout and "good" in done.stdout, done.stdout)
    bad = it.dir / "bad.conf"
    bad.write_text('gateway = { contry = "49"; };\nmodems = ( { name = "M0"; baud = "fast"; } );\n')
    done = it.run("config", "check", bad, check=False)
    lab.equal(done.returncode, FAILED)
    for text in (f"{bad}:1: gateway.contry", 'did you mean "country"', f"{bad}:2: modems[0].baud"):
        lab.true(text in done.stdout, f"{text!r} in {done.stdout!r}")
    answer = it.json("config", "check", bad, check=False)
    lab.true(not answer["good"] and len(answer["problems"]) >= 2, answer)


def test_pdu(build):
    """pdu encode and decode work without a daemon and undo each other; what is no PDU is told."""
    it = the_lab(build)
    nobody = {"SIMGATE_SOCKET": "/nonexistent"}
    for text in ("Hello", "€{}[]", "Grüße 🎂", "x" * 161, "日本" * 40, "-dash"):
        encoded = json.loads(it.run("pdu", "encode", "--to", CUSTOMER, "--json", "--", text, env=nobody).stdout)
        pdus = [p["pdu"] for p in encoded["parts"]]
        decoded = json.loads(it.run("pdu", "decode", "--json", *pdus, env=nobody).stdout)
        lab.equal("".join(p["text"] for p in decoded["pdus"]), text)
        lab.equal({p["to"] for p in decoded["pdus"]}, {CUSTOMER})
    deliver = "07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07"
    lab.true("How are you?" in it.run("pdu", "decode", deliver, env=nobody).stdout, "a DELIVER")
    done = it.run("pdu", "decode", "0791", check=False, env=nobody)
    lab.equal(done.returncode, FAILED, done.stdout)
    done = it.run("pdu", "decode", "no hex", check=False, env=nobody)
    lab.true(done.returncode in (FAILED, USAGE) and "hex" in (done.stdout + done.stderr).lower(), done.stdout + done.stderr)


def test_at(build):
    """at passes harmless commands on and refuses what would break the gateway's work, with what to do instead."""
    it = the_lab(build)
    lab.true("+CSQ:" in it.run("at", "M0", "AT+CSQ").stdout, "the signal")
    lab.true("+CSQ:" in it.json("at", "M0", "AT+CSQ")["answer"], "as JSON")
    for command, said in (("AT+CMGD=1", "deletes"), ("AT+CPIN=0000", "pin"), ("AT+CMGS=10", "simgate send"), ("ATE0", "sets it"),
                          ("AT+CSQ;+CMGD=1,4", "one command"), ("ATD112;", "one command"), ("ATD112", "dials"),
                          ("hello", "AT"), ("AT+CSQ\rAT+CMGD=1", "printable"), ("AT+CFUN=1,1", "network")):
        refused(it, REFUSED, said, "at", "M0", command)
    done = it.run("at", "M0", "AT+NOSUCH", check=False)
    lab.true(done.returncode != 0 and done.stderr, "the modem's refusal")
    refused(it, REFUSED, "M9", "at", "M9", "AT")
    lab.equal(it.modem_state(), "ready")


def test_ussd(build):
    """ussd asks the network and shows its answer."""
    it = the_lab(build)
    it.tell("ussd modem0 *100# Your balance is 12.34 EUR")
    if not lab.HAS_USSD:
        refused(it, REFUSED, "not supported", "ussd", "M0", "*100#")
        return
    lab.true("12.34 EUR" in it.run("ussd", "M0", "*100#").stdout, "the balance")
    lab.true("12.34 EUR" in it.json("ussd", "M0", "*100#")["answer"], "as JSON")
    refused(it, REFUSED, "", "ussd", "M0", "balance please")


def test_rules_test(build):
    """rules test shows the rule, the reply and why, and changes nothing."""
    it = the_lab(build)
    before = len(it.messages())
    answer = it.json("rules", "test", "--from", CUSTOMER, "Where is order 4711?")
    lab.equal((answer["rule"], answer["reply"]), ("order", f"Order 4711 for {CUSTOMER}."))
    people = it.run("rules", "test", "--from", "0160 1234567", "HOURS").stdout
    lab.true("Open 9-18. Lab" in people and "hours" in people, people)
    lab.true("opted out" in it.run("rules", "test", "--from", CUSTOMER, "stop").stdout, "STOP")
    nothing = it.json("rules", "test", "--from", CUSTOMER, "blah")
    lab.equal((nothing["replies"], "rule" in nothing), (0, False))
    short = it.json("rules", "test", "--from", "12345", "hours")
    lab.true(short["replies"] == 0 and "guard" in short["reason"], short)
    lab.equal(it.json("rules", "test", "--from", "PayPal", "hours")["replies"], 0)
    lab.equal(len(it.messages()), before, "messages")


# ---- the command line itself


def test_usage(build):
    """Wrong command lines end with status 2 and say what is wrong; help ends with 0 and names every command."""
    it = the_lab(build)
    refused(it, USAGE, "command")
    refused(it, USAGE, "frobnicate", "frobnicate")
    refused(it, USAGE, "--frob", "status", "--frob")
    refused(it, USAGE, "pdu", "pdu")
    text = it.run("help").stdout
    for name in ("send", "status", "modems", "messages", "show", "cancel", "retry", "watch", "backup", "config check",
                 "pdu decode", "pdu encode", "at", "ussd", "rules test"):
        lab.true(name in text, f"{name} in help")
        lab.true(it.run(*name.split(), "--help").stdout.startswith(f"simgate {name}"), f"{name} --help")
        lab.true(it.run("help", *name.split()).stdout, f"help {name}")
    lab.true(it.run("--version").stdout.startswith("simgate "), "--version")


def test_json_everywhere(build):
    """--json prints exactly one JSON document, also for what is refused; before or behind the command."""
    it = the_lab(build)
    for args in (["status"], ["modems"], ["messages"], ["show", "777777"], ["cancel", "777777"], ["retry", "777777"],
                 ["send", "--to", "x", "y"], ["backup", "/nonexistent/x"], ["config", "check"], ["at", "M0", "AT+CMGD=1"],
                 ["ussd", "M9", "*1#"], ["rules", "test", "--from", CUSTOMER, "x"], ["pdu", "decode", "00"],
                 ["pdu", "encode", "--to", CUSTOMER, "x"]):
        done = it.run(*args, "--json", check=False)
        lab.true(isinstance(json.loads(done.stdout), dict), f"{args}: {done.stdout!r}")
        if done.returncode and args[0] not in ("pdu", "send"):
            lab.true("error" in json.loads(done.stdout), f"{args}: {done.stdout!r}")
    lab.equal(it.json("status")["version"], json.loads(it.run("--json", "status").stdout)["version"])


def test_unreachable(build):
    """Without a daemon each command ends with status 3 and says where it looked and what to do."""
    it = the_lab(build)
    for args in (["status"], ["send", "--to", CUSTOMER, "x"], ["messages"], ["watch"]):
        refused(it, UNREACHABLE, ("/nonexistent.sock", "systemctl status simgated"), *args, "--socket", "/nonexistent.sock")
        doc = json.loads(it.run(*args, "--json", "--socket", "/nonexistent.sock", check=False).stdout)
        lab.equal(doc["error"]["code"], "unreachable")


def test_peers_who_may_not(build):
    """Another user is turned away, and told which group would let him in."""
    it = the_lab(build)
    if os.geteuid() != 0:
        print("# skipped: not root")
        return
    os.chmod(it.dir, 0o755)
    program = it.dir / "simgate-of-nobody"
    shutil.copy(it.build / "simgate", program)
    nobody = pwd.getpwnam("nobody")
    become = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
    for mode in (0o660, 0o666):  # by the file's mode, and by the credentials when that was opened
        os.chmod(it.dir / "simgate.sock", mode)
        done = subprocess.run([*become, str(program), "status"], capture_output=True, text=True, env=it.env)
        lab.true(done.returncode in (UNREACHABLE, REFUSED), f"status with mode {mode:o}: {done}")
        lab.true("group" in done.stderr, done.stderr)
    os.chmod(it.dir / "simgate.sock", 0o660)
    lab.equal(it.run("status", check=False).returncode, DONE)


def test_protocol(build):
    """What is no request is answered with an error, not with silence; the daemon lives on."""
    import socket
    it = the_lab(build)
    for line in (b"hello\n", b"[]\n", b"{}\n", b'{"id":1,"do":"nonsense"}\n', b'{"id":1,"do":"send"}\n', b"\xff\xfe\n",
                 b'{"id":1,"do":"status","x":1}\n'):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(10)
            s.connect(str(it.dir / "simgate.sock"))
            s.sendall(line)
            answer = json.loads(s.makefile().readline())
            lab.true(answer["ok"] is False and answer["error"]["text"], f"{line!r}: {answer}")
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(it.dir / "simgate.sock"))
        try:
            for _ in range(64):
                s.sendall(b"x" * 65536)
        except OSError:
            pass
    lab.equal(it.run("status", check=False).returncode, DONE)


def test_completion(build):
    """The bash completion is a valid script and completes commands, options, values and modems' names."""
    it = the_lab(build)
    script = lab.ROOT / "docs/simgate.bash"
    subprocess.run(["bash", "-n", str(script)], check=True)

    def complete(*words):
        ask = (f'source {script}; COMP_WORDS=({" ".join(words)} ""); COMP_CWORD={len(words)}; COMP_LINE="{" ".join(words)} "; '
               'COMP_POINT=${#COMP_LINE}; f=$(complete -p simgate | sed "s/.*-F \\([^ ]*\\).*/\\1/"); $f simgate "" ""; '
               'printf "%s\\n" "${COMPREPLY[@]}"')
        env = {**it.env, "PATH": f"{it.build}:{os.environ['PATH']}"}
        done = subprocess.run(["bash", "--norc", "-c", ask], capture_output=True, text=True, env=env)
        lab.equal(done.stderr, "", "the script's errors")
        return {w.strip() for w in done.stdout.split()}

    lab.true({"send", "status", "messages", "pdu", "rules", "config"} <= complete("simgate"), complete("simgate"))
    lab.true({"decode", "encode"} <= complete("simgate", "pdu"), complete("simgate", "pdu"))
    lab.true({"M0", "M1"} <= complete("simgate", "send", "--modem"), complete("simgate", "send", "--modem"))
    lab.true({"high", "low"} <= complete("simgate", "send", "--priority"), complete("simgate", "send", "--priority"))
    lab.true("M1" in complete("simgate", "at"), complete("simgate", "at"))


def test_zz_stop(build):
    """A watcher is told goodbye when the daemon stops, and everybody else that it is gone."""
    it = the_lab(build)
    process = subprocess.Popen([str(it.build / "simgate"), "watch", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True, env=it.env)
    process.stdout.readline()
    lab.equal(it.stop_daemon(), 0, "exit status")
    output, errors = process.communicate(timeout=20)
    lab.true('"goodbye"' in output, f"{output!r} {errors!r}")
    lab.equal(process.returncode, UNREACHABLE, errors)
    lab.equal(it.run("status", check=False).returncode, UNREACHABLE)


if __name__ == "__main__":
    try:
        lab.main(globals())
    finally:
        if shared:
            shared.close()
