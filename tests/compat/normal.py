# SPDX-License-Identifier: Apache-2.0
"""Takes out of an answer what may differ between two runs and two engines: ids, times, made-up names, paths."""
import json
import re

MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
TIMES = [
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)"), "<TIME>"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? [+-]\d{4} [A-Z]{3,4}"), "<TIME>"),
    (re.compile(r"\b(?:Less than a second|(?:About )?an? (?:minute|hour)|\d+ (?:second|minute|hour)s?)( ago)?\b"), r"<AGE>\1"),
]
# 0001-01-01T00:00:00Z means "never" and is kept.
NEVER = re.compile(r"0001-01-01T00:00:00Z")
HEX = re.compile(r"(?<![0-9a-zA-Z_])(sha256:)?([0-9a-f]{64}|[0-9a-f]{12})(?![0-9a-zA-Z_])")
SPEAKER = re.compile(r"^(?:docker|bulkhead): ", re.M)
# The words that lead to a program's help, and who speaks.
NOISE = [
    (re.compile(r"^See '(?:docker|bulkhead)[^']*'\.\n?", re.M), ""),
    (re.compile(r"^Run '(?:docker|bulkhead)[^']*' for more information\.?\n?", re.M), ""),
    (SPEAKER, ""),
    (re.compile(r"^(?:Error: )?Error response from daemon: ", re.M), ""),
    (re.compile(r"^Error: ", re.M), ""),
    # a race of docker's client: it may or may not say so too
    (re.compile(r'^time="<TIME>" level=error msg="error waiting for container: context canceled"\n', re.M), ""),
    (re.compile(r"\.$", re.M), ""),
    (re.compile(r"\n\s*\n+"), "\n"),
]
# busybox's shell asks the terminal where its cursor is, and draws its prompt again when the first key comes late enough.
REDRAWN = re.compile(r"(\x1b\[6n)\r# \x1b\[J")
MADE_UP = re.compile(r"(?<![\w/.-])[a-z]+_[a-z]+(?:_?\d+)?(?![\w/.-])")


class Ids:
    """The first id of an answer is 1, the next other one 2: short and whole ones of the same thing are the same."""

    def __init__(self):
        self.seen = []

    def name(self, match):
        digits = match.group(2)
        if digits.isdigit():
            return match.group(0)
        if digits[:12] not in self.seen:
            self.seen.append(digits[:12])
        kind = "ID" if len(digits) == 64 else "id"
        return f"{match.group(1) or ''}<{kind}{self.seen.index(digits[:12]) + 1}>"


def text(raw, scratch, names=False):
    """`scratch` is the folder that the line ran in, `names`: made-up container names may be in it."""
    raw = REDRAWN.sub(r"\1", raw.replace(scratch, "<PWD>"))
    raw = NEVER.sub("<NEVER>", raw)
    for pattern, word in TIMES:
        raw = pattern.sub(word, raw)
    raw = HEX.sub(Ids().name, raw)
    if names:
        raw = MADE_UP.sub("<NAME>", raw)
    # columns are as wide as what stands in them, which was just replaced
    return re.sub(r"(?<=\S) {2,}(?=\S)", "   ", re.sub(r" +$", "", raw, flags=re.M))


def complaint(raw, scratch, names=False):
    """Standard error: the same, without the engine's name and the way to its help."""
    raw = text(raw, scratch, names)
    for pattern, word in NOISE:
        raw = pattern.sub(word, raw)
    return raw.strip("\n") + "\n" if raw.strip() else ""


def kinds(value, path=""):
    """The types of a JSON value by path: {'.State.Pid': 'number', '.Mounts[].Type': 'string'}."""
    if isinstance(value, dict):
        found = {path or ".": "object"}
        for key, inner in value.items():
            found.update(kinds(inner, f"{path}.{key}"))
        return found
    if isinstance(value, list):
        found = {path or ".": "array"}
        for inner in value:
            found.update(kinds(inner, f"{path}[]"))
        return found
    name = {bool: "boolean", int: "number", float: "number", str: "string", type(None): "null"}[type(value)]
    return {path or ".": name}


def shape(raw):
    """The types in one JSON document or in lines of them; None when it is none."""
    found = {}
    try:
        try:
            documents = [json.loads(raw)]
        except json.JSONDecodeError:
            documents = [json.loads(line) for line in raw.splitlines() if line]
    except json.JSONDecodeError:
        return None
    for document in documents:
        found.update(kinds(document))
    return found
