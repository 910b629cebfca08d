#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Sizes of functions, files, public headers and modules: prints what is beyond the target, fails
beyond the hard limit. Counted in lines, as they stand in the file."""
import collections
import json
import subprocess

import common

#                 target  hard limit (None: printed only)
FUNCTION = ("function", 60, 100)
FILE = ("file", 600, 1000)
TEST_FILE = ("test file", 1000, None)
HEADER = ("public header", 250, 250)
MODULE = ("module", 4000, None)


def functions(files):
    """(file, name, lines) of each C function, by universal-ctags."""
    out = subprocess.run(
        ["ctags", "--languages=C", "--kinds-C=f", "--fields=+ne", "--output-format=json",
         "-f", "-", *map(str, files)], cwd=common.TOP, capture_output=True, check=True).stdout
    for line in out.decode().splitlines():
        tag = json.loads(line)
        if "end" in tag:
            yield tag["path"], tag["name"], tag["end"] - tag["line"] + 1


def judge(kind, what, lines, problems):
    name, target, hard = kind
    if hard is not None and lines > hard:
        problems.append(f"{what}: {name} of {lines} lines, the limit is {hard}")
    elif lines > target:
        print(f"note: {what}: {name} of {lines} lines, the target is {target}")


def main():
    files = common.sources("src/", "tests/", "bench/")
    problems, modules = [], collections.Counter()
    try:
        for path, name, lines in functions(files):
            judge(FUNCTION, f"{path}: {name}", lines, problems)
    except FileNotFoundError:
        common.skip("universal-ctags is not installed")
    for f in files:
        lines = common.read(f).count("\n")
        kind = HEADER if f.suffix == ".h" else FILE
        judge(kind if f.parts[0] == "src" else TEST_FILE, f, lines, problems)
        if f.parts[0] == "src":
            modules["/".join(f.parts[1:-1])] += lines
    for module, lines in modules.items():
        judge(MODULE, f"src/{module}", lines, problems)
    common.finish(problems, "sizes")


main()
