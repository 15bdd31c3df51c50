#!/usr/bin/python3
"""What people write goes in and out unchanged, and does no harm on the way."""
import os
import pty
import random
import subprocess

import lab

TO = "+491601234567"
TEXTS = [
    "a", "?", " two  blanks ", "Line\nand line\n\nand last", "tab\tand more",
    "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCXYZÄÖÑÜ§¿abcxyzäöñüà",
    "^{}\\[~]|€", "€" * 80, "€" * 81, "x" * 160, "x" * 161, "x" * 306, "x" * 307, "x" * 152 + "€" + "x" * 152,
    "Grüße aus Köln, ça va? ñandú", "“typographic” – ‘quotes’ … — and • bullets", "naïve façade, Ł, ő, š, ž, ț",
    "日本語のテキスト", "Привет, когда вы открыты?", "مرحبا كيف حالك", "שלום", "नमस्ते", "Γειά σου Κόσμε",
    "🎂", "🎂" * 35, "🎂" * 36, "x" * 66 + "🎂" + "y" * 66 + "🎂" * 40, "👩‍👩‍👧‍👦 family, 🇩🇪 flag, 👍🏽 skin", "e\u0301 combined, \u200b zero width, \u00a0 hard",
    "| Cake  | Price |\n|-------|-------|\n| Plum  | 3,20€ |\n| Apple | 2,80€ |", "http://example.org/?a=1&b=%20x#y",
    "'; DROP TABLE message; --", "$(reboot) `reboot` ${HOME} %s %n \\x41", "{{gateway.name}} {{message.text}}", "{\"json\": true}",
    "From: 110\nTo: 112\n\nno headers", "\u202eright to left\u202c", "emoji in the middle 😀 of a long text " * 12, "ß" * 400,
    "\x0c form feed", "STOP it now, would you", "0", "+++", "AT+CMGD=1,4", "> ", "OK", "+CMTI: \"SM\",1",
]


def submitted(it, to):
    """All parts that went to this number, joined in their order."""
    parts = sorted(((e.get("part", 1), e["text"]) for e in it.log("submitted", to=to)))
    return "".join(text for _, text in parts)


def test_out(build):
    """Each text, sent by command and by spool file, is taken by the network character for character, and is so in the store."""
    with lab.Lab(build, rest="rules = ();", modem_conf="report = false;") as it:
        it.start()
        for n, text in enumerate(TEXTS):
            it.run("send", "--to", f"+491600000{n:03d}", "-", stdin=text + "\n")
            if text.strip() == text and text not in ("+++",):
                it.drop(f"To: 491610000{n:03d}\n\n{text}", f"text{n}")
        it.wait("all to be sent", lambda: not it.messages("--state", "queued") and not it.messages("--state", "submitting")
                and not it.files("outgoing") and not it.files("checked"))
        stored = {m["peer"]: m["text"] for m in it.messages("--out")}
        for n, text in enumerate(TEXTS):
            for to in (f"+491600000{n:03d}", f"+491610000{n:03d}"):
                if to in stored:
                    lab.equal(stored[to], text, f"text {n} in the store")
                    lab.equal(submitted(it, to), text, f"text {n} on the air")
        lab.equal(len(it.files("failed")), 0, [p.read_text() for p in it.files("failed")])


def test_in(build):
    """Each text that customers write is in the store and in incoming/ as they wrote it."""
    with lab.Lab(build, rest="rules = ();") as it:
        it.start()
        texts = [t for t in TEXTS if t.strip(" ")]
        for n, text in enumerate(texts):
            it.tell(f"text modem0 +491600000{n:03d} " + text.replace("\n", "\\n"))
        it.wait("all to be handled", lambda: len(it.messages("--in", "--state", "handled")) == len(texts))
        stored = {m["peer"]: m["text"] for m in it.messages("--in")}
        files = {}
        it.wait("all files", lambda: len(it.files("incoming")) == len(texts))
        for path in it.files("incoming"):
            with open(path, encoding="utf-8", newline="") as f:
                head, body = f.read().split("\n\n", 1)
            files["+" + [line for line in head.split("\n") if line.startswith("From: ")][0][6:]] = body
        for n, text in enumerate(texts):
            peer, meant = f"+491600000{n:03d}", text
            lab.equal(stored[peer], meant, f"text {n} in the store")
            lab.equal(files[peer], meant, f"text {n} in its file")


def test_loop(build):
    """A text that goes from one modem to another and is sent back by a rule comes back as it was."""
    with lab.Lab(build, modems=2, rest='rules = ( { name = "echo"; reply = "{{message.text}}"; } ); guard = { replies = 1000; };') as it:
        it.start()
        for n, text in enumerate(t for t in TEXTS if "STOP" not in t and t.strip()):
            customer = f"+49162{n:07d}"
            it.tell(f"text modem0 {customer} " + text.replace("\n", "\\n"))
            it.wait(f"text {n} to be sent back: {text[:30]!r}", lambda: submitted(it, customer) == text)


def test_random(build):
    """Random texts over all of Unicode, in and out again."""
    seed = int(os.environ.get("SEED") or random.randrange(1 << 20))
    print(f"# SEED={seed}")
    random.seed(seed)
    ranges = [(0x20, 0x7e), (0xa1, 0x17f), (0x370, 0x3ff), (0x400, 0x4ff), (0x4e00, 0x9fff), (0x1f300, 0x1f64f), (0x20, 0x7e)]
    with lab.Lab(build, rest='rules = ( { name = "echo"; reply = "{{message.text}}"; } ); guard = { replies = 1000; };') as it:
        it.start()
        texts = {}
        for n in range(100):
            low, high = random.choice(ranges)
            text = "".join(chr(random.randint(*random.choice(((low, high), (0x61, 0x7a))))) for _ in range(random.randint(1, 400)))
            text = text.replace("\\", "/").strip() or "x"
            texts[f"+49163{n:07d}"] = text
            it.tell(f"text modem0 +49163{n:07d} {text}")
        it.wait("all to be sent back", lambda: len({e["to"] for e in it.log("submitted")}) == 100 and not it.messages("--state", "queued")
                and not it.messages("--state", "submitting"))
        for to, text in texts.items():
            lab.equal(submitted(it, to), text, f"the echo to {to}")


def on_terminal(it, *args):
    """What simgate writes on a terminal."""
    parent, child = pty.openpty()
    process = subprocess.Popen([str(it.build / "simgate"), *args], stdout=child, env={**it.env, "TERM": "xterm"})
    os.close(child)
    output = b""
    while True:
        try:
            chunk = os.read(parent, 65536)
        except OSError:
            break
        if not chunk:
            break
        output += chunk
    process.wait()
    os.close(parent)
    return output


def test_escape_sequences(build):
    """Terminal control characters that a customer sends never reach a terminal or a log as they are, by no command; nor does a
    sender's name."""
    with lab.Lab(build, gateway='log = "debug";', rest="rules = ();") as it:
        it.start()
        evil = "a\x1b[2Jb\x1b]0;title\x07c\x9bd\x7fe\x1b[31mf\u202eg\rh"
        # As UCS2, which can carry every control character.
        ucs2 = evil.encode("utf-16-be").hex().upper()
        it.tell("pdu modem0 07911326040000F0" + "040C91945106214365" + "0008" + "62112111000000" + f"{len(ucs2) // 2:02X}{ucs2}")
        message = it.wait("it to be in", lambda: it.messages("--in"))[0]
        lab.equal(message["text"], evil, "the store and JSON have it as it was")
        raw = it.run("messages", "--json").stdout
        lab.true(not any(ord(c) < 0x20 and c != "\n" or 0x7f <= ord(c) < 0xa0 for c in raw), "JSON is escaped")
        for args in (["messages"], ["show", str(message["id"])], ["rules", "test", "--from", TO, evil], ["messages", "--json"],
                     ["pdu", "decode", "07911326040000F0040C9194510621436500086211211100000" + "0" + f"{len(ucs2) // 2:02X}{ucs2}"]):
            for output in (it.run(*args, check=False).stdout.encode(), on_terminal(it, *args)):
                bidi = [] if "--json" in args else ["\u202e".encode()]  # turns a line around, but commands nothing
                for sequence in (b"\x1b[2J", b"\x1b]0", b"\x07", b"\xc2\x9b", b"\x7f", b"\x1b[31mf", b"\rh", *bidi):
                    lab.true(sequence not in output, f"{sequence!r} in {args}: {output!r}")
        it.stop_daemon()
        log = (it.work / "simgated.err").read_bytes()
        for sequence in (b"\x1b", b"\x07", b"\xc2\x9b", b"\x7f"):
            lab.true(sequence not in log, f"{sequence!r} in the log")


def test_binary_in(build):
    """8-bit data that comes in is in incoming/ byte for byte, its user data header apart, and no rule takes it for text."""
    with lab.Lab(build) as it:
        it.start()
        data = bytes([0, 1, 10, 13, 26, 27, 127, 128, 255])
        udh = bytes([6, 5, 4, 0x0b, 0x84, 0x23, 0xf0])
        it.tell("pdu modem0 07911326040000F0" + "440C91945106214365" + "0004" + "62112111000000" + f"{len(udh + data):02X}"
                + (udh + data).hex().upper())
        content = it.wait("its file", lambda: it.files("incoming"))[0].read_bytes()
        head, body = content.split(b"\n\n", 1)
        lab.equal(body, data)
        lab.true(b"Alphabet: binary" in head and b"UDH-DATA: 06 05 04 0B 84 23 F0" in head, head)


def test_transliteration_only_when_asked(build):
    """Typographic quotes stay by default, and become plain ones in one cheap segment when that is configured."""
    text = "“Hello” – it’s done…"
    with lab.Lab(build, rest="rules = ();") as it:
        it.start()
        it.run("send", "--to", TO, text)
        it.wait("it", lambda: it.log("submitted", text=text))
        it.write_conf(gateway="transliterate = true;")
        it.run("reload")
        it.run("send", "--to", TO, text)
        it.wait("the plain one", lambda: it.log("submitted", text="\"Hello\" - it's done..."))


if __name__ == "__main__":
    lab.main(globals())
