#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every option and command that --help of a program shows stands in its man page, and the page names
no long option that no --help shows.

  options.py PROGRAM PAGE.scd
"""
import pathlib
import re
import subprocess
import sys

import common

OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")
SHORT = re.compile(r"^\s+(-[A-Za-z])(?:,| )", re.M)
COMMAND = re.compile(r"^  ([a-z][a-z-]+(?: [a-z][a-z-]+)?)(?:\s|$)", re.M)


def help_of(program, *words):
    run = subprocess.run([program, *words, "--help"], capture_output=True, text=True, timeout=60)
    if run.returncode != 0:
        common.finish([f"{' '.join([program, *words])} --help ends with {run.returncode}: {run.stderr}"],
                      "options")
    return run.stdout


def commands_in(text):
    """The first words of the lines under a heading that says 'commands'."""
    found, inside = [], False
    for line in text.splitlines():
        if not line.startswith((" ", "\t")) and line.strip():
            inside = "command" in line.lower() and line.rstrip().endswith(":")
        elif inside and (m := COMMAND.match(line)):
            found.append(m.group(1).strip())
    return found


program, page = sys.argv[1], pathlib.Path(sys.argv[2])
if not page.is_file():
    common.finish([f"there is no man page '{page}'"], "options")
manual = page.read_text().replace("\\", "").replace("*", "")
texts = {"": help_of(program)}
commands = commands_in(texts[""])
for command in commands:
    texts[command] = help_of(program, *command.split())
problems = [f"{page.name} does not describe the command '{c}'" for c in commands if c not in manual]
shown = set()
for command, text in texts.items():
    options = set(OPTION.findall(text)) | set(SHORT.findall(text))
    shown |= options
    problems += [f"{page.name} does not describe '{o}' of '{(command or program).split('/')[-1]}'"
                 for o in sorted(options) if not re.search(rf"(?<![\w-]){o}(?![\w-])", manual)]
problems += [f"{page.name} describes '{o}', which no --help shows"
             for o in sorted(set(OPTION.findall(manual)) - shown - {"--help", "--version"})]
print(f"{len(commands)} commands, {len(shown)} options")
common.finish(problems, "options")
