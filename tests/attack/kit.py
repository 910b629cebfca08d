# SPDX-License-Identifier: Apache-2.0
"""What the attack tests share: images made here, the helpers of the integration tests, and a look at the host."""
import ctypes
import hashlib
import importlib.util
import io
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parent / "integration"))

from engine import BUILD, Engine, image_tar, needs_root  # noqa: E402

# Under a name of its own: two modules called conftest would hide each other.
_spec = importlib.util.spec_from_file_location("integration_conftest", HERE.parent / "integration/conftest.py")
box = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(box)

LIBC = ctypes.CDLL(None, use_errno=True)
HOST_KEY = 0x62686174
HOST_NAME = "bulkhead-attack"


def program(tmp, name="probe"):
    """The static probe: meson makes it; a build without tests leaves it to the compiler here."""
    built = pathlib.Path(BUILD) / "tests/attack" / name
    if built.exists():
        return built
    if not shutil.which("gcc"):
        box.skip_or_fail("the probe was not built, and there is no gcc to do it")
    made = tmp / name
    subprocess.run(["gcc", "-static", "-O1", "-D_GNU_SOURCE", "-o", made, *sorted(HERE.glob(f"{name}*.c"))], check=True)
    return made


class Image:
    """A tar under construction; a later entry of a name takes the place of the one of the base."""

    def __init__(self, path, base="busybox", without=()):
        self.path = path
        self.tar = tarfile.open(path, "w", format=tarfile.PAX_FORMAT)
        if base:
            with tarfile.open(image_tar(base)) as tar:
                for member in tar:
                    if member.name.lstrip("./") not in without:
                        self.tar.addfile(member, tar.extractfile(member) if member.isreg() else None)

    def add(self, name, kind=tarfile.REGTYPE, data=b"", mode=0o644, target="", device=(0, 0)):
        entry = tarfile.TarInfo(name)
        entry.type, entry.mode, entry.linkname, entry.size = kind, mode, target, len(data)
        entry.devmajor, entry.devminor = device
        self.tar.addfile(entry, io.BytesIO(data) if data else None)
        return self

    def folder(self, name, mode=0o755):
        return self.add(name, tarfile.DIRTYPE, mode=mode)

    def link(self, name, target):
        return self.add(name, tarfile.SYMTYPE, target=target)

    def fifo(self, name):
        return self.add(name, tarfile.FIFOTYPE)

    def program(self, name, source):
        return self.add(name, data=pathlib.Path(source).read_bytes(), mode=0o755)

    def load(self, engine, name, changes=()):
        self.tar.close()
        args = [word for change in changes for word in ("--change", change)]
        made = engine.call("image", "import", *args, str(self.path), name)
        assert made.returncode == 0, made.stderr
        return name


def no_escapes(*texts):
    """Nothing of ours that a terminal would act on."""
    for text in texts:
        raw = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
        bad = [b for b in raw if b < 0x20 and b != 0x0a or b > 0x7e]
        assert not bad, raw


def without_notes(stderr):
    """The container's own words: a note about an old kernel is ours."""
    return "".join(line for line in stderr.splitlines(True) if not line.startswith("bulkhead: this kernel "))


def host_state(*canaries):
    """What no container may change."""
    def read(path):
        try:
            with open(path, "rb") as f:
                return f.read()
        except OSError as e:
            return e.errno

    def digest(path):
        data = read(path)
        return hashlib.sha256(data).hexdigest() if isinstance(data, bytes) else data

    settings = ["kernel/core_pattern", "kernel/modprobe", "kernel/poweroff_cmd", "kernel/hostname", "kernel/sysrq",
                "kernel/randomize_va_space", "vm/overcommit_memory", "vm/panic_on_oom", "fs/suid_dumpable",
                "fs/protected_symlinks", "user/max_user_namespaces", "user/max_mnt_namespaces", "net/ipv4/ip_forward",
                "net/ipv4/ip_unprivileged_port_start", "net/ipv4/ping_group_range", "kernel/shm_rmid_forced",
                "vm/memfd_noexec", "kernel/msgmax"]
    with open("/proc/self/mountinfo") as f:
        # those of other tests that run beside us are theirs
        mounts = sorted(line.split(" ", 3)[3] for line in f if not line.split()[4].startswith("/tmp/"))
    modules = read("/proc/modules")
    modules = sorted(line.split()[0] for line in modules.splitlines()) if isinstance(modules, bytes) else modules
    return {
        "files": {path: digest(path) for path in ["/etc/passwd", "/etc/shadow", "/etc/group", "/etc/hosts", "/etc/ld.so.cache",
                                                  "/bin/sh", *map(str, canaries)]},
        "settings": {name: read(f"/proc/sys/{name}") for name in settings},
        "mounts": mounts,
        "modules": modules,
        "devices": sorted(os.listdir("/dev")),
        "null": [(s.st_mode, s.st_rdev, s.st_uid) for s in (os.stat("/dev/null"), os.stat("/dev/zero"), os.stat("/dev/tty"))],
    }


bundle = box.bundle
busybox_rootfs = box.busybox_rootfs
host_unchanged = box.host_unchanged
subreaper = box.subreaper
__all__ = ["BUILD", "Engine", "HERE", "HOST_KEY", "HOST_NAME", "Image", "LIBC", "box", "bundle", "busybox_rootfs",
           "host_state", "host_unchanged", "image_tar", "needs_root", "no_escapes", "program", "pytest", "subreaper", "without_notes"]
