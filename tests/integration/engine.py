# SPDX-License-Identifier: Apache-2.0
"""A bulkhead with a store of its own, for tests."""
import os
import subprocess

import pytest

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("BULKHEAD_BUILD", os.path.join(SOURCE, "build"))
CGROUP_ROOT = "/sys/fs/cgroup"

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def image_tar(name):
    """The tar of a test image (tools/mkimage makes and keeps it)."""
    made = subprocess.run([os.path.join(SOURCE, "tools", "mkimage"), name], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


class Engine:
    def __init__(self, folder):
        self.root = folder / "root"
        self.cgroup_parent = f"/bulkhead-test/engine-{os.getpid()}"
        self.program = os.path.join(BUILD, "src/cmd/bulkhead/bulkhead")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["rm", "-rf", str(self.root)])
        for folder in self.cgroups(""):
            try:
                os.rmdir(folder)
            except OSError:
                pass

    def argv(self, *args):
        args = list(args)
        if args[:1] == ["run"]:
            args[1:1] = ["--cgroup-parent", self.cgroup_parent] if "--cgroup-parent" not in args else []
        return [self.program, "--root", str(self.root), *args]

    def call(self, *args, **kwargs):
        env = {**os.environ, **kwargs.pop("env", {})}
        kwargs.setdefault("stdin" if "input" not in kwargs else "encoding",
                          subprocess.DEVNULL if "input" not in kwargs else None)
        kwargs.setdefault("timeout", 120)
        return subprocess.run(self.argv(*args), capture_output=True, text=True, env=env, **kwargs)

    def run(self, image, *args, options=(), **kwargs):
        return self.call("run", "--rm", *options, image, *args, **kwargs)

    def popen(self, image, *args, options=()):
        return subprocess.Popen(self.argv("run", "--rm", *options, image, *args), text=True,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def import_image(self, tar, name=None, changes=()):
        args = [word for change in changes for word in ("--change", change)]
        made = self.call("image", "import", *args, image_tar(tar), name or tar)
        assert made.returncode == 0, made.stderr
        return made.stdout.strip()

    def cgroups(self, below):
        """Folders of this engine's control groups in every hierarchy, deepest first."""
        found = []
        for base, folders, _ in os.walk(CGROUP_ROOT):
            if base.count("/") > 6:
                folders.clear()
            if "process_api" in folders:
                folders.remove("process_api")
            if self.cgroup_parent.strip("/") + below in base:
                found.append(base)
        return sorted(found, reverse=True)

    def state(self):
        """What exists outside: containers, locks, groups, mounts, processes."""
        rw = self.root / "fs" / "rw"
        mounts = open("/proc/self/mountinfo").read()
        return {
            "rw": sorted(os.listdir(rw)) if rw.exists() else [],
            "locks": sorted(os.listdir(self.root / "locks")) if (self.root / "locks").exists() else [],
            "groups": [c for c in self.cgroups("/")],
            "mounts": [line for line in mounts.splitlines() if str(self.root) in line],
        }
