#!/usr/bin/python3
"""The daemon is killed at random instants while it works: nothing is lost, nothing is doubled unmarked."""
import collections
import os
import random
import sys
import time

import lab

SEED = int(os.environ.get("SEED") or time.time_ns() % 1_000_000)


def play(it, messages, kills):
    """messages in and out while the daemon is killed that often."""
    sent = received = killed = 0
    it.start()
    while sent < messages or received < messages or killed < kills:
        for _ in range(random.randrange(5, 30)):
            if sent < messages:
                it.drop(f"To: 49160{sent:07d}\nReport: yes\n\nout {sent}.")
                sent += 1
            if received < messages:
                it.tell(f"text modem{received % 2} +49151{received:07d} in {received}.")
                received += 1
        time.sleep(random.random() * 0.4)
        if killed < kills:
            it.kill()
            killed += 1
            it.start_daemon(wait=False)
    it.wait("the control socket", it.answers)
    it.wait("all spool files to be claimed", lambda: not it.files("outgoing"), 60)
    it.wait("all messages to be received and handled", lambda: it.sql(
        "SELECT count(*) FROM message WHERE direction = 2 AND state = 11")[0][0] >= messages, 60)


REPLY = 'rules = ( { name = "all"; reply = "re {{message.text}}"; } ); guard = { replies = 1000; };'
NETWORK = ["--net-ms", "20", "--report-ms", "200"]


def waiting(it, states):
    """How many messages out are in one of these states: 1 queued, 2 submitting, 9 unknown."""
    return it.sql(f"SELECT count(*) FROM message WHERE direction = 1 AND state IN ({states})")[0][0]


def test_kill_at_random(build):
    """500 messages in and 500 out while the daemon gets SIGKILL 30 times, unknown outcomes sent again: each message in is
    stored exactly once and answered, each spool file is sent, at most once unless marked as a possible duplicate."""
    print(f"# SEED={SEED}")
    random.seed(SEED)
    gateway = 'on_unknown = "resend"; unknown_wait = "5s";'
    with lab.Lab(build, modems=2, rest=REPLY, gateway=gateway, modem_args=NETWORK) as it:
        play(it, 500, 30)
        it.wait("all messages to be out", lambda: not waiting(it, "1, 2, 9"), 240)
        it.wait("all spool files to be in sent/", lambda: len(it.files("sent")) == 500, 60)
        lab.equal(len(it.files("checked")) + len(it.files("failed")), 0, "files in checked/ and failed/")
        account(it, 500)


def test_kill_with_defaults(build):
    """The same with the default settings, where what may have been sent is held: nothing is on the air twice, marked or not,
    and what is held is what was on the air when the daemon died, at most one message of each modem."""
    random.seed(SEED + 1)
    with lab.Lab(build, modems=2, rest=REPLY, modem_args=NETWORK) as it:
        play(it, 200, 12)
        it.wait("all messages to be out or held", lambda: not waiting(it, "1, 2"), 120)
        held = {row[0] for row in it.sql("SELECT text FROM message WHERE direction = 1 AND state = 9")}
        lab.true(len(held) <= 12 * 2, f"{len(held)} messages are held after 12 deaths with 2 modems")
        air = account(it, 200, held)
        lab.equal([text for text, n in air.items() if n > 1], [], "messages on the air twice")
        print(f"# {len(held)} messages held, {len(held & air.keys())} of them were on the air")


def account(it, messages, held=frozenset()):
    """What must be true after any number of deaths; the texts on the air with how often."""
    texts = collections.Counter(row[0] for row in it.sql("SELECT text FROM message WHERE direction = 2"))
    lab.equal(texts, collections.Counter(f"in {n}." for n in range(messages)), "messages received")

    marked = {row[0] for row in it.sql("SELECT text FROM message WHERE direction = 1 AND flags & 4")}
    air, blind = collections.Counter(), collections.Counter()
    for event in it.log("submitted"):
        air[event["text"]] += 1
        if air[event["text"]] > 1 and not event.get("reject_duplicates"):
            blind[event["text"]] += 1
    wanted = {f"out {n}." for n in range(messages)} | {f"re in {n}." for n in range(messages)}
    lab.equal(sorted(wanted - held - air.keys()), [], "messages that never reached the network and are not held")
    lab.equal(sorted(air.keys() - wanted), [], "messages that nobody asked for")
    lab.equal(dict(blind), {}, "messages sent again unmarked on the air")
    unmarked = sorted(t for t, n in air.items() if n > 1 and t not in marked)
    lab.equal(unmarked, [], "messages sent twice and not marked in the store")
    print(f"# {sum(air.values())} parts on the air, {sum(n > 1 for n in air.values())} of them twice, marked")
    return air


if __name__ == "__main__":
    lab.main(globals())
