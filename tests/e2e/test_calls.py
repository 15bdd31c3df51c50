#!/usr/bin/python3
"""Calls: the missed-call text-back, files in calls/, rejected and ignored calls, calls in the middle of messages."""
import time

import lab

CALLER = "+491701234567"
RULES = """rules = ( { name = "missed"; on = "call"; reply = "We missed your call, {{message.from}}."; },
                     { name = "all"; reply = "auto reply"; } );"""


def texts_to(it, number):
    return [e["text"] for e in it.log("submitted") if e["to"] == number]


def calls(it):
    return [m for m in it.messages("--in") if "call" in m["flags"]]


def test_text_back(build):
    """A missed call is answered by one text of its rule, is in the history, and a file in calls/; its rings are one call."""
    with lab.Lab(build, rest=RULES) as it:
        it.start()
        it.tell(f"ring modem0 {CALLER} 2")
        it.wait("the text", lambda: texts_to(it, CALLER))
        it.wait("the file", lambda: it.files("calls"))
        lab.equal(texts_to(it, CALLER), [f"We missed your call, {CALLER}."], "texts")
        only, = calls(it)
        lab.equal((only["peer"], only["text"], only["reason"]), (CALLER, "", "rule missed"), "the call")
        file, = it.files("calls")
        text = file.read_text()
        lab.true(file.name.startswith("M0."), file.name)
        lab.true(text.startswith(f"From: {CALLER[1:]}\nFrom_TOA: 91 international, ISDN/telephone\nSubject: M0\nModem: M0\n"),
                 text)
        lab.true("\nCall_type: missed\nReceived: " in text and text.endswith("\n\nCALL MISSED\n"), text)
        lab.equal(it.files("incoming"), [], "received texts")
        lab.equal(it.json("status")["since_start"]["calls"], 1, "calls since the start")
        lab.true("(call)" in it.run("messages").stdout, "the call in the list")
        time.sleep(2)
        lab.equal(len(texts_to(it, CALLER)), 1, "texts")


def test_consent_and_guard(build):
    """Whoever opted out gets no text for a call; nobody gets more than the guard allows."""
    with lab.Lab(build, rest=RULES + ' guard = { replies = 2; window = "10m"; };') as it:
        it.start()
        it.tell(f"text modem0 {CALLER} STOP")
        it.wait("the confirmation", lambda: texts_to(it, CALLER))
        for caller in (CALLER, "+491702222222", "+491702222222", "+491702222222"):
            before = len(calls(it))
            it.tell(f"ring modem0 {caller} 1")
            it.wait("the call", lambda: len(calls(it)) > before and calls(it)[-1]["state"] == "handled")
        it.wait("the texts", lambda: len(texts_to(it, "+491702222222")) == 2)
        time.sleep(1)
        lab.equal(len(texts_to(it, CALLER)), 1, "texts to one who opted out")
        lab.equal(len(texts_to(it, "+491702222222")), 2, "texts to one who calls often")


def test_rejected(build):
    """calls = "reject" hangs up, and the caller is answered all the same; calls = "ignore" knows of no calls."""
    with lab.Lab(build, modems=2, rest=RULES, modem_conf='calls = "reject";') as it:
        it.start()
        start = time.monotonic()
        it.tell(f"ring modem0 {CALLER} 10")
        it.wait("the text", lambda: texts_to(it, CALLER))
        lab.true(time.monotonic() - start < 25, "hung up before it had rung ten times")
        lab.equal(len(calls(it)), 1, "calls")
        it.write_conf(modem_conf='calls = "ignore";')
        it.run("reload")
        it.wait_ready()
        it.tell("ring modem1 +491709999999 1")
        time.sleep(10)
        lab.equal(len(calls(it)), 1, "calls")


def test_among_messages(build):
    """Messages on their way out and in are not disturbed by calls, nor lost."""
    with lab.Lab(build, rest=RULES, modem_conf='calls = "reject";') as it:
        it.start()
        for i in range(10):
            it.run("send", "--to", "+491701111111", f"message {i}")
        it.tell(f"ring modem0 {CALLER} 3")
        it.tell("text modem0 +491702222222 hello")
        it.wait("all messages", lambda: len(texts_to(it, "+491701111111")) == 10)
        it.wait("both answers", lambda: texts_to(it, CALLER) and texts_to(it, "+491702222222"))
        lab.equal(sorted(texts_to(it, "+491701111111")), [f"message {i}" for i in range(10)], "messages")


def test_killed(build):
    """simgated is killed right behind a call: what was stored is answered once, and never twice."""
    with lab.Lab(build, rest=RULES, modem_conf='calls = "reject";') as it:
        it.start()
        it.tell(f"ring modem0 {CALLER} 1")
        it.wait("the call", lambda: it.sql("select 1 from message where direction = 2"))
        it.kill()
        it.start_daemon()
        it.wait_ready()
        it.wait("it to be handled", lambda: calls(it)[0]["state"] == "handled")
        it.wait("its answer's outcome", lambda: all(m["state"] in ("sent", "delivered", "unknown")
                                                    for m in it.messages("--out")))
        lab.true(len(texts_to(it, CALLER)) <= 1, "at most one text")
        lab.equal(len(it.messages("--out")), 1, "answers")


def test_rules_test(build):
    """rules test --call says which rule answers a call; a rule for calls that has keywords is refused."""
    with lab.Lab(build, rest=RULES) as it:
        it.start(ready=False)
        answer = it.json("rules", "test", "--call", "0170 1234567")
        lab.equal((answer["rule"], answer["reply"]), ("missed", f"We missed your call, {CALLER}."), "the answer")
        lab.equal(it.json("rules", "test", "--from", CALLER, "hello")["rule"], "all", "rule of a text")
        lab.equal(it.run("rules", "test", "--call", CALLER, "hello", check=False).returncode, 2, "a call with a text")
        it.write_conf(rest='rules = ( { name = "x"; on = "call"; keywords = ( "a" ); reply = "b"; } );')
        done = it.run("config", "check", it.conf, check=False)
        lab.true(done.returncode != 0 and "a call has no text" in done.stdout + done.stderr, done.stdout + done.stderr)


if __name__ == "__main__":
    lab.main(globals())
