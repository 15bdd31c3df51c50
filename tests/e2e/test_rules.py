#!/usr/bin/python3
"""Rules on real programs: conditions and actions, lists read live, templates of the store, schedules' and other events, tests."""
import subprocess
import time

import lab

CUSTOMER, OTHER, ANNA = "+4915112345678", "+4915112345679", "+4917055501234"
RULES = """
hours = {{ zone = "Europe/Berlin"; }};
departments = ( {{ name = "sales"; }} );
people = ( {{ name = "Anna"; number = "{anna}"; departments = [ "sales" ]; }} );
lists = {{ friends = "file:{dir}/friends"; }};
templates = {{ hours = {{ en = "We are open"; de = "Wir haben offen"; max_segments = 1; }}; }};
rules = (
  {{ name = "friend"; from = [ "@friends" ]; tag = [ "friend" ]; reply = "Hello friend"; }},
  {{ name = "hours"; words = [ "open", "offen" ]; reply = "@hours"; }},
  {{ name = "order"; pattern = "(?i)order #?(?<n>\\\\d+)"; set = [ "order={{{{match.n}}}}" ]; department = "sales"; priority = "high"; forward = [ "Anna" ];
     reply = "Order {{{{match.n}}}} for {{{{contact.name:first_word|you}}}}"; }},
  {{ name = "shut"; on = "closed"; reply = "Goodbye"; }},
  {{ name = "lost"; on = "report"; names = [ "failed" ]; tag = [ "lost" ]; }},
  {{ name = "daily"; on = "schedule"; schedule = "23:59"; log = "a day is over"; }},
  {{ name = "rest"; reply = "@ready"; }}
);
tests = (
  {{ from = "+491700000000"; text = "Are you open?"; expect = "hours"; expect_reply = "We are"; }},
  {{ from = "+491700000000"; text = "Haben Sie heute offen?"; expect = "hours"; expect_reply = "Wir"; }},
  {{ from = "+491700000000"; text = "order #7"; expect = "order"; }},
  {{ from = "+491700000000"; text = "hello"; expect = "rest"; expect_reply = "dear customer"; }},
  {{ from = "+491700000000"; on = "report"; name = "failed"; expect = "lost"; }},
  {{ from = "+491700000000"; on = "report"; name = "delivered"; expect = "none"; }},
  {{ on = "schedule"; name = "daily"; expect = "daily"; }}
);
"""


BOSS = "+4917055509999"
EVENTS = f"""
departments = ( {{ name = "sales"; first_response = "1s"; }}, {{ name = "repairs"; }} );
people = ( {{ name = "Anna"; number = "{ANNA}"; departments = [ "sales" ]; }} );
desk = {{ department = "sales"; }};
survey = {{ text = "How was it?"; delay = "0s"; }};
rules = ( RULES );
"""
ABOUT = f'from = [ "{CUSTOMER}" ];'
KINDS = {"message": ABOUT, "call": "", "report": ABOUT + ' names = [ "delivered" ]; once_per = "1d";', "opened": ABOUT, "assigned": ABOUT,
         "closed": ABOUT, "overdue": ABOUT, "survey": ABOUT, "alarm": 'names = [ "sim", "sim over" ];', "schedule": 'schedule = "every 1m";'}


def every_kind():
    """One rule for each kind of event, which tells the boss what it was about."""
    values = "{{event.name|-}}, {{event.text|-}}, {{message.text|-}}, {{contact.number|-}}, {{conversation.id|-}}, {{department|-}}, {{person|-}}"
    return EVENTS.replace("RULES", ",\n".join(f'{{ name = "{kind}"; on = "{kind}"; {conditions} send_to = [ "{BOSS}" ]; send = "{kind}: {values}"; }}'
                                              for kind, conditions in KINDS.items()))


def rules(it):
    return RULES.format(dir=it.dir, anna=ANNA)


def prepare(it):
    """The template that a rule says is in the store before the rules are."""
    (it.dir / "friends").write_text("# nobody yet\n")
    it.start()
    it.run("template", "add", "ready", "Your order is ready, {{contact.name|dear customer}}.")
    it.write_conf(rest=rules(it))
    it.run("reload")


def answer(it, text, number):
    before = len(it.log("submitted", to=number))
    it.tell(f"text modem0 {number} {text}")
    it.wait("the answer", lambda: len(it.log("submitted", to=number)) > before)
    return it.log("submitted", to=number)[-1]["text"]


def test_rules(build):
    """Conditions choose, actions are done; lists and templates change what is answered without a reload."""
    with lab.Lab(build) as it:
        prepare(it)
        lab.equal(answer(it, "Are you open today?", CUSTOMER), "We are open")
        lab.equal(answer(it, "Haben Sie heute offen?", CUSTOMER), "Wir haben offen")
        lab.equal(answer(it, "Where is order #17?", CUSTOMER), "Order 17 for you")
        it.wait("the forward", lambda: it.log("submitted", to=ANNA))
        lab.true("Where is order #17?" in it.log("submitted", to=ANNA)[-1]["text"], "the message itself")
        contact = it.json("contact", CUSTOMER)["contact"]
        lab.equal(contact["attributes"], {"order": "17"})
        lab.equal(it.json("conversations")["conversations"][0]["department"], "sales")
        lab.equal(answer(it, "hello", OTHER), "Your order is ready, dear customer.")
        it.run("contact", "set", OTHER, "name=Bo")
        it.run("template", "edit", "ready", "Ready, {{contact.name|dear customer}}!")
        lab.equal(answer(it, "hello again", OTHER), "Ready, Bo!")
        (it.dir / "friends").write_text(f"{OTHER}\n")
        time.sleep(1.1)  # the file is looked at once a second at most
        lab.equal(answer(it, "hello once more", OTHER), "Hello friend")
        lab.equal(it.json("contact", OTHER)["contact"]["tags"], ["friend"])


def test_events(build):
    """A conversation that is closed is an event: its rule acts once, also across a restart."""
    with lab.Lab(build) as it:
        prepare(it)
        answer(it, "Are you open?", CUSTOMER)
        conversation = it.json("conversations")["conversations"][0]["id"]
        it.run("conversation", "close", str(conversation))
        it.wait("the goodbye", lambda: [m for m in it.log("submitted", to=CUSTOMER) if m["text"] == "Goodbye"])
        it.kill()
        it.start_daemon()
        it.wait_ready()
        lab.equal(len([m for m in it.log("submitted", to=CUSTOMER) if m["text"] == "Goodbye"]), 1)


def test_every_kind(build):
    """Rules on each kind of event act when it happens, once for each time that it does, with its values."""
    def told(kind):
        return [m["text"].removeprefix(f"{kind}: ") for m in it.messages("--out") if m["peer"] == BOSS and m["text"].startswith(f"{kind}: ")]

    def comes(kind, count=1, seconds=30):
        it.wait(f"{kind}", lambda: len(told(kind)) >= count, seconds)

    with lab.Lab(build, rest=every_kind(), pin="") as it:
        it.start()
        it.tell(f"text modem0 {CUSTOMER} hello")
        comes("overdue")
        n = str(it.json("conversations")["conversations"][0]["id"])
        it.run("conversation", "assign", n, "Anna")
        it.run("conversation", "reply", n, "It is ready")
        comes("report")
        it.run("conversation", "close", n)
        it.wait("the question", lambda: it.log("submitted", to=CUSTOMER, text="How was it?"))
        it.tell(f"text modem0 {CUSTOMER} 4")
        comes("survey")
        it.tell(f"ring modem0 {OTHER} 2")
        comes("call")
        caller = it.sql("SELECT v.id FROM conversation v JOIN contact c ON c.id = v.contact WHERE c.number = ?", OTHER)[0][0]
        it.tell("fault modem0 sim_out")
        comes("alarm")
        it.tell("fault modem0 sim_in")
        comes("alarm", 2, 90)
        comes("schedule", 1, 70)
        for kind, *values in (("message", f"-, -, hello, {CUSTOMER}, {n}, -, -"), ("opened", f"new, hello, hello, {CUSTOMER}, {n}, sales, -"),
                              ("overdue", f"first, hello, hello, {CUSTOMER}, {n}, sales, -"), ("call", f"-, -, -, {OTHER}, {caller}, -, -"),
                              ("assigned", f"department, sales, sales, {CUSTOMER}, {n}, sales, -", f"Anna, -, -, {CUSTOMER}, {n}, sales, Anna"),
                              ("closed", f"closed, hello, hello, {CUSTOMER}, {n}, sales, Anna"), ("survey", f"4, -, -, {CUSTOMER}, {n}, sales, Anna")):
            lab.equal(told(kind), values, kind)
        report, = told("report")
        lab.true(report.startswith("delivered, ") and report.endswith(f", {CUSTOMER}, {n}, sales, Anna"), report)
        lab.equal([t.split(", ")[0] for t in told("alarm")], ["sim", "sim over"])
        lab.true(all("SIM" in t for t in told("alarm")), told("alarm"))
        lab.true(set(told("schedule")) == {"schedule, -, -, -, -, -, -"}, told("schedule"))


def test_templates(build):
    """Templates are added, changed, previewed and taken away; what is wrong is told, and what is used stays."""
    with lab.Lab(build) as it:
        prepare(it)
        it.run("template", "add", "hello", "--language", "de", "Hallo {{contact.name|Kunde}}")
        lab.equal(it.json("template", "preview", "hello", CUSTOMER)["text"], "Hallo Kunde")
        lab.equal({t["template"] for t in it.json("template", "list")["templates"]}, {"hours", "ready", "hello"})
        refused = it.run("template", "add", "bad", "{{nonsense}}", check=False)
        lab.true(refused.returncode == 4 and "unknown value" in refused.stderr, f"{refused}")
        refused = it.run("template", "remove", "ready", check=False)
        lab.true(refused.returncode == 4 and "rest" in refused.stderr, f"{refused}")
        it.run("template", "remove", "hello", "--language", "de")
        lab.equal(it.run("template", "show", "hello", check=False).returncode, 4)


def test_tests(build):
    """The tests beside the rules are run by -t and by rules check; one that fails is named with its line."""
    with lab.Lab(build) as it:
        prepare(it)
        check = it.json("rules", "check")
        lab.equal((check["tests"], check["failed"], check["warnings"]), (7, 0, []))
        done = subprocess.run([str(it.build / "simgated"), "-t", "-c", str(it.conf)], capture_output=True, text=True)
        lab.true(done.returncode == 0 and "7 tests" in done.stdout, f"{done}")
        trial = it.json("rules", "test", "--from", CUSTOMER, "--fresh", "order 5")
        lab.equal((trial["rule"], trial["reply"]), ("order", "Order 5 for you"))
        lab.true("attribute order=5" in trial["effects"] and "priority high" in trial["effects"] and "clock" not in trial["effects"], f"{trial}")
        it.write_conf(rest=rules(it).replace('expect_reply = "Wir"', 'expect_reply = "Nous"'))
        done = subprocess.run([str(it.build / "simgated"), "-t", "-c", str(it.conf)], capture_output=True, text=True)
        lab.true(done.returncode == 3 and "tests[1]" in done.stderr and "Nous" in done.stderr, f"{done}")


if __name__ == "__main__":
    lab.main(globals())
