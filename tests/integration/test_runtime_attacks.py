# SPDX-License-Identifier: Apache-2.0
"""Root file systems and configs that attack the runtime: the techniques of past CVEs."""
import os
import shutil
import subprocess

import pytest

from conftest import RUNTIME, cgroup_dirs


def witness(bundle):
    """A folder of the host that must stay empty."""
    target = bundle.tmp / "host"
    target.mkdir()
    return target


def replace_by_link(bundle, name, target):
    path = bundle.rootfs / name.strip("/")
    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)
    path.symlink_to(target)


@pytest.mark.parametrize("name", ["proc", "sys"])
@pytest.mark.parametrize("target", ["/tmp", "/etc", "../../..", "data"])
def test_proc_and_sys_may_not_be_links(bundle, name, target):
    """CVE-2019-19921, CVE-2023-27561, CVE-2025-54867."""
    replace_by_link(bundle, name, target)
    bundle.refused(f"/{name}")
    assert not cgroup_dirs()


@pytest.mark.parametrize("relative", [False, True])
def test_dev_as_a_link_stays_inside(bundle, relative):
    """CVE-2026-41579, CVE-2026-47766: ptmx and links made on the host."""
    target = witness(bundle)
    replace_by_link(bundle, "dev", os.path.relpath(target, bundle.rootfs) if relative else str(target))
    result = bundle.run()
    assert os.listdir(target) == []
    if result.code != 0:
        assert "/dev" in result.err, result
    assert not bundle.containers()


@pytest.mark.parametrize("destination", ["/link/in", "/link", "/a/link/b"])
def test_mount_target_through_a_link_stays_inside(bundle, destination):
    """CVE-2019-18837, CVE-2021-30465, CVE-2024-45310."""
    target = witness(bundle)
    (bundle.rootfs / "a").mkdir()
    for place in ("link", "a/link"):
        (bundle.rootfs / place).symlink_to(target)
    bundle.mount(destination, type="tmpfs", source="tmpfs")
    bundle.sh("touch " + destination + "/made")
    bundle.run()
    assert os.listdir(target) == []


def test_bind_target_with_dots_stays_inside(bundle):
    target = witness(bundle)
    bundle.mount("/../../../../../.." + str(target) + "/made", source="/etc/hostname", options=["bind"])
    bundle.run()
    assert os.listdir(target) == []


@pytest.mark.parametrize("cwd", [f"/proc/self/fd/{n}" for n in range(3, 13)] + ["/proc/1/cwd", "/proc/self/root/../.."])
def test_working_folder_in_a_leaked_descriptor(bundle, cwd):
    """CVE-2024-21626."""
    bundle.process["cwd"] = cwd
    bundle.sh("ls -d ../../../../../../../../work ../../../../../../../../boot; pwd; ls ..")
    result = bundle.run()
    assert "boot" not in result.out, result
    assert str(bundle.tmp) not in result.out


def test_working_folder_through_a_link(bundle):
    target = witness(bundle)
    (bundle.rootfs / "link").symlink_to(target)
    bundle.process["cwd"] = "/link/made"
    bundle.sh("pwd -P")
    bundle.run()
    assert os.listdir(target) == []


def test_null_device_as_a_link(bundle):
    """CVE-2025-31133: what covers masked paths must be the real null device."""
    bundle.config["mounts"] = [m for m in bundle.config["mounts"] if not m["destination"].startswith("/dev")]
    (bundle.rootfs / "dev/null").symlink_to("/proc/sys/kernel/core_pattern")
    bundle.sh("wc -c < /proc/keys")
    before = open("/proc/sys/kernel/core_pattern").read()
    result = bundle.run()
    assert result.code != 0 or result.out == "0\n", result
    assert open("/proc/sys/kernel/core_pattern").read() == before


def test_device_path_through_a_link(bundle):
    target = witness(bundle)
    (bundle.rootfs / "link").symlink_to(target)
    bundle.linux["devices"] = [{"path": "/link/node", "type": "c", "major": 1, "minor": 3}]
    bundle.run()
    assert os.listdir(target) == []


def test_volume_on_proc_files_is_refused(bundle):
    """CVE-2019-16884: a fake attr/exec makes labels vanish."""
    bundle.mount("/proc/self/attr", type="tmpfs", source="tmpfs")
    volume = witness(bundle)
    bundle.config["mounts"][-1] = {"destination": "/proc/self", "source": str(volume), "options": ["bind"]}
    bundle.refused("/proc/self")


def test_masked_path_through_a_link_stays_inside(bundle):
    target = witness(bundle)
    (target / "file").write_text("kept")
    (bundle.rootfs / "link").symlink_to(target)
    bundle.linux["maskedPaths"] += ["/link/file", "/link"]
    bundle.linux["readonlyPaths"] += ["/link"]
    bundle.run()
    assert (target / "file").read_text() == "kept"
    (target / "still-writable").touch()


def test_runtime_binary_cannot_be_opened_for_writing(bundle):
    """CVE-2019-5736: the program is /proc/self/exe, the interpreter is the runtime itself."""
    (bundle.rootfs / "bin/again").write_text("#!/proc/self/exe\n")
    (bundle.rootfs / "bin/again").chmod(0o755)
    before = RUNTIME.read_bytes()
    bundle.args("/bin/again")
    bundle.run(timeout=20)
    bundle.sh("for p in /proc/[0-9]*; do echo x >> $p/exe; done; true")
    bundle.run()
    assert RUNTIME.read_bytes() == before


def test_waiting_init_cannot_be_written_through(bundle):
    """Root in another container that shares the pid namespace sees the init that waits at the gate."""
    before = RUNTIME.read_bytes()
    bundle.create()
    pid = bundle.state()["pid"]
    try:
        with open(f"/proc/{pid}/exe", "ab"):
            pytest.fail("the runtime's binary could be opened for writing through the waiting init")
    except OSError:
        pass
    assert RUNTIME.read_bytes() == before
    bundle.delete()


def test_waiting_init_holds_nothing_of_the_host(bundle):
    bundle.create()
    pid = bundle.state()["pid"]
    links = {n: os.readlink(f"/proc/{pid}/fd/{n}") for n in os.listdir(f"/proc/{pid}/fd")}
    allowed = [str(bundle.root / "box" / f) for f in ("start.fifo", "result.fifo")]
    files = [link for n, link in links.items() if int(n) > 2 and link.startswith("/") and link not in allowed]
    assert files == [], links
    bundle.delete()


def test_setuid_program_gains_nothing(bundle):
    """busybox says when an applet that needs its set-uid bit does not get it."""
    (bundle.rootfs / "bin/su").symlink_to("busybox")
    (bundle.rootfs / "bin/busybox").chmod(0o4755)
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    bundle.args("su", "-c", "id")
    assert "must be suid" in bundle.run().err
    bundle.process["noNewPrivileges"] = False
    assert "must be suid" not in bundle.run().err, "the test must be able to fail"


def test_session_keyring_is_new(bundle):
    keyctl = shutil.which("keyctl")
    if not keyctl:
        pytest.skip("keyctl is missing")
    serial = subprocess.run([keyctl, "show", "@s"], capture_output=True, text=True, check=False).stdout
    bundle.linux["maskedPaths"] = []
    bundle.args("cat", "/proc/keys")
    assert serial.split()[:1] != bundle.ok().split()[:1] or not serial


def test_passwd_as_fifo_does_not_hang(bundle):
    (bundle.rootfs / "etc/passwd").unlink()
    os.mkfifo(bundle.rootfs / "etc/passwd")
    bundle.run(timeout=10)


def test_passwd_as_link_to_the_host(bundle):
    secret = bundle.tmp / "passwd"
    secret.write_text("root:x:0:0:root:/leaked:/bin/sh\n")
    (bundle.rootfs / "etc/passwd").unlink()
    (bundle.rootfs / "etc/passwd").symlink_to(secret)
    bundle.sh("echo $HOME")
    assert "/leaked" not in bundle.run().out


def test_state_folder_with_a_link_in_place_of_a_container(bundle):
    target = witness(bundle)
    (target / "state.json").write_text("{}")
    bundle.root.mkdir(mode=0o700)
    (bundle.root / "box").symlink_to(target)
    for words in (["state", "box"], ["delete", "--force", "box"], ["kill", "box"]):
        assert bundle.runtime(*words).code == 1
    assert bundle.create().code == 1
    assert (target / "state.json").read_text() == "{}"
    (bundle.root / "box").unlink()
