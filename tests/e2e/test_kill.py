#!/usr/bin/python3
"""The daemon is killed at random instants while it works: nothing is lost, nothing is doubled unmarked."""
import collections
import os
import random
import sys
import time

import lab

MESSAGES, KILLS = 500, 30
SEED = int(os.environ.get("SEED") or time.time_ns() % 1_000_000)


def test_kill_at_random(build):
    """500 messages in and 500 out while the daemon gets SIGKILL 30 times: each message in is stored exactly once and answered
    at most once unmarked, each spool file is sent, at most once unless marked as a possible duplicate."""
    print(f"# SEED={SEED}")
    random.seed(SEED)
    # A rule for each sender's text, so that replies are part of the account.
    rest = 'rules = ( { name = "all"; reply = "re {{message.text}}"; } ); guard = { replies = 1000; };'
    gateway = 'on_unknown = "resend"; unknown_wait = "5s";'
    with lab.Lab(build, modems=2, rest=rest, gateway=gateway, modem_args=["--net-ms", "20", "--report-ms", "200"]) as it:
        it.start()
        sent = received = kills = 0
        while sent < MESSAGES or received < MESSAGES or kills < KILLS:
            for _ in range(random.randrange(5, 30)):
                if sent < MESSAGES:
                    it.drop(f"To: 49160{sent:07d}\nReport: yes\n\nout {sent}.")
                    sent += 1
                if received < MESSAGES:
                    it.tell(f"text modem{received % 2} +49151{received:07d} in {received}.")
                    received += 1
            time.sleep(random.random() * 0.4)
            if kills < KILLS:
                it.kill()
                kills += 1
                it.start_daemon(wait=False)
        it.wait("the control socket", it.answers)
        it.wait("all spool files to be sent", lambda: len(it.files("sent")) >= MESSAGES, 240)
        it.wait("all messages to be received and handled", lambda: it.sql(
            "SELECT count(*) FROM message WHERE direction = 2 AND state = 11")[0][0] >= MESSAGES, 60)
        it.wait("all replies to be out", lambda: it.sql(
            "SELECT count(*) FROM message WHERE direction = 1 AND state IN (1, 2, 9)")[0][0] == 0, 240)
        account(it)


def account(it):
    lab.equal(len(it.files("failed")), 0, "files in failed/")
    lab.equal(len(it.files("outgoing")) + len(it.files("checked")), 0, "files left in outgoing/ and checked/")
    texts = collections.Counter(row[0] for row in it.sql("SELECT text FROM message WHERE direction = 2"))
    lab.equal(texts, collections.Counter(f"in {n}." for n in range(MESSAGES)), "messages received")

    marked = {row[0] for row in it.sql("SELECT text FROM message WHERE direction = 1 AND flags & 4")}
    air, blind = collections.Counter(), collections.Counter()
    for event in it.log("submitted"):
        air[event["text"]] += 1
        if air[event["text"]] > 1 and not event.get("reject_duplicates"):
            blind[event["text"]] += 1
    wanted = {f"out {n}." for n in range(MESSAGES)} | {f"re in {n}." for n in range(MESSAGES)}
    lab.equal(sorted(wanted - air.keys()), [], "messages that never reached the network")
    lab.equal(sorted(air.keys() - wanted), [], "messages that nobody asked for")
    lab.equal(dict(blind), {}, "messages sent again unmarked on the air")
    unmarked = sorted(t for t, n in air.items() if n > 1 and t not in marked)
    lab.equal(unmarked, [], "messages sent twice and not marked in the store")
    print(f"# {sum(air.values())} parts on the air, {sum(n > 1 for n in air.values())} of them possible duplicates, marked")


if __name__ == "__main__":
    lab.main(globals())
