#!/usr/bin/python3
"""Campaigns by command on the real programs: from a file and a tag, looked at, started, paused, killed in the middle."""
import time

import lab

AT_ANY_HOUR = "quiet = { on = false; };"
PEOPLE = [f"+4916011{n:05d}" for n in range(12)]


def agree(it, number, tag=None, name=None):
    it.run("consent", "in", number, "--proof", "form")
    if tag:
        it.run("contact", "tag", number, tag)
    if name:
        it.run("contact", "set", number, f"name={name}")


def texts(it, number):
    return [e["text"] for e in it.log("submitted", to=number)]


def test_tag(build):
    """A text with a value to the contacts of a tag: who agreed gets it in their own words, the others are told with the reason."""
    with lab.Lab(build, rest=AT_ANY_HOUR) as it:
        it.start()
        agree(it, PEOPLE[0], "club", "Ann")
        agree(it, PEOPLE[1], "club")
        it.run("contact", "tag", PEOPLE[2], "club")
        agree(it, PEOPLE[3], "club", "Out")
        it.tell(f"text modem0 {PEOPLE[3]} STOP")
        it.wait("the opt-out", lambda: len(texts(it, PEOPLE[3])) == 1)
        made = it.json("campaign", "new", "spring", "--tag", "club", "Hello {{contact.name|there}}, spring is here")["campaign"]
        lab.equal((made["id"], made["state"], made["recipients"]), (1, "draft", 4))
        look = it.json("campaign", "preview", "1")
        lab.equal((look["recipients"], look["go"], look["opted_out"], look["not_opted_in"]), (4, 2, 1, 1))
        lab.equal((look["segments"], look["segments_most"]), (2, 1))
        lab.equal(sorted(s["text"] for s in look["samples"]), ["Hello Ann, spring is here", "Hello there, spring is here"])
        lab.equal(len(it.log("submitted")), 1, "looking sends nothing but the confirmation of STOP")
        done = it.json("campaign", "start", "1", "--wait")["campaign"]
        lab.equal((done["state"], done["accepted"], done["refused"]), ("done", 2, 2))
        it.wait("the texts", lambda: len(it.log("submitted")) == 3)
        lab.equal(texts(it, PEOPLE[0]), ["Hello Ann, spring is here"])
        reasons = " ".join(r["reason"] for r in it.json("campaign", "show", "1")["campaign"]["refusals"])
        lab.true("opted out" in reasons and "not opted in" in reasons, reasons)
        states = {r["number"]: r["state"] for r in it.json("campaign", "recipients", "1")["recipients"]}
        lab.equal((states[PEOPLE[2]], states[PEOPLE[3]]), ("refused", "refused"))
        for args in (("campaign", "list"), ("campaign", "show", "1"), ("campaign", "recipients", "1"), ("campaign", "preview", "1")):
            lab.true(it.run(*args).stdout.strip(), f"{args} for people")
        it.run("campaign", "new", "slow", "--tag", "club", "--rate", "1", "Hello again")
        waited = it.run("campaign", "start", "2", "--wait", "--timeout", "2s", check=False)
        lab.true(waited.returncode == 5 and "goes on" in waited.stderr, f"{waited}")
        it.run("campaign", "stop", "2")
        gone = it.run("campaign", "show", "7", check=False)
        lab.true(gone.returncode == 4 and "no campaign 7" in gone.stderr, gone.stderr)
        wrong = it.run("campaign", "new", "x", "--tag", "club", "{{nonsense}}", check=False)
        lab.true(wrong.returncode == 4 and "nonsense" in wrong.stderr, wrong.stderr)
        nobody = it.run("campaign", "new", "x", "Hello", check=False)
        lab.true(nobody.returncode == 2 and "--tag" in nobody.stderr, nobody.stderr)


def test_file_and_crash(build):
    """The numbers of a file, each once, with what is no number told by its line; paused, killed and started again, everyone gets it once."""
    with lab.Lab(build, rest=AT_ANY_HOUR) as it:
        it.start()
        numbers = it.dir / "numbers.csv"
        numbers.write_text("name,number\n" + "".join(f"P,{n}\n" for n in PEOPLE + PEOPLE[:2]) + "P,nonsense\n")
        made = it.json("campaign", "new", "news", "--file", str(numbers), "--proof", "form 2026", "--rate", "120", "big news")
        lab.equal(made["campaign"]["recipients"], len(PEOPLE))
        lab.equal([e["line"] for e in made["errors"]], [len(PEOPLE) + 4])
        it.run("campaign", "start", "1")
        it.wait("some of it", lambda: it.log("submitted"))
        it.run("campaign", "pause", "1")
        lab.equal(it.json("campaign", "show", "1")["campaign"]["state"], "paused")
        it.run("campaign", "resume", "1")
        it.kill()
        it.start_daemon()
        it.wait("its end", lambda: it.json("campaign", "show", "1")["campaign"]["state"] == "done")
        it.wait("the texts", lambda: all(texts(it, n) for n in PEOPLE))
        it.wait("an empty queue", lambda: not it.messages("--state", "queued"))
        lab.true(all(len(set(texts(it, n))) == 1 for n in PEOPLE), "the text")
        lab.true(sum(len(texts(it, n)) for n in PEOPLE) <= len(PEOPLE) + 1, "once each, but for one that was on the air")
        ledger = it.sql("SELECT how, words, who FROM consent_log WHERE number = ?", PEOPLE[0])
        lab.equal(len(ledger), 1)
        lab.true(tuple(ledger[0])[:2] == ("import:form 2026", "campaign 1: news"), f"{tuple(ledger[0])}")


def test_quiet_hours(build):
    """In quiet hours a campaign is taken over and waits; stopped, it is taken out of the queue; pausing is not needed for that."""
    hour = time.localtime(time.time() + 2 * 3600)[3]
    zone = f'quiet = {{ hours = ["daily {hour:02d}:00-{hour:02d}:30"]; countries = ( {{ to = ["+49*"]; zones = ["{local_zone()}"]; }} ); }};'
    with lab.Lab(build, rest=zone) as it:
        it.start()
        for number in PEOPLE[:3]:
            agree(it, number, "club")
        it.run("campaign", "new", "later", "--tag", "club", "sleep well")
        lab.equal(it.json("campaign", "preview", "1")["deferred"], 3)
        lab.equal(it.json("campaign", "start", "1", "--wait")["campaign"]["accepted"], 3)
        lab.equal(len(it.messages("--state", "queued")), 3)
        it.run("campaign", "stop", "1")
        it.wait("an empty queue", lambda: not it.messages("--state", "queued"))
        lab.equal(it.json("campaign", "show", "1")["campaign"]["messages"], {"cancelled": 3})
        lab.equal(it.log("submitted"), [])


def local_zone():
    """A zone of the tz database with this machine's offset."""
    east = round(time.localtime().tm_gmtoff / 3600)
    return f"Etc/GMT{-east:+d}" if east else "Etc/GMT"


if __name__ == "__main__":
    lab.main(globals())
