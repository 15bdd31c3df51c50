#!/usr/bin/python3
"""tshark's GSM SMS dissector judges what our encoders write.

usage: judge_tshark.py BUILD [COUNT]

pdugen makes COUNT random messages (SEED from the environment, else 20260101) with every field that went into
them; all their TPDUs go into one capture file with their direction; tshark reads it once; each field is compared.
"""

import json
import os
import struct
import subprocess
import sys
import tempfile

USER_DLT = 147
DLT_TABLE = 'uat:user_dlts:"User 0 (DLT=147)","gsm_sms","0","","0",""'

# What tshark 4.0 does otherwise than the standard, or does not tell:
#   - National language tables are not applied. For parts that use them the text by the default tables is
#     compared, which judges packing, fill bits and lengths.
#   - In such texts ESC often stands before a septet that the default extension table lacks. The standard wants
#     the plain character (TS 23.038 6.2.1.1), tshark shows U+FFFD: there any one character is right.
#   - The sign of a time zone is in no field. Only its size is compared; libgammu judges the sign.


def block(kind, body):
    body += bytes(-len(body) % 4)
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size


def capture(pdus):
    """A pcapng file of (direction, octets); direction 1 = from the mobile, 2 = to the mobile."""
    out = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    out += block(1, struct.pack("<HHI", USER_DLT, 0, 65535))
    for i, (direction, octets) in enumerate(pdus):
        body = struct.pack("<IIIII", 0, 0, i, len(octets), len(octets)) + octets + bytes(-len(octets) % 4)
        body += struct.pack("<HHI", 2, 4, direction) + struct.pack("<HH", 0, 0)
        out += block(6, body)
    return out


def dissect(pdus):
    with tempfile.NamedTemporaryFile(suffix=".pcapng") as f:
        f.write(capture(pdus))
        f.flush()
        command = ["tshark", "-r", f.name, "-o", DLT_TABLE, "-o", "gsm_sms.reassemble:FALSE", "-T", "json",
                   "--no-duplicate-keys", "-J", "gsm_sms"]
        out = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
    return [packet["_source"]["layers"].get("gsm_sms", {}) for packet in json.loads(out)]


def walk(tree):
    """All (name, value) leaves and branches of a dissection, in their order."""
    for name, value in tree.items():
        yield name, value
        if isinstance(value, dict):
            yield from walk(value)


class ByDefaultTables(str):
    """A text in which tshark's U+FFFD stands for any one character."""

    def __eq__(self, other):
        return len(self) == len(other) and all(b in (a, "\ufffd") for a, b in zip(self, other))

    def __ne__(self, other):
        return not self == other

    __hash__ = str.__hash__


class Seen:
    def __init__(self, tree):
        self.all = list(walk(tree))

    def branch(self, prefix):
        return next((dict(walk(v)) for n, v in self.all if n.startswith(prefix) and isinstance(v, dict)), {})

    def text(self, name):
        return next((v for n, v in self.all if n == "gsm_sms." + name and not isinstance(v, dict)), None)

    def number(self, name):
        value = self.text(name)
        return None if value is None else int(value, 0)


def time_of(branch):
    parts = ("year", "month", "day", "hour", "minutes", "seconds", "timezone")
    return [int(branch.get("gsm_sms.scts." + p, -1)) for p in parts]


def expected_time(t):
    return [t[0] % 100] + t[1:6] + [abs(t[6])]


def compare(want, tree):
    """Yields (field, wanted, seen) of every field of one TPDU."""
    seen = Seen(tree)
    kind = want["kind"]
    yield "mti", {"deliver": 0, "submit": 1, "report": 2}[kind], seen.number("tp-mti")
    party = {"deliver": "tp-oa", "submit": "tp-da", "report": "tp-ra"}[kind]
    yield party, want["party"]["text"].lstrip("+"), seen.text(party)
    yield "type of number", want["party"]["ton"], seen.number("dis_field_addr.num_type")
    yield "address length", want["party"]["length"], seen.number("dis_field_addr.length")
    for name in ("lp", "sri", "srr", "srq", "rd", "rp"):
        if name in want:
            yield "tp-" + name, int(want[name]), seen.number("tp-" + name)
    if "mms" in want:
        yield "tp-mms", int(not want["mms"]), seen.number("tp-mms")
    for name in ("mr", "pid", "dcs", "vpf"):
        if name in want:
            yield "tp-" + name, want[name], seen.number("tp-" + name)
    if "scts" in want:
        yield "tp-scts", expected_time(want["scts"]), time_of(seen.branch("TP-Service-Centre-Time-Stamp"))
    if "dt" in want:
        yield "tp-dt", expected_time(want["dt"]), time_of(seen.branch("TP-Discharge-Time"))
    if "vp" in want:
        yield "tp-vp", want["vp"], seen.number("vp.validity_period")
    if "vp_time" in want:
        yield "tp-vp", expected_time(want["vp_time"]), time_of(seen.branch("TP-Validity-Period"))
    if "st" in want:
        status = seen.branch("TP-Status")
        yield "tp-st", want["st"], (int(status.get("gsm_sms.dis_field.definition", "0"), 0) << 7
                                    | int(status.get("gsm_sms.dis_field.st_error", "0"), 0) << 5
                                    | int(status.get("gsm_sms.dis.field_st_reason", "0"), 0))
    if "ud" in want:
        yield from compare_ud(want, seen)


def compare_ud(want, seen):
    ud = want["ud"]
    yield "tp-udl", ud["udl"], seen.number("tp.user_data_length")
    yield "tp-udhi", int(ud["udhi"]), seen.number("tp-udhi")
    if "concat" in ud:
        got = [seen.number("udh.mm." + n) for n in ("msg_id", "msg_parts", "msg_part")]
        yield "concatenation", ud["concat"][1:], got
    if "ports" in ud:
        yield "ports", ud["ports"][1:], [seen.number("destination_port"), seen.number("originator_port")]
    if ud["single"]:
        yield "single shift", ud["single"], seen.number("dis_iei_lang.single_shift")
    if ud["locking"]:
        yield "locking shift", ud["locking"], seen.number("dis_iei_lang.locking_shift")
    if "data" in want:
        yield "data", want["data"].lower(), (seen.text("sms_body") or "").replace(":", "")
    if "default_text" in want:
        yield "text by default tables", ByDefaultTables(want["default_text"]), seen.text("sms_text") or ""


def main():
    build = sys.argv[1]
    count = sys.argv[2] if len(sys.argv) > 2 else "3000"
    seed = os.environ.get("SEED", "20260101")
    print(f"SEED={seed}")
    lines = subprocess.run([f"{build}/tests/judges/pdugen", seed, count], stdout=subprocess.PIPE, check=True).stdout
    wants = [json.loads(line) for line in lines.splitlines()]
    trees = dissect([(1 if w["kind"] == "submit" else 2, bytes.fromhex(w["tpdu"])) for w in wants])
    assert len(trees) == len(wants)

    fields, failed, bad = 0, 0, set()
    texts = {}
    for i, (want, tree) in enumerate(zip(wants, trees)):
        for field, expected, seen in compare(want, tree):
            fields += 1
            if expected != seen:
                bad.add(i)
                if len(bad) <= 20:
                    print(f"{want['kind']} {want['tpdu']}\n  {field}: wrote {expected!r}, tshark reads {seen!r}")
        if "text" in want and "default_text" not in want:
            entry = texts.setdefault(want["message"], [want["text"], "", i])
            entry[1] += Seen(tree).text("sms_text") or ""
    for expected, seen, i in texts.values():
        fields += 1
        if expected != seen:
            bad.add(i)
            if len(bad) <= 20:
                print(f"{wants[i]['kind']} {wants[i]['tpdu']}\n  text: wrote {expected!r}, tshark reads {seen!r}")
    failed = len(bad)
    print(f"{fields} fields of {len(wants)} TPDUs compared")
    print(f"{len(wants) - failed} passed, {failed} failed")
    return 1 if failed or not wants else 0


if __name__ == "__main__":
    sys.exit(main())
