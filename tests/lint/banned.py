#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Calls and constructs that have a better replacement here, or a place where alone they belong.

Exceptions stand in banned-allow.txt, one a line: FILE WORD REASON. An entry that no longer matches
anything is itself a problem.

  banned.py               checks the tree
  banned.py --self-test   checks that each rule finds its example
"""
import pathlib
import re
import sys

import common

EVERYWHERE = {
    "strcpy": "copy with a length, or build with 'buf'", "strcat": "build with 'buf'",
    "strncpy": "does not always end the string", "strncat": "build with 'buf'",
    "stpcpy": "build with 'buf'", "sprintf": "use snprintf or 'buf'",
    "vsprintf": "use vsnprintf or 'buf'", "strtok": "has hidden state", "strtok_r": "edits its input",
    "gets": "has no bound", "alloca": "the stack has no bound", "strdupa": "the stack has no bound",
    "atoi": "use num_parse_*", "atol": "use num_parse_*", "atoll": "use num_parse_*",
    "atof": "use num_parse_*", "strtol": "use num_parse_*", "strtoul": "use num_parse_*",
    "strtoll": "use num_parse_*", "strtoull": "use num_parse_*", "sscanf": "parse by hand, bounded",
    "system": "spawn by proc_spawn", "popen": "spawn by proc_spawn", "mktemp": "races",
    "tmpnam": "races", "tempnam": "races", "getenv": "use secure_getenv",
    "localtime": "has hidden state", "gmtime": "has hidden state", "asctime": "has hidden state",
    "ctime": "has hidden state", "strerror_r": "comes in two shapes", "readdir_r": "deprecated",
    "pthread_create": "no threads: namespaces and credentials belong to a thread",
    "dup": "use fcntl F_DUPFD_CLOEXEC",
    "vfork": "use proc_spawn or sys_clone3",
    "getpwnam": "no NSS: see userdb", "getpwuid": "no NSS: see userdb",
    "getgrnam": "no NSS: see userdb", "initgroups": "no NSS: see userdb",
    "rand": "use getrandom", "srand": "use getrandom", "random": "use getrandom",
}
OUTSIDE_KERNEL = {"syscall": "raw system calls belong to src/kernel"}
PATHS = {name: "names a path: open through base/path.h and act on the descriptor" for name in (
    "open", "openat", "open64", "creat", "stat", "lstat", "chdir", "realpath", "readlink", "access",
    "faccessat", "chown", "lchown", "chmod", "fopen", "opendir", "truncate", "canonicalize_file_name")}
WORD = re.compile(r"(?<![\w.>])([A-Za-z_]\w*)[ \t]*\(")
ALLOW = "tests/lint/banned-allow.txt"


def rules_for(path):
    rules = dict(EVERYWHERE)
    if path.parts[:2] != ("src", "kernel"):
        rules.update(OUTSIDE_KERNEL)
    if path.parts[:2] not in (("src", "kernel"), ("src", "base")):
        rules.update(PATHS)
    return rules


def findings(path, text):
    """(line, word, reason) of what is wrong in one file."""
    rules = rules_for(path)
    code, slashes = common.strip_comments(text)
    for number, line in enumerate(code.splitlines(), 1):
        for m in WORD.finditer(line):
            if m.group(1) in rules:
                yield number, m.group(1), rules[m.group(1)]
    for number in slashes:
        yield number, "//", "comments that stay are /* */"


def read_allowed():
    allowed = {}
    for line in common.read(ALLOW).splitlines():
        if line and not line.startswith("#"):
            name, word, reason = line.split(None, 2)
            allowed[(name, word)] = reason
    return allowed


def check(files, text_of, allowed):
    problems, used = [], set()
    for f in files:
        for number, word, reason in findings(f, text_of(f)):
            if (str(f), word) in allowed:
                used.add((str(f), word))
            else:
                problems.append(f"{f}:{number}: {word}: {reason}")
    return problems, used


def self_test():
    examples = {f"\t{word}(x);\n": "src/oci/x.c" for word in {**EVERYWHERE, **OUTSIDE_KERNEL, **PATHS}}
    examples["int x; // no\n"] = "src/oci/x.c"
    examples["\topen(x);\n"] = "src/oci/x.c"
    fine = ["/* open(x) */\n", "char *s = \"system(x) // x\";\n", "\tp->open(x);\n", "\tmy_open(x);\n",
            "/* see http://x */\n"]
    problems = [f"self-test: '{code.strip()}' was not found" for code, name in examples.items()
                if not list(findings(pathlib.Path(name), code))]
    problems += [f"self-test: '{code.strip()}' is fine" for code in fine
                 if list(findings(pathlib.Path("src/oci/x.c"), code))]
    if list(findings(pathlib.Path("src/kernel/sys.c"), "\treturn syscall(x);\n")):
        problems.append("self-test: syscall() is fine in src/kernel")
    common.finish(problems, "banned self-test")


if "--self-test" in sys.argv:
    self_test()
allowed_calls = read_allowed()
found, used_calls = check(common.sources("src/"), common.read, allowed_calls)
found += [f"{ALLOW}: '{name} {word}' matches nothing any more" for name, word in allowed_calls
          if (name, word) not in used_calls]
common.finish(found, "banned")
