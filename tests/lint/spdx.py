#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every source file says its licence in one line near its top; none carries a longer notice."""
import common

SUFFIXES = {".c", ".h", ".py", ".sh", ".build"}
LINE = "SPDX-License-Identifier: Apache-2.0"


def is_source(path, text):
    return path.suffix in SUFFIXES or path.name == "meson.build" or text.startswith("#!")


problems = []
for f in common.tracked_files():
    if f.suffix in (".bin", ".seed") or "corpus" in f.parts:
        continue
    text = common.read(f)
    if is_source(f, text) and LINE not in "\n".join(text.splitlines()[:2]):
        problems.append(f"{f}: no '{LINE}' in its first two lines")
    if f.name != "LICENSE" and f.parts[:2] != ("tests", "lint") and "Licensed under the" in text:
        problems.append(f"{f}: one SPDX line is the whole notice")
common.finish(problems, "spdx")
