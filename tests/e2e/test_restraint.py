#!/usr/bin/python3
"""What simgate holds back: near opt-outs, endless replies, premium numbers, costs, marketing at night, card numbers; and
which way messages go. On the real programs."""
import datetime
import json
import subprocess
import time
import zoneinfo

import lab

CUSTOMER = "+4915112345678"
OTHER = "+4915100000002"
CARD = "4111 1111 1111 1111"
ECHO = 'rules = ( { name = "echo"; reply = "re: {{message.text}}"; } );'


def text(it, words, number=CUSTOMER, modem="modem0"):
    """A text comes in and is handled; its message."""
    before = len(it.messages("--in"))
    it.tell(f"text {modem} {number} {words}")
    return it.wait(f"{words!r} to be handled", lambda: (lambda m: m[before] if len(m) > before and m[before]["state"] == "handled"
                                                        else None)(it.messages("--in")))


def settled(it):
    it.wait("the queue to be empty", lambda: not it.messages("--state", "queued") and not it.messages("--state", "submitting"))


def replies(it, number=CUSTOMER):
    """What was sent to the number, when nothing more is on its way."""
    settled(it)
    return [e["text"] for e in it.log("submitted", to=number)]


def test_languages_and_ledger(build):
    """STOP in the customer's language is confirmed in it; the ledger knows the words, when, and who; START opens again."""
    with lab.Lab(build) as it:
        it.start()
        text(it, "Abmelden!")
        sent = replies(it)
        lab.true(len(sent) == 1 and "Sie sind abgemeldet" in sent[0], sent)
        lab.equal([c["state"] for c in it.json("consent", CUSTOMER)["consents"]], ["out"])
        text(it, "INFO")
        text(it, "Start")
        consent = it.json("consent", CUSTOMER)
        lab.equal([c["state"] for c in consent["consents"]], ["in"])
        ledger = consent["ledger"]
        lab.equal(sorted(row["words"] for row in ledger), ["Abmelden!", "Start"])
        lab.true(all(row["at"] and row["message"] and row["who"] == "customer" for row in ledger), ledger)
        lab.equal(it.json("conversations")["conversations"], [], "such words begin no conversation")


def test_who_did_what(build):
    """Timeline and ledger name the rule that did something, and the customer who opened the conversation."""
    rules = 'rules = ( { name = "news"; keywords = ( "news" ); tag = ( "news" ); consent = "in"; reply = "welcome"; } );'
    with lab.Lab(build, rest=rules) as it:
        it.start()
        text(it, "news")
        done = {e["what"]: e["who"] for e in it.json("conversation", "1")["timeline"] if "what" in e}
        lab.equal((done["opened"], done["tag"], done["consent"]), ("customer", "rule:news", "rule:news"), f"{done}")
        lab.equal([row["who"] for row in it.json("consent", CUSTOMER)["ledger"]], ["rule:news"])


def test_near_opt_outs(build):
    """What is nearly an opt-out is flagged for a person, unanswered, and the customer is still written to."""
    with lab.Lab(build, rest=ECHO) as it:
        it.start()
        for n, words in enumerate(("stop please", "no more texts!", "STOP 12345", "стоп", "take me off this list")):
            message = text(it, words, f"+49151000000{n:02}")
            lab.true("for a person to read" in message["reason"], message)
            lab.equal(replies(it, f"+49151000000{n:02}"), [])
        flagged = it.json("conversations", "--flagged")["conversations"]
        lab.equal(len(flagged), 5, f"flagged: {flagged}")
        it.run("send", "--to", "+4915100000000", "did you mean STOP?")
        it.run("consent", "out", "+4915100000000", "--words", "stop please")
        lab.equal(it.run("send", "--to", "+4915100000000", "offer", check=False).returncode, 4)


def test_same_text(build):
    """The same answer goes to a number twice in an hour and not a third time; the history says why."""
    with lab.Lab(build) as it:
        it.start()
        for n in range(4):
            message = text(it, f"question {n}")
        lab.equal(replies(it), ["auto reply"] * 2)
        lab.true("the same text" in message["reason"], message)


def test_two_loud_machines(build):
    """Two gateways that may answer each other as often as they like recognise each other as machines, fall silent and tell
    an administrator; nothing is lost."""
    guard = 'guard = { replies = 1000; replies_day = 0; rounds = 6; };'
    with lab.Lab(build, modems=2) as it:
        first, second = ('{{ name = "M{n}"; port = "{dir}/modem{n}"; pin = "1234"; }}'.format(n=n, dir=it.dir) for n in (0, 1))
        rule = guard + 'rules = ( { name = "all"; reply = "auto reply {{message.id}} of %s"; } );'
        it.conf.write_text(lab.CONF.format(dir=it.dir, modems=first, gateway="", rest=rule % "A"))
        it.start_modem()
        it.start_daemon()
        with lab.Lab(build) as other:
            other.conf.write_text(lab.CONF.format(dir=other.dir, modems=second, gateway="", rest=rule % "B"))
            other.start_daemon()
            it.wait_ready()
            other.wait_ready()
            it.run("send", "--to", other.modems()[0]["number"], "Hello machine")
            both = (it, other)
            it.wait("one of them to notice", lambda: any(one.said("answers automatic replies like a machine") for one in both))
            for one in both:
                settled(one)
            counts = [len(one.messages("--out")) for one in both]
            time.sleep(1)
            lab.equal([len(one.messages("--out")) for one in both], counts, "silence")
            lab.true(all(n <= 8 for n in counts), f"they were too long about it: {counts}")
            lab.true(all(m["state"] == "handled" for one in both for m in one.messages("--in")), "all are handled")


def test_premium(build):
    """Premium-rate numbers are refused for the command, the spool and rules, with the reason; what is allowed passes."""
    rest = 'premium = { allow = ( "+4990055*" ); also = ( "+4915199*" ); };' + lab.RULES
    with lab.Lab(build, rest=rest) as it:
        it.start()
        done = it.run("send", "--to", "+4990012345", "hello", check=False)
        lab.true(done.returncode == 4 and "Germany 0900" in done.stderr, f"{done}")
        it.run("send", "--to", "+4990055123", "hello")
        name = it.drop("To: 19005551234\n\nhello")
        it.wait("the file in failed/", lambda: it.files("failed"))
        reason = (it.dir / "spool/failed" / name).read_text()
        lab.true("premium" in reason, reason)
        text(it, "hi", "+4915199000000")
        lab.equal(replies(it, "+4915199000000"), [])
        lab.true(it.said("premium.also denies"), "an administrator hears that a reply could not be sent")
        lab.equal(it.run("route", "test", "+19005551234", check=False).returncode, 4)


def test_routes(build):
    """Each message by its route; `route test` says which and why, and a quota hands over to the next, also after a crash."""
    rest = '''routes = ( { name = "abroad"; to = ( "+33*" ); pool = "b"; },
                         { name = "bundle"; to = ( "+49*" ); pool = "a"; prefer = "cheapest"; per_day = 2; },
                         { name = "rest"; pool = "b"; } );
              costs = ( { modem = "M0"; per_part = "0.02"; }, { per_part = "0.09"; } ); rules = ();'''
    with lab.Lab(build, modems=2) as it:
        modems = ", ".join(f'{{ name = "M{n}"; port = "{it.dir}/modem{n}"; pin = "1234"; pool = "{pool}"; }}'
                           for n, pool in enumerate("ab"))
        it.conf.write_text(lab.CONF.format(dir=it.dir, modems=modems, gateway="", rest=rest))
        it.start()
        way = it.json("route", "test", "0151 12345678", "--text", "x" * 200)
        lab.equal((way["route"], way["pool"], way["by"], way["parts"]), ("bundle", "a", "M0", 2))
        lab.true(abs(way["cost"] - 0.04) < 1e-9, way)
        lab.true("route abroad: is for other numbers" in way["why"], way["why"])
        lab.equal(it.json("route", "test", "+33612345678")["by"], "M1")
        for n in range(2):
            it.run("send", "--to", CUSTOMER, f"by a {n}")
        settled(it)
        it.kill()
        it.start_daemon()
        it.wait_ready()
        it.run("send", "--to", CUSTOMER, "by b")
        it.run("send", "--to", "+33612345678", "by b too")
        settled(it)
        by = {m["text"]: m["modem"] for m in it.messages("--out")}
        lab.equal(by, {"by a 0": "M0", "by a 1": "M0", "by b": "M1", "by b too": "M1"})
        people = it.run("route", "test", CUSTOMER).stdout
        lab.true("per_day is 2" in people and "goes by M1" in people, people)


def test_cost_cap(build):
    """The day's cap refuses what would pass it, for the command and the spool, in another life too; STOP is still confirmed. What
    was accepted by its key is told so all the while, and behind the STOP too."""
    rest = 'costs = ( { per_part = "0.10"; } ); guard = { cost_per_day = "0.30"; }; rules = ();'
    with lab.Lab(build, rest=rest) as it:
        def keyed():
            message = it.json("send", "--to", CUSTOMER, "--key", "k", "text 0")["messages"][0]
            return message["id"], message["existed"]

        it.start()
        first, existed = keyed()
        lab.true(not existed, "the first")
        for n in (1, 2):
            it.run("send", "--to", CUSTOMER, f"text {n}")
        lab.equal(keyed(), (first, True))
        done = it.run("send", "--to", CUSTOMER, "one more", check=False)
        lab.true(done.returncode == 4 and "cap of 0.30 is reached" in done.stderr, f"{done}")
        lab.true(it.said("the day's cost cap of 0.30 is reached"), "the alarm")
        it.kill()
        it.start_daemon()
        it.wait_ready()
        lab.equal(keyed(), (first, True))
        it.drop(f"To: {CUSTOMER[1:]}\n\nby file")
        it.wait("the file in failed/", lambda: it.files("failed"))
        text(it, "STOP")
        lab.equal(keyed(), (first, True))
        lab.equal(len(replies(it)), 4, "three texts and the confirmation")


def test_override_is_kept(build):
    """Who sends to somebody who opted out says why: it is in the ledger as what it is, and in the message's history."""
    with lab.Lab(build, rest="rules = ();") as it:
        it.start()
        text(it, "STOP")
        it.run("send", "--to", CUSTOMER, "--override", "she called", "your keys are here")
        lab.equal(replies(it)[-1], "your keys are here")
        ledger = it.json("consent", CUSTOMER)["ledger"]
        lab.equal([(row["how"], row["words"]) for row in ledger], [("override", "she called"), ("message", "STOP")])
        people = it.run("consent", CUSTOMER).stdout
        lab.true("sent in spite" in people, people)
        lab.true("she called" in it.run("show", it.messages("--out")[-1]["id"]).stdout, "the history")


def test_refused_in_the_log(build):
    """That a rule's text was refused is in the log, without the number and the words of who opted out."""
    rest = 'rules = ( { name = "push"; send = "look"; send_to = ( "%s" ); } );' % OTHER
    with lab.Lab(build, rest=rest) as it:
        it.start()
        it.run("consent", "out", OTHER, "--words", "by telephone")
        text(it, "hi")
        line = it.wait("the log", lambda: it.said("not sent to="))[0]
        lab.true("by=rule:push: has opted out" in line and OTHER not in line and "telephone" not in line, line)


def test_limit_is_told(build):
    """What waits for a configured limit is told by status, with the reason, and is no trouble."""
    with lab.Lab(build, rest="rules = ();", modem_conf="limits = { per_minute = 1; };") as it:
        it.start()
        lab.true("All is well." in it.run("status").stdout, "nothing waits")
        for n in range(3):
            it.run("send", "--to", CUSTOMER, f"text {n}")
        holds = it.wait("what is held", lambda: it.json("status")["holds"])
        lab.true(len(holds) == 1 and holds[0]["messages"] == 2 and "limit per_minute" in holds[0]["reason"], holds)
        people = it.run("status").stdout
        lab.true("2 messages held since" in people and "All else is well" in people, people)


def night_zone():
    """Beginnings of numbers and time zones: one where it is deep in the night now, one where it is day."""
    zones = {"+4915112345678": "Europe/Berlin", "+819012345678": "Asia/Tokyo", "+64211234567": "Pacific/Auckland",
             "+12125550100": "America/New_York", "+13105550100": "America/Los_Angeles", "+919812345678": "Asia/Kolkata"}
    hours = {number: datetime.datetime.now(zoneinfo.ZoneInfo(zone)).hour for number, zone in zones.items()}
    night = next(number for number, hour in hours.items() if hour >= 22 or hour < 7)
    day = next(number for number, hour in hours.items() if 9 <= hour < 20)
    return night, day, zones


def test_quiet_hours(build):
    """Marketing waits for the morning where the recipient is and says so; elsewhere it goes; it wants an opt-in."""
    night, day, zones = night_zone()
    with lab.Lab(build, rest="rules = ();") as it:
        it.start()
        done = it.run("send", "--marketing", "--to", day, "offer", check=False)
        lab.true(done.returncode == 4 and "opted in" in done.stderr, f"{done}")
        for number in (night, day):
            it.run("consent", "in", number, "--proof", "form of 1 November")
            it.run("send", "--marketing", "--to", number, "offer")
        it.run("send", "--to", night, "your appointment")
        it.wait("what goes at once", lambda: it.log("submitted", to=day) and it.log("submitted", to=night))
        lab.equal([e["text"] for e in it.log("submitted", to=night)], ["your appointment"])
        waits = [m for m in it.messages("--out", "--state", "queued")]
        lab.true(len(waits) == 1 and "quiet hours of the recipient" in waits[0]["reason"] and zones[night] in waits[0]["reason"],
                 waits)
        due = it.json("route", "test", night, "--marketing")["due"]
        local = datetime.datetime.fromisoformat(due.replace("Z", "+00:00")).astimezone(zoneinfo.ZoneInfo(zones[night]))
        lab.equal((local.hour, local.minute), (8, 0), f"it goes at eight: {local}")


def test_cards(build):
    """Card numbers are masked in events and the log, and others' copies; the sender is warned once; masked storing leaves no
    trace of them in the database."""
    rest = '''sensitive = { reply = "Please send no card numbers."; };
              rules = ( { name = "fwd"; forward = ( "%s" ); log = "got {{message.text}}"; reply = "ok"; } );''' % OTHER
    with lab.Lab(build, rest=rest, gateway='log = "debug";') as it:
        it.start()
        watch = subprocess.Popen([str(it.build / "simgate"), "watch", "--json"], stdout=subprocess.PIPE, text=True, env=it.env)
        try:
            lab.equal(json.loads(watch.stdout.readline())["kind"], "watching")
            text(it, f"my card is {CARD}, thanks")
            event = next(e for e in map(json.loads, watch.stdout) if e["kind"] == "received")
            lab.equal(event["text"], "my card is **** **** **** 1111, thanks")
        finally:
            watch.terminate()
            watch.wait()
        lab.equal(sorted(replies(it)), ["Please send no card numbers.", "ok"])
        lab.true("**** 1111" in replies(it, OTHER)[0] and CARD not in replies(it, OTHER)[0], replies(it, OTHER))
        lab.equal(it.said(CARD), [], "lines of the log with the number")
        lab.true(it.said("**** **** **** 1111"), "the line that was asked for, masked")
        lab.true(CARD in it.messages("--in")[0]["text"], "people still read it")

    with lab.Lab(build, rest="sensitive = { store_masked = true; }; rules = ();") as it:
        it.start()
        message = text(it, f"my card is {CARD}")
        lab.equal(message["text"], "my card is **** **** **** 1111")
        long_one = text(it, "x" * 150 + " 5555-5555-5555-4444 and more")
        lab.true(long_one["text"].endswith("****-****-****-4444 and more"), long_one)
        it.stop_daemon()
        stored = b"".join(p.read_bytes() for p in it.dir.glob("simgate.db*"))
        for number in (CARD, "5555-5555-5555-4444"):
            lab.true(number.encode() not in stored, f"{number} is in the database")
        lab.equal(it.sql("SELECT count(*) FROM segment WHERE length(pdu) > 0"), [(0,)])


def test_cards_in_titles(build):
    """A conversation's title is what the customer wrote, as may be a contact's attribute: handlers get them masked too, with
    messages and with events."""
    rest = """handlers = ( { name = "spy"; kind = "exec"; command = ( "/bin/sh", "-c", "cat >> %s/spy; echo >> %s/spy" );
                             on = ( "message", "opened", "closed" ); } );"""
    with lab.Lab(build) as it:
        it.write_conf(rest=rest % (it.dir, it.dir))
        it.start()
        text(it, f"{CARD} is my card")
        it.run("contact", "set", CUSTOMER, "paid=by " + CARD)
        text(it, "and now?")
        it.run("conversation", "close", "1")
        seen = it.wait("the events", lambda: (lambda lines: lines if len(lines) == 4 else None)(
            [json.loads(line) for line in (it.dir / "spy").read_text().splitlines() if line.endswith("}")]))
        lab.equal(sorted(e["on"] for e in seen), ["closed", "message", "message", "opened"])
        lab.equal([e for e in seen if CARD in json.dumps(e)], [])
        lab.equal({e["contact"]["attributes"].get("paid") for e in seen if e["on"] == "closed"}, {"by **** **** **** 1111"})
        lab.equal({e["conversation"]["title"] for e in seen if "title" in e["conversation"]}, {"**** **** **** 1111 is my card"})


if __name__ == "__main__":
    lab.main(globals())
