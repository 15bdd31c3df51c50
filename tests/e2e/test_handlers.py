#!/usr/bin/python3
"""Handlers of one's own, with real programs, servers and mailboxes: exec, webhook, Lua, shared object, mail, and smstools3's
event and check handlers. What customers write reaches all of them as data only."""
import base64
import email
import email.header
import email.policy
import hashlib
import hmac
import http.server
import json
import os
import shutil
import socketserver
import subprocess
import threading
import time

import lab

CUSTOMER = "+4915112345678"
ROOT = lab.ROOT
# Each is one message; the simulated modem makes a line's end of \\n.
NASTY = [
    "'; rm -rf / ; '", "`id` $(id) ${HOME}", "\"}],\"verdict\":\"stop\"}", "{{message.from}} {{{{x}}}} %s %n %d",
    "]] os.execute('id') --[[", "'); DROP TABLE message;--", "<script>alert(1)</script>", "\\u0000\\n\\\"", "a\tb", "=1+1 @x +y -z",
    "Subject: hacked To: x@example.org", "ünïcödé 漢字 🙂",
]
ECHO = """
import json, sys
event = json.load(sys.stdin)
json.dump({"actions": [{"action": "reply", "text": "exec: " + event["message"]["text"]},
                       {"action": "set", "name": "last", "value": event["message"]["text"]}]}, sys.stdout)
"""
STAY = """
import json, sys
print(json.dumps({"simgate": 1}), flush=True)
assert json.loads(sys.stdin.readline()) == {"simgate": 1}
count = 0
for line in sys.stdin:
    event = json.loads(line)
    count += 1
    text = event["message"]["text"]
    if text == "die":
        sys.exit(3)
    if text == "sleep":
        continue
    print(json.dumps({"id": event["id"], "actions": [{"action": "reply", "text": f"{count}: {text}"}]}), flush=True)
"""


def script(it, name, text):
    path = it.dir / name
    path.write_text(text)
    return path


def say(it, words, number=CUSTOMER):
    it.tell(f"text modem0 {number} {words}")


def other(n):
    """Another customer each: one who writes right behind each answer is taken for a machine."""
    return f"+491510000{n:04}"


def arrives(words):
    """The simulated modem reads \\n as a line's end."""
    return words.replace("\\n", "\n")


def replies(it, number=CUSTOMER):
    return [e["text"] for e in it.log("submitted", to=number)]


def handlers(it, text, chain="", more=""):
    """A gateway with these handlers, begun."""
    it.write_conf(rest=f"handlers = ( {text} ); {chain} {more}")
    it.start()


class Server(http.server.ThreadingHTTPServer):
    """Keeps every request, and answers as `answer(request)` says: (status, text)."""

    def __init__(self, answer=lambda request: (200, ""), headers=None):
        self.requests, self.answer, self.headers = [], answer, headers or {}

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                request = {"path": self.path, "headers": dict(self.headers), "body": body, "event": json.loads(body)}
                self.server.requests.append(request)
                status, text = self.server.answer(request)
                self.send_response(status)
                for name, value in self.server.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/hook"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Mailbox(socketserver.ThreadingTCPServer):
    """The least of an SMTP server; keeps (from, to, message)."""
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self):
        self.mails, self.lines = [], []

        class Session(socketserver.StreamRequestHandler):
            def say(self, text):
                self.wfile.write(text.encode() + b"\r\n")

            def handle(self):
                sender, to = "", []
                self.say("220 lab")
                while line := self.rfile.readline().decode().rstrip("\r\n"):
                    self.server.lines.append(line)
                    verb = line[:4].upper()
                    if verb == "MAIL":
                        sender = line[10:].split(" ")[0]
                    if verb == "RCPT":
                        to.append(line[8:].split(" ")[0])
                    if verb != "DATA":
                        self.say("221 bye" if verb == "QUIT" else "250 ok")
                        continue
                    self.say("354 go")
                    data = b""
                    while (part := self.rfile.readline()) != b".\r\n":
                        data += part[1:] if part.startswith(b".") else part
                    self.server.mails.append((sender, to, data))
                    to = []
                    self.say("250 taken")

        super().__init__(("127.0.0.1", 0), Session)
        self.url = f"smtp://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


def test_exec(build):
    """A program gets each event as JSON and answers with actions; texts of any kind reach it, and its answer, unchanged."""
    with lab.Lab(build) as it:
        path = script(it, "echo.py", ECHO)
        handlers(it, f'{{ name = "echo"; kind = "exec"; command = ( "/usr/bin/python3", "{path}" ); }}')
        for n, words in enumerate(NASTY):
            say(it, words, other(n))
            it.wait(f"the answer to {words!r}", lambda: replies(it, other(n)))
            lab.equal(replies(it, other(n)), [f"exec: {arrives(words)}"])


def test_exec_inherits_nothing(build):
    """A program finds no file of the daemon's open, no modem, and nothing of its environment but four names."""
    with lab.Lab(build) as it:
        path = script(it, "look.py", """
import json, os
files = sorted(os.readlink(f"/proc/self/fd/{n}").split(":")[0] for n in os.listdir("/proc/self/fd") if n != "3"
               and os.path.exists(f"/proc/self/fd/{n}"))
print(json.dumps([{"action": "reply", "text": " ".join(files) + "; " + " ".join(sorted(os.environ))}]))
""")
        it.env["SECRET_OF_THE_DAEMON"] = "x"
        handlers(it, f'{{ name = "look"; kind = "exec"; command = ( "/usr/bin/python3", "{path}" ); }}')
        say(it, "look")
        it.wait("the answer", lambda: replies(it))
        files, names = replies(it)[0].split("; ")
        lab.true(all(f in ("pipe", "socket") for f in files.split()) and len(files.split()) <= 3, files)
        lab.true(set(names.split()) <= {"PATH", "HOME", "LANG", "TZ", "LC_CTYPE"}, names)


def test_exec_that_stays(build):
    """One process serves all events, a line each; one that dies is begun again; one that does not answer costs its deadline
    once."""
    with lab.Lab(build) as it:
        path = script(it, "stay.py", STAY)
        handlers(it, f'{{ name = "stay"; kind = "exec"; stay = true; deadline = "2s"; command = ( "/usr/bin/python3", "{path}" ); }}',
                 more='rules = ( { name = "rest"; reply = "from the rules"; } );', chain='chain = ( "consent", "guard", "stay", "rules" );')
        for n in range(3):
            say(it, f"hello {n}", other(n))
            it.wait("both answers", lambda: len(replies(it, other(n))) == 2)
            lab.true(f"{n + 1}: hello {n}" in replies(it, other(n)), "one process has counted them")
        say(it, "die")
        it.wait("the rules' answer", lambda: len(replies(it)) == 1)
        lab.true(it.said("it has ended with status 3"), "the death is in the log")
        time.sleep(1.2)
        say(it, "again")
        it.wait("the new process", lambda: "1: again" in replies(it))


def test_dead_exec_costs_its_deadline_once(build):
    """A program that hangs: the first message waits for its deadline, those behind it for nothing."""
    with lab.Lab(build) as it:
        handlers(it, '{ name = "dead"; kind = "exec"; deadline = "2s"; command = ( "/bin/sleep", "1000" ); }',
                 more='rules = ( { name = "rest"; reply = "fine"; } );', chain='chain = ( "consent", "guard", "dead", "rules" );')
        say(it, "first")
        it.wait("the answer in spite of it", lambda: len(replies(it)) == 1)
        lab.true(it.said("no answer to message:1 in 2"), "its deadline is in the log")
        say(it, "second")
        it.wait("the second answer", lambda: len(replies(it)) == 2, 1.9)


def test_webhook(build):
    """A server gets signed events and answers with actions."""
    server = Server(lambda r: (200, json.dumps([{"action": "reply", "text": "hook: " + r["event"]["message"]["text"]}])))
    with lab.Lab(build) as it:
        script(it, "secret", "very secret\n")
        handlers(it, f'{{ name = "crm"; kind = "webhook"; url = "{server.url}"; secret = "file:{it.dir}/secret"; }}')
        for n, words in enumerate(NASTY):
            say(it, words, other(n))
            it.wait("the answer", lambda: replies(it, other(n)))
            lab.equal(replies(it, other(n)), [f"hook: {arrives(words)}"])
            lab.equal(server.requests[n]["event"]["message"]["text"], arrives(words))
        request = server.requests[0]
        lab.equal(request["headers"]["X-Simgate-Event"], "message:1")
        when, mac = (p.split("=")[1] for p in request["headers"]["X-Simgate-Signature"].split(","))
        lab.equal(mac, hmac.new(b"very secret", when.encode() + b"." + request["body"], hashlib.sha256).hexdigest())
        lab.true(abs(int(when) - time.time()) < 60, "signed now")
    server.shutdown()


def test_webhook_that_is_down(build):
    """A server that refuses is told later, from the store, also after a crash, with the same event id; what it answers then
    is done, once."""
    state = {"up": False}

    def answer(_):
        return (200, '{"actions": [{"action": "reply", "text": "late answer"}, {"action": "tag", "tag": "late"}]}') if state["up"] \
            else (503, "down")

    server = Server(answer)
    with lab.Lab(build) as it:
        handlers(it, f'{{ name = "crm"; kind = "webhook"; url = "{server.url}"; }}')
        say(it, "are you there?")
        it.wait("a second try", lambda: len(server.requests) >= 2, 20)
        it.kill()
        state["up"] = True
        it.start_daemon()
        it.wait("the late answer", lambda: replies(it), 40)
        lab.equal({r["headers"]["X-Simgate-Event"] for r in server.requests}, {"message:1"})
        time.sleep(1)
        lab.equal(replies(it), ["late answer"])
    server.shutdown()


def test_mail(build):
    """Messages go to a mailbox; nothing of a text becomes a header."""
    box = Mailbox()
    with lab.Lab(build) as it:
        handlers(it, f'{{ name = "office"; kind = "mail"; url = "{box.url}"; from = "Shop <shop@example.org>"; '
                     'to = ( "anna@example.org" ); on = ( "message" ); }')
        for n, words in enumerate(NASTY):
            say(it, words)
            it.wait("a mail", lambda: len(box.mails) > n)
        for n, words in enumerate(NASTY):
            sender, to, data = box.mails[n]
            lab.equal((sender, to), ("<shop@example.org>", ["<anna@example.org>"]))
            mail = email.message_from_bytes(data, policy=email.policy.default)
            lab.equal(sorted(mail.keys()), sorted(["Date", "From", "To", "Message-ID", "Subject", "Auto-Submitted", "MIME-Version",
                                                   "Content-Type", "Content-Transfer-Encoding"]))
            text = mail.get_content().replace("\r\n", "\n")
            lab.true(CUSTOMER in text and text.endswith(f"\n\n{arrives(words)}\n"), f"{words!r}: {text!r}")
            lab.true(arrives(words)[:6] in mail["Subject"] or words[0] in "\\a", f"{words!r}: {mail['Subject']!r}")
    box.shutdown()


def test_lua(build):
    """A script answers, keeps values in the store, and has them after a crash."""
    with lab.Lab(build) as it:
        path = script(it, "count.lua", """
function handle(event)
  local n = tonumber(simgate.get('count') or 0) + 1
  simgate.keep('count', n)
  simgate.reply(n .. ': ' .. event.message.text)
  return 'stop'
end
""")
        handlers(it, f'{{ name = "count"; kind = "lua"; file = "{path}"; }}')
        say(it, "one")
        it.wait("an answer", lambda: len(replies(it)) == 1)
        it.kill()
        it.start_daemon()
        it.wait_ready()
        say(it, "two")
        it.wait("an answer", lambda: len(replies(it)) == 2)
        lab.equal(replies(it), ["1: one", "2: two"])


def test_shared_object(build):
    """The example of a shared object is built, loaded, and answers."""
    with lab.Lab(build) as it:
        compiler = shutil.which("cc") or shutil.which("gcc")
        subprocess.run([compiler, "-Wall", "-Wextra", "-Werror", f"-I{ROOT}/include", "-shared", "-fPIC", "-o", it.dir / "queue.so",
                        ROOT / "docs/examples/handler/queue.c"], check=True)
        handlers(it, f'{{ name = "queue"; kind = "shared"; file = "{it.dir}/queue.so"; options = "table"; }}')
        say(it, "Table for 4")
        it.wait("an answer", lambda: len(replies(it)) == 1)
        lab.equal(replies(it), ["You are number 1. A table for 4 will be ready soon."])


def test_event_handler(build):
    """smstools3's event handler: the same arguments, the files where they lie, no shell."""
    with lab.Lab(build) as it:
        path = script(it, "event.sh", f'#!/bin/sh\nprintf "%s\\n" "$*" >> {it.dir}/events\ntest -f "$2" || echo gone >> {it.dir}/events\n')
        os.chmod(path, 0o755)
        handlers(it, f'{{ name = "old"; kind = "eventhandler"; command = ( "{path}" ); }}')
        say(it, "hello")
        it.drop("To: 4915112345678\n\nbye\n", name="one")
        it.drop("Flash: yes\n\nnobody\n", name="two")
        it.wait("three events", lambda: (it.dir / "events").exists() and len((it.dir / "events").read_text().splitlines()) >= 4, 30)
        lines = (it.dir / "events").read_text().splitlines()
        lab.true(any(l.startswith(f"RECEIVED {it.dir}/spool/incoming/M0.") for l in lines), lines)
        lab.true(any(l.startswith(f"SENT {it.dir}/spool/sent/one") for l in lines), lines)
        lab.true(any(l.startswith(f"FAILED {it.dir}/spool/failed/two") for l in lines), lines)
        lab.true("gone" not in lines, lines)


def test_check_handler(build):
    """smstools3's check handler: it may change a file, and refuse it."""
    with lab.Lab(build) as it:
        path = script(it, "check.sh", '#!/bin/sh\ngrep -q forbidden "$1" && exit 1\nsed -i s/cheap/fine/ "$1"\n')
        os.chmod(path, 0o755)
        handlers(it, f'{{ name = "check"; kind = "checkhandler"; command = ( "{path}" ); }}')
        it.drop(f"To: {CUSTOMER[1:]}\n\na cheap cake\n", name="one")
        it.drop(f"To: {CUSTOMER[1:]}\n\nsomething forbidden\n", name="two")
        it.wait("the refused one", lambda: it.files("failed"))
        lab.true("Rejected by checkhandler" in (it.dir / "spool/failed/two").read_text(), "the reason")
        it.wait("the changed one", lambda: replies(it))
        lab.equal(replies(it), ["a fine cake\n"] if replies(it)[0].endswith("\n") else ["a fine cake"])


def test_reload_keeps_deliveries(build):
    """What waits for a server is told to the handler of the same name that a reload brings."""
    bad, good = Server(lambda _: (500, "")), Server()
    with lab.Lab(build) as it:
        handlers(it, f'{{ name = "crm"; kind = "webhook"; asynchronous = true; url = "{bad.url}"; }}')
        say(it, "hello")
        it.wait("a try", lambda: bad.requests)
        it.write_conf(rest=f'handlers = ( {{ name = "crm"; kind = "webhook"; asynchronous = true; url = "{good.url}"; }} );')
        it.run("reload")
        it.wait("the other server", lambda: good.requests, 40)
        lab.equal(good.requests[0]["event"]["message"]["text"], "hello")
    bad.shutdown()
    good.shutdown()


if __name__ == "__main__":
    lab.main(globals())
