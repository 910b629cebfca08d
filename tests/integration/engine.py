# SPDX-License-Identifier: Apache-2.0
"""A bulkhead with a store of its own, for tests."""
import glob
import os
import subprocess
import time

import pytest

from terminal import Terminal

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("BULKHEAD_BUILD", os.path.join(SOURCE, "build"))
CGROUP_ROOT = "/sys/fs/cgroup"

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def image_tar(name):
    """The tar of a test image (tools/mkimage makes and keeps it)."""
    made = subprocess.run([os.path.join(SOURCE, "tools", "mkimage"), name], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


def remove_empty(groups):
    for group in groups:
        try:
            os.rmdir(group)
        except OSError:
            pass  # in use, or gone


class Engine:
    def __init__(self, folder):
        self.root = folder / "root"
        self.cgroup_parent = f"/bulkhead-test/engine-{os.getpid()}"
        self.program = os.path.join(BUILD, "src/cmd/bulkhead/bulkhead")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.clear()
        subprocess.run(["rm", "-rf", str(self.root)])
        end = time.monotonic() + 5
        while (left := self.cgroups("")) and time.monotonic() < end:  # the last shim may be about to end
            remove_empty(left)
            time.sleep(0.02)
        remove_empty(glob.glob(f"{CGROUP_ROOT}/bulkhead-test") + glob.glob(f"{CGROUP_ROOT}/*/bulkhead-test"))
        assert not left, f"left behind: {left}"

    def argv(self, *args):
        args = list(args)
        if args[:1] in (["run"], ["create"]):
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
        return subprocess.Popen(self.argv("run", "--rm", "-i", *options, image, *args), text=True,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def ok(self, *args, **kwargs):
        """stdout of a command that must succeed, without its line break."""
        done = self.call(*args, **kwargs)
        assert done.returncode == 0, f"{args}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout.rstrip("\n")

    def refused(self, *args, code=1, **kwargs):
        """stderr of a command that must fail."""
        done = self.call(*args, **kwargs)
        assert done.returncode == code, f"{args}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stderr

    def detached(self, *args):
        """run -d with any words; the id."""
        return self.ok("run", "-d", *args)

    def status(self, name, template="{{.State.Status}}"):
        return self.ok("inspect", "--type", "container", "-f", template, name)

    def wait_status(self, name, want, template="{{.State.Status}}", seconds=20):
        end = time.monotonic() + seconds
        while (got := self.status(name, template)) != want and time.monotonic() < end:
            time.sleep(0.05)
        assert got == want, f"{name}: {got}, not {want}"

    def wait_log(self, name, part, seconds=20):
        end = time.monotonic() + seconds
        while part not in (got := self.ok("logs", name)) and time.monotonic() < end:
            time.sleep(0.05)
        assert part in got, got

    def clear(self):
        """Removes all containers and volumes."""
        if not self.root.exists():
            return
        for kind, remove in ((["ps", "-a", "--no-trunc"], ["rm", "-f", "-v"]), (["volume", "ls"], ["volume", "rm", "-f"])):
            names = self.call(*kind, "-q").stdout.split()
            if names:
                self.call(*remove, *names)

    remove_all = clear

    def folder(self, id):
        return self.root / "containers" / id

    def edit_record(self, id, edit):
        """Writes the record of a container anew, with its lines changed by edit(text) and a checksum that is right."""
        status = self.folder(id) / "status"
        text = edit(status.read_text())
        body = text[:text.index("\nsum ") + 1]
        total = 2166136261
        for byte in body.encode():
            total = ((total ^ byte) * 16777619) & 0xffffffff
        status.write_text((body + f"sum {total:08x}\n").ljust(1023) + "\n")

    def shims(self):
        """Pids of the shims of this engine's containers, by the folder that they hold open."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if not open(f"/proc/{pid}/comm").read().startswith("bulkhead-shim"):
                    continue
                links = [os.readlink(f"/proc/{pid}/fd/{n}") for n in os.listdir(f"/proc/{pid}/fd")]
            except OSError:
                continue
            if any(link.startswith(str(self.root)) for link in links):
                found.append(int(pid))
        return found

    def import_image(self, tar, name=None, changes=()):
        args = [word for change in changes for word in ("--change", change)]
        made = self.call("image", "import", *args, image_tar(tar), name or tar)
        assert made.returncode == 0, made.stderr
        return made.stdout.strip()

    def start(self, image, *args, name, options=()):
        """A container in the background, with this name alone: what had it before is removed."""
        self.call("rm", "-f", name)
        self.ok("run", "-d", "--name", name, *options, image, *args)
        return name

    def execute(self, name, *args, options=(), **kwargs):
        return self.call("exec", *options, name, *args, **kwargs)

    def terminal(self, *args, **kwargs):
        return Terminal(self.argv(*args), **kwargs)

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
            "containers": sorted(os.listdir(self.root / "containers")) if (self.root / "containers").exists() else [],
            "shims": self.shims(),
            "groups": [c for c in self.cgroups("/") if not c.endswith("/shims")],  # that one is for all and stays
            "mounts": [line for line in mounts.splitlines() if str(self.root) in line],
        }
