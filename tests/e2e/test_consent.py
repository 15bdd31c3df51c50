#!/usr/bin/python3
"""Whom simgate answers and writes to: STOP, START, HELP, and two machines that must fall silent."""
import lab

CUSTOMER = "+4915112345678"


def text(it, words, number=CUSTOMER):
    """A text comes in and is handled; its message."""
    before = len(it.messages("--in"))
    it.tell(f"text modem0 {number} {words}")
    return it.wait(f"{words!r} to be handled", lambda: (lambda m: m[before] if len(m) > before and m[before]["state"] == "handled"
                                                         else None)(it.messages("--in")))


def replies(it, number=CUSTOMER):
    """What was sent to the number, when nothing more is on its way."""
    it.wait("the queue to be empty", lambda: not it.messages("--state", "queued") and not it.messages("--state", "submitting"))
    return [e["text"] for e in it.log("submitted", to=number)]


def test_stop_start_help(build):
    """STOP is confirmed once and then nothing more is sent, by rule, command or spool; HELP is answered still; START opens
    everything again."""
    with lab.Lab(build) as it:
        it.start()
        text(it, "Hello")
        lab.equal(replies(it), ["auto reply"])
        lab.equal(text(it, "Stop.")["state"], "handled")
        sent = replies(it)
        lab.true(len(sent) == 2 and "Lab" in sent[1] and "START" in sent[1], f"one confirmation, with the shop's name: {sent}")
        text(it, "Hello?")
        text(it, "STOP")
        lab.equal(len(replies(it)), 2, "nothing after STOP")

        done = it.run("send", "--to", CUSTOMER, "special offer", check=False)
        lab.equal(done.returncode, 4, done.stdout)
        lab.true("opted out" in done.stderr, f"why it was refused: {done.stderr}")
        name = it.drop(f"To: {CUSTOMER[1:]}\n\nspecial offer")
        it.wait("the file in failed/", lambda: it.files("failed"))
        reason = (it.dir / "spool/failed" / name).read_text()
        lab.true("Fail_reason: Destination is blacklisted" in reason and "opted out" in reason, reason)
        done = it.run("send", "--to", f"{CUSTOMER},+491600000001", "to two", check=False)
        it.wait("the other's text", lambda: it.log("submitted", to="+491600000001"))
        lab.true(done.returncode == 4 and "opted out" in done.stderr, f"{done}")
        lab.equal(len(replies(it)), 2, "nothing after STOP")

        text(it, "HELP")
        lab.equal(len(replies(it)), 3, "HELP is answered")
        text(it, "start")
        lab.equal(len(replies(it)), 4, "START is confirmed")
        it.run("send", "--to", CUSTOMER, "welcome back")
        text(it, "Hello again")
        lab.equal(replies(it)[4:], ["welcome back", "auto reply"])


def test_stop_of_what_waits(build):
    """What waits in the queue for somebody who opts out is not sent any more."""
    with lab.Lab(build) as it:
        it.start()
        it.run("send", "--to", CUSTOMER, "--at", "+3s", "tomorrow's offer")
        text(it, "unsubscribe")
        it.wait("its end", lambda: [m for m in it.messages("--out", "--grep", "offer") if m["state"] not in ("queued", "submitting")])
        message = it.messages("--out", "--grep", "offer")[0]
        lab.true(message["state"] in ("cancelled", "failed") and "opted out" in message.get("reason", ""), message)
        lab.equal(len(replies(it)), 1, "the confirmation alone")


def test_stop_is_in_store(build):
    """An opt-out outlives the daemon, killed in between."""
    with lab.Lab(build) as it:
        it.start()
        text(it, "STOP")
        it.kill()
        it.start_daemon()
        lab.equal(it.run("send", "--to", "0151 12345678", "offer", check=False).returncode, 4)


def test_stop_by_others(build):
    """One customer's STOP is his alone; words around it are left to a person; short codes and names are not asked."""
    with lab.Lab(build) as it:
        it.start()
        text(it, "STOP")
        lab.equal(text(it, "Hello", "+4915100000001")["state"], "handled")
        lab.equal(replies(it, "+4915100000001"), ["auto reply"])
        lab.equal(text(it, "stop please", "+4915100000002")["reason"], "consent: may be an opt-out, for a person to read")
        text(it, "bus stop at 5?", "+4915100000003")
        lab.equal(replies(it, "+4915100000003"), ["auto reply"])
        text(it, "Your code is 17", "MyBank")
        text(it, "You won", "12345")
        lab.equal((it.log("submitted", to="MyBank"), it.log("submitted", to="12345")), ([], []))


def test_guard(build):
    """Five automatic replies to a number in ten minutes, not more; others are answered; a person may still write."""
    with lab.Lab(build, rest='rules = ( { name = "all"; reply = "re: {{message.text}}"; } );') as it:
        it.start()
        for n in range(9):
            text(it, f"question {n}")
        lab.equal(replies(it), [f"re: question {n}" for n in range(5)])
        lab.true("guard" in it.messages("--in")[-1]["reason"], it.messages("--in")[-1])
        text(it, "Hello", "+4915100000001")
        lab.equal(replies(it, "+4915100000001"), ["re: Hello"])
        it.run("send", "--to", CUSTOMER, "by hand")
        lab.equal(replies(it)[-1], "by hand")


def test_two_machines(build):
    """Two gateways whose rules answer everything text each other and fall silent, without either of them losing a text."""
    with lab.Lab(build, modems=2) as it:
        # Two daemons, one modem each: to either one the other is a customer.
        first, second = ('{{ name = "M{n}"; port = "{dir}/modem{n}"; pin = "1234"; }}'.format(n=n, dir=it.dir) for n in (0, 1))
        rule = 'rules = ( { name = "all"; reply = "auto reply {{message.id}} of %s"; } );'
        it.conf.write_text(lab.CONF.format(dir=it.dir, modems=first, gateway="", rest=rule % "A"))
        it.start_modem()
        it.start_daemon()
        with lab.Lab(build) as other:
            other.conf.write_text(lab.CONF.format(dir=other.dir, modems=second, gateway="", rest=rule % "B"))
            other.start_daemon()
            it.wait_ready()
            other.wait_ready()
            number = other.modems()[0]["number"]
            it.run("send", "--to", number, "Hello machine")
            other.wait("silence of B", lambda: [m for m in other.messages("--in") if "guard" in m.get("reason", "")])
            lab.equal(len(other.messages("--out")), 5, "replies of B")
            lab.equal(len(it.messages("--out")), 6, "replies of A, and the first text")
            lab.true(all(m["state"] == "handled" for m in it.messages("--in") + other.messages("--in")), "all are handled")


def test_own_numbers(build):
    """Two modems of one gateway: a text from one to the other is received and not answered."""
    with lab.Lab(build, modems=2) as it:
        it.start()
        number = it.modems()[1]["number"]
        it.run("send", "--to", number, "--modem", "M0", "to ourselves")
        message = it.wait("it to be in", lambda: it.messages("--in", "--state", "handled"))[0]
        lab.true("own number" in message["reason"], message)
        lab.equal(len(it.messages("--out")), 1)


def test_configured_words(build):
    """Words and texts of the file: another language's STOP, another confirmation, none at all."""
    rest = lab.RULES + 'consent = { stop_words = [ "abmelden", "keine sms" ]; stop_reply = "Abgemeldet. {{gateway.name}}"; start_reply = ""; };'
    with lab.Lab(build, rest=rest) as it:
        it.start()
        text(it, "Abmelden!")
        lab.equal(replies(it), ["Abgemeldet. Lab"])
        text(it, "START")
        lab.equal(replies(it), ["Abgemeldet. Lab"])
        text(it, "Hello")
        lab.equal(replies(it)[-1], "auto reply")


if __name__ == "__main__":
    lab.main(globals())
