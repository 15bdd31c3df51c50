#!/usr/bin/python3
"""A day in the life of a shop, on the real programs: customers and staff at their telephones, a campaign, a crash. At its end
the account of everything that went over the air is right, message by message."""
import datetime
import re
import signal
import time

import lab

EARLY, RIA, TOM, UMA, CALLER = "+4915110000001", "+4915110000002", "+4915110000003", "+4915110000004", "+4915110000005"
FANS = [f"+49151200000{i:02}" for i in range(12)]
ANNA, BERT, CLARA = "+491701111111", "+491702222222", "+491703333333"

SHOP = """
hours = { zone = "UTC"; open = ( "%s" ); };
departments = ( { name = "shop"; }, { name = "boss"; } );
people = ( { name = "Anna"; number = "+491701111111"; departments = ( "shop" ); },
           { name = "Bert"; number = "+491702222222"; departments = ( "shop" ); },
           { name = "Clara"; number = "+491703333333"; departments = ( "boss" ); lead = true; } );
desk = { department = "shop"; relay = true; greeting = "Hello from {{gateway.name}}!";
         office_reply = "We answer {{hours.next}}."; };
survey = { text = "How was it, {{survey.scale}}?"; comment = "Why?"; thanks = "Thank you."; delay = "1s"; };
quiet = { on = false; };
templates = { hours = { en = "Open 7-18."; de = "Offen 7-18 Uhr."; }; };
rules = (
  { name = "hours"; keywords = ( "hours", "öffnungszeiten" ); reply = "@hours"; },
  { name = "order"; pattern = "(?i)order (?<number>\\\\d+)"; reply = "Order {{match.number}} is noted."; tag = ( "orders" );
    set = ( "order={{match.number}}" ); },
  { name = "complaint"; words = ( "refund" ); department = "boss"; priority = "high"; reply = "Clara looks into it."; },
  { name = "news"; keywords = ( "news" ); consent = "in"; tag = ( "news" ); reply = "You get our news."; },
  { name = "missed"; on = "call"; reply = "Sorry, we missed you."; },
  { name = "thanks"; on = "survey"; names = ( "5" ); send_to = ( "Clara" ); send = "A five for {{person|us}}!"; }
);
"""


def shut():
    """Opening hours that begin in two hours and last one, in UTC."""
    begin = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=2)
    end = begin + datetime.timedelta(hours=1)
    return f"daily {begin:%H:%M}-{end:%H:%M}"


class Day:
    def __init__(self, it):
        self.it = it
        self.account = {}  # number -> texts that it must have got, in order

    def write(self, number, words):
        """A text comes in, and is decided."""
        it, before = self.it, len(self.it.messages("--in"))
        it.tell(f"text modem0 {number} {words}")
        it.wait(f"{words!r} to be handled",
                lambda: (lambda m: len(m) > before and all(x["state"] == "handled" for x in m))(it.messages("--in")))

    def got(self, number, *patterns):
        """The next texts that this number gets are these (each a whole text, or a compiled pattern), and no others."""
        mine = self.account.setdefault(number, [])
        mine += patterns
        self.it.wait(f"{patterns!r} to {number}", lambda: len(self.sent(number)) >= len(mine))
        self.check(number)

    def sent(self, number):
        return [e["text"] for e in self.it.log("submitted", to=number)]

    def check(self, number):
        wanted, seen = self.account.get(number, []), self.sent(number)
        lab.equal(len(seen), len(wanted), f"texts to {number} ({seen})")
        for text, pattern in zip(seen, wanted):
            fits = pattern.fullmatch(text) if isinstance(pattern, re.Pattern) else text == pattern
            lab.true(fits, f"to {number}: expected {pattern!r}, got {text!r}")

    def number_of(self, peer):
        return self.it.sql("SELECT max(v.id) FROM conversation v JOIN contact c ON c.id = v.contact WHERE c.number = ?", peer)[0][0]

    def reload(self, hours):
        self.it.write_conf(rest=SHOP % hours)
        self.it.daemon.send_signal(signal.SIGHUP)
        self.it.wait("the reload", lambda: self.it.said("read again"))


def before_opening(day):
    """Nobody is there: the office reply, once; what a rule can answer is answered; phones stay quiet of what a rule answered."""
    day.write(EARLY, "Do you bake cakes?")
    day.got(EARLY, re.compile(r"We answer (today|tomorrow) at \d+:\d\d\."))
    n = day.number_of(EARLY)
    for phone in (ANNA, BERT):
        day.got(phone, f"#{n} {EARLY}: Do you bake cakes?")
    day.write(EARLY, "With cream?")
    for phone in (ANNA, BERT):
        day.got(phone, f"#{n} {EARLY}: With cream?")
    day.write(RIA, "Öffnungszeiten? Ich habe heute keine Zeit.")
    day.got(RIA, "Offen 7-18 Uhr.")


def morning(day):
    """Orders, a person's answer, two who answer at once, a complaint for the boss, a missed call."""
    n = day.number_of(EARLY)
    day.write(ANNA, f"#{n} Yes, with cream")
    day.got(EARLY, "Yes, with cream")
    day.write(BERT, f"#{n} No cakes today")
    day.got(BERT, re.compile(r".*Anna answered.*Yes, with cream.*", re.S))
    day.got(ANNA, re.compile(r".*Bert wanted to answer too.*", re.S))
    day.write(TOM, "order 4711 please")
    day.got(TOM, "Order 4711 is noted.")
    day.write(UMA, "I want a refund")
    day.got(UMA, "Clara looks into it.")
    day.got(CLARA, f"#{day.number_of(UMA)} {UMA}: I want a refund")
    day.it.tell(f"ring modem0 {CALLER} 2")
    day.got(CALLER, "Sorry, we missed you.")


def the_boss(day):
    """What rules answered was not relayed, but the complaint, which a rule gave to her department; she answers."""
    n = day.number_of(UMA)
    lab.equal(day.it.sql("SELECT department, priority FROM conversation WHERE id = ?", n), [("boss", 2)])
    day.it.run("conversation", "reply", n, "You get it back today", "--as", "Clara")
    day.got(UMA, "You get it back today")


def noon(day):
    """Closed, asked, answered with a five and a word; the five is told to the boss. A number that is no answer is a new message."""
    it, n = day.it, day.number_of(EARLY)
    day.write(ANNA, f"#{n} close")
    day.got(ANNA, re.compile(rf"#{n} closed.*"))
    day.got(EARLY, "How was it, 1-5?")
    day.write(EARLY, "5")
    day.got(EARLY, "Why?")
    day.got(CLARA, re.compile(r"A five for .*!"))
    day.write(EARLY, "The cream")
    day.got(EARLY, "Thank you.")
    lab.equal(it.sql("SELECT survey_score, state FROM conversation WHERE id = ?", n), [(5, 5)])


def consent(day):
    """STOP is confirmed once and holds for everybody; START ends it."""
    day.write(TOM, "STOP")
    day.it.wait("the confirmation", lambda: len(day.sent(TOM)) == 2)
    day.got(TOM, re.compile(r".*unsubscribed.*", re.S))
    day.write(TOM, "hours")
    for phone in (ANNA, BERT):  # no machine answers one who opted out, so people see it
        day.got(phone, f"#{day.number_of(TOM)} {TOM}: hours")
    refused = day.it.run("send", "--to", TOM, "Buy bread!", check=False)
    lab.true(refused.returncode != 0 and "opted out" in refused.stderr, refused.stderr)
    day.write(RIA, "news")
    day.got(RIA, "You get our news.")


def campaign(day):
    """Twelve who want news and one who does not any more; the machine is killed in the middle of it, and nobody gets it twice or
    not at all."""
    it = day.it
    for fan in FANS:
        it.run("consent", "in", fan, "--proof", "form at the counter")
        it.run("contact", "tag", fan, "news")
    day.write(FANS[0], "STOP")
    day.got(FANS[0], re.compile(r".*unsubscribed.*", re.S))
    it.run("campaign", "new", "spring", "--tag", "news", "Spring bread is here")
    it.run("campaign", "start", "1")
    it.wait("some of it", lambda: len([e for e in it.log("submitted") if e["text"] == "Spring bread is here"]) >= 3)
    it.kill()
    it.start_daemon()
    it.wait_ready()
    it.wait("its end", lambda: it.json("campaign", "show", "1")["campaign"]["state"] == "done")
    for fan in FANS[1:] + [RIA]:
        it.wait(f"it to reach {fan}", lambda fan=fan: "Spring bread is here" in day.sent(fan) or unknown(it, fan))
        if not unknown(it, fan):
            day.got(fan, "Spring bread is here")


def unknown(it, number):
    """What was on the air at the kill may have gone out: it is told, and not sent again by itself."""
    return it.messages("--peer", number, "--state", "unknown")


def evening(day):
    """Nothing waits, nothing else went out, and the figures are those of the day."""
    it = day.it
    it.wait("an empty queue", lambda: not it.messages("--state", "queued") and not it.messages("--state", "submitting"))
    time.sleep(1)
    lost = {m["peer"] for m in it.messages("--state", "unknown")}
    lab.true(len(lost) <= 1, f"at most the one on the air is not known: {lost}")
    for number in {e["to"] for e in it.log("submitted")} - lost:
        day.check(number)
    incoming = [m for m in it.messages("--in")]
    lab.true(all(m["state"] == "handled" for m in incoming), "all are handled")
    figures = it.json("stats")["total"]
    counted = {"in": 11, "calls": 1, "by_person": 2, "opt_outs": 2, "opt_ins": 1 + len(FANS), "opened": 5, "reopened": 0,
               "closed": 1, "asked": 1, "answered": 1, "mean_score": 5.0, "undelivered": 0, "failed": 0}
    lab.equal({name: figures[name] for name in counted}, counted, "the day's figures")
    lab.equal(figures["first_response"]["count"], 2, "first answers by persons: machines' do not count")


def test_a_day(build):
    """From before opening to the evening: office reply, keywords in two languages, relay, a collision, a complaint, a missed call,
    a survey, STOP, a campaign with a crash in it; each number got exactly what it should, in order."""
    with lab.Lab(build, rest=SHOP % shut()) as it:
        it.start()
        day = Day(it)
        before_opening(day)
        day.reload("daily 00:00-24:00")
        for hour in (morning, the_boss, noon, consent, campaign, evening):
            hour(day)


if __name__ == "__main__":
    lab.main(globals())
