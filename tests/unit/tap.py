#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a cmocka program and mends its TAP: a skipped case is no failure, with the reason that the case
printed, and other output is a comment. Ends as the program ends.

  tap.py PROGRAM
"""
import re
import subprocess
import sys

TEST = re.compile(r"(?:not )?ok\b|1\.\.\d+|#|Bail out!")
SKIPPED = re.compile(r"not ok (\d+) # SKIP (.*)")


def main():
    program = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, text=True, errors="replace")
    said = ""
    for line in program.stdout:
        line = line.rstrip("\n")
        skipped = SKIPPED.match(line)
        if skipped:
            reason = re.sub(r"^skipped: *", "", said) or "no reason given"
            line = f"ok {skipped.group(1)} - {skipped.group(2)} ({reason}) # SKIP"
        if TEST.match(line):
            said = ""
        else:
            said, line = line.strip() or said, f"# {line}"
        print(line, flush=True)
    status = program.wait()
    sys.exit(status if status >= 0 else 128 - status)


main()
