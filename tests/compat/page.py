# SPDX-License-Identifier: Apache-2.0
"""The generated part of docs/COMPATIBILITY.md: how much of the table is the same, and what differs and why."""
import os

from bulkhead import SOURCE
from case import DIFFERENT, SAME, SAME_OUT, SHAPE

FILE = os.path.join(SOURCE, "docs", "COMPATIBILITY.md")
BEGIN = "<!-- generated from tests/compat/table.py: UPDATE_GOLDEN=1 rewrites it -->"
END = "<!-- end of the generated part -->"


def cell(text):
    return "`" + text.replace("|", "\\|") + "`"


def counts(cases):
    groups = dict.fromkeys(c.group for c in cases)
    rows = ["| commands | same | same, errors in other words | JSON keys and types | different |", "|---|--:|--:|--:|--:|"]
    for group in [*groups, "all"]:
        chosen = [c for c in cases if group in ("all", c.group)]
        numbers = [sum(c.expect == kind for c in chosen) for kind in (SAME, SAME_OUT, SHAPE, DIFFERENT)]
        rows.append(f"| {group} | " + " | ".join(map(str, numbers)) + " |")
    return rows


def differences(cases):
    reasons = {}
    for c in cases:
        if c.expect == DIFFERENT:
            reasons.setdefault(c.reason, []).append(c.line)
    rows = ["| what differs, and why | lines |", "|---|---|"]
    for reason, lines in reasons.items():
        rows.append(f"| {reason} | " + "<br>".join(map(cell, dict.fromkeys(lines))) + " |")
    return rows


def generated(cases):
    return "\n".join([BEGIN, "", *counts(cases), "", *differences(cases), "", END])


def parts():
    """What stands before, in and behind the generated part."""
    with open(FILE, encoding="utf-8") as f:
        text = f.read()
    begin, end = text.index(BEGIN), text.index(END) + len(END)
    return text[:begin], text[begin:end], text[end:]


def write(cases):
    before, _, behind = parts()
    with open(FILE, "w", encoding="utf-8") as f:
        f.write(before + generated(cases) + behind)
