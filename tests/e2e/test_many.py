#!/usr/bin/python3
"""64 modems in one daemon are ordinary."""
import lab

MODEMS = 64


def test_sixty_four_modems(build):
    """All 64 come up; a text to each is answered by the same modem; a text by each goes out; counts are equal, then all stop."""
    with lab.Lab(build, modems=MODEMS) as it:
        it.start()
        for n in range(MODEMS):
            it.tell(f"text modem{n} +49151{n:07d} question {n}")
        it.wait("all replies to be delivered", lambda: len(it.messages("--out", "--state", "delivered")) == MODEMS, 60)
        for n in range(MODEMS):
            it.drop(f"To: 49160{n:07d}\nReport: yes\n\nanswer {n}")
        it.wait("all files to be sent", lambda: len(it.files("sent")) == MODEMS, 60)
        it.wait("all reports", lambda: len(it.files("report")) == 2 * MODEMS, 60)
        for n in range(MODEMS):
            events = it.log("submitted", to=f"+49151{n:07d}")
            lab.equal([(e["modem"], e["text"]) for e in events], [(f"modem{n}", "auto reply")])
            lab.equal(len(it.log("submitted", to=f"+49160{n:07d}")), 1)
        lab.equal(len(it.messages("--in", "--state", "handled")), MODEMS)
        lab.equal(len(it.files("incoming")), MODEMS)
        status = it.json("status")
        lab.true(status["healthy"] and len(status["modems"]) == MODEMS, status["problems"])
        lab.equal(it.stop_daemon(), 0)


def test_spread(build):
    """Texts that name no modem are spread over all that can send."""
    with lab.Lab(build, modems=8, rest="rules = ();", modem_conf='pool = "shop"; limits = { per_minute = 5; };') as it:
        it.start()
        for n in range(40):
            it.run("send", "--to", f"+4916{n:08d}", f"spread {n}")
        it.wait("all", lambda: len(it.log("submitted")) == 40)
        counts = {f"modem{n}": len(it.log("submitted", modem=f"modem{n}")) for n in range(8)}
        lab.equal(set(counts.values()), {5}, f"texts by modem: {counts}")


if __name__ == "__main__":
    lab.main(globals())
