#!/usr/bin/python3
"""The commands for customers and the people who answer them, on the real daemon: what is told, what is refused and why, and
what a customer's telephone gets."""
import csv
import io
import json
import os
import pty
import subprocess

import lab

CUSTOMER = "+4915112345678"
OTHER = "+4915187654321"
DESK = """
departments = ( { name = "sales"; first_response = "2h"; }, { name = "returns"; hours = { open = ( "Mon 00:00-00:01" ); } } );
people = ( { name = "Anna"; number = "+491701110001"; departments = ( "sales" ); lead = true; }, { name = "Ben"; } );
"""


def desk(build, rest=DESK):
    return lab.Lab(build, rest=rest)


def text(it, words, number=CUSTOMER):
    """A text comes in and is handled; the customer's conversation."""
    before = len(it.messages("--in"))
    it.tell(f"text modem0 {number} {words}")
    it.wait(f"{words!r} to be handled", lambda: len(it.messages("--in", "--state", "handled")) > before)
    return it.json("conversations", "--contact", number)["conversations"][0]


def refused(it, wanted, *args, status=4):
    """The command fails with this status, and says why."""
    done = it.run(*args, check=False)
    lab.equal(done.returncode, status, f"simgate {args}: {done.stdout}{done.stderr}")
    lab.true(wanted in done.stderr, f"simgate {args}: expected {wanted!r} in {done.stderr!r}")


def one(it, conversation):
    return it.json("conversation", conversation)["conversation"]


def test_a_conversation(build):
    """A message opens a conversation; a person answers it, gives it away, notes, snoozes, closes and opens it again, and the
    timeline tells who did what."""
    with desk(build) as it:
        it.start()
        c = text(it, "Do you have it in blue?")
        number = c["id"]
        lab.equal((c["state"], c["title"], c["number"], c["priority"]), ("new", "Do you have it in blue?", CUSTOMER, "normal"))
        lab.true("waiting_since" in c and not c["flagged"], c)

        done = it.json("conversation", "take", f"#{number}", "--as", "anna")
        lab.equal((done["conversation"], done["state"]), (number, "open"))
        lab.equal(one(it, number)["assignee"], "Anna")
        done = it.json("conversation", "reply", number, "--as", "Anna", "--key", "k1", "We", "do.")
        it.wait("the answer at the customer's", lambda: it.log("submitted", to=CUSTOMER, text="We do."))
        again = it.json("conversation", "reply", number, "--as", "Anna", "--key", "k1", "We do.")
        lab.equal(again["message"], done["message"], "the same key")
        for answer in ("It is here.", "Come and see."):
            it.run("conversation", "reply", number, "--as", "Anna", "--key", "", answer)
            it.wait("an answer with an empty key, which is none", lambda: it.log("submitted", to=CUSTOMER, text=answer))
        c = one(it, number)
        lab.equal((c["state"], c["replies_by_persons"]), ("waiting", 3))
        lab.true("first_response" in c and "waiting_since" not in c, c)

        it.run("conversation", "note", number, "likes", "blue")
        it.run("conversation", "department", number, "sales")
        it.run("conversation", "priority", number, "high")
        it.run("conversation", "assign", number, "Ben", "--as", "Anna")
        it.run("conversation", "tag", number, "vip")
        it.run("conversation", "snooze", number, "2h")
        c = one(it, number)
        lab.equal((c["state"], c["department"], c["priority"], c["assignee"]), ("snoozed", "sales", "high", "Ben"))
        lab.true("snoozed_until" in c, c)
        it.run("conversation", "close", number)
        lab.equal(it.json("conversations")["conversations"], [], "closed ones are not listed")
        lab.equal([x["id"] for x in it.json("conversations", "--all")["conversations"]], [number])
        it.run("conversation", "reopen", number)
        it.run("conversation", "assign", number)
        c = one(it, number)
        lab.equal((c["state"], c["reopened"], "assignee" in c), ("open", 1, False))

        timeline = it.json("conversation", number)["timeline"]
        lab.equal([e["kind"] for e in timeline if e["kind"] in ("in", "out")], ["in", "out", "out", "out"])
        out = next(e for e in timeline if e["kind"] == "out")
        lab.equal((out["who"], out["automatic"], out["message"]["text"]), ("person:Anna", False, "We do."))
        note = next(e for e in timeline if e["kind"] == "note")
        lab.true(note["text"] == "likes blue" and note["who"].startswith("ctl:"), note)
        changes = [(e["what"], e.get("text"), e["who"].split(":")[0]) for e in timeline if e["kind"] == "change"]
        for wanted in (("assign", "Anna", "person"), ("assign", "Ben", "person"), ("department", "sales", "ctl"),
                       ("state", "closed", "ctl"), ("priority", "high", "ctl")):
            lab.true(wanted in changes, f"{wanted} in {changes}")
        shown = it.run("conversation", number).stdout
        lab.true("Do you have it in blue?" in shown and "likes blue" in shown and "person:Anna" in shown, shown)
        lab.true(f"#{number}" in shown, shown)


def test_lists(build):
    """Conversations are found by what they are; a page tells how to get the next."""
    with desk(build) as it:
        it.start()
        first, second = text(it, "one"), text(it, "two", OTHER)
        it.run("conversation", "department", first["id"], "sales")
        it.run("conversation", "assign", first["id"], "Anna")

        def ids(*filters):
            return [c["id"] for c in it.json("conversations", *filters)["conversations"]]

        lab.equal(sorted(ids()), sorted([first["id"], second["id"]]))
        lab.equal(ids("--department", "sales"), [first["id"]])
        lab.equal(ids("--assignee", "Anna"), [first["id"]])
        lab.equal(ids("--unassigned"), [second["id"]])
        lab.equal(ids("--state", "new"), [second["id"]])
        lab.equal(ids("--contact", "0151 87654321"), [second["id"]])
        lab.equal(ids("--search", "015187"), [second["id"]], "the beginning of a national number")
        lab.equal(ids("--search", "tw"), [second["id"]])
        lab.equal(ids("--waiting"), [first["id"], second["id"]], "the longest first")
        lab.equal(ids("--overdue") + ids("--flagged"), [])
        page = it.json("conversations", "--limit", "1")
        rest = it.json("conversations", "--limit", "1", "--after", page["after"])
        lab.equal(sorted([page["conversations"][0]["id"], rest["conversations"][0]["id"]]), sorted([first["id"], second["id"]]))
        lab.true("after" not in rest or not it.json("conversations", "--after", rest["after"])["conversations"], rest)


def test_refusals(build):
    """What is wrong is told with what was expected, and nothing is changed."""
    with desk(build) as it:
        it.start()
        number = text(it, "Hello")["id"]
        refused(it, "campaign: expected one of new, preview", "campaign", status=2)
        refused(it, "conversation 99: there is none", "conversation", "99")
        refused(it, "conversation 99: there is none", "conversation", "close", "99")
        refused(it, "expected one of: sales, returns", "conversations", "--department", "parcels")
        refused(it, "Anna", "conversation", "assign", number, "Zoe")
        refused(it, "expected one of: Anna, Ben", "conversation", "close", number, "--as", "Zoe")
        refused(it, "sales", "conversation", "department", number, "parcels")
        refused(it, "one of low, normal, high, urgent", "conversation", "priority", number, "huge", status=2)
        it.run("conversation", "spam", number)
        done = it.run("conversation", "reply", number, "Hello", check=False)
        lab.equal(done.returncode, 4, done.stderr)
        refused(it, "number: ", "contact", "abc")
        refused(it, "is no contact", "contact", OTHER)
        refused(it, "Europe/Berlin expected", "contact", "set", CUSTOMER, "zone=Mars/Olympus")
        refused(it, "de or pt-BR expected", "contact", "set", CUSTOMER, "language=German!")
        refused(it, "a tag expected", "contact", "tag", CUSTOMER, "a,b")
        refused(it, "the name of an attribute expected", "contact", "set", CUSTOMER, "a b=c")
        refused(it, "words", "consent", "in", CUSTOMER)
        refused(it, "expected one of: M0", "consent", "out", CUSTOMER, "--modem", "M9")
        lab.equal(it.json("consent", CUSTOMER)["consents"], [])


def test_contacts(build):
    """A contact is changed, found, listed, written to CSV and read again; mistakes in a file are told by line and column."""
    with desk(build) as it:
        it.start()
        it.run("contact", "set", "0151 12345678", "name=Anna Berger", "language=de", "zone=Europe/Berlin", "plan=gold")
        it.run("contact", "tag", CUSTOMER, "vip", "returns")
        it.run("contact", "untag", CUSTOMER, "returns")
        it.run("contact", "note", CUSTOMER, "prefers calls", "--as", "Ben")
        it.run("contact", "note", CUSTOMER, "moved to Bonn")
        c = it.json("contact", CUSTOMER)["contact"]
        lab.equal((c["name"], c["language"], c["zone"], c["tags"], c["attributes"]),
                  ("Anna Berger", "de", "Europe/Berlin", ["vip"], {"plan": "gold"}))
        lines = c["notes"].splitlines()
        lab.true(len(lines) == 2 and "Ben: prefers calls" in lines[0] and "moved to Bonn" in lines[1], c["notes"])
        it.run("contact", "set", CUSTOMER, "plan=")
        lab.equal(it.json("contact", CUSTOMER)["contact"]["attributes"], {})
        it.run("contact", "set", CUSTOMER, "plan=gold")

        text(it, "Hello", OTHER)  # a customer becomes a contact by writing
        for search in (["--tag", "vip"], ["Berg"], ["01511"], ["+49151123"], ["--attribute", "plan"], ["--attribute", "plan=gold"]):
            lab.equal([x["number"] for x in it.json("contacts", *search)["contacts"]], [CUSTOMER], search)

        document = it.json("contacts", "export")["contacts"]
        lab.equal(sorted(c["number"] for c in document), sorted([CUSTOMER, OTHER]), "contacts of the document")
        out = it.run("contacts", "export").stdout
        rows = list(csv.DictReader(io.StringIO(out)))
        lab.equal(sorted(r["number"].lstrip("'") for r in rows), sorted([CUSTOMER, OTHER]))
        row = next(r for r in rows if r["name"])
        lab.equal((row["name"], row["tags"], row["plan"]), ("Anna Berger", "vip", "gold"))
        checked = it.json("contacts", "import", "-", "--check", stdin=out)
        lab.equal((checked["contacts"], checked["errors"]), (2, []), "what is exported can be imported")

        file = it.dir / "customers.csv"
        file.write_text('number,name,tags,city,consent\n'
                        '0151 1111111,"Müller, Jürgen","a, b",Bonn,in\n'
                        'nonsense,Nobody,,,\n'
                        '0151 2222222,"Two\nlines",,,\n'
                        f'{CUSTOMER},,new,Köln,\n')
        done = it.run("contacts", "import", file, "--json", "--proof", "form 17", check=False)
        lab.equal(done.returncode, 1, "a line with a mistake")
        answer = json.loads(done.stdout)
        lab.equal((answer["contacts"], answer["created"], answer["changed"]), (2, 1, 1))
        lab.equal([(e["line"], e["column"]) for e in answer["errors"]], [(3, 1), (4, 2)])
        c = it.json("contact", "0151 1111111")["contact"]
        lab.equal((c["name"], c["tags"], c["attributes"], c["consent"]), ("Müller, Jürgen", ["a", "b"], {"city": "Bonn"}, "in"))
        lab.true("form 17" in it.json("consent", "0151 1111111")["ledger"][0]["words"], "the proof is kept")
        c = it.json("contact", CUSTOMER)["contact"]
        lab.equal((c["name"], sorted(c["tags"]), c["attributes"]), ("Anna Berger", ["new", "vip"], {"city": "Köln", "plan": "gold"}))
        file.write_text("name,city\nAnna,Bonn\n")
        refused(it, 'one of them must be "number"', "contacts", "import", file)
        file.write_text("number,consent\n0151 3333333,in\n")
        done = it.run("contacts", "import", file, "--json", check=False)
        lab.true("proof" in json.loads(done.stdout)["errors"][0]["text"], done.stdout)


def test_files(build):
    """Files as spreadsheets and people make them: what is understood, what is refused before anything is stored, and large texts;
    what is exported comes back the same."""
    with desk(build) as it:
        it.start()
        file = it.dir / "customers.csv"
        file.write_bytes(b"\xef\xbb\xbfnumber;name;notes\r\n0151 1111111;\"M\xc3\xbcller; \"\"J\"\"\";\"'\n=1+1\"\r\n"
                         b"0151 1111111;;\"'=cmd|x\"\r\n\r\n01512222222;B;\r\n")
        lab.equal(it.json("contacts", "import", file)["created"], 2, "one number twice is one contact")
        c = it.json("contact", "01511111111")["contact"]
        lab.equal((c["name"], c["notes"]), ('Müller; "J"', "=cmd|x"))
        for wrong, words in ((b"number,name\n0151 9999999,\"not closed\n", "not closed"), (b"number,name\n0151 9999999,M\xfcller\n", "UTF-8"),
                             (b"number,name\n0151 9999999,a,b\n", "columns"), (b"number,name\n0151 9999999,a\0b\n", "NUL"),
                             (b"number,name,name\n0151 9999999,a,b\n", "twice"), (b"", "empty"),
                             (b"number,name\n0151 9999999," + b"x" * 70000 + b"\n", "65536 bytes")):
            file.write_bytes(wrong)
            done = it.run("contacts", "import", file, check=False)
            lab.true(done.returncode != 0 and words in done.stderr, f"{words!r} in {done.stderr!r}")
        lab.equal(len(it.json("contacts")["contacts"]), 2, "nothing of these is stored")

        notes = "a long story " * 230
        file.write_text("number,notes\n" + "".join(f"+49152{i:08},{notes}\n" for i in range(1000)))
        lab.equal(it.json("contacts", "import", file)["created"], 1000)
        it.run("contact", "set", "+4915200000000", "name=\u00a0=1+1", "plan=\n=1+1")
        out = it.run("contacts", "export").stdout
        again = it.json("contacts", "import", "-", stdin=out)
        lab.equal((again["contacts"], again["created"], again["changed"], again["errors"]), (1002, 0, 0, []))


def test_consent(build):
    """An opt-out by hand holds for every producer and is told with who said so; a reason passes it once; an opt-in needs a
    proof."""
    with desk(build) as it:
        it.start()
        number = text(it, "Hello")["id"]
        it.run("consent", "out", CUSTOMER, "--words", "no more, please", "--as", "Anna")
        c = it.json("consent", CUSTOMER)
        lab.equal([(x["state"], "modem" in x) for x in c["consents"]], [("out", False)])
        lab.equal((c["ledger"][0]["words"], c["ledger"][0]["who"]), ("no more, please", "person:Anna"))
        refused(it, "opted out", "send", "--to", CUSTOMER, "offer")
        refused(it, "opted out", "conversation", "reply", number, "But")
        it.run("conversation", "reply", number, "--override", "she called and asked", "Your parcel is here")
        it.wait("it at the customer's", lambda: it.log("submitted", to=CUSTOMER, text="Your parcel is here"))
        lab.true(any("she called" in x.get("words", "") for x in it.json("consent", CUSTOMER)["ledger"]), "the reason is kept")
        it.run("send", "--to", CUSTOMER, "--override", "recall", "--as", "Ben", "Do not use it")
        it.wait("it at the customer's", lambda: it.log("submitted", to=CUSTOMER, text="Do not use it"))
        lab.equal([x["number"] for x in it.json("consent", "list", "--state", "out")["consents"]], [CUSTOMER])
        refused(it, "opted in", "send", "--to", OTHER, "--marketing", "Sale!")
        it.run("consent", "in", OTHER, "--proof", "order form 12")
        it.run("send", "--to", OTHER, "--marketing", "Sale!")
        lab.equal([x["state"] for x in it.json("consent", OTHER)["consents"]], ["in"])


def test_people(build):
    """Who is there and when it is open; what waits in each department."""
    with desk(build) as it:
        it.start()
        people = {p["name"]: p for p in it.json("people")["people"]}
        lab.equal((people["Anna"]["departments"], people["Anna"]["lead"], people["Anna"]["number"]),
                  (["sales"], True, "+491701110001"))
        lab.equal((sorted(people["Ben"]["departments"]), people["Ben"]["on_duty"]), (["returns", "sales"], True))
        it.run("conversation", "department", text(it, "Hello")["id"], "sales")
        departments = {d["name"]: d for d in it.json("departments")["departments"]}
        lab.equal((departments["sales"]["open"], departments["sales"]["live"], departments["sales"]["unassigned"],
                   departments["sales"]["on_duty"]), (True, 1, 1, 2))
        lab.equal((departments["returns"]["live"], "opens" in departments["returns"] or departments["returns"]["open"]), (0, True))
        lab.equal(it.json("handlers")["handlers"], [])
        lab.equal(it.json("deliveries")["deliveries"], [])
        refused(it, "delivery 7: there is none", "deliveries", "retry", "7")
        for command in ("people", "departments", "handlers", "deliveries", "conversations", "contacts"):
            it.run(command)


def test_handlers(build):
    """A handler that fails is told as down, with its error; what waits for it is listed, tried again and given up."""
    rest = """handlers = ( { name = "broken"; kind = "exec"; command = ( "/nonexistent/program" ); },
                           { name = "crm"; kind = "webhook"; url = "http://127.0.0.1:9/"; secret = "s"; asynchronous = true; } );
              rules = ( { name = "all"; reply = "auto reply"; } );"""
    with desk(build, rest) as it:
        it.start()
        it.tell(f"text modem0 {CUSTOMER} Hello")
        waiting = it.wait("a delivery that failed", lambda: [d for d in it.json("deliveries")["deliveries"] if d["attempts"]])
        lab.equal((len(waiting), waiting[0]["handler"]), (1, "crm"))
        number = waiting[0]["id"]
        it.run("deliveries", "retry", number)
        it.wait("another try", lambda: it.json("deliveries", "--handler", "crm")["deliveries"][0]["attempts"] > 2)
        lab.equal(it.json("deliveries", "--handler", "broken")["deliveries"], [])
        handlers = {h["name"]: h for h in it.json("handlers", check=False)["handlers"]}
        lab.equal((handlers["crm"]["kind"], handlers["crm"]["waiting"]), ("webhook", 1))
        status = it.json("status", check=False)
        down = [h["name"] for h in status["handlers"] if h["down"]]
        lab.equal([p.split(" fails: ")[0] for p in status["problems"] if " fails: " in p], [f"handler {name}" for name in down])
        lab.true("crm" in down and not status["healthy"], f"{status}")
        it.run("deliveries", "drop", number)
        lab.equal(it.json("deliveries")["deliveries"], [])
        refused(it, "there is none", "deliveries", "drop", str(number))
        it.run("handlers", check=False)


def test_personal_data(build):
    """Everything about a number is one document; two numbers become one contact; what is erased is gone, but for the opt-out."""
    with desk(build) as it:
        it.start()
        number = text(it, "My secret is 42")["id"]
        it.run("conversation", "reply", number, "Noted")
        it.run("contact", "set", CUSTOMER, "name=Anna Berger")
        it.wait("the reply", lambda: it.log("submitted", to=CUSTOMER))
        done = it.json("contact", "export", CUSTOMER)
        lab.true("My secret is 42" in json.dumps(done["messages"]) and "Anna Berger" in json.dumps(done["contact"]), done)
        lab.true(done["conversations"] and "consent" in done and "timeline" in done, done.keys())

        it.run("contact", "set", OTHER, "name=A. Berger", "plan=gold")
        refused(it, "--yes", "contacts", "merge", OTHER, CUSTOMER, status=2)
        it.run("contacts", "merge", OTHER, CUSTOMER, "--yes")
        c = it.json("contact", CUSTOMER)["contact"]
        lab.equal((c["name"], c["attributes"]), ("Anna Berger", {"plan": "gold"}))
        lab.equal(it.json("contact", OTHER)["contact"]["number"], CUSTOMER, "it is a number of theirs now")

        it.run("consent", "out", CUSTOMER)
        refused(it, "--yes", "contact", "erase", CUSTOMER, status=2)
        it.wait("nothing on the air", lambda: not it.messages("--state", "queued") and not it.messages("--state", "submitting"))
        erased = it.json("contact", "erase", CUSTOMER, "--yes")
        lab.true(erased["rows"] > 0 and erased["opt_out"] and erased["numbers"] == 2, erased)
        refused(it, "is no contact", "contact", CUSTOMER)
        lab.equal([m for m in it.messages() if m["peer"] == CUSTOMER], [])
        refused(it, "opted out", "send", "--to", CUSTOMER, "offer")
        it.stop_daemon()
        lab.true(b"secret is 42" not in (it.dir / "simgate.db").read_bytes(), "nothing of it is in the file")


def test_two_numbers(build):
    """A customer with two numbers is one contact after merging: what either writes joins the conversation, answers go to the
    number that wrote last, also after a crash; files, exports and erasing know both."""
    with desk(build) as it:
        it.start()
        it.run("contact", "set", CUSTOMER, "name=Anna Berger", "language=de")
        it.run("contact", "tag", CUSTOMER, "club")
        number = text(it, "Do you have it in blue?")["id"]
        it.run("contact", "set", OTHER, "name=A. Berger")
        merged = it.json("contacts", "merge", OTHER, CUSTOMER, "--yes")
        lab.equal((merged["number"], merged["into"]), (OTHER, CUSTOMER))
        it.kill()
        it.start_daemon()

        it.run("conversation", "reply", number, "To the first")
        it.wait("the answer at the first", lambda: it.log("submitted", to=CUSTOMER, text="To the first"))
        c = text(it, "And in green?", OTHER)
        lab.equal((c["id"], c["number"], c["name"], c["state"]), (number, OTHER, "Anna Berger", "open"))
        it.run("conversation", "reply", number, "To the second")
        it.wait("the answer at the second", lambda: it.log("submitted", to=OTHER, text="To the second"))
        for each in (CUSTOMER, OTHER):
            c = it.json("contact", each)["contact"]
            lab.equal((c["number"], c["other_numbers"], c["tags"], c["conversations"]), (CUSTOMER, [OTHER], ["club"], 1))
            lab.equal([x["id"] for x in it.json("conversations", "--contact", each)["conversations"]], [number])
            lab.equal([x["number"] for x in it.json("contacts", each)["contacts"]], [CUSTOMER])
        shown = it.run("contact", OTHER).stdout
        lab.true(CUSTOMER in shown and OTHER in shown, shown)
        refused(it, "already", "contacts", "merge", OTHER, CUSTOMER, "--yes")
        it.run("contact", "set", OTHER, "plan=gold")
        lab.equal(it.json("contact", CUSTOMER)["contact"]["attributes"], {"plan": "gold"})

        it.run("consent", "out", OTHER)
        refused(it, "opted out", "conversation", "reply", number, "But")
        c = it.json("contact", CUSTOMER)["contact"]
        lab.equal((c["consent"], c["other_numbers_out"]), ("unknown", [OTHER]))
        it.run("send", "--to", CUSTOMER, "consent is of the number")

        made = it.json("campaign", "new", "spring", "--tag", "club", "Hello")
        lab.equal([r["number"] for r in it.json("campaign", "recipients", made["campaign"]["id"])["recipients"]], [CUSTOMER])

        it.run("contacts", "merge", CUSTOMER, OTHER, "--yes")  # the other way round: the main number
        lab.equal(it.json("contact", CUSTOMER)["contact"]["number"], OTHER)
        out = it.run("contacts", "export").stdout
        row = list(csv.DictReader(io.StringIO(out)))[0]
        lab.equal((row["number"].lstrip("'"), row["other_numbers"].lstrip("'")), (OTHER, CUSTOMER))
        again = it.json("contacts", "import", "-", stdin=out)
        lab.equal((again["contacts"], again["created"], again["changed"], again["not_joined"], again["errors"]), (1, 0, 0, 0, []))

        done = it.json("contact", "export", CUSTOMER)
        lab.equal(sorted({m["peer"] for m in done["messages"]}), sorted([CUSTOMER, OTHER]))
        it.wait("nothing on the air", lambda: not it.messages("--state", "queued") and not it.messages("--state", "submitting"))
        it.run("contact", "erase", CUSTOMER, "--yes")
        lab.equal(it.messages(), [])
        refused(it, "is no contact", "contact", OTHER)
        lab.equal(it.json("contacts", "import", "-", stdin=out)["created"], 1)
        lab.equal(it.json("contact", CUSTOMER)["contact"]["number"], OTHER, "a file makes both numbers one contact again")
        it.run("contact", "set", "+4915100000001", "name=Ben")
        told = it.run("contacts", "import", "-", stdin="number,other_numbers\n0151 00000001,0151 12345678; 0151 00000002\n").stdout
        lab.true("1 other numbers are of contacts of their own" in told, told)


def test_folded(build):
    """Two customers who wait turn out to be one: the number of the conversation that is gone still means the other one."""
    with desk(build) as it:
        it.start()
        kept = text(it, "Do you have it in blue?")["id"]
        gone = text(it, "It is me with the other phone", OTHER)["id"]
        it.run("contacts", "merge", OTHER, CUSTOMER, "--yes")
        shown = it.json("conversation", gone)
        lab.equal((shown["conversation"]["id"], shown["conversation"]["number"]), (kept, OTHER))
        done = it.json("conversation", "reply", gone, "In blue, yes")
        lab.equal(done["conversation"], kept)
        it.wait("the answer", lambda: it.log("submitted", to=OTHER, text="In blue, yes"))
        it.kill()
        it.start_daemon()
        it.run("conversation", "close", f"#{gone}")
        lab.equal(it.json("conversation", kept)["conversation"]["state"], "closed")
        lab.equal([c["id"] for c in it.json("conversations", "--all")["conversations"]], [kept])


def at_terminal(it, typed, *args):
    """simgate ARGS with a person at a terminal who types a line; its exit status and what the terminal shows."""
    ours, theirs = pty.openpty()
    with subprocess.Popen([it.build / "simgate", *map(str, args)], stdin=theirs, stdout=theirs, stderr=theirs, env=it.env) as run:
        os.close(theirs)
        os.write(ours, typed.encode())
        shown = b""
        try:
            while chunk := os.read(ours, 65536):
                shown += chunk
        except OSError:  # the other end is closed
            pass
        os.close(ours)
    return run.returncode, shown.decode(errors="replace")


def test_terminal(build):
    """At a terminal a person is asked before anything is erased, and sees how far an import is."""
    with desk(build) as it:
        it.start()
        it.run("contact", "set", CUSTOMER, "name=Anna")
        status, shown = at_terminal(it, "no\n", "contact", "erase", CUSTOMER)
        lab.true(status == 1 and "Type yes" in shown and "nothing was done" in shown, shown)
        it.run("contact", CUSTOMER)
        status, shown = at_terminal(it, "yes\n", "contact", "erase", CUSTOMER)
        lab.true(status == 0 and "rows erased" in shown, shown)
        refused(it, "is no contact", "contact", CUSTOMER)
        file = it.dir / "many.csv"
        file.write_text("number,name\n" + "".join(f"+4915{i:08},Customer {i}\n" for i in range(3000)))
        status, shown = at_terminal(it, "", "contacts", "import", file)
        lab.true(status == 0 and "█" in shown and " 50 %" in shown and "3000 contacts: 3000 new" in shown, shown)
        lab.equal(len(it.run("contacts", "export").stdout.splitlines()), 3001)


def test_watch(build):
    """Who watches sees a conversation change, and by whom it was."""
    with desk(build) as it:
        it.start()
        number = text(it, "Hello")["id"]
        with subprocess.Popen([it.build / "simgate", "watch", "--json"], stdout=subprocess.PIPE, text=True, env=it.env) as watch:
            lab.true('"watching"' in watch.stdout.readline(), "the first event")
            it.run("conversation", "close", number)
            for line in watch.stdout:
                event = json.loads(line)
                if event["kind"] == "conversation":
                    break
            watch.terminate()
        lab.equal(event["conversation"], number)


if __name__ == "__main__":
    lab.main(globals())
