#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Each header compiles alone, and each source file with a header of its name includes a header of its
module first: nothing that was included before hides what it lacks.

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
    if not (common.TOP / source.with_suffix(".h")).is_file():
        return ""
    first = INCLUDE.search(common.read(source))
    name = first.group(1) if first else None
    folder = str(source.parent)[len("src/"):] + "/"
    if name and (name.startswith(folder) or "/" not in name):
        return ""
    return f"{source} does not include a header of its module first"


headers = common.sources("src/", suffixes=(".h",))
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    problems = list(pool.map(compiles, headers))
problems += [own_header_first(f) for f in common.sources("src/", suffixes=(".c",))]
common.finish([p for p in problems if p], "headers")
