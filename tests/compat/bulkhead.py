# SPDX-License-Identifier: Apache-2.0
"""The other side of the comparison: bulkhead with a store of its own."""
import os
import shutil
import signal
import subprocess

from docker import CGROUPS, folders_below

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("BULKHEAD_BUILD", os.path.join(SOURCE, "build"))


class Bulkhead:
    name = "bulkhead"

    def __init__(self, folder):
        self.root = f"{folder}/root"
        self.parent = f"/bulkhead-test/compat-{os.getpid()}"
        self.program = os.path.join(BUILD, "src/cmd/bulkhead/bulkhead")

    def wrapper(self):
        return f"""#!/bin/sh
case ${{1:-}} in
run|create) command=$1; shift; set -- "$command" --cgroup-parent {self.parent} "$@" ;;
esac
exec {self.program} --root {self.root} "$@"
"""

    def call(self, *words):
        return subprocess.run([self.program, "--root", self.root, *words], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60)

    def start(self):
        assert os.access(self.program, os.X_OK), f"{self.program} is not built"

    def import_image(self, tar, name, changes):
        words = [word for change in changes for word in ("--change", change)]
        made = self.call("image", "import", *words, tar, name)
        assert made.returncode == 0, made.stderr

    def clean(self):
        ids = self.call("ps", "-a", "-q").stdout.split()
        if ids:
            self.call("rm", "-f", "-v", *ids)
        volumes = self.call("volume", "ls", "-q").stdout.split()
        if volumes:
            self.call("volume", "rm", "-f", *volumes)

    def groups(self):
        """The control groups of our containers, deepest first."""
        found = []
        for h in [CGROUPS, *(f"{CGROUPS}/{h}" for h in os.listdir(CGROUPS))]:
            found += folders_below(h + self.parent)
        return found

    def stop(self):
        self.clean()
        for group in self.groups():
            try:
                with open(f"{group}/cgroup.procs") as f:
                    for pid in f.read().split():
                        os.kill(int(pid), signal.SIGKILL)
                os.rmdir(group)
            except OSError:
                pass
        shutil.rmtree(self.root, ignore_errors=True)
