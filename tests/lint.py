#!/usr/bin/python3
"""Reads the includes of every source file and fails where a room knows what it must not know.

The rules are those of docs/architecture.md: rooms depend one way, and each outside library has its place. Settings of
gateway.conf that the manual page leaves out are found too, and manual pages that groff complains of or that refer to pages
which do not exist.
"""
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# What each room may include, besides itself.
MAY_KNOW = {
    "base": [],
    "pdu": ["base"],
    "at": ["base"],
    "os": ["base", "pdu", "at"],
    "store": ["base", "pdu", "os"],
    "modem": ["base", "pdu", "at", "os"],
    "gateway": ["base", "pdu", "store", "modem"],
    "engine": ["base", "pdu", "os", "store", "gateway"],
    "desk": ["base", "pdu", "os", "store", "gateway", "engine"],
    "spool": ["base", "pdu", "store", "gateway"],
    "ctl": ["base", "pdu", "store", "modem", "gateway", "engine", "desk"],
    "app": ["base", "pdu", "at", "os", "store", "modem", "gateway", "engine", "desk", "spool", "ctl"],
    "cli": ["base", "pdu"],
    "hw/sim": ["base", "pdu", "hw/sim"],
}

# A room of which another may see only some headers.
ONLY = {("gateway", "modem"): {"modem/carrier.h"}, ("engine", "os"): {"os/child.h", "os/transfer.h"}}

# Where a library's header may be included: rooms, or single files.
LIBRARY_PLACE = {
    "uv.h": ["src/os/", "src/ctl/", "src/app/", "hw/sim/main.c", "hw/sim/shell"],
    "sqlite3.h": ["src/store/"],
    "libserialport.h": ["src/os/port_serial.c"],
    "libudev.h": ["src/os/"],
    "libconfig.h": ["src/app/"],
    "systemd/sd-daemon.h": ["src/app/"],
    "pcre2.h": ["src/engine/", "src/base/mask.c"],
    "glib.h": ["src/base/zone.c"],
    "curl/curl.h": ["src/os/"],
    "gnutls/": ["src/engine/"],
    "lua.h": ["src/engine/lua"],
    "lauxlib.h": ["src/engine/lua"],
    "lualib.h": ["src/engine/lua"],
    "termios.h": ["src/os/", "src/cli/", "hw/sim/shell", "hw/sim/main.c"],
}

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')


def room_of(path):
    parts = path.relative_to(ROOT).parts
    return "hw/sim" if parts[0] == "hw" else parts[1]


def problems_of(path):
    room, name = room_of(path), str(path.relative_to(ROOT))
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        kind, header = match.groups()
        places = next((p for library, p in LIBRARY_PLACE.items()
                       if header == library or (library.endswith("/") and header.startswith(library))), None)
        if places and not any(name.startswith(p) for p in places):
            yield f"{name}:{number}: <{header}> belongs in {', '.join(places)} only"
        if kind == "<" or header.startswith("include/simgate/"):
            continue  # a library's, or what plug-ins are compiled with
        other = "hw/sim" if header.startswith("hw/sim/") else header.split("/")[0]
        if "/" not in header:
            yield f'{name}:{number}: "{header}": write "room/file.h"'
        elif other != room and other not in MAY_KNOW[room]:
            yield f"{name}:{number}: {room}/ must not know {other}/"
        elif header not in ONLY.get((room, other), {header}):
            yield f"{name}:{number}: {room}/ sees {other}/ only through {', '.join(ONLY[(room, other)])}"


def undocumented():
    """Settings of gateway.conf that gateway.conf(5) does not tell."""
    page = (ROOT / "docs/gateway.conf.5").read_text(encoding="utf-8")
    tables = "".join(f.read_text(encoding="utf-8") for f in sorted((ROOT / "src/app").glob("conf*.c")))
    for name in sorted(set(re.findall(r'\{"(\w+)",\s*SCHEMA_', tables))):
        if not re.search(rf"^\.(BR|SS|SH) {name}\b", page, re.M | re.I):
            yield f"docs/gateway.conf.5: the setting {name} is missing"


def manual():
    """Manual pages that are not well-formed, or refer to pages of simgate that there are not."""
    pages = sorted(ROOT.glob("docs/*.[1578]"))
    names = {p.name for p in pages}
    for page in pages:
        text = page.read_text(encoding="utf-8").replace("\\-", "-")
        for name, section in re.findall(r"\b(simgate[a-z-]*|gateway\.conf)(?:\\fR)? ?\((\d)\)", text):
            if f"{name}.{section}" not in names:
                yield f"docs/{page.name}: {name}({section}) does not exist"
        if shutil.which("groff"):
            done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z", page], capture_output=True, text=True)
            yield from (f"docs/{line.split('docs/')[-1]}" for line in done.stderr.splitlines())
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in sorted(names):
        if f"{name[:-2]}({name[-1]})" not in readme:
            yield f"README.md: {name[:-2]}({name[-1]}) is missing among the manual pages"


def main():
    files = sorted([*ROOT.glob("src/*/*.[ch]"), *ROOT.glob("hw/sim/*.[ch]")])
    found = [p for f in files for p in problems_of(f)] + list(undocumented()) + list(manual())
    for problem in found:
        print(problem)
    print(f"lint: {len(files)} files read, {len(found)} problems")
    return 1 if found else 0


sys.exit(main())
