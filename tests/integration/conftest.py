# SPDX-License-Identifier: Apache-2.0
"""What all integration tests share: the programs under test, a bundle to change, and a look at the host before
and after each test, so that whatever a test leaves behind makes it fail."""
import copy
import ctypes
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

import pytest

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("BULKHEAD_BUILD", HERE / "../../build")).resolve()
RUNTIME = BUILD / "src/cmd/bulkhead-runtime/bulkhead-runtime"
DATA = HERE.parent / "data"
MUST_WORK = os.environ.get("BULKHEAD_MUST_WORK") == "1"
CGROUP_TOP = f"/bulkhead-test/py{os.getpid()}"
CGROUPS = pathlib.Path("/sys/fs/cgroup")
PR_SET_CHILD_SUBREAPER = 36
LIBC = ctypes.CDLL(None, use_errno=True)


def skip_or_fail(reason):
    if MUST_WORK:
        pytest.fail(reason)
    pytest.skip(reason)


# --- cgroups ------------------------------------------------------------------------------------------------------------

def is_cgroup2_only():
    return (CGROUPS / "cgroup.controllers").exists()


def cgroup_hierarchies():
    """The folders that can hold a container's group."""
    if is_cgroup2_only():
        return [CGROUPS]
    return [h for h in CGROUPS.iterdir() if h.is_dir() and not h.is_symlink() and (h / "cgroup.procs").exists()]


def cgroup_dirs(below=CGROUP_TOP):
    """Every group below the given one, in every hierarchy, without the top itself."""
    found = []
    for h in cgroup_hierarchies():
        top = h / below.strip("/")
        if top.is_dir():
            found += [str(p) for p in top.rglob("*") if p.is_dir()]
    return sorted(found)


def cgroup_pids(below=CGROUP_TOP):
    pids = set()
    for h in cgroup_hierarchies():
        top = h / below.strip("/")
        for procs in top.rglob("cgroup.procs") if top.is_dir() else []:
            try:
                pids.update(int(line) for line in procs.read_text().split())
            except OSError:
                pass
    return pids


def remove_cgroups(below=CGROUP_TOP):
    for d in reversed(cgroup_dirs(below)):
        try:
            os.rmdir(d)
        except OSError:
            pass
    for h in cgroup_hierarchies():
        for d in (h / below.strip("/"), h / below.strip("/").split("/")[0]):
            try:
                os.rmdir(d)
            except OSError:
                pass


# --- the host before and after ------------------------------------------------------------------------------------------

def mounts_of_tests(tmp):
    """Mounts that a test may have left: below its folder, or named by us."""
    with open("/proc/self/mountinfo") as f:
        return sorted(line.split()[4] for line in f if str(tmp) in line or "bulkhead-test" in line)


def reap():
    """Orphans come to us, because we are their subreaper."""
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                return
        except ChildProcessError:
            return


def children():
    with open(f"/proc/self/task/{os.getpid()}/children") as f:
        return [int(pid) for pid in f.read().split()]


def wait_until(condition, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return bool(condition())


@pytest.fixture(scope="session", autouse=True)
def subreaper():
    LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    yield
    remove_cgroups()


@pytest.fixture(autouse=True)
def host_unchanged(request, tmp_path):
    """Fails a test that leaves mounts, control groups, processes or file descriptors."""
    fds = len(os.listdir("/proc/self/fd"))
    before = children()
    yield
    reap()
    wait_until(lambda: (reap(), set(children()) <= set(before))[1], 2)
    left = {
        "mounts": mounts_of_tests(tmp_path),
        "control groups": cgroup_dirs(),
        "processes": [p for p in children() if p not in before],
        "descriptors": list(range(max(0, len(os.listdir("/proc/self/fd")) - fds))),
    }
    for pid in left["processes"]:
        os.kill(pid, signal.SIGKILL)
    reap()
    remove_cgroups()
    left = {what: things for what, things in left.items() if things}
    assert not left, f"the test left behind: {left}"


# --- a bundle -----------------------------------------------------------------------------------------------------------

APPLETS = ("[ cat chmod chown cp date dd df echo env expr false grep head hostname id ifconfig ip kill ln ls mkdir mknod "
           "mount mv nc nproc ps pwd readlink rm sed seq sh sleep sort stat sysctl tail test touch true umount uname "
           "wc which yes").split()

CAPS = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_MKNOD", "CAP_NET_BIND_SERVICE",
        "CAP_SETGID", "CAP_SETUID", "CAP_SYS_CHROOT"]

CONFIG = {
    "ociVersion": "1.3.0",
    "root": {"path": "rootfs"},
    "hostname": "inside",
    "process": {
        "args": ["true"],
        "cwd": "/",
        "env": ["PATH=/bin"],
        "user": {"uid": 0, "gid": 0},
        "noNewPrivileges": True,
        "capabilities": {"bounding": CAPS, "effective": CAPS, "permitted": CAPS},
    },
    "mounts": [
        {"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "noexec", "nodev"]},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
         "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
        {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
         "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]},
        {"destination": "/dev/shm", "type": "tmpfs", "source": "shm",
         "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]},
        {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]},
        {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup",
         "options": ["nosuid", "noexec", "nodev", "ro"]},
    ],
    "linux": {
        "cgroupsPath": "set by the fixture",
        "namespaces": [{"type": t} for t in ("pid", "network", "ipc", "uts", "mount", "cgroup")],
        "resources": {"devices": [{"allow": False, "access": "rwm"}]},
        "maskedPaths": ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"],
        "readonlyPaths": ["/proc/bus", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
    },
}


@pytest.fixture(scope="session")
def busybox_rootfs(tmp_path_factory):
    """A root file system of one static busybox, made once and copied for each test."""
    busybox = shutil.which("busybox", path="/bin:/usr/bin")
    if not busybox:
        skip_or_fail("busybox is missing (apt install busybox-static)")
    with open(busybox, "rb") as f:
        if b"/ld-linux" in f.read(4096):  # the interpreter stands in front
            skip_or_fail("busybox is not static (apt install busybox-static)")
    top = tmp_path_factory.mktemp("rootfs")
    top.chmod(0o755)
    for name in ("bin", "dev", "etc", "proc", "root", "sys", "tmp", "data"):
        (top / name).mkdir()
    (top / "tmp").chmod(0o1777)
    shutil.copy(busybox, top / "bin/busybox")
    for name in APPLETS:
        (top / "bin" / name).symlink_to("busybox")
    (top / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:A user:/home/user:/bin/sh\n")
    (top / "etc/group").write_text("root:x:0:\nuser:x:1000:\n")
    return top


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __repr__(self):
        return f"exit {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


class Bundle:
    """A bundle, its config as a dict, and a state folder of its own."""

    def __init__(self, tmp, template):
        self.path = tmp / "bundle"
        self.rootfs = self.path / "rootfs"
        self.root = tmp / "state"
        self.tmp = tmp
        self.path.mkdir()
        shutil.copytree(template, self.rootfs, symlinks=True)
        tmp.chmod(0o755)
        self.config = copy.deepcopy(CONFIG)
        self.cgroup = f"{CGROUP_TOP}/{tmp.name}"
        self.config["linux"]["cgroupsPath"] = self.cgroup
        self.n = 0

    # the config
    @property
    def process(self):
        return self.config["process"]

    @property
    def linux(self):
        return self.config["linux"]

    def args(self, *words):
        self.process["args"] = list(words)
        return self

    def sh(self, script):
        return self.args("sh", "-c", script)

    def mount(self, destination, **fields):
        self.config["mounts"].append(dict(destination=destination, **fields))
        return self

    def user_namespace(self, host_id=100000, size=65536):
        """With the files of the root file system owned by the mapped root."""
        self.linux["namespaces"].append({"type": "user"})
        for key in ("uidMappings", "gidMappings"):
            self.linux[key] = [{"containerID": 0, "hostID": host_id, "size": size}]
        for path in [self.rootfs, *self.rootfs.rglob("*")]:
            os.chown(path, host_id, host_id, follow_symlinks=False)
        return self

    def write(self):
        (self.path / "config.json").write_text(json.dumps(self.config))

    # the runtime
    def runtime(self, *words, timeout=30, stdin=subprocess.DEVNULL, before=(), program=RUNTIME, root=True, **more):
        """Output goes to files: a container that lives on would keep pipes open."""
        self.n += 1
        out, err = self.tmp / f"out{self.n}", self.tmp / f"err{self.n}"
        command = [*before, str(program), *(["--root", str(self.root)] if root else []), *map(str, words)]
        with open(out, "wb") as o, open(err, "wb") as e:
            code = subprocess.run(command, stdin=stdin, stdout=o, stderr=e, timeout=timeout, cwd=self.path,
                                  check=False, **more).returncode
        return Result(code, out.read_text(errors="replace"), err.read_text(errors="replace"))

    def run(self, *flags, id="box", **more):
        self.write()
        return self.runtime(*flags, "run", "--bundle", self.path, id, **more)

    def ok(self, *flags, **more):
        """Runs, expects success, returns stdout."""
        result = self.run(*flags, **more)
        assert result.code == 0, result
        return result.out

    def refused(self, *parts, **more):
        """Runs, expects one clear sentence and nothing made; returns it."""
        result = self.run(**more)
        assert result.code == 1, result
        lines = [line for line in result.err.splitlines() if "warning:" not in line]
        assert len(lines) == 1 and lines[0].startswith("bulkhead-runtime: "), result
        for part in parts:
            assert part in lines[0], result
        assert not self.containers(), result
        return lines[0]

    def create(self, *flags, id="box", **more):
        self.write()
        return self.runtime("create", "--bundle", self.path, *flags, id, **more)

    def state(self, id="box"):
        result = self.runtime("state", id)
        assert result.code == 0, result
        return json.loads(result.out)

    def status(self, id="box"):
        return self.state(id)["status"]

    def delete(self, id="box", force=True):
        result = self.runtime("delete", *(["--force"] if force else []), id)
        reap()
        return result

    def containers(self):
        return sorted(os.listdir(self.root)) if self.root.is_dir() else []

    def wait_status(self, status, id="box"):
        assert wait_until(lambda: (reap(), self.status(id) == status)[1]), self.state(id)


@pytest.fixture
def bundle(tmp_path, busybox_rootfs):
    if os.geteuid() != 0:
        skip_or_fail("this test needs root")
    if not RUNTIME.exists():
        skip_or_fail(f"{RUNTIME} is not built")
    b = Bundle(tmp_path, busybox_rootfs)
    yield b
    for id in b.containers():
        b.delete(id)
