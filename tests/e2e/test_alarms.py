#!/usr/bin/python3
"""What an administrator is told: alarms of modems as events, in the log, in `simgate status` and its exit status; and of
rules."""
import json
import subprocess
import sys

import lab

FROM = "+491601112222"


class Watch:
    """simgate watch --json beside the test."""

    def __init__(self, it):
        self.process = subprocess.Popen([str(it.build / "simgate"), "watch", "--json"], stdout=open(it.dir / "watch.out", "w"),
                                        env=it.env)
        self.path = it.dir / "watch.out"
        it.wait("the watch to begin", lambda: self.path.stat().st_size > 0)

    def events(self, kind):
        events = (json.loads(line) for line in self.path.read_text().splitlines() if line.endswith("}"))
        return [e for e in events if e.get("kind") == kind]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def test_sim_pulled_and_put_back(build):
    """A SIM that is pulled raises an alarm in words: an event, a line in the log, a problem of `simgate status`, which then
    ends with 1; when it is put back the alarm is over, everywhere."""
    with lab.Lab(build, pin="") as it:
        it.start()
        lab.equal(it.run("status").returncode, 0, "status of a healthy gateway")
        with Watch(it) as watch:
            it.tell("fault modem0 sim_out")
            raised = it.wait("the alarm", lambda: [e for e in watch.events("alarm") if e["alarm"] == "sim" and e["raised"]])[0]
            lab.equal(raised["modem"], "M0")
            lab.true("SIM" in raised["text"], f"the alarm's text: {raised['text']!r}")
            lab.true(it.said("alarm sim"), "a line in the log")
            done = it.run("status", check=False)
            lab.equal(done.returncode, 1, "status with an alarm")
            lab.true(raised["text"] in done.stdout, f"the alarm in {done.stdout!r}")
            modem = it.modems()[0]
            lab.equal(modem["alarms"]["sim"]["text"], raised["text"])
            it.tell("fault modem0 sim_in")
            it.wait("its end", lambda: [e for e in watch.events("alarm") if e["alarm"] == "sim" and not e["raised"]], 90)
            it.wait_ready()
            lab.true("alarms" not in it.modems()[0], "no alarm is left")
            lab.equal(it.run("status").returncode, 0, "status afterwards")


def test_rule_with_alarm(build):
    """A rule may tell an administrator of a message: its alarm is an event with the text rendered, and the customer is
    answered as ever."""
    rules = 'rules = ( { name = "fire"; keywords = [ "fire" ]; alarm = "{{message.from}}: {{message.text}}"; reply = "Help comes"; } );'
    with lab.Lab(build, rest=rules) as it:
        it.start()
        with Watch(it) as watch:
            it.tell(f"text modem0 {FROM} Fire in the oven")
            event = it.wait("the alarm", lambda: watch.events("alarm"))[0]
            lab.equal(event["text"], f"{FROM}: Fire in the oven")
            it.wait("the answer", lambda: it.log("submitted", text="Help comes"))


if __name__ == "__main__":
    lab.main(globals())
