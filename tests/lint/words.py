#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Nothing in the tree depends on the machine where it was written: no home or scratch paths, none of
the package mirrors that this machine is set up with, no merge marks, no work that is put off
without an issue."""
import glob
import re

import common

RULES = [
    (re.compile(r"(?<![\w./$}])/(?:work|farm|home/(?!me/|user/)[a-z]\w*|Users)/"), "a path of somebody's machine"),
    (re.compile(r"/tmp/b-[A-Z]\b|/tmp/r-[A-Z]\b"), "a path of somebody's machine"),
    (re.compile(r"^(?:<<<<<<<|>>>>>>>) ", re.M), "a merge mark"),
    (re.compile(r"\b(?:TODO|FIXME|XXX)\b(?!\(#)"), "put-off work without an issue: TODO(#12)"),
]
PUBLIC = re.compile(r"(^|\.)(debian\.org|kernel\.org|example\.(com|org|net))$")


def mirrors():
    """Hosts of the package mirrors and proxies of this machine, apart from the public ones."""
    hosts = set()
    for name in glob.glob("/etc/apt/sources.list") + glob.glob("/etc/apt/sources.list.d/*"):
        try:
            with open(name, encoding="utf-8", errors="replace") as f:
                hosts |= set(re.findall(r"https?://(?:[^/@\s]*@)?([^/:\s]+)", f.read()))
        except OSError:
            pass
    return {h for h in hosts if "." in h and not PUBLIC.search(h)}


def check(path, text, rules):
    for pattern, reason in rules:
        for m in pattern.finditer(text):
            yield f"{path}:{text.count(chr(10), 0, m.start()) + 1}: '{m.group(0).strip()}': {reason}"


rules = RULES + [(re.compile(re.escape(h)), "a package mirror of this machine") for h in mirrors()]
problems = []
for f in common.tracked_files():
    if f.parts[:2] == ("tests", "lint") or "corpus" in f.parts or f.name == "LICENSE":
        continue
    problems += check(f, common.read(f), rules)
common.finish(problems, "words")
