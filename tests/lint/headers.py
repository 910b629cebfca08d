#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Each header compiles alone, and each source file includes its own header first.

  headers.py CC ...   the compiler with its arguments
"""
import concurrent.futures
import re
import subprocess
import sys

import common

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+(?:"([^"]+)"|<[^>]+>)', re.M)


def compiles(header):
    text = f'#include "{str(header)[len("src/"):]}"\n'
    command = [*sys.argv[1:], "-fsyntax-only", "-std=gnu17", "-D_GNU_SOURCE", "-Wall", "-Wextra",
               "-Wno-unused-parameter", "-Werror", f"-I{common.TOP}/src", "-x", "c", "-"]
    run = subprocess.run(command, input=text, capture_output=True, text=True)
    return "" if run.returncode == 0 else f"{header} does not compile alone:\n{run.stderr}"


def own_header_first(source):
    own = source.with_suffix(".h")
    if not (common.TOP / own).is_file():
        return ""
    first = INCLUDE.search(common.read(source))
    names = (str(own)[len("src/"):], own.name)
    if first and first.group(1) in names:
        return ""
    return f"{source} does not include its own header first"


headers = common.sources("src/", suffixes=(".h",))
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    problems = list(pool.map(compiles, headers))
problems += [own_header_first(f) for f in common.sources("src/", suffixes=(".c",))]
common.finish([p for p in problems if p], "headers")
