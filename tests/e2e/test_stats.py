#!/usr/bin/python3
"""Figures on the real daemon: what is counted, by whom, in opening hours; objectives; and how they are shown."""
import csv
import fcntl
import io
import os
import pty
import struct
import subprocess
import termios

import lab

CUSTOMER = "+4915112345678"
REST = """
hours = { zone = "Europe/Berlin"; open = ( "daily 00:00-24:00" ); };
departments = ( { name = "sales"; }, { name = "night"; hours = { open = ( "Mon 00:00-00:01" ); } } );
people = ( { name = "Anna"; }, { name = "Ben"; } );
desk = { department = "sales"; };
survey = { text = "How was it? {{survey.scale}}"; delay = "0s"; };
objectives = ( { name = "same-day answer"; figure = "first_response"; target = "1d business"; share = 0.95; },
               { name = "quick at night"; figure = "first_response"; target = "1m"; department = "night"; },
               { name = "always delivered"; figure = "delivered"; share = "99%"; },
               { name = "never"; figure = "automatic"; share = 1; } );
"""


def text(it, words):
    before = len(it.messages("--in", "--state", "handled"))
    it.tell(f"text modem0 {CUSTOMER} {words}")
    it.wait(f"{words!r} to be handled", lambda: len(it.messages("--in", "--state", "handled")) > before)
    return it.json("conversations", "--all", "--contact", CUSTOMER)["conversations"][0]["id"]


def story(it):
    """Asked, answered by Anna, delivered, closed, the survey answered with 4."""
    c = text(it, "Do you have it in blue?")
    it.run("conversation", "reply", c, "--as", "Anna", "We do.")
    it.wait("the report", lambda: it.messages("--out", "--state", "delivered"))
    it.run("conversation", "close", c, "--as", "Anna")
    it.wait("the survey at the customer's", lambda: it.log("submitted", to=CUSTOMER, text="How was it? 1-5"))
    text(it, "4")
    it.wait("business times", lambda: it.json("stats")["total"]["resolution"].get("business_median_s") is not None)


def test_figures(build):
    """A day is counted as it went, by people and departments, and objectives are met or missed."""
    with lab.Lab(build, rest=REST) as it:
        it.start()
        story(it)
        it.wait("the survey's report", lambda: it.json("stats")["total"]["delivered"] == 2)
        s = it.json("stats", "--by", "person")
        total = s["total"]
        lab.equal({k: total[k] for k in ("in", "out", "automatic", "by_person", "opened", "closed", "asked", "answered",
                                         "failed", "segments")},
                  {"in": 2, "out": 2, "automatic": 1, "by_person": 1, "opened": 1, "closed": 1, "asked": 1, "answered": 1,
                   "failed": 0, "segments": 2})
        lab.equal((total["automatic_share"], total["delivery_rate"], total["satisfied"], total["mean_score"]),
                  (0.5, 1.0, 1.0, 4.0))
        first = total["first_response"]
        lab.equal((first["count"], first["median_s"] == first["p90_s"]), (1, True))
        lab.true(abs(first["business_median_s"] - first["median_s"]) < 1e-9, f"always open: {first}")
        rows = {r["key"]: r for r in s["rows"]}
        lab.equal((rows["Anna"]["by_person"], rows["Anna"]["closed"], rows[""]["automatic"]), (1, 1, 1))
        lab.equal(s["now"]["open"], 0)
        results = {o["name"]: o["result"] for o in s["objectives"]}
        lab.equal(results, {"same-day answer": "met", "quick at night": "nothing to measure", "always delivered": "met",
                            "never": "missed"})
        lab.equal(it.json("stats", "--person", "Ben")["total"]["out"], 0)
        lab.equal(len(it.json("stats", "--since", "7d", "--by", "day")["rows"]), 8)
        days = it.json("stats", "--since", "2026-02-01", "--until", "2026-03-01", "--by", "day")
        lab.equal((days["first_day"], days["last_day"], len(days["rows"])), ("2026-02-01", "2026-02-28", 28), "days without times")
        lab.equal(it.run("stats", "--since", "2026-02-30", check=False).returncode, 2)
        lab.equal(it.json("messages", "--since", "2026-02-01")["messages"][-1]["direction"], "in")
        lab.equal(it.json("stats", "--by", "sim")["rows"][0]["key"], "M0")


def test_kept_over_a_crash(build):
    """What was counted is, whatever the daemon dies of; the conversation that was open goes on."""
    with lab.Lab(build, rest=REST) as it:
        it.start()
        c = text(it, "hello")
        it.run("conversation", "reply", c, "--as", "Ben", "hello yourself")
        it.kill()
        it.start_daemon()
        it.wait("the figures", lambda: it.json("stats")["total"]["first_response"].get("business_median_s") is not None)
        lab.equal(it.json("stats")["total"]["opened"], 1)
        lab.equal(it.json("stats")["now"]["open"], 1)
        lab.equal(it.json("stats", "--modem", "M0")["now"]["open"], 1)
        lab.equal(it.json("stats", "--person", "Anna")["now"]["open"], 0, "it is nobody's")


def on_a_terminal(it, *args):
    main, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    env = dict(it.env, TERM="xterm", COLUMNS="120")
    done = subprocess.Popen([str(it.build / "simgate"), *args], stdout=side, stderr=side, stdin=subprocess.DEVNULL, env=env)
    os.close(side)
    out = b""
    while True:
        try:
            piece = os.read(main, 65536)
        except OSError:
            break
        if not piece:
            break
        out += piece
    done.wait(30)
    os.close(main)
    return out.decode()


def test_shown(build):
    """A page with sparklines on a terminal and without elsewhere; a table; a spreadsheet."""
    with lab.Lab(build, rest=REST) as it:
        it.start()
        story(it)
        page = it.run("stats").stdout
        for words in ("messages in", "first response", "survey", "mean 4.00 of 1-5", "met     same-day answer", "missed  never"):
            lab.true(words in page, f"expected {words!r} in:\n{page}")
        lab.true("█" not in page, "no terminal, no bars")
        page = on_a_terminal(it, "stats")
        lab.true("▁" in page and "█" in page, f"no bars on a terminal:\n{page}")
        table = it.run("stats", "--by", "department").stdout
        lab.true("sales" in table and "all" in table, table)
        rows = list(csv.DictReader(io.StringIO(it.run("stats", "--by", "week", "--csv").stdout)))
        lab.equal((rows[-1]["week"], rows[-1]["in"], rows[-1]["mean_score"]), ("total", "2", "4"))


def test_promoters(build):
    """A net promoter score, and what is wished of it, are numbers from -100 to 100 and no shares."""
    rest = REST.replace('delay = "0s";', 'delay = "0s"; scale = "0-10";').replace("1-5", "0-10")
    rest = rest[:rest.index("objectives")] + 'objectives = ( { name = "recommended"; figure = "nps"; share = 0.3; } );'
    with lab.Lab(build, rest=rest) as it:
        it.start()
        c = text(it, "Do you have it in blue?")
        it.run("conversation", "close", c, "--as", "Anna")
        it.wait("the survey at the customer's", lambda: it.log("submitted", to=CUSTOMER, text="How was it? 0-10"))
        text(it, "6")
        page = it.run("stats").stdout
        for words in ("net promoter score   -100", "missed  recommended: -100, wished for +30"):
            lab.true(words in page, f"expected {words!r} in:\n{page}")


def test_mistakes(build):
    """A period the wrong way round, an unknown department, objectives that cannot be: told with what was expected."""
    with lab.Lab(build, rest=REST) as it:
        it.start()
        done = it.run("stats", "--since", "1d", "--until", "2d", check=False)
        lab.equal(done.returncode, 4)
        lab.true("before" in done.stderr, done.stderr)
        done = it.run("stats", "--department", "nowhere", check=False)
        lab.true("sales" in done.stderr, done.stderr)
        it.write_conf(rest=REST.replace('"1d business"', '"soon"').replace('figure = "automatic"', 'figure = "happiness"'))
        done = it.run("reload", check=False)
        for words in ("objectives[0].target", "1d business", "objectives[3].figure", "first_response"):
            lab.true(words in done.stderr, f"expected {words!r} in {done.stderr!r}")


def test_erased(build):
    """A customer is exported and erased; nothing of the number is left in the database, the figures are as they were."""
    with lab.Lab(build, rest=REST) as it:
        it.start()
        story(it)
        before = it.json("stats")["total"]
        told = it.json("contact", "export", CUSTOMER)
        lab.true(any(m["text"] == "We do." for m in told["messages"]), told)
        done = it.json("contact", "erase", CUSTOMER, "--yes")
        lab.true(done["rows"] > 5 and not done["opt_out"], done)
        lab.equal(it.messages(), [])
        lab.equal(it.json("stats")["total"], before)
        it.stop_daemon()
        lab.true(CUSTOMER[1:].encode() not in (it.dir / "simgate.db").read_bytes(), "the number is in the file")


if __name__ == "__main__":
    lab.main(globals())
