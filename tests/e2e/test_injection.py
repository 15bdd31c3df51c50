#!/usr/bin/python3
"""What customers write is data, wherever it comes: a corpus of texts that are quotes, commands, templates, queries, formulas,
headers, escapes and control characters goes through one gateway that has every kind of handler, a spool, a relay, templates
and tables; and each of them has exactly what was written, and nothing else has happened."""
import atexit
import csv
import email
import email.policy
import io
import json
import os
import re
import shutil
import subprocess

import lab
import test_handlers as outside

ANNA = "+491701111111"
# At most 70 UTF-16 units each: one message each.
CORPUS = [
    "'; touch PWNED; '", "`touch PWNED`", "$(touch PWNED)", "${IFS}|touch PWNED&", "; touch PWNED #", "a\ntouch PWNED\n",
    "\"}],\"verdict\":\"stop\",\"x\":[{\"", "\\", "\\\\u0000\\n\\\"", "\"\"\"", "'''", "{\"action\":\"spam\"}",
    "{{message.from}}", "{{{{x}}}}", "{{contact.name|{{message.text}}}}", "@hours", "%s%n%d%x %1$s", "%%", "~!@#$^&*()_+|",
    "'); DROP TABLE message;--", "' OR '1'='1", "\" OR 1=1 --", "x' UNION SELECT 1,2,3 --", "NULL", "\" NEAR( * AND -", "100%_",
    "]] os.execute('touch PWNED') --[[", "\"..os.exit()..\"", "#{exit}", "<script>alert(1)</script>", "<!--#exec cmd=\"id\"-->",
    "=1+1", "+1+cmd|' /C calc'!A0", "-1+1", "@SUM(1)", "\t=1+1", "a,b;c\td", "\"quoted\",\"cells\"\r\nnew,row",
    "To: +4915199999999\nAlphabet: binary\n\nhacked", "Subject: x\r\nBcc: x@example.org\r\n\r\nhacked", "\r\n.\r\nMAIL FROM:<x>\r\n",
    "From: x\n\n.\nQUIT", "\x1b[2J\x1b[31mred\x1b]0;title\x07", "\x07\x08\x7f\x0c\x0b", "\u009b31m", "a\rb", "nul\0nul", "\0",
    "\u202egnp.exe\u202c", "\u2028line\u2029", "\ufeffbom", "\ufffe\uffff", "\u00fcn\u00efc\u00f6d\u00e9 \u6f22\u5b57 \U0001f642",
    "../../../../etc/passwd", "con.txt\0.jpg", "AT+CMGD=1,4\r", "+CMTI: \"SM\",1\r\n", "\x1a", "#1 close", "#? ", "-- \n", "\n", "   ",
]
RECORDER = r"""
import json, sys
print(json.dumps({"simgate": 1}), flush=True)
sys.stdin.readline()
for line in sys.stdin:
    event = json.loads(line)
    with open(sys.argv[1], "a") as f:
        f.write(json.dumps(event) + "\n")
    print(json.dumps({"id": event["id"], "actions": [{"action": "set", "name": "exec", "value": event["message"]["text"]}]}), flush=True)
"""
LUA = """
function handle(event)
  simgate.keep(event.id, event.message.text)
  return 'next'
end
"""
SHARED = r"""
#include <simgate/handler.h>
#include <stdio.h>
#include <string.h>
static const struct simgate_api *the_api;
static FILE *out;
static void *open_it(const struct simgate_api *api, const char *options, char *error, size_t size)
{
    (void)error, (void)size;
    the_api = api;
    out = fopen(options, "ab");
    return out;
}
static enum simgate_answer handle(void *state, struct simgate_call *call, const struct simgate_event *event)
{
    (void)state, (void)call;
    for (size_t i = 0; i < event->text_len; i++)
        fprintf(out, "%02x", (unsigned char)event->text[i]);
    fprintf(out, "\n");
    fflush(out);
    the_api->log(6, event->text);
    return strlen(event->text) == event->text_len ? SIMGATE_NEXT : SIMGATE_FAILED;
}
const struct simgate_handler simgate_handler = {SIMGATE_HANDLER_ABI, sizeof(struct simgate_handler), "record", open_it, handle, 0};
"""


def customer(n):
    return f"+49151000{n:05}"


def deliver(number, words):
    """A DELIVER (TS 23.040 9.2.2.1) in UCS2, as hex: texts that no telephone would let a person write, too."""
    digits = number[1:] + "F" * (len(number[1:]) % 2)
    address = "".join(digits[i + 1] + digits[i] for i in range(0, len(digits), 2))
    data = words.encode("utf-16-be")
    lab.true(len(data) <= 140, f"{words!r} is one message")
    return f"0004{len(number) - 1:02X}91{address}0008{'62111221000000'}{len(data):02X}{data.hex().upper()}"


def written(words):
    """What the store has of it: no byte order mark in front, and no NUL, which no C program could hand on."""
    return words.removeprefix("\ufeff").rstrip("\0").replace("\0", "\ufffd")


TEXTS = {customer(n): written(words) for n, words in enumerate(CORPUS)}


class Shop:
    """One gateway that has had the whole corpus."""

    def __init__(self, build):
        self.it = it = lab.Lab(build, gateway='log = "debug";')
        self.server, self.box = outside.Server(), outside.Mailbox()
        exec_path = outside.script(it, "record.py", RECORDER)
        lua = outside.script(it, "keep.lua", LUA)
        source = outside.script(it, "record.c", SHARED)
        subprocess.run([shutil.which("cc") or shutil.which("gcc"), f"-I{lab.ROOT}/include", "-shared", "-fPIC", "-o",
                        it.dir / "record.so", source], check=True)
        hook = outside.script(it, "event.sh", f'#!/bin/sh\nprintf "%s\\n" "$#" >> {it.dir}/events\n')
        os.chmod(hook, 0o755)
        it.write_conf(rest=f"""
hours = {{ zone = "Europe/Berlin"; open = ( "daily 00:00-24:00" ); }};
departments = ( {{ name = "shop"; }} );
people = ( {{ name = "Anna"; number = "{ANNA}"; }} );
desk = {{ relay = true; department = "shop"; }};
handlers = (
  {{ name = "run"; kind = "exec"; stay = true; command = ( "/usr/bin/python3", "{exec_path}", "{it.dir}/exec" ); }},
  {{ name = "hook"; kind = "webhook"; url = "{self.server.url}"; }},
  {{ name = "script"; kind = "lua"; file = "{lua}"; }},
  {{ name = "object"; kind = "shared"; file = "{it.dir}/record.so"; options = "{it.dir}/shared"; }},
  {{ name = "office"; kind = "mail"; url = "{self.box.url}"; from = "Shop <shop@example.org>"; to = ( "anna@example.org" ); }},
  {{ name = "old"; kind = "eventhandler"; command = ( "{hook}" ); }} );
chain = ( "consent", "survey", "guard", "run", "hook", "script", "object", "rules" );
guard = {{ replies_all = 0; same_text = 0; }};
rules = (
  {{ name = "all"; reply = "You wrote: {{{{message.text|nothing}}}}."; set = ( "said={{{{message.text|nothing}}}}" );
     note = "{{{{message.text|nothing}}}}"; log = "said {{{{message.text|nothing}}}}"; forward = ( "office" );
     send_to = ( "Anna" ); send = "{{{{message.from}}}} {{{{message.text|nothing}}}}"; conversation = "open"; }} );
""")
        it.start()
        for n, words in enumerate(CORPUS):
            it.tell(f"pdu modem0 {deliver(customer(n), words)}")
        it.wait("all to be handled", lambda: it.sql("SELECT count(*) FROM message WHERE direction = 2 AND state = 11")[0][0] >= len(CORPUS), 120)

        it.wait("a mail of each", lambda: len(self.box.mails) >= len(CORPUS), 60)
        it.wait("all messages to be sent", lambda: len(it.log("submitted")) >= 2 * len(CORPUS), 60)
        it.wait("a text of each for Anna", lambda: len(it.log("submitted", to=ANNA)) >= len(CORPUS), 60)

    def close(self):
        self.it.close()
        self.server.shutdown()
        self.box.shutdown()


the_shop = []


def shop(build):
    """One for all tests: they only look."""
    if not the_shop:
        the_shop.append(Shop(build))
        atexit.register(the_shop[0].close)
    return the_shop[0]


def run_bytes(it, *args):
    """simgate ARGS: its output as it is."""
    return subprocess.run([str(it.build / "simgate"), *args], stdin=subprocess.DEVNULL, capture_output=True, env=it.env,
                          check=True).stdout


def is_plain(text, what):
    """No control character but the line's end reaches a terminal or a log."""
    bad = [c for c in text if (ord(c) < 32 and c != "\n") or 127 <= ord(c) < 160]
    lab.true(not bad, f"{what} has control characters: {bad!r}")


def test_store_and_answers(build):
    """The store has each text as it was written; rules have put it into replies, attributes, notes and texts for others once
    only, without looking for values in it."""
    it = shop(build).it
    lab.equal(dict(it.sql("SELECT peer, text FROM message WHERE direction = 2")), TEXTS)
    replies = it.sql("SELECT peer, text FROM message WHERE direction = 1 AND peer <> ?", ANNA)
    lab.equal(sorted(replies), sorted((c, f"You wrote: {t or 'nothing'}.") for c, t in TEXTS.items()))
    lab.equal(sorted(e["text"] for e in it.log("submitted", to=ANNA)), sorted(f"{c} {t or 'nothing'}" for c, t in TEXTS.items()))
    notes = it.sql("SELECT c.number, l.value FROM conversation_log l JOIN conversation v ON v.id = l.conversation"
                   " JOIN contact c ON c.id = v.contact WHERE l.what = 'note'")
    lab.equal(dict(notes), {c: t or "nothing" for c, t in TEXTS.items()})
    lab.equal(len(it.log("submitted")), 2 * len(CORPUS), "nothing else was sent")


def test_handlers(build):
    """A program, a server, a script and a shared object are told each text, byte by byte."""
    s = shop(build)
    events = [json.loads(line) for line in (s.it.dir / "exec").read_text().split("\n") if line]
    lab.equal({e["contact"]["number"]: e["message"]["text"] for e in events}, TEXTS, "exec")
    lab.equal(len(events), len(CORPUS))
    lab.equal({r["event"]["contact"]["number"]: r["event"]["message"]["text"] for r in s.server.requests}, TEXTS, "webhook")
    lab.equal(len(s.server.requests), len(CORPUS))
    for request in s.server.requests:
        lab.equal({k for k in request["headers"] if k.startswith("X-")}, {"X-Simgate-Event"})
    kept = s.it.sql("SELECT m.peer, v.value FROM value v JOIN message m ON v.key = 'message:' || m.id WHERE v.owner = 'script'")
    lab.equal({c: "" for c in TEXTS} | dict(kept), TEXTS, "lua")
    shared = (s.it.dir / "shared").read_text().split("\n")[:-1]
    lab.equal(sorted(bytes.fromhex(line).decode() for line in shared), sorted(TEXTS.values()), "shared object")


def test_mail(build):
    """Each mail has the headers that a mail has, goes to whom gateway.conf says, and ends with the text."""
    s = shop(build)
    got = {}
    for sender, to, data in s.box.mails:
        lab.equal((sender, to), ("<shop@example.org>", ["<anna@example.org>"]))
        mail = email.message_from_bytes(data, policy=email.policy.default)
        lab.equal(sorted(mail.keys()), sorted(["Date", "From", "To", "Message-ID", "Subject", "Auto-Submitted", "MIME-Version",
                                               "Content-Type", "Content-Transfer-Encoding"]))
        head, text = mail.get_content().replace("\r\n", "\n").split("\n\n", 1)
        got[re.search(r"\+49151000\d+", head)[0]] = text.removesuffix("\n")
    lab.equal(got, {c: re.sub("\r\n?", "\n", t) for c, t in TEXTS.items()} | {c: got[c] for c, t in TEXTS.items() if not t or "\r" in t})
    lab.equal({line[:4] for line in s.box.lines if not line.startswith(".")} - {"EHLO", "MAIL", "RCPT", "DATA", "QUIT"}, set())


def test_spool(build):
    """A file each, with the headers that such files have, and the text behind them; nothing outside of the folder."""
    it = shop(build).it
    it.wait("a file of each", lambda: len(it.files("incoming")) == len(CORPUS))
    got = {}
    for path in it.files("incoming"):
        head, body = path.read_bytes().decode().split("\n\n", 1)
        names = [line.split(":")[0] for line in head.split("\n")]
        lab.equal(len(names), len(set(names)), "each header once")
        lab.true(set(names) <= {"From", "From_TOA", "From_SMSC", "Sent", "Received", "Subject", "Modem", "Number", "IMSI", "IMEI", "Report",
                                "Alphabet", "Length"}, names)
        got["+" + re.search("From: (.*)", head)[1]] = body
    lab.equal(got, TEXTS)
    it.wait("the event handler", lambda: (it.dir / "events").exists() and len((it.dir / "events").read_text().split()) >= len(CORPUS))
    lab.equal(set((it.dir / "events").read_text().split()), {"2"}, "its arguments")
    lab.equal(list(it.dir.rglob("PWNED")) + list(lab.ROOT.glob("PWNED")), [], "commands were run")


def test_log(build):
    """A line of the log is one line, and nothing in it moves a terminal's cursor."""
    it = shop(build).it
    text = (it.dir / "simgated.err").read_bytes().decode()
    is_plain(text, "the log")
    for line in text.split("\n")[:-1]:
        lab.true(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} (debug|info|notice|warning|error) ", line), f"a line of its own: {line!r}")


def test_commands(build):
    """Every command tells texts as they are in JSON, and without control characters on a terminal."""
    it = shop(build).it
    got = {m["peer"]: m.get("text", "") for m in it.messages("--in")}
    lab.equal(got, TEXTS)
    lists = [("messages", "--limit", "1000"), ("conversations",), ("contacts",), ("deliveries",), ("status",)]
    for number in TEXTS:
        conversation = it.sql("SELECT v.id FROM conversation v JOIN contact c ON c.id = v.contact WHERE c.number = ?", number)[0][0]
        message = it.sql("SELECT id FROM message WHERE peer = ? AND direction = 2", number)[0][0]
        for command in (("contact", number), ("conversation", str(conversation)), ("show", str(message))):
            is_plain(run_bytes(it, *command).decode(), " ".join(command))
            json.loads(run_bytes(it, *command, "--json"))
        lab.equal(it.json("contact", number)["contact"].get("attributes", {}).get("exec", ""), TEXTS[number])
        lab.true(TEXTS[number] in [m["text"] for m in json.loads(run_bytes(it, "contact", "export", number))["messages"]], number)
    for command in lists:
        is_plain(run_bytes(it, *command).decode(), command[0])


def test_table(build):
    """The CSV of all contacts has no cell that a spreadsheet would compute, and brings the same texts back."""
    it = shop(build).it
    data = run_bytes(it, "contacts", "export")
    rows = list(csv.reader(io.StringIO(data.decode(), newline="")))
    column = rows[0].index("exec")
    for row in rows[1:]:
        lab.equal(len(row), len(rows[0]), "cells of a row")
        lab.true(not row[column][:1] or row[column][0] not in "=+-@\t\r", f"a formula: {row[column]!r}")
        lab.equal(row[column][1:] if row[column][:1] == "'" and TEXTS[row[0]][:1] != "'" else row[column], TEXTS[row[0]])
    (it.dir / "back.csv").write_bytes(data)
    done = it.run("contacts", "import", it.dir / "back.csv", check=False)
    lab.equal(done.stdout.strip().split("\n")[-1], f"{len(TEXTS)} contacts: 0 new, 0 changed; lines with mistakes: 0")
    for number, text in TEXTS.items():
        lab.equal(it.json("contact", number)["contact"].get("attributes", {}).get("exec", ""), text)


def test_questions(build):
    """The same texts as what is searched for, as names, tags, notes and replies of a person: each is taken as it is or refused,
    and the tables are as they were."""
    it = shop(build).it
    before = it.sql("SELECT count(*) FROM message")[0][0]
    for n, words in enumerate(t for t in CORPUS if "\0" not in t):
        number = customer(n)
        for command in (("contacts", f"--search={words}"), ("contacts", f"--tag={words}"), ("conversations", f"--department={words}"),
                        ("contact", "tag", number, "--", words), ("rules", "test", number, "--", words),
                        ("template", "preview", "--", words, number)):
            done = it.run(*command, "--json", check=False)
            lab.true(0 <= done.returncode <= 4, f"{command}: {done.returncode} {done.stderr}")
        if words.strip():
            it.run("contact", "set", number, f"name={words}", check=False)
            name = it.json("contact", number)["contact"].get("name", "")
            lab.true(name in (words, words.strip(), ""), f"{words!r} became {name!r}")
    lab.equal(it.sql("SELECT count(*) FROM message")[0][0], before)
    lab.equal(it.sql("PRAGMA integrity_check"), [("ok",)])
    lab.equal(list(it.dir.rglob("PWNED")), [])


def test_relay(build):
    """Staff hears each text behind whose it is; an answer goes to that customer as it was written, and no customer's text is
    a command."""
    with lab.Lab(build, rest=f"""
hours = {{ zone = "Europe/Berlin"; open = ( "daily 00:00-24:00" ); }};
departments = ( {{ name = "shop"; }} );
people = ( {{ name = "Anna"; number = "{ANNA}"; }} );
desk = {{ relay = true; department = "shop"; }};
""") as it:
        it.start()
        for n, words in enumerate(CORPUS):
            it.tell(f"pdu modem0 {deliver(customer(n), words)}")
        it.wait("all of it", lambda: len(it.log("submitted", to=ANNA)) >= len(CORPUS), 60)
        heard = [re.match(r"#(\d+) (\+\d+): (.*)", e["text"], re.S).groups() for e in it.log("submitted", to=ANNA)]
        # One line: a customer cannot write a second one that looks like another's.
        lab.equal({c: t for _, c, t in heard}, {c: re.sub("[\0-\x1f]", " ", t) for c, t in TEXTS.items()})
        lab.equal({s for s, in it.sql("SELECT state FROM conversation")}, {1}, "states: nothing was closed")
        for (number, to, _), words in zip(heard[:8], ("'; DROP TABLE message;--", "{{message.text}}", "$(touch PWNED)", "=1+1", "%s%n", "@hours",
                                                      "a\nb", "\\0")):
            it.tell(f"pdu modem0 {deliver(ANNA, f'#{number} {words}')}")
            it.wait(f"the answer {words!r}", lambda: [e["text"] for e in it.log("submitted", to=to)] == [words])


if __name__ == "__main__":
    lab.main(globals())
