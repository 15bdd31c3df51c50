#!/usr/bin/python3
"""Profiles of modem families: a user's own one, a broken one, and where an installed simgated finds those that came with it."""
import shutil
import subprocess

import lab

OWN = """title = "The laboratory's modem";
sure = "report";
manufacturers = [ "simgate*" ];
init = ( { command = "AT+CSQ"; must = true; } );
cnmi = [ "2,1,0,1,0" ];
"""


def own_profile(it, text, name="own"):
    folder = it.dir / "profiles"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.conf").write_text(text)


def simgated(it, *args, program=None):
    return subprocess.run([str(program or it.build / "simgated"), "-c", str(it.conf), *args], capture_output=True, text=True,
                          timeout=60)


def test_a_users_own_family(build):
    """A file beside gateway.conf is enough: the modem is taken for that family, and `simgate modems` says so and why."""
    with lab.Lab(build, modem_args=["--personality", "generic"]) as it:
        own_profile(it, OWN)
        checked = simgated(it, "-t")
        lab.equal((checked.returncode, checked.stderr), (0, ""))
        it.start()
        lab.equal(it.modems()[0]["profile"], "own")
        lab.true("CGMI" in it.modems()[0]["profile_why"], it.modems()[0]["profile_why"])


def test_a_broken_profile(build):
    """A mistake in a profile is named with its line and is an error to -t; the daemon starts all the same, says it, and leaves
    only that family out."""
    with lab.Lab(build, modem_args=["--personality", "generic"]) as it:
        own_profile(it, OWN.replace('cnmi = [ "2,1,0,1,0" ]', 'cnmi = [ "two" ]'))
        own_profile(it, OWN.replace("simgate*", "nobody"), "other")
        checked = simgated(it, "-t")
        lab.equal(checked.returncode, 3, "exit status of -t")
        wanted = f"{it.dir}/profiles/own.conf:5: cnmi: element 0: expected numbers with commas between"
        lab.true(wanted in checked.stderr, checked.stderr)
        lab.true("good" not in checked.stdout, checked.stdout)
        it.start()
        lab.equal(it.modems()[0]["profile"], "generic")
        lab.true(it.said(wanted), "the log names the mistake")


def test_an_unknown_profile(build):
    """A profile that does not exist is an error of gateway.conf, with the names that come near."""
    with lab.Lab(build, modem_conf='profile = "huawei";') as it:
        checked = simgated(it, "-t")
        lab.equal(checked.returncode, 3, "exit status of -t")
        lab.true('there is no profile "huawei"; did you mean "huawei-me909", "huawei-stick"' in checked.stderr, checked.stderr)


def test_installed(build):
    """simgated finds the profiles that are installed with it, wherever the prefix is, and makes the same rules of udev from
    them as are checked in; a user's own family adds its own."""
    with lab.Lab(build) as it:
        (it.dir / "bin").mkdir()
        program = it.dir / "bin/simgated"
        shutil.copy2(it.build / "simgated", program)
        shutil.copytree(lab.ROOT / "hw/profiles", it.dir / "share/simgate/profiles")
        rules = simgated(it, "--udev-rules", program=program)
        lab.equal((rules.returncode, rules.stderr), (0, ""))
        lab.equal(rules.stdout, (lab.ROOT / "udev/60-simgate.rules").read_text(), "rules")
        own_profile(it, OWN + 'usb = ( { id = "1234:5678"; interfaces = "3 at"; } );')
        rules = simgated(it, "--udev-rules", program=program).stdout
        lab.true('ENV{ID_MODEL_ID}=="5678", ENV{ID_USB_INTERFACE_NUM}=="03", ENV{SIMGATE_ROLE}="at"' in rules, rules)


if __name__ == "__main__":
    lab.main(globals())
