# SPDX-License-Identifier: Apache-2.0
"""A line of the table, and how it is run in one engine."""
import dataclasses
import os
import re
import shutil
import subprocess

import normal

HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT = 60  # seconds for one scenario
SAME, SAME_OUT, DIFFERENT, SHAPE = "same", "same-out", "different", "shape"


@dataclasses.dataclass
class Case:
    """`lines` are shell, written as for docker; the last one is compared, those before must succeed."""
    expect: str
    lines: tuple
    reason: str = ""        # of DIFFERENT
    must: tuple = ()        # of SHAPE: docker's keys that must be there
    ours: tuple = ()        # of SHAPE: beginnings of keys that docker does not have
    names: bool = False     # made-up names appear in the answer
    group: str = ""

    @property
    def key(self):
        return " ; ".join(self.lines)

    @property
    def line(self):
        return self.lines[-1]

    @property
    def slug(self):
        words = re.sub(r"[^A-Za-z0-9._-]+", "-", self.line.replace("docker ", "", 1)).strip("-")
        return words[:70]


@dataclasses.dataclass
class Answer:
    code: int
    out: str
    err: str
    raw: str = ""


class SetupFailed(Exception):
    pass


def script(lines):
    setup = "\n".join(lines[:-1]) or ":"
    return f"set -e\n{{\n{setup}\n}} >setup.log 2>&1\nset +e\n{{\n{lines[-1]}\n}} >out 2>err\necho $? >code\n"


def run(case, engine, folder):
    """Runs the scenario in a new folder, which has the engine's command as `docker` on its path."""
    work, tools = f"{folder}/work", f"{folder}/tools"
    for path in (work, tools):
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(path)
    with open(f"{tools}/docker", "w") as f:
        f.write(engine.wrapper())
    os.chmod(f"{tools}/docker", 0o755)
    os.symlink(f"{HERE}/terminal", f"{tools}/terminal")
    env = {"PATH": f"{tools}:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": work, "LC_ALL": "C.UTF-8", "TZ": "UTC", "TERM": "xterm",
           "FROM_HOST": "from the host", "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(["sh", "-c", script(case.lines)], cwd=work, env=env, stdin=subprocess.DEVNULL,
                              timeout=LIMIT, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    except subprocess.TimeoutExpired:
        raise SetupFailed(f"no end within {LIMIT} s; so far: {read(work, 'setup.log')}{read(work, 'out')}{read(work, 'err')}")
    if not os.path.exists(f"{work}/code"):
        raise SetupFailed((read(work, "setup.log") or done.stderr.decode()).strip())
    out, err = read(work, "out"), read(work, "err")
    shown = normal.SPEAKER.sub("", out) if case.line.startswith("terminal ") else out  # a terminal shows errors, too
    return Answer(int(read(work, "code")), normal.text(shown, work, case.names), normal.complaint(err, work, case.names), out)


def read(folder, name):
    try:
        with open(f"{folder}/{name}", errors="backslashreplace", newline="") as f:
            return f.read()
    except OSError:
        return ""
