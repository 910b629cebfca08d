# SPDX-License-Identifier: Apache-2.0
"""What the lints share: the list of source files and the way a lint ends."""
import os
import pathlib
import subprocess
import sys

TOP = pathlib.Path(os.environ.get("BULKHEAD_SRC", pathlib.Path(__file__).resolve().parents[2]))


def tracked_files():
    """All files of the project, relative to its top: what git knows or would add, else a walk."""
    try:
        out = subprocess.run(
            ["git", "-c", f"safe.directory={TOP}", "ls-files", "-co", "--exclude-standard", "-z"],
            cwd=TOP, capture_output=True, check=True).stdout
        names = [n for n in out.decode().split("\0") if n]
    except (OSError, subprocess.CalledProcessError):
        names = [str(p.relative_to(TOP)) for p in TOP.rglob("*") if p.is_file()]
        names = [n for n in names if not n.startswith((".git/", "build"))]
    return sorted(pathlib.Path(n) for n in set(names) if (TOP / n).is_file())


def sources(*roots, suffixes=(".c", ".h")):
    """The C files below the given folders, relative to the top."""
    return [f for f in tracked_files() if f.suffix in suffixes and str(f).startswith(roots)]


def read(path):
    return (TOP / path).read_text(encoding="utf-8", errors="replace")


def strip_comments(text):
    """C source with comments and the text inside string literals blanked out, lines and columns
    where they are, and the numbers of the lines that have a // comment."""
    out, slashes, i, n, state = [], [], 0, len(text), "code"
    while i < n:
        c, two = text[i], text[i:i + 2]
        if state == "code":
            if two in ("/*", "//"):
                state = two
                if two == "//":
                    slashes.append(text.count("\n", 0, i) + 1)
                out.append("  ")
                i += 2
                continue
            if c in "\"'":
                state = c
            out.append(c)
        elif state in ("\"", "'"):
            if c == "\\":
                out.append("  " if text[i + 1:i + 2] != "\n" else " \n")
                i += 2
                continue
            if c == state or c == "\n":
                state = "code"
                out.append(c)
            else:
                out.append(" ")
        elif state == "/*":
            if two == "*/":
                state = "code"
                out.append("  ")
                i += 2
                continue
            out.append(c if c == "\n" else " ")
        else:
            if c == "\n":
                state = "code"
            out.append(c if c == "\n" else " ")
        i += 1
    return "".join(out), slashes


def finish(problems, what):
    """Ends the lint: prints each problem and fails when there is one."""
    for p in problems:
        print(p)
    print(f"{what}: {len(problems)} problem(s)")
    sys.exit(1 if problems else 0)


def skip(reason):
    """Meson's exit status for a skipped test; a failure where everything must work."""
    print(f"skipped: {reason}")
    sys.exit(1 if os.environ.get("BULKHEAD_MUST_WORK") == "1" else 77)
