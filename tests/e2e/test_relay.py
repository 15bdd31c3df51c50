#!/usr/bin/python3
"""Customers and staff on their own telephones: the relay with three numbers and more, by the real programs."""
import subprocess
import time

import lab

CUSTOMER, OTHER = "+4915112345678", "+4915187654321"
ANNA, BEN, LEA = "+491701111111", "+491702222222", "+491703333333"

DESK = f"""
hours = {{ zone = "Europe/Berlin"; open = ("daily 00:00-24:00"); }};
departments = ( {{ name = "sales"; first_response = "2s"; }}, {{ name = "repairs"; }} );
people = (
  {{ name = "Anna"; number = "0170 1111111"; departments = ("sales"); }},
  {{ name = "Ben"; number = "{BEN}"; departments = ("sales", "repairs"); }},
  {{ name = "Lea"; number = "{LEA}"; departments = ("repairs"); lead = true; }}
);
desk = {{ relay = true; department = "repairs"; greeting = "Welcome to {{{{gateway.name}}}}"; }};
rules = ( {{ name = "hours"; keywords = ("hours"); reply = "9-18"; }},
          {{ name = "bread"; words = ("bread"); department = "sales"; }} );
"""
QUIET = DESK.replace('first_response = "2s";', "")


def sent(it, number):
    return [e["text"] for e in it.log("submitted", to=number)]


def text(it, number, words):
    """A text comes in and is handled."""
    before = len(it.messages("--in"))
    it.tell(f"text modem0 {number} {words}")
    it.wait(f"{words!r} to be handled", lambda: (lambda m: len(m) > before and m[before]["state"] == "handled")(it.messages("--in")))


def heard(it, number, words, count=1):
    """Waits until so many texts with these words were sent to the number."""
    it.wait(f"{words!r} to {number}", lambda: sum(words in t for t in sent(it, number)) >= count)
    return [t for t in sent(it, number) if words in t]


def idle(it):
    it.wait("the queue to be empty", lambda: not it.messages("--state", "queued") and not it.messages("--state", "submitting"))


def conversation_of(it, number):
    return it.sql("SELECT v.id, v.state, v.department, v.assignee FROM conversation v JOIN contact c ON c.id = v.contact"
                  " WHERE c.number = ? ORDER BY v.id DESC", number)[0]


def test_there_and_back(build):
    """A customer's text reaches the telephones of its department; the first answer goes out, of the second both hear; a
    machine's answer reaches nobody; the list and the details are right; closing is told."""
    with lab.Lab(build, rest=QUIET) as it:
        it.start()
        text(it, CUSTOMER, "Have you got rye bread?")
        n = conversation_of(it, CUSTOMER)[0]
        heard(it, ANNA, f"#{n} {CUSTOMER}: Have you got rye bread?")
        heard(it, BEN, f"#{n} {CUSTOMER}: Have you got rye bread?")
        heard(it, CUSTOMER, "Welcome to Lab")
        text(it, ANNA, f"#{n} Yes, until 6")
        heard(it, CUSTOMER, "Yes, until 6")
        text(it, BEN, f"#{n} No")
        heard(it, BEN, "Anna answered")
        heard(it, ANNA, "Ben wanted to answer too")
        text(it, OTHER, "hours")
        heard(it, OTHER, "9-18")
        text(it, BEN, "#?")
        heard(it, BEN, "0 open")
        text(it, BEN, f"#? {n}")
        heard(it, BEN, f"#{n} {CUSTOMER}, waiting, sales")
        text(it, BEN, f"#{n} close")
        heard(it, BEN, f"#{n} closed")
        idle(it)
        lab.equal(sent(it, CUSTOMER), ["Welcome to Lab", "Yes, until 6"])
        lab.equal(sent(it, LEA), [], "another department's")
        lab.equal(len([m for m in it.messages("--out") if "person" in m["flags"]]), 1, "written by a person")
        lab.equal(conversation_of(it, CUSTOMER)[1], 5)


def test_two_machines(build):
    """A telephone of staff that answers by itself and a customer's machine fall silent; with the number staff's text goes."""
    with lab.Lab(build, rest=QUIET) as it:
        it.start()
        text(it, CUSTOMER, "I am away, about the bread")
        n = conversation_of(it, CUSTOMER)[0]
        heard(it, CUSTOMER, "Welcome")
        answered = {CUSTOMER: 1, ANNA: 0}
        says = {CUSTOMER: "I am away, about the bread", ANNA: "I am driving"}
        for _ in range(12):
            idle(it)
            for number in says:
                if len(sent(it, number)) > answered[number]:
                    answered[number] = len(sent(it, number))
                    time.sleep(1.1)  # the same text with the network's same second is taken for a duplicate
                    text(it, number, says[number])
        idle(it)
        lab.equal({number: len(sent(it, number)) for number in says}, answered, "they are silent")
        lab.equal(sent(it, CUSTOMER), ["Welcome to Lab", "I am driving", "I am driving"])
        lab.equal(len(heard(it, ANNA, "answers by itself")), 1)
        text(it, ANNA, f"#{n} I am driving")
        heard(it, CUSTOMER, "I am driving", 3)


def test_erased(build):
    """Of an erased customer nothing is left in what staff was told and wrote, nor in what a rule forwarded; another's is."""
    forward = 'rules = ( { name = "forward"; words = ("rye"); forward = ( "+491705555555" ); continue = true; },'
    with lab.Lab(build, rest=QUIET.replace("rules = (", forward)) as it:
        it.start()
        it.run("contact", "set", CUSTOMER, "name=Zenobia")
        text(it, CUSTOMER, "Have you got rye bread quagmire?")
        n = conversation_of(it, CUSTOMER)[0]
        heard(it, ANNA, "rye bread quagmire?")
        heard(it, "+491705555555", "rye bread quagmire?")
        text(it, BEN, "#?")
        heard(it, BEN, "1 open")
        text(it, ANNA, "No quagmire today")
        heard(it, CUSTOMER, "No quagmire today")
        text(it, ANNA, f"#{n} note quagmire again")
        text(it, ANNA, f"#{n} assign Ben")
        heard(it, BEN, f"#{n} Zenobia", 2)
        text(it, ANNA, f"#? {n}")
        text(it, OTHER, "rye bread, please")
        m = conversation_of(it, OTHER)[0]
        heard(it, BEN, f"#{m} ")
        it.run("conversation", "close", n)
        idle(it)
        it.run("contact", "erase", CUSTOMER, "--yes")
        left = it.sql("SELECT id, direction, peer, source, text FROM message WHERE text LIKE '%quagmire%' OR text LIKE '%Zenobia%'"
                      " OR text LIKE ?", f"%{CUSTOMER}%")
        lab.equal(left, [], "what is left of the customer")
        lab.true(it.sql("SELECT 1 FROM message WHERE peer = ? AND text LIKE ?", BEN, f"#{m} %"), "the other's stays")
        lab.true(it.sql("SELECT 1 FROM message WHERE peer = '+491705555555'"), "the other's stays")


def test_without_number_and_help(build):
    """An answer without a number goes to the only customer that it can be for, else it is asked back; what looks like STOP
    from staff is no opt-out and no answer."""
    with lab.Lab(build, rest=QUIET) as it:
        it.start()
        text(it, CUSTOMER, "bread?")
        heard(it, ANNA, "bread?")
        text(it, ANNA, "Fresh at 7")
        heard(it, CUSTOMER, "Fresh at 7")
        text(it, OTHER, "white bread?")
        heard(it, ANNA, "white bread?")
        text(it, ANNA, "Sold out")
        heard(it, ANNA, "for whom is it?")
        text(it, ANNA, "STOP")
        heard(it, ANNA, "#12 TEXT answers number 12")
        text(it, ANNA, f"#{conversation_of(it, OTHER)[0]} Sold out")
        heard(it, OTHER, "Sold out")
        idle(it)
        lab.equal([t for t in sent(it, CUSTOMER) if "Sold out" in t], [])
        text(it, ANNA, "#?")
        heard(it, ANNA, " open")
        total = it.json("stats")["total"]
        lab.equal((total["in"], total["by_person"]), (2, 2), "what staff asks, or gets wrong, is no customer's message")


def test_lead_hears_of_late(build):
    """Nobody answers: the lead hears of it once, also across a crash."""
    with lab.Lab(build, rest=DESK.replace('departments = ("repairs"); lead', 'departments = ("repairs", "sales"); lead')) as it:
        it.start()
        text(it, CUSTOMER, "bread?")
        it.kill()
        it.start_daemon()
        it.wait_ready()
        heard(it, LEA, "waits too long for a first answer")
        it.kill()
        it.start_daemon()
        it.wait_ready()
        text(it, OTHER, "hours")
        heard(it, OTHER, "9-18")
        idle(it)
        lab.equal(len([t for t in sent(it, LEA) if "waits too long" in t]), 1)


def test_survey(build):
    """A closed conversation is asked about once; the number is the answer."""
    rest = QUIET + 'survey = { text = "How was it ({{survey.scale}})?"; scale = "0-10"; delay = "1s"; thanks = "Thank you"; };'
    with lab.Lab(build, rest=rest) as it:
        it.start()
        text(it, CUSTOMER, "bread?")
        n = conversation_of(it, CUSTOMER)[0]
        text(it, ANNA, f"#{n} close")
        heard(it, CUSTOMER, "How was it (0-10)?")
        text(it, CUSTOMER, "10")
        heard(it, CUSTOMER, "Thank you")
        lab.equal(it.sql("SELECT survey_score, state FROM conversation WHERE id = ?", n), [(10, 5)])


def test_mistakes_in_the_file(build):
    """What is wrong with hours, people and departments is told with its line, all at once."""
    rest = """
hours = { zone = "Mars/Olympus"; };
departments = ( { name = "sales"; modem = "M7"; } );
people = ( { name = "Anna"; number = "hello"; departments = ("zoo"); } );
survey = { scale = "5-1"; };
desk = { department = "zoo"; };
"""
    with lab.Lab(build, rest=rest) as it:
        done = subprocess.run([str(it.build / "simgated"), "-t", "-c", str(it.conf)], capture_output=True, text=True)
        said = done.stdout + done.stderr
        lab.true(done.returncode != 0, said)
        for words in ("departments[0].modem", "people[0].number", "survey.scale", "Mars/Olympus"):
            lab.true(words in said, f"{words} in {said}")


if __name__ == "__main__":
    lab.main(globals())
