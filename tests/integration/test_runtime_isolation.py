# SPDX-License-Identifier: Apache-2.0
"""Namespaces, ids, mounts, devices, covers, sysctls: what the process sees."""
import os
import subprocess

import pytest

from conftest import cgroup_hierarchies, is_cgroup2_only

NAMESPACES = ("cgroup", "ipc", "mnt", "net", "pid", "uts")


def own_namespaces(names=NAMESPACES):
    return {n: os.readlink(f"/proc/self/ns/{n}") for n in names}


def test_every_namespace_is_new(bundle):
    bundle.sh("for n in " + " ".join(NAMESPACES) + "; do readlink /proc/self/ns/$n; done")
    inside = bundle.ok().split()
    for name, link in zip(NAMESPACES, inside):
        assert link.startswith(name + ":") and link != os.readlink(f"/proc/self/ns/{name}")


def test_namespaces_can_be_shared(bundle):
    bundle.linux["namespaces"] = [{"type": "mount"}, {"type": "pid"}]
    del bundle.config["hostname"]
    bundle.sh("for n in cgroup ipc net uts; do readlink /proc/self/ns/$n; done")
    assert bundle.ok().split() == [os.readlink(f"/proc/self/ns/{n}") for n in ("cgroup", "ipc", "net", "uts")]


def test_namespace_by_path_is_joined(bundle):
    holder = subprocess.Popen(["/usr/bin/unshare", "--uts", "--ipc", "/bin/sleep", "100"])
    try:
        want = lambda n: os.readlink(f"/proc/{holder.pid}/ns/{n}")
        while want("ipc") == os.readlink("/proc/self/ns/ipc"):
            pass
        for ns in bundle.linux["namespaces"]:
            if ns["type"] in ("uts", "ipc"):
                ns["path"] = f"/proc/{holder.pid}/ns/{ns['type']}"
        bundle.sh("readlink /proc/self/ns/uts; readlink /proc/self/ns/ipc")
        result = bundle.ok().split()
        assert result == [want("uts"), want("ipc")]
    finally:
        holder.kill()
        holder.wait()


def test_hostname(bundle):
    bundle.sh("hostname; cat /proc/sys/kernel/domainname")
    bundle.config["domainname"] = "example"
    assert bundle.ok() == "inside\nexample\n"


def test_pid_namespace_shows_own_processes_only(bundle):
    bundle.sh("ls /proc | grep -c '^[0-9]'; echo $$")
    count, pid = bundle.ok().split()
    assert int(count) <= 4 and pid == "1"


def test_network_has_loopback_only_and_it_is_up(bundle):
    bundle.sh("ls /sys/class/net; cat /sys/class/net/lo/flags")
    assert bundle.ok().split() == ["lo", "0x9"]


def test_cgroup_namespace_hides_the_path(bundle):
    bundle.args("cat", "/proc/self/cgroup")
    lines = bundle.ok().splitlines()
    assert lines and all(line.endswith(":/") for line in lines), lines


def test_time_namespace(bundle):
    bundle.linux["namespaces"].append({"type": "time"})
    bundle.linux["timeOffsets"] = {"boottime": {"secs": 1000000}}
    bundle.args("cat", "/proc/uptime")
    assert float(bundle.ok().split()[0]) > 1000000


# --- user namespaces -----------------------------------------------------------------------------------------------------------

def test_user_namespace_maps_ids(bundle):
    bundle.user_namespace(host_id=300000)
    bundle.sh("id -u; cat /proc/self/uid_map /proc/self/gid_map; touch /tmp/f; stat -c %u /tmp/f; cat /proc/self/setgroups")
    words = bundle.ok().split()
    assert words == ["0", "0", "300000", "65536", "0", "300000", "65536", "0", "allow"]
    assert (bundle.rootfs / "tmp/f").stat().st_uid == 300000


def test_user_namespace_with_another_user(bundle):
    bundle.user_namespace(host_id=300000)
    bundle.process["user"] = {"uid": 1000, "gid": 1000, "additionalGids": [5]}
    bundle.sh("id -u; id -G; touch /tmp/f")
    assert bundle.ok().split() == ["1000", "1000", "5"]
    assert (bundle.rootfs / "tmp/f").stat().st_uid == 301000


def test_user_namespace_owns_the_others(bundle):
    """Root inside may configure its network; the host's settings stay out of reach."""
    bundle.user_namespace()
    bundle.process["capabilities"] = {k: ["CAP_NET_ADMIN", "CAP_SYS_ADMIN"] for k in
                                      ("bounding", "effective", "permitted")}
    bundle.linux["readonlyPaths"] = []
    bundle.sh("echo 1 > /proc/sys/net/ipv4/ip_forward && echo net; "
              "echo x > /proc/sys/kernel/core_pattern; hostname changed && hostname")
    result = bundle.run()
    assert result.out.split() == ["net", "changed"], result
    assert "core_pattern" in result.err


def test_user_namespace_devices_work(bundle):
    bundle.user_namespace()
    bundle.sh("echo x > /dev/null && head -c 4 /dev/zero | wc -c && head -c 4 /dev/urandom | wc -c; stat -c '%t:%T' /dev/null")
    assert bundle.ok().split() == ["4", "4", "1:3"]


def test_idmapped_bind_mount(bundle):
    volume = bundle.tmp / "volume"
    volume.mkdir()
    (volume / "owned-by-root").touch()
    bundle.user_namespace(host_id=300000)
    bundle.mount("/data", source=str(volume), options=["rbind", "idmap"])
    bundle.sh("stat -c %u /data/owned-by-root; touch /data/new")
    assert bundle.ok() == "0\n"
    assert (volume / "new").stat().st_uid == 0


def test_recursive_idmapped_bind_mount(bundle):
    """'idmap' is for the mount itself, 'ridmap' for those below it too."""
    top = bundle.tmp / "top"
    (top / "sub").mkdir(parents=True)
    (bundle.tmp / "other").mkdir()
    subprocess.run(["mount", "--bind", bundle.tmp / "other", top / "sub"], check=True)
    try:
        bundle.user_namespace(host_id=300000)
        bundle.mount("/data", source=str(top), options=["rbind", "idmap"])
        bundle.sh("stat -c %u /data /data/sub")
        assert bundle.ok().split() == ["0", "65534"]
        bundle.config["mounts"][-1]["options"] = ["rbind", "ridmap"]
        assert bundle.ok().split() == ["0", "0"]
    finally:
        subprocess.run(["umount", top / "sub"], check=True)


# --- file systems ---------------------------------------------------------------------------------------------------------------

def mountinfo(text):
    """target -> (options, super options)"""
    return {line.split()[4]: (line.split()[5].split(","), line.split(" - ")[1].split()[2].split(","))
            for line in text.splitlines()}


def test_mounts_have_their_options(bundle):
    bundle.mount("/data", type="tmpfs", source="tmpfs", options=["ro", "noexec", "size=4k", "mode=700"])
    bundle.sh("cat /proc/self/mountinfo")
    mounts = mountinfo(bundle.ok())
    assert {"nosuid", "nodev", "noexec"} <= set(mounts["/proc"][0])
    assert {"ro", "noexec"} <= set(mounts["/data"][0])
    assert {"size=4k", "mode=700"} <= set(mounts["/data"][1])
    assert "ro" in mounts["/sys"][0] and "ro" in mounts["/sys/fs/cgroup"][0]


def test_nothing_of_the_host_is_mounted(bundle):
    bundle.args("cat", "/proc/self/mountinfo")
    out = bundle.ok()
    assert "/old" not in out and str(bundle.path) not in "".join(line.split(" - ")[1] for line in out.splitlines())


def test_bind_mounts(bundle):
    volume = bundle.tmp / "volume"
    (volume / "sub").mkdir(parents=True)
    (volume / "f").write_text("from the host\n")
    bundle.mount("/data/rw", source=str(volume), options=["bind"])
    bundle.mount("/data/ro", source=str(volume), options=["rbind", "ro"])
    bundle.mount("/data/file", source=str(volume / "f"), options=["bind", "ro"])
    bundle.sh("cat /data/file; touch /data/rw/new && echo written; touch /data/ro/x || echo refused")
    result = bundle.run()
    assert result.out.splitlines() == ["from the host", "written", "refused"], result
    assert (volume / "new").exists() and not (volume / "x").exists()


def test_recursive_read_only(bundle):
    """'ro' is for the mount itself, 'rro' for those below it too."""
    top = bundle.tmp / "top"
    (top / "sub").mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", top / "sub"], check=True)
    try:
        bundle.mount("/data", source=str(top), options=["rbind", "ro"])
        bundle.sh("touch /data/sub/x && echo written || echo refused")
        assert bundle.run().out == "written\n"
        bundle.config["mounts"][-1]["options"] = ["rbind", "rro"]
        assert bundle.run().out == "refused\n"
    finally:
        subprocess.run(["umount", top / "sub"], check=True)


def test_mounts_do_not_reach_the_host(bundle):
    """A mount made inside stays inside, also below a bind of a shared mount."""
    shared = bundle.tmp / "shared"
    shared.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", shared], check=True)
    subprocess.run(["mount", "--make-shared", shared], check=True)
    try:
        (shared / "in").mkdir()
        bundle.mount("/data", source=str(shared), options=["rbind"])
        bundle.process["capabilities"] = {k: ["CAP_SYS_ADMIN"] for k in ("bounding", "effective", "permitted")}
        bundle.sh("mount -t tmpfs x /data/in && touch /data/in/inside && echo mounted")
        assert bundle.run().out == "mounted\n"
        assert not (shared / "in/inside").exists()
        bundle.config["mounts"][-1]["options"] = ["rbind", "rshared"]
        bundle.sh("mount -t tmpfs x /data/in && touch /data/in/inside && umount /data/in && echo mounted")
        assert bundle.run().out == "mounted\n", "a shared mount was asked for"
    finally:
        subprocess.run(["umount", "-R", shared], check=True)


def test_tmpcopyup(bundle):
    (bundle.rootfs / "data/kept").write_text("old\n")
    bundle.mount("/data", type="tmpfs", source="tmpfs", options=["tmpcopyup"])
    bundle.sh("cat /data/kept; touch /data/new")
    assert bundle.ok() == "old\n"
    assert not (bundle.rootfs / "data/new").exists()


def test_missing_bind_source_is_one_sentence(bundle):
    bundle.mount("/data", source="/no/such/thing", options=["bind"])
    bundle.refused("/no/such/thing")


def test_read_only_root(bundle):
    bundle.config["root"]["readonly"] = True
    bundle.sh("touch /tmp/x || echo refused; touch /dev/shm/x && echo shm")
    assert bundle.run().out.splitlines() == ["refused", "shm"]


def test_masked_and_read_only_paths(bundle):
    bundle.linux["maskedPaths"] += ["/data", "/etc/group", "/not/there"]
    bundle.linux["readonlyPaths"] += ["/tmp", "/not/there"]
    (bundle.rootfs / "data/secret").write_text("x")
    bundle.sh("ls /data | wc -l; wc -c < /etc/group; wc -c < /proc/keys; touch /tmp/x || echo refused; "
              "echo 1 > /proc/sys/net/ipv4/ip_forward || echo refused")
    assert bundle.run().out.split() == ["0", "0", "0", "refused", "refused"]


def test_mode_of_a_tmpfs(bundle):
    """That of the folder below; the kernel's when there was none; or what is asked for."""
    (bundle.rootfs / "data").chmod(0o710)
    bundle.mount("/data", type="tmpfs", source="tmpfs", options=["nosuid"])
    bundle.mount("/not/there", type="tmpfs", source="tmpfs", options=["nosuid"])
    bundle.mount("/neither", type="tmpfs", source="tmpfs", options=["mode=700"])
    bundle.args("stat", "-c", "%a", "/data", "/not/there", "/neither")
    assert bundle.ok().split() == ["710", "1777", "700"]


def test_a_path_is_masked_once(bundle):
    for _ in range(2):
        bundle.linux["maskedPaths"] += ["/data", "/etc/group"]
    bundle.sh("grep -c -e ' /data ' -e ' /etc/group ' /proc/self/mountinfo")
    assert bundle.ok() == "2\n"


def test_read_only_tmpfs_gets_its_contents_first(bundle):
    """/dev with 'ro': pts, shm and the nodes are made in it, then it is closed."""
    next(m for m in bundle.config["mounts"] if m["destination"] == "/dev")["options"].append("ro")
    bundle.mount("/tmp", type="tmpfs", source="tmpfs", options=["ro"])
    bundle.mount("/tmp/below", type="tmpfs", source="tmpfs", options=["nosuid"])
    bundle.sh("for d in /dev /tmp /tmp/below /dev/shm; do touch $d/x 2>/dev/null && echo $d; done; "
              "echo > /dev/null && readlink /dev/fd; grep -c ' /dev ' /proc/mounts")
    assert bundle.ok().split() == ["/tmp/below", "/dev/shm", "/proc/self/fd", "1"]


def test_default_devices_and_links(bundle):
    bundle.sh("for d in null zero full random urandom tty; do stat -c '%n %F %t:%T %a' /dev/$d; done; "
              "for l in fd stdin stdout stderr ptmx; do readlink /dev/$l; done")
    lines = bundle.ok().splitlines()
    assert lines[0] == "/dev/null character special file 1:3 666"
    assert lines[5] == "/dev/tty character special file 5:0 666"
    assert lines[6:] == ["/proc/self/fd", "/proc/self/fd/0", "/proc/self/fd/1", "/proc/self/fd/2", "pts/ptmx"]


def test_devices_of_the_config(bundle):
    bundle.linux["devices"] = [{"path": "/dev/own", "type": "c", "major": 1, "minor": 5, "fileMode": 0o640, "uid": 3,
                                "gid": 4}, {"path": "/dev/pipe", "type": "p", "fileMode": 0o600}]
    bundle.sh("stat -c '%F %t:%T %a %u:%g' /dev/own; stat -c '%F %a' /dev/pipe; head -c 2 /dev/own | wc -c")
    assert bundle.ok().splitlines() == ["character special file 1:5 640 3:4", "fifo 600", "2"]


def test_other_devices_are_denied(bundle):
    """A node may be made, but not opened, when the device rules do not allow it."""
    bundle.sh("mknod /tmp/kmsg c 1 11 && head -c 1 /tmp/kmsg || echo refused")
    result = bundle.run()
    assert "refused" in result.out and "not permitted" in result.err.lower(), result
    bundle.linux["resources"]["devices"].append({"allow": True, "type": "c", "major": 1, "minor": 7, "access": "r"})
    bundle.sh("mknod /tmp/f c 1 7 && head -c 1 /tmp/f | wc -c")
    assert bundle.ok() == "1\n"


def test_sysctls(bundle):
    bundle.linux["sysctl"] = {"net.ipv4.ip_unprivileged_port_start": "0", "kernel.shmmax": "1048576"}
    bundle.sh("cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/shmmax")
    before = open("/proc/sys/kernel/shmmax").read()
    assert bundle.ok().split() == ["0", "1048576"]
    assert open("/proc/sys/kernel/shmmax").read() == before


def test_cgroup_mount_shows_own_group_only(bundle):
    bundle.linux["resources"]["pids"] = {"limit": 77}
    bundle.sh("cat /sys/fs/cgroup/pids.max" if is_cgroup2_only() else "cat /sys/fs/cgroup/pids/pids.max")
    if not is_cgroup2_only() and not any(h.name == "pids" for h in cgroup_hierarchies()):
        pytest.skip("no pids controller")
    assert bundle.ok() == "77\n"


def test_no_pivot(bundle):
    bundle.sh("ls / | tr '\\n' ' '").write()
    result = bundle.runtime("run", "--no-pivot", "--bundle", bundle.path, "box")
    assert result.code == 0 and "bin" in result.out and "boot" not in result.out, result


@pytest.mark.parametrize("flags", [[], ["--no-pivot"]])
@pytest.mark.parametrize("kind", ["proc", "sysfs"])
def test_no_mount_without_covers_from_a_nested_user_namespace(bundle, flags, kind):
    """The kernel lets a user namespace mount what is fully visible in the mount namespace: nothing may be."""
    caps = bundle.process["capabilities"]
    for names in caps.values():
        names += ["CAP_SETFCAP", "CAP_SYS_ADMIN"]
    (bundle.rootfs / "bin/unshare").symlink_to("busybox")
    for other in ("/proc", "/sys"):
        bundle.linux["maskedPaths"].append(f"{other}/fs")
    space = "-mUrpfn" if kind == "sysfs" else "-mUrpf"
    bundle.args("unshare", space, "mount", "-t", kind, "new", "/tmp").write()
    result = bundle.runtime("run", *flags, "--bundle", bundle.path, "box")
    assert result.code != 0 and "denied" in result.err + result.out, result


def test_host_dev_bind_is_left_alone(bundle):
    (bundle.tmp / "dev").mkdir()
    bundle.config["mounts"] = [m for m in bundle.config["mounts"] if not m["destination"].startswith("/dev")]
    bundle.mount("/dev", source=str(bundle.tmp / "dev"), options=["rbind"])
    bundle.sh("ls /dev | wc -l")
    assert bundle.ok() == "0\n"
