"""Reads compiler commands (make --dry-run V=1) and writes compile_commands.json."""
import json
import os
import re
import sys

commands = []
for line in sys.stdin:
    match = re.search(r" -c -o (\S+) (\S+\.c)$", line.strip())
    if match:
        commands.append({"directory": os.getcwd(), "command": line.strip(), "file": match.group(2)})
json.dump(commands, sys.stdout, indent=1)
