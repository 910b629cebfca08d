#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a built program needs and how it is hardened, read from the file itself by readelf.

  binaries.py static PROGRAM...    static-pie: no interpreter, nothing needed at run time
  binaries.py dynamic PROGRAM...   needs only the libraries in LIBRARIES
"""
import os
import re
import subprocess
import sys

import common

# The libraries that a dynamic program may name itself; what those need in turn is theirs.
LIBRARIES = {"libarchive.so.13", "libcrypto.so.3", "libc.so.6", "libz.so.1", "libzstd.so.1",
             "liblzma.so.5"}

# Parsers and databases that a program must not hold, by the beginnings of their symbols.
WITHOUT = {"bulkhead-shim": ["json_tokener", "json_object", "json_check", "sqlite3_", "compile_plan", "oci_spec_parse", "opt_parse"]}


def readelf(program, *options):
    return subprocess.run(["readelf", "-W", *options, program], capture_output=True, text=True,
                          check=True).stdout


def check(program, kind):
    header, segments, dynamic = readelf(program, "-h"), readelf(program, "-l"), readelf(program, "-d")
    needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic))
    if not re.search(r"Type:\s+DYN", header):
        yield "is not position independent"
    if "GNU_RELRO" not in segments:
        yield "has no RELRO"
    if not re.search(r"\((?:FLAGS|FLAGS_1)\).*\b(?:BIND_NOW|NOW)\b|\(BIND_NOW\)", dynamic):
        yield "binds lazily (no -z now)"
    stack = re.search(r"GNU_STACK(?:\s+0x[0-9a-f]+)+\s+(\S+)", segments)
    if not stack or "E" in stack.group(1):
        yield "has an executable stack"
    if re.search(r"LOAD(?:\s+0x[0-9a-f]+)+\s+RWE", segments):
        yield "has a segment that is writable and executable"
    if re.search(r"\((?:RPATH|RUNPATH)\)", dynamic):
        yield "has a library path of its own"
    if kind == "static" and (needed or "INTERP" in segments):
        yield f"is not static: needs {', '.join(sorted(needed)) or 'an interpreter'}"
    if kind == "static" and os.path.basename(program) in WITHOUT:
        symbols = subprocess.run(["nm", "-a", program], capture_output=True, text=True, check=False).stdout
        yield from (f"links '{s}', which a process that lives beside containers must not" for s in WITHOUT[os.path.basename(program)]
                    if re.search(rf"\b{s}", symbols))
    if kind == "dynamic" and needed - LIBRARIES:
        yield f"needs {', '.join(sorted(needed - LIBRARIES))}"


common.finish([f"{p} {problem}" for p in sys.argv[2:] for problem in check(p, sys.argv[1])],
              f"{sys.argv[1]} programs")
