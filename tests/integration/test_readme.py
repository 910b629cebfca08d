# SPDX-License-Identifier: Apache-2.0
"""The examples of README.md are run as they stand there, in one folder, in their order."""
import glob
import os
import re
import subprocess

import pytest

from engine import BUILD, CGROUP_ROOT, SOURCE, needs_root, remove_empty

SECTION = "## A tour"


def examples():
    """(command, what its output contains) of each line in the code blocks of the tour."""
    with open(os.path.join(SOURCE, "README.md"), encoding="utf-8") as f:
        tour = f.read().split(SECTION, 1)[1].split("\n## ", 1)[0]
    for block in re.findall(r"^```sh\n(.*?)^```", tour, re.S | re.M):
        for line in block.splitlines():
            command, _, wanted = line.partition("#=>")
            if command.strip():
                yield command.strip(), wanted.strip()


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    """Runs a line with the built programs on the PATH, in a state folder of its own."""
    folder = tmp_path_factory.mktemp("readme")
    wrapper = folder / "bulkhead"
    wrapper.write_text(f'#!/bin/sh\nexec {BUILD}/src/cmd/bulkhead/bulkhead '
                       f'--root {folder}/root "$@"\n')
    wrapper.chmod(0o755)
    path = f"{folder}:{BUILD}/src/cmd/bulkhead-runtime:{os.environ['PATH']}"

    def run(line):
        return subprocess.run(["bash", "-c", line], cwd=SOURCE, env={**os.environ, "PATH": path},
                              capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)
    yield run
    subprocess.run(["rm", "-rf", str(folder / "root"), str(folder / "run")], check=False)
    # The groups of containers that ask for no other place.
    for group in ("bulkhead/shims", "bulkhead"):
        remove_empty(glob.glob(f"{CGROUP_ROOT}/{group}") + glob.glob(f"{CGROUP_ROOT}/*/{group}"))


def test_the_tour_has_examples():
    assert len(list(examples())) >= 8


@needs_root
def test_examples_of_the_readme_do_what_they_say(shell):
    for command, wanted in examples():
        ran = shell(command)
        assert ran.returncode == 0, f"{command}\n{ran.stdout}{ran.stderr}"
        assert wanted in ran.stdout, f"{command}\nwants '{wanted}'\n{ran.stdout}{ran.stderr}"


def test_links_of_the_documents_lead_somewhere():
    for name in ("README.md", "SECURITY.md", "docs/ARCHITECTURE.md", "docs/HACKING.md"):
        with open(os.path.join(SOURCE, name), encoding="utf-8") as f:
            for target in re.findall(r"\]\(([^)#:]+)\)", f.read()):
                assert os.path.exists(os.path.join(SOURCE, os.path.dirname(name), target)), f"{name}: {target}"
