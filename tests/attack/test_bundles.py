# SPDX-License-Identifier: Apache-2.0
"""Bundles that attack the runtime, with and without a user namespace, with the capabilities that docker gives."""
import copy
import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import textwrap
import time

from kit import *  # noqa: F403

pytestmark = needs_root
ESC = "\x1b[31m\x07\r"
DOCKER = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID",
          "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE"]
SECRET = "SECRET-OF-THE-HOST"


@pytest.fixture
def canary(tmp_path):
    folder = tmp_path / "canary"
    folder.mkdir()
    folder.chmod(0o777)
    (folder / "secret").write_text(SECRET)
    return folder


@pytest.fixture
def victim(bundle, canary):
    """A bundle as docker makes them, and the host after it."""
    bundle.process["capabilities"] = {k: DOCKER for k in ("bounding", "effective", "permitted")}
    before = host_state(canary / "secret")
    yield bundle
    assert host_state(canary / "secret") == before
    assert sorted(p.name for p in canary.iterdir()) == ["secret"]
    assert stat.S_IMODE(canary.stat().st_mode) == 0o777 and canary.stat().st_uid == 0


def replace(path, kind, canary, rootfs):
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    up = os.path.relpath(canary, path.parent)
    if kind == "fifo":
        os.mkfifo(path, 0o666)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as s:
            here = os.getcwd()
            os.chdir(path.parent)
            try:
                s.bind(path.name)
            finally:
                os.chdir(here)
    elif kind == "disk":
        os.mknod(path, stat.S_IFBLK | 0o666, os.makedev(254, 0))
    elif kind == "file":
        path.write_text("x")
    else:
        path.symlink_to({"host": str(canary), "relative": up, "loop": path.name, "magic": "/proc/self/root" + str(canary),
                         "cwd": "/proc/self/cwd", "root": "/", "up": "../" * 20 + str(canary)}[kind])


LOOK = "cat /PLACE/secret 2>/dev/null; [ -p /PLACE ] || head -c 100 /PLACE 2>/dev/null; echo x 2>/dev/null >/PLACE/made; echo ran"


@pytest.mark.parametrize("users", ["host", "userns"])
@pytest.mark.parametrize("own_dev", [False, True], ids=["mounted-dev", "image-dev"])
@pytest.mark.parametrize("kind", ["host", "relative", "loop", "magic", "cwd", "root", "up", "fifo", "socket", "disk", "file"])
def test_place_is_something_else(victim, canary, users, own_dev, kind):
    """CVE-2019-19921, CVE-2023-27561, CVE-2025-31133, CVE-2025-52565, CVE-2026-41579, CVE-2026-47766."""
    if own_dev:
        victim.config["mounts"] = [m for m in victim.config["mounts"] if not m["destination"].startswith("/dev")]
        victim.linux["devices"] = [{"path": "/dev/kept", "type": "c", "major": 1, "minor": 3}]
    if users == "userns":
        victim.user_namespace()
    places = ["dev", "dev/null", "dev/ptmx", "dev/fd", "dev/console", "dev/kept"] if own_dev else ["proc", "sys", "dev"]
    for place in places:
        path = victim.rootfs / place
        path.parent.mkdir(exist_ok=True)
        replace(path, kind, canary, victim.rootfs)
        result = victim.sh(LOOK.replace("PLACE", place)).run(timeout=20)
        no_escapes(result.err)
        assert SECRET not in result.out + result.err, (place, result)
        assert result.code in (0, 1), (place, result)
        if result.code == 1:
            assert "ran" not in result.out and result.err.startswith("bulkhead-runtime: "), (place, result)
        assert not victim.containers() and not box.cgroup_dirs()
        path.unlink()
        if place == "dev":
            path.mkdir()


@pytest.mark.parametrize("users", ["host", "userns"])
@pytest.mark.parametrize("target", ["/proc", "/proc/self", "/proc/sys", "/proc/sys/kernel", "/proc/1", "/proc/self/attr", "/proc/sysrq-trigger",
                                    "/proc/self/fd", "/proc/../proc/self", "//proc//self", "/link", "/link/self", "/vol/../proc/self", "/proc/irq",
                                    "/", "/.", "/..", "/proc/self/root/x", "/proc/kcore"])
def test_nothing_is_put_over_proc(victim, canary, users, target):
    """CVE-2019-16884: a faked /proc/self/attr or /proc/sys makes protections vanish."""
    (victim.rootfs / "link").symlink_to("/proc")
    victim.mount(target, source=str(canary), options=["bind", "rw"])
    if users == "userns":
        victim.user_namespace()
    victim.sh("cat /proc/secret /proc/*/secret /secret; echo ran")
    result = victim.run(timeout=20)
    assert result.code == 1 and "ran" not in result.out, result
    assert SECRET not in result.out + result.err
    no_escapes(result.err)


@pytest.mark.parametrize("users", ["host", "userns"])
def test_a_volume_over_the_root_hides_nothing(victim, canary, tmp_path, users):
    """The image turns the place of a volume into a link to '/': protections below must still be those of /proc."""
    volume = tmp_path / "volume"
    (volume / "proc").mkdir(parents=True)
    (victim.rootfs / "vol").symlink_to("/")
    (victim.rootfs / "sneak").symlink_to("../../proc")
    victim.config["mounts"].insert(0, {"destination": "/vol", "source": str(volume), "options": ["bind", "rw"]})
    if users == "userns":
        victim.user_namespace()
    victim.sh("cat /sneak/keys /proc/keys | wc -c; (echo x > /proc/sysrq-trigger) 2>/dev/null; "
              "(echo 1 > /proc/sys/vm/drop_caches) 2>/dev/null && echo wrote; "
              "(echo 1 > /../proc/sys/vm/drop_caches) 2>/dev/null && echo wrote; echo ran")
    result = victim.run(timeout=20)
    assert result.code in (0, 1), result
    if result.code == 0:
        assert result.out.split() == ["0", "ran"], result


RACER = """
    import ctypes, os, sys
    libc = ctypes.CDLL(None)
    print("racing", flush=True)
    while os.getppid() == int(sys.argv[1]):
        for _ in range(200):
            libc.renameat2(-100, b"sub", -100, b"link", 2)
"""


@pytest.mark.parametrize("users", ["host", "userns"])
def test_shared_volume_is_swapped_while_containers_start(victim, canary, tmp_path, users):
    """CVE-2021-30465, CVE-2024-45310: folder and link change places all the time, in a volume that is mounted first."""
    volume = tmp_path / "volume"
    (volume / "sub").mkdir(parents=True)
    (volume / "link").symlink_to("../" * 20 + str(canary))
    (victim.rootfs / "vol").mkdir()
    victim.mount("/vol", source=str(volume), options=["rbind", "rw"])
    victim.mount("/vol/sub", type="tmpfs", source="tmpfs")
    victim.mount("/vol/sub/file", source="/dev/null", options=["bind"])
    victim.mount("/vol/link/deep/er", type="tmpfs", source="tmpfs", options=["tmpcopyup"])
    victim.linux["maskedPaths"] += ["/vol/sub/secret", "/vol/link/secret"]
    victim.linux["readonlyPaths"] += ["/vol/sub", "/vol/link"]
    if users == "host":
        victim.linux["devices"] = [{"path": "/vol/sub/node", "type": "c", "major": 1, "minor": 3}]
    victim.process["cwd"] = "/vol/sub/cwd"
    if users == "userns":
        victim.user_namespace()
        for path in (volume, volume / "sub"):
            os.chown(path, 100000, 100000)
    victim.sh(f"cat /vol/sub/secret /vol/link/secret secret ../secret 2>/dev/null; ls /vol/sub /vol/link; echo x 2>/dev/null >made; "
              f"grep -c {canary.name} /proc/self/mountinfo; echo ran")
    ran, end = 0, time.monotonic() + 20
    racer = subprocess.Popen([sys.executable, "-c", textwrap.dedent(RACER), str(os.getpid())], cwd=volume, stdout=subprocess.PIPE)
    try:
        racer.stdout.readline()
        for i in range(150):
            result = victim.run(timeout=20)
            assert SECRET not in result.out + result.err, (i, result)
            assert canary.name not in result.out, (i, result)
            ran += "ran" in result.out
            if time.monotonic() > end:
                break  # a slow machine
            if i % 25 == 0:
                assert sorted(p.name for p in canary.iterdir()) == ["secret"], i
    finally:
        racer.kill()
        racer.wait()
        racer.stdout.close()
    assert ran > 0, "no container started: the race was not run"


@pytest.mark.parametrize("key, value", [
    ("kernel.core_pattern", "|/evil"), ("kernel/core_pattern", "|/evil"), ("net.ipv4.ip_forward+kernel.core_pattern", "1"),
    ("net/../kernel/core_pattern", "|/evil"), ("net.ipv4.....kernel.core_pattern", "|/evil"), ("kernel.shm_rmid_forced", "1\nkernel.core_pattern=|/evil"),
    ("kernel.hostname/../core_pattern", "|/evil"), ("kernel.hostname.core_pattern", "x"), ("net//ipv4/ip_forward", "1"), ("net/./ipv4/ip_forward", "1"),
    ("/proc/sys/kernel/core_pattern", "|/evil"), ("vm.drop_caches", "1"), ("fs.suid_dumpable", "2"), ("kernel.yama.ptrace_scope", "0"), ("", "1"),
    ("net", "1"), ("net.", "1"), ("net.ipv4", "1"), ("kernel.modprobe", "/evil"), ("kernel.ns_last_pid", "1"), ("user.max_user_namespaces", "1"),
    ("net.ipv4.ip_forward", "x" * 5000), (ESC, ESC), ("net." + ESC, "1"),
])
@pytest.mark.parametrize("users", ["host", "userns"])
def test_sysctl_reaches_namespaces_only(victim, users, key, value):
    """CVE-2022-0811."""
    if users == "userns":
        victim.user_namespace()
    victim.linux["sysctl"] = {key: value}
    result = victim.args("true").run()
    # with a user namespace its own limits are the container's
    assert result.code == (0 if key.startswith("user.") and users == "userns" else 1), result
    no_escapes(result.err)


@pytest.mark.parametrize("kind", ["network", "ipc", "uts"])
def test_sysctl_of_a_joined_host_namespace(victim, kind):
    """A path that leads to the host's own namespace is no namespace of the container."""
    key, value = {"network": ("net.ipv4.ip_default_ttl", "77"), "ipc": ("kernel.msgmax", "7777"), "uts": ("kernel.domainname", "evil")}[kind]
    path = "/proc/sys/" + key.replace(".", "/")
    before = open(path).read()
    victim.linux["namespaces"] = [dict(n, path=f"/proc/self/ns/{ {'network': 'net'}.get(kind, kind)}") if n["type"] == kind else n
                                  for n in victim.linux["namespaces"]]
    if kind == "uts":
        del victim.config["hostname"]
    victim.linux["sysctl"] = {key: value}
    victim.args("true").run()
    after = open(path).read()
    if after != before:
        with open(path, "w") as f:
            f.write(before)
    assert after == before


@pytest.mark.parametrize("kind", ["mount", "uts", "network"])
def test_joining_the_hosts_namespace_is_having_none(victim, kind):
    """What would be set up in it is refused: names, devices, and mounts above all. In a namespace of the test's own."""
    file = {"network": "net", "mount": "mnt"}.get(kind, kind)
    victim.linux["namespaces"] = [dict(n, path=f"/proc/self/ns/{file}") if n["type"] == kind else n
                                  for n in victim.linux["namespaces"]]
    before = ("unshare", "--mount", "--uts", "--net", "--propagation", "private")
    result = victim.sh("echo ran").run(before=before)
    if kind == "network":
        assert result.out == "ran\n", result  # nothing is set up in it
    else:
        assert result.code == 1 and "namespace" in result.err, result


@pytest.mark.parametrize("users", ["host", "userns"])
def test_disks_stay_shut(victim, users):
    """MKNOD makes nodes; the control group, the user namespace or nodev keeps them shut."""
    victim.linux["resources"]["devices"] = [{"allow": False, "access": "rwm"}, {"allow": True, "type": "c", "access": "m"},
                                            {"allow": True, "type": "b", "access": "m"}]
    if users == "userns":
        victim.user_namespace()
    numbers = {line.split()[0] + " " + line.split()[1] for line in open("/proc/partitions") if line.strip()[:1].isdigit()} | {"8 0"}
    nodes = [("b", *number.split()) for number in numbers] + [("c", "1", "1"), ("c", "1", "11"), ("c", "10", "232"), ("c", "10", "237")]
    script = "for d in /tmp /dev /dev/shm /data; do " + "".join(
        f"mknod $d/n {t} {a} {b} 2>/dev/null; head -c 1 $d/n >/dev/null 2>&1 && echo READ {t} {a}:{b}; (: >$d/n) 2>/dev/null && "
        f"[ ! -f $d/n ] && echo WROTE {t} {a}:{b}; rm -f $d/n; " for t, a, b in nodes) + "done; echo ran"
    assert victim.sh(script).ok().split() == ["ran"]


def texts(value, path=()):
    """The path of every text in the config."""
    if isinstance(value, dict):
        for key in value:
            yield from texts(value[key], (*path, key))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from texts(item, (*path, i))
    elif isinstance(value, str):
        yield path


def test_no_text_of_a_config_drives_a_terminal(victim):
    """Every text of the config in turn is an escape sequence, and so is a key."""
    whole = copy.deepcopy(victim.config)
    whole["annotations"] = {"a": "b"}
    whole["linux"]["devices"] = [{"path": "/dev/x", "type": "c", "major": 1, "minor": 3}]
    whole["linux"]["sysctl"] = {"net.ipv4.ip_forward": "0"}
    whole["linux"]["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["reboot"], "action": "SCMP_ACT_ERRNO"}]}
    whole["process"]["rlimits"] = [{"type": "RLIMIT_CORE", "hard": 1, "soft": 1}]
    seen = set()
    for path in texts(whole):
        if path[:2] == ("linux", "cgroupsPath") or path in seen or (path[:2] == ("process", "capabilities") and path[-1] > 0):
            continue
        for text in (ESC, "/" + ESC):
            victim.config = copy.deepcopy(whole)
            at = victim.config
            for key in path[:-1]:
                at = at[key]
            at[path[-1]] = text
            result = victim.run("--debug", timeout=20)
            no_escapes(result.err, result.out)
    for at in ((), ("process",), ("linux",), ("linux", "resources")):
        victim.config = copy.deepcopy(whole)
        place = victim.config
        for key in at:
            place = place[key]
        place[ESC] = {"x": ESC}
        result = victim.run("--debug", timeout=20)
        no_escapes(result.err)


@pytest.mark.parametrize("words", [["state", ESC], ["kill", ESC], ["kill", "box", ESC], ["delete", ESC], ["start", ESC], [ESC], ["--" + ESC],
                                   ["create", "--bundle", "/" + ESC, "x"], ["create", "--bundle", ESC, "x"], ["--log-format", ESC, "list"],
                                   ["--root", "/etc/hostname/" + ESC, "list"], ["create", "--pid-file", "/" + ESC + "/x", "x"],
                                   ["--log", "/" + ESC + "/x", "list"], ["create", "--console-socket", "/" + ESC, "x"]])
def test_no_argument_drives_a_terminal(bundle, words):
    bundle.write()
    result = bundle.runtime(*words)
    assert result.code != 0, result
    no_escapes(result.err, result.out)


def test_output_about_a_container_drives_no_terminal(bundle):
    bundle.config["annotations"] = {ESC: ESC, "k": "\u009b31m"}
    assert bundle.create().code == 0
    for words in (["state", "box"], ["list"], ["list", "--format", "json"]):
        no_escapes(bundle.runtime(*words).out)
    bundle.delete()
    for form in ("text", "json"):
        log = bundle.tmp / "log"
        bundle.process["cwd"] = "/" + ESC + "\u009b"
        bundle.process["args"] = [ESC]
        bundle.write()
        bundle.runtime("--log", log, "--log-format", form, "run", "--bundle", bundle.path, "box")
        no_escapes(log.read_bytes())
        if form == "json":
            assert all(json.loads(line) for line in log.read_text().splitlines()[-1:])


def test_state_is_for_root_only(bundle):
    """CVE-2024-25621: what lies in the state folder tells about containers, and its pipes start them."""
    old = os.umask(0)
    try:
        assert bundle.create("--pid-file", bundle.tmp / "pid").code == 0
    finally:
        os.umask(old)
    assert stat.S_IMODE(bundle.root.stat().st_mode) & 0o077 == 0
    for path in bundle.root.rglob("*"):
        assert stat.S_IMODE(path.lstat().st_mode) & 0o077 == 0, path
    assert stat.S_IMODE((bundle.tmp / "pid").stat().st_mode) & 0o022 == 0
    pid = bundle.state()["pid"]
    assert os.stat(f"/proc/{pid}/mem").st_uid == 0
    tries = ["cat /proc/PID/environ", "cat /proc/PID/maps", "ls /proc/PID/fd", "echo x >/proc/PID/mem", "readlink /proc/PID/exe"]
    for line in tries:
        run = subprocess.run(["sh", "-c", line.replace("PID", str(pid))], user=65534, group=65534, extra_groups=[], capture_output=True)
        assert run.returncode != 0 and not run.stdout, (line, run)
