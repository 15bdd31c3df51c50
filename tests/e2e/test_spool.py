#!/usr/bin/python3
"""The spool directory as scripts written for smstools3 use it."""
import os
import random
import re
import socket
import subprocess
import time

import lab

TO = "491601234567"
shared = None


def the_lab(build):
    """One gateway for most tests here, with a pool of its own and reports on request."""
    global shared
    if shared is None:
        shared = lab.Lab(build, modem_conf='report = false; pool = "shop"; number = "+491520000000";', rest="rules = ();",
                         modem_args=["--report-ms", "100"])
        shared.start()
    return shared


def header(text, name):
    """The values of a header of a spool file."""
    return re.findall(rf"^{name}: ?(.*)$", (text if isinstance(text, str) else text.decode("latin-1")).split("\n\n")[0], re.M)


def outcome(it, name, folder):
    """The file in that folder, as bytes, when it is there; and it is nowhere else."""
    def there():
        for other in ("sent", "failed"):
            path = it.dir / "spool" / other / name
            if path.exists():
                if other != folder:
                    raise lab.Failure(f"{name} is in {other}/: {path.read_bytes()!r}")
                return path
        return None
    path = it.wait(f"{name} in {folder}/", there)
    for other in ("outgoing", "checked"):
        lab.equal([p.name for p in it.files(other) if p.name.startswith(name)], [], f"left in {other}/")
    return path.read_bytes()


def out(it, text, to="+" + TO):
    """What the network took with this text: to one recipient, once."""
    events = [e for e in it.log("submitted", to=to) if e["text"] == text]
    lab.equal(len(events), 1, f"submissions of {text!r} among {[e['text'] for e in it.log('submitted')][-5:]}")
    return it.json("pdu", "decode", events[0]["pdu"])["pdus"][0]


# ---- files that go out


def test_sent_file(build):
    """A file goes to sent/ with smstools3's headers in front of the empty line, its text and its own headers unchanged."""
    it = the_lab(build)
    name = it.drop(f"To: {TO}\nFrom: the shop\nAlternate_to: 17\nReport: yes\n\nHello there\n", "plain")
    text = outcome(it, name, "sent").decode()
    head, body = text.split("\n\n", 1)
    lab.equal(body, "Hello there\n")
    for line in (f"To: {TO}", "From: the shop", "Alternate_to: 17", "Modem: M0", "Number: 491520000000"):
        lab.true(line in head.split("\n"), f"{line!r} in {head!r}")
    lab.true(re.match(r"\d\d-\d\d-\d\d \d\d:\d\d:\d\d$", header(text, "Sent")[0]), head)
    lab.true(header(text, "Message_id")[0].isdigit() and header(text, "Sending_time")[0].isdigit(), head)
    lab.equal(header(text, "IMSI"), ["262010000000000"])
    lab.equal(out(it, "Hello there")["report_requested"], True)


def test_headers_reach_the_pdu(build):
    """Flash, Class, Validity, Priority, Provider, Reject_duplicates, Replace, Reply_path, DCS_hex and To_TOA are in the PDU."""
    it = the_lab(build)
    for lines, check in (
            ("Flash: yes", lambda p: p.get("class") == 0),
            ("Class: 1", lambda p: p.get("class") == 1),
            ("Validity: 2 hours", lambda p: "2h" in str(p.get("validity")) or "7200" in str(p)),
            ("Validity: 167", lambda p: "1d" in str(p.get("validity")) or "86400" in str(p) or "24h" in str(p)),
            ("Provider: shop", lambda p: True),
            ("Queue: shop\nPriority: HIGH", lambda p: True),
            ("Reject_duplicates: yes", lambda p: p["reject_duplicates"]),
            ("Replace: 3", lambda p: p["protocol"] == 0x43),
            ("Reply_path: yes", lambda p: True),
            ("DCS_hex: F0", lambda p: p["coding"] == "0xF0"),
            ("Alphabet: UCS2-is-not-used-here\nAlphabet: GSM", None),
            ("To_TOA: international", lambda p: p["to"] == f"+{TO}")):
        text = f"header {random.randrange(1 << 40):x}"
        name = it.drop(f"To: {TO}\n{lines}\n\n{text}\n")
        if check is None:
            lab.true("once" in header(outcome(it, name, "failed"), "Fail_reason")[0] or
                     "Invalid alphabet" in header(outcome(it, name, "failed"), "Fail_reason")[0], lines)
            continue
        outcome(it, name, "sent")
        pdu = out(it, text)
        lab.true(check(pdu), f"{lines}: {pdu}")


def test_recipients(build):
    """International digits as smstools3 reads them, with 00 or +, with blanks; several with commas are our extension: one
    file, one message each."""
    it = the_lab(build)
    for written, read in (("491601111111", "+491601111111"), ("00491601111112", "+491601111112"),
                          ("+49 160 1111113", "+491601111113"), ("49-160-1111114", "+491601111114"), ("s12345", "12345")):
        text = f"number {random.randrange(1 << 40):x}"
        outcome(it, it.drop(f"To: {written}\n\n{text}"), "sent")
        out(it, text, read)
    name = it.drop("To: 491601111115, 491601111116,491601111117\n\nto three\n")
    outcome(it, name, "sent")
    for n in (5, 6, 7):
        out(it, "to three", f"+49160111111{n}")


def test_some_of_several_fail(build):
    """A file with several recipients of which one is refused by the network goes to failed/, and says which."""
    it = the_lab(build)
    it.tell("fault modem0 cms 1")
    name = it.drop("To: 491601111118,491601111119\n\none of two\n")
    text = outcome(it, name, "failed").decode()
    it.tell("fault modem0 clear")
    lab.equal(len(it.log("submitted", text="one of two")), 1)
    reasons = header(text, "Fail_reason")
    lab.true(len(reasons) == 1 and "49160111111" in reasons[0] and "unassigned" in reasons[0].lower(), f"{reasons}")


def test_texts(build):
    """Bodies in UTF-8, ISO-8859-1, UCS2 (UTF-16BE) and GSM alphabet reach the network as the text that was meant."""
    it = the_lab(build)
    for mark, alphabet, body, meant in (
            ("a", "", "Grüße für 10 €, 日本 🎂".encode(), "Grüße für 10 €, 日本 🎂"),
            ("b", "", "Grüße à la façon".encode("latin-1"), "Grüße à la façon"),
            ("c", "Alphabet: ISO\n", "Grüße ISO".encode("latin-1"), "Grüße ISO"),
            ("d", "Alphabet: UTF-8\n", "naïve Ω".encode(), "naïve Ω"),
            ("e", "Alphabet: UCS2\n", "Grüße 日本 🎂".encode("utf-16-be"), "Grüße 日本 🎂"),
            ("f", "Alphabet: GSM\n", b"at \x00 a\x7b", "at ¡ aä"),
            ("g", "", b"\xef\xbb\xbf", None),
            ("h", "", "two\nlines\n\nand more".encode(), "two\nlines\n\nand more")):
        if meant is None:
            it.drop(b"\xef\xbb\xbfTo: " + TO.encode() + b"\n\nafter the mark", "bom")
            outcome(it, "bom", "sent")
            out(it, "after the mark")
            continue
        name = it.drop(f"To: {TO}\n{alphabet}\n".encode() + (b"" if mark != "f" else b"") + body, f"text-{mark}")
        meant = meant.replace("¡", "@") if mark == "f" else meant
        outcome(it, name, "sent")
        out(it, meant)


def test_long_and_binary(build):
    """Long texts go out as one message in several parts; binary bodies with UDH, as hex and as bytes."""
    it = the_lab(build)
    text = "0123456789" * 40
    outcome(it, it.drop(f"To: {TO}\n\n{text}"), "sent")
    it.wait("three parts", lambda: len([e for e in it.log("submitted") if e.get("parts") == 3]) == 3)
    name = it.drop(f"To: {TO}\nAlphabet: binary\nHex: yes\nUDH: no\n\n48 65 6C 6C 6F FF\n")
    outcome(it, name, "sent")
    pdu = it.json("pdu", "decode", it.log("submitted")[-1]["pdu"])["pdus"][0]
    lab.true("8" in pdu["alphabet"] and "48656c6c6fff" in str(pdu).lower().replace(" ", ""), pdu)
    name = it.drop(b"To: " + TO.encode() + b"\nAlphabet: binary\n\n\x06\x05\x04\x15\x8a\x00\x00data\x00\x01")
    outcome(it, name, "sent")
    pdu = it.log("submitted")[-1]["pdu"].upper()
    lab.true(pdu.endswith("060504158A0000646174610001"), pdu)


def test_message_reference_and_message_id(build):
    """With Report the file tells the message's id, and the report's file has the same."""
    it = the_lab(build)
    outcome_text = outcome(it, it.drop(f"To: {TO}\nReport: yes\n\nwith a report"), "sent").decode()
    number = header(outcome_text, "Message_id")[0]
    report = it.wait("the report's file", lambda: [p for p in it.files("report") if f"Message_id: {number}\n" in p.read_text()])
    text = report[-1].read_text()
    lab.equal(header(text, "From"), [TO])
    body = text.split("\n\n", 1)[1]
    lab.true(re.match(rf"SMS STATUS REPORT\nMessage_id: {number}\nDischarge_timestamp: \d\d-\d\d-\d\d \d\d:\d\d:\d\d\n"
                      r"Status: 0,Ok,short message received by the SME$", body), f"{body!r}")


# ---- files that do not


def test_bad_files(build):
    """Each goes to failed/ with a Fail_reason that names the line and what was expected, smstools3's words in front where it
    has some; nothing of it is sent; the text is kept."""
    it = the_lab(build)
    before = len(it.log("submitted"))
    for lines, wanted in (
            ("Text: no recipient\n\nx", ["No destination"]),
            ("To:     \n\nx", ["No destination", "line 1"]),
            ("To: nobody\n\nx", ["No destination", "line 1", "telephone number"]),
            (f"To: {TO}\nAlphabet: klingon\n\nx", ["Invalid alphabet", "line 2", "UCS2"]),
            (f"To: {TO}\nProvider: nosuch\n\nx", ["Wrong provider queue", "nosuch"]),
            (f"To: {TO}\nTo_TOA: martian\n\nx", ["Invalid number type", "line 2"]),
            (f"To: {TO}\nPriority: urgent\n\nx", ["line 2", "Priority", "HIGH"]),
            (f"To: {TO}\nClass: 9\n\nx", ["line 2", "Class", "0 to 3"]),
            (f"To: {TO}\nValidity: for ever\n\nx", ["line 2", "Validity"]),
            (f"To: {TO}\nRetries: 3\n\nx", ["line 2", "Retries"]),
            (f"To: {TO}\nInclude: /etc/passwd\n\nx", ["line 2", "Include"]),
            (f"To: {TO}\nVoicecall: yes\n\nTONE: 1", ["line 2", "Voicecall"]),
            (f"To: {TO}\nHex: yes\nAlphabet: binary\n\nxyz", ["body", "hex"]),
            (f"To: {TO}\nMessage_reference: 300\n\nx", ["line 2", "0 to 255"]),
            (f"To: {TO}\nno header at all\n\nx", ["line 2", "header"]),
            (f"To: {TO}\n\n", ["No text or data"]),
            (f"To: {TO}", ["No text"]),
            (f"To: {TO}\n\n" + "x" * 153 * 31, ["Too long text"])):
        name = it.drop(lines)
        text = outcome(it, name, "failed").decode()
        reason = header(text, "Fail_reason")
        lab.equal(len(reason), 1, f"Fail_reason of {lines[:60]!r}: {text[:300]!r}")
        for word in wanted:
            lab.true(word.lower() in reason[0].lower(), f"{lines[:60]!r}: {word!r} in {reason[0]!r}")
        lab.true(header(text, "Failed"), text)
        if lines.endswith("\n\nx"):
            lab.true(text.endswith("\n\nx"), f"the text is kept: {text!r}")
    lab.equal(len(it.log("submitted")), before, "submitted")


def test_failed_file_can_be_corrected(build):
    """A file out of failed/, corrected and moved back to outgoing/ as it is, goes out; the old outcome is replaced."""
    it = the_lab(build)
    name = it.drop(f"To: {TO}\nPriority: urgent\n\nsecond try", "again")
    text = outcome(it, name, "failed").replace(b"urgent", b"HIGH")
    (it.dir / "spool/failed/again").unlink()
    it.drop(text, "again")
    text = outcome(it, name, "sent").decode()
    lab.equal((header(text, "Fail_reason"), header(text, "Failed")), ([], []))
    lab.equal(len(header(text, "Sent")), 1)
    out(it, "second try")


def test_refused_by_the_network(build):
    """What the network refuses for good goes to failed/ with its reason in words."""
    it = the_lab(build)
    it.tell("fault modem0 cms 1")
    text = outcome(it, it.drop(f"To: {TO}\n\nno such subscriber"), "failed").decode()
    it.tell("fault modem0 clear")
    lab.true("unassigned" in header(text, "Fail_reason")[0].lower(), text)
    lab.equal(header(text, "Modem"), ["M0"])


def test_left_alone(build):
    """Symbolic links, FIFOs, sockets, directories, dot-files, LOCK files and files that are no longer there are never followed,
    read or removed, and hold nothing up."""
    it = the_lab(build)
    outgoing = it.dir / "spool/outgoing"
    secret = it.dir / "secret"
    secret.write_text(f"To: {TO}\n\nsecret\n")
    os.symlink(secret, outgoing / "link")
    os.symlink("/nonexistent", outgoing / "dangling")
    os.mkfifo(outgoing / "fifo")
    (outgoing / "directory").mkdir()
    (outgoing / "directory" / "inside").write_text(f"To: {TO}\n\ninside\n")
    s = socket.socket(socket.AF_UNIX)
    s.bind(str(outgoing / "socket"))
    (outgoing / ".hidden").write_text(f"To: {TO}\n\nhidden\n")
    (outgoing / "mine.LOCK").write_text(f"To: {TO}\n\nlocked\n")
    (outgoing / "LOCKEDmine").write_text(f"To: {TO}\n\nlocked\n")
    outcome(it, it.drop(f"To: {TO}\n\nthe next file"), "sent")
    out(it, "the next file")
    time.sleep(0.5)
    texts = {e["text"] for e in it.log("submitted")}
    lab.true(not texts & {"secret", "inside", "hidden", "locked"}, f"{texts}")
    for name in ("link", "dangling", "fifo", "directory/inside", "socket", ".hidden", "mine.LOCK", "LOCKEDmine"):
        lab.true(os.path.lexists(outgoing / name), f"{name} was removed")
    lab.true(secret.exists(), "the link's target")
    s.close()
    subprocess.run(["rm", "-rf", *(str(outgoing / n) for n in ("link", "dangling", "fifo", "directory", "socket", ".hidden",
                                                              "mine.LOCK", "LOCKEDmine"))], check=True)


def test_large_files(build):
    """Files above 1 MiB are refused with a reason; their first lines are enough to know them by."""
    it = the_lab(build)
    name = it.drop(f"To: {TO}\n\n" + "large " * 400_000)
    reason = header(outcome(it, name, "failed")[:4000], "Fail_reason")
    lab.true(reason and ("1 MiB" in reason[0] or "1048576" in reason[0]), f"{reason}")


def test_written_slowly(build):
    """A file that a script writes in place, slowly, is not sent half."""
    it = the_lab(build)
    path = it.dir / "spool/outgoing/slow"
    with open(path, "w", encoding="utf-8") as f:
        for word in (f"To: {TO}\n", "\n", "half ", "and ", "half"):
            f.write(word)
            f.flush()
            time.sleep(0.2)
    outcome(it, "slow", "sent")
    out(it, "half and half")


def test_moved_out_again(build):
    """A script that takes its file back before it was claimed, and one that overwrites: nothing breaks."""
    it = the_lab(build)
    for n in range(50):
        path = it.dir / "spool/outgoing" / f"fickle{n}"
        path.write_text(f"To: {TO}\n\nfickle {n}\n")
        try:
            path.unlink()
        except FileNotFoundError:
            pass
    outcome(it, it.drop(f"To: {TO}\n\nafter the fickle ones"), "sent")
    lab.true(it.json("status")["healthy"], "status")


# ---- order and start


def test_priority_order(build):
    """Files found at start: HIGH priority goes first, then the oldest first."""
    with lab.Lab(build, rest="rules = ();", modem_args=["--net-ms", "20"]) as it:
        outgoing = it.dir / "spool/outgoing"
        outgoing.mkdir(parents=True)
        names = [f"f{n:02d}" for n in range(10)]
        random.shuffle(names)
        for n, name in enumerate(names):
            priority = "Priority: HIGH\n" if n >= 7 else ""
            (outgoing / name).write_text(f"To: {TO}\n{priority}\nnumber {n}\n")
            os.utime(outgoing / name, (1_700_000_000 + n, 1_700_000_000 + n))
        it.start_daemon()
        it.wait("all to be accepted", lambda: len(it.messages("--out")) == 10)
        it.start_modem()
        it.wait("all to be sent", lambda: len(it.files("sent")) == 10)
        order = [int(e["text"].split()[1]) for e in it.log("submitted")]
        lab.equal(order, [7, 8, 9, 0, 1, 2, 3, 4, 5, 6])


def test_stopped_and_started(build):
    """Files dropped while the daemon is down, and those claimed but not sent when it stopped, go out after its start, once."""
    with lab.Lab(build, rest="rules = ();", modem_args=["--net-ms", "100"]) as it:
        it.start()
        for n in range(10):
            it.drop(f"To: {TO}\n\nbefore {n}\n")
        it.wait("one to be out", lambda: it.log("submitted"))
        it.stop_daemon()
        for n in range(5):
            it.drop(f"To: {TO}\n\nwhile down {n}\n")
        it.start_daemon()
        it.wait("all to be sent", lambda: len(it.files("sent")) == 15)
        texts = sorted(e["text"] for e in it.log("submitted"))
        lab.equal(texts, sorted([f"before {n}" for n in range(10)] + [f"while down {n}" for n in range(5)]))


def test_same_name_again(build):
    """Names may be used again: each file is its own message, none in sent/ is overwritten."""
    it = the_lab(build)
    for n in range(3):
        it.drop(f"To: {TO}\n\nsame name {n}", "name")
        it.wait("it to be sent", lambda: it.log("submitted", text=f"same name {n}"))
    it.wait("three files", lambda: len([p for p in it.files("sent") if b"same name" in p.read_bytes()]) == 3)


def test_odd_names(build):
    """Names with blanks, umlauts, newlines, leading dashes and of full length survive."""
    it = the_lab(build)
    for n, name in enumerate(("two words", "größe", "new\nline", "-rf", "x" * 255, "$(reboot)", "a'b\"c", b"\xff\xfe")):
        data = f"To: {TO}\n\nodd name {n}"
        path = os.path.join(os.fsencode(it.dir / "spool/outgoing"), os.fsencode(name))
        temp = os.path.join(os.fsencode(it.dir), b".odd")
        with open(temp, "w", encoding="utf-8") as f:
            f.write(data)
        os.rename(temp, path)
        it.wait(f"{name!r} to be sent", lambda: it.log("submitted", text=f"odd name {n}"))
        it.wait(f"{name!r} in sent/", lambda: [p for p in (it.dir / "spool/sent").iterdir() if p.read_bytes().endswith(b"odd name %d" % n)])


# ---- files that come in


def test_incoming_file(build):
    """A received text's file has smstools3's headers in their order, and the text as UTF-8."""
    it = the_lab(build)
    it.tell("text modem0 +4915112345678 Grüße € 🎂\\nsecond line")
    path = it.wait("the file", lambda: [p for p in it.files("incoming") if "second line" in p.read_text()])[0]
    text = path.read_text()
    head, body = text.split("\n\n", 1)
    lab.equal(body, "Grüße € 🎂\nsecond line")
    names = [line.split(":")[0] for line in head.split("\n")]
    wanted = ["From", "From_TOA", "From_SMSC", "Sent", "Received", "Subject", "Modem", "Number", "IMSI", "IMEI", "Report",
              "Alphabet", "Length"]
    lab.equal([n for n in names if n in wanted], wanted, head)
    lab.equal((header(text, "From"), header(text, "From_TOA")), (["4915112345678"], ["91 international, ISDN/telephone"]))
    lab.equal((header(text, "Subject"), header(text, "Modem"), header(text, "Alphabet")), (["M0"], ["M0"], ["UTF-8"]))
    lab.true(path.name.startswith("M0."), f"the name begins with the modem's: {path.name}")


def test_incoming_alphanumeric(build):
    """A name as sender stands in From, and in no number's form."""
    it = the_lab(build)
    it.tell("text modem0 MyBank Your code is 123456")
    text = it.wait("the file", lambda: [p for p in it.files("incoming") if "is 123456" in p.read_text()])[0].read_text()
    lab.equal(header(text, "From"), ["MyBank"])
    lab.true(header(text, "From_TOA")[0].startswith("D0 alphanumeric"), text)


def test_incoming_cannot_forge_headers(build):
    """A text that looks like headers stays in the body."""
    it = the_lab(build)
    it.tell("text modem0 +4915112345679 From: 110\\n\\nModem: evil")
    text = it.wait("the file", lambda: [p for p in it.files("incoming") if "evil" in p.read_text()])[0].read_text()
    lab.equal((header(text, "From"), header(text, "Modem")), (["4915112345679"], ["M0"]))
    lab.true(text.endswith("\n\nFrom: 110\n\nModem: evil"), text)


def test_incoming_undecodable(build):
    """A PDU that nobody can read is kept with its bytes and marked, and holds nothing up."""
    it = the_lab(build)
    it.tell("pdu modem0 0791947101670000040B911234FF")
    text = it.wait("the file", lambda: [p for p in it.files("incoming") if "Error:" in p.read_text()])[0].read_text()
    lab.true("0791947101670000" in text.upper(), text)
    it.tell("text modem0 +4915112345680 after the broken one")
    it.wait("the next text", lambda: [p for p in it.files("incoming") if "after the broken one" in p.read_text()])


def test_incoming_long_in_disorder(build):
    """A long text whose parts come in disorder is one file."""
    it = the_lab(build)
    text = " ".join(f"word{n}" for n in range(120))
    it.tell("fault modem0 parts_shuffled")
    it.tell(f"text modem0 +4915112345681 {text}")
    files = it.wait("the file", lambda: [p for p in it.files("incoming") if p.read_text().endswith(text)])
    lab.equal(len(files), 1)


def test_permissions(build):
    """Files that simgate writes are for its group, not for others."""
    it = the_lab(build)
    for folder in ("incoming", "sent", "failed"):
        for path in it.files(folder)[:20]:
            lab.equal(path.stat().st_mode & 0o007, 0, f"{folder}/{path.name}: mode {path.stat().st_mode:o}: for others")


if __name__ == "__main__":
    try:
        lab.main(globals())
    finally:
        if shared:
            shared.close()
