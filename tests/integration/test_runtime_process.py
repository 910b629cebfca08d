# SPDX-License-Identifier: Apache-2.0
"""The process: user, groups, environment, folder, capabilities, limits, descriptors."""
import json
import os
import resource

import pytest

from conftest import CAPS, DATA, RUNTIME


def status_field(text, name):
    return next(line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith(name + ":"))


def caps_of(text):
    return {name: int(status_field(text, name), 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}


def test_user_groups_umask(bundle):
    bundle.process["user"] = {"uid": 1000, "gid": 1001, "additionalGids": [5, 7], "umask": 0o027}
    bundle.sh("id; umask; cat /proc/self/status")
    out = bundle.ok()
    assert out.splitlines()[0].startswith("uid=1000(user) gid=1001 groups=")
    assert out.splitlines()[1] == "0027"
    assert status_field(out, "Groups").split() == ["5", "7"]


def test_no_groups_of_the_caller_survive(bundle):
    bundle.args("cat", "/proc/self/status")
    assert status_field(bundle.ok(), "Groups") in ("", "0")


@pytest.mark.parametrize("uid, home", [(0, "/root"), (1000, "/home/user"), (4711, "/")])
def test_home_comes_from_the_image(bundle, uid, home):
    bundle.process["user"] = {"uid": uid, "gid": 0}
    bundle.sh("echo $HOME")
    assert bundle.ok() == home + "\n"


def test_environment_is_exact(bundle):
    bundle.process["env"] = ["PATH=/bin", "HOME=/x", "A=1=2", "EMPTY="]
    bundle.args("env")
    assert sorted(bundle.ok().splitlines()) == ["A=1=2", "EMPTY=", "HOME=/x", "PATH=/bin"]


def test_last_value_of_a_variable_counts(bundle):
    bundle.process["env"] = ["PATH=/nowhere", "A=1", "HOME=/x", "AB=3", "A=", "PATH=/bin", "A=2", "HOME="]
    bundle.args("env")
    assert sorted(bundle.ok().splitlines()) == ["A=2", "AB=3", "HOME=/root", "PATH=/bin"]


def test_arguments_are_exact(bundle):
    bundle.args("printf", "%s|", "", "two words", "ü\n", "--flag")
    (bundle.rootfs / "bin/printf").symlink_to("busybox")
    assert bundle.ok() == "|two words|ü\n|--flag|"


def test_working_folder(bundle):
    bundle.process["cwd"] = "/made/when/missing"
    bundle.args("pwd")
    assert bundle.ok() == "/made/when/missing\n"


def test_missing_working_folder_of_a_read_only_root_is_made(bundle):
    bundle.config["root"]["readonly"] = True
    bundle.process["cwd"] = "/made/when/missing"
    bundle.sh("pwd; mkdir /more 2>&1")
    out = bundle.run().out
    assert out.startswith("/made/when/missing\n") and "Read-only file system" in out


def test_capability_sets(bundle):
    mask = sum(1 << {"CAP_CHOWN": 0, "CAP_KILL": 5, "CAP_NET_BIND_SERVICE": 10}[c] for c in
               ("CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE"))
    names = ["CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE"]
    bundle.process["capabilities"] = {"bounding": names, "permitted": names, "effective": names[:1]}
    bundle.args("cat", "/proc/self/status")
    got = caps_of(bundle.ok())
    # exec gives root its bounding set
    assert got == {"CapInh": 0, "CapPrm": mask, "CapEff": mask, "CapBnd": mask, "CapAmb": 0}


def test_ambient_capabilities_reach_a_plain_user(bundle):
    names = ["CAP_NET_BIND_SERVICE"]
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    bundle.process["capabilities"] = {s: names for s in
                                      ("bounding", "permitted", "effective", "inheritable", "ambient")}
    bundle.args("cat", "/proc/self/status")
    assert caps_of(bundle.ok()) == {n: 1 << 10 for n in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}


def test_plain_user_without_ambient_has_none(bundle):
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    bundle.args("cat", "/proc/self/status")
    got = caps_of(bundle.ok())
    assert got["CapPrm"] == got["CapEff"] == got["CapAmb"] == got["CapInh"] == 0 and got["CapBnd"]


def test_no_capabilities_object_means_none(bundle):
    del bundle.process["capabilities"]
    bundle.args("cat", "/proc/self/status")
    assert set(caps_of(bundle.ok()).values()) == {0}


def test_missing_capability_is_not_given(bundle):
    """Without CAP_CHOWN root cannot give files away."""
    (bundle.rootfs / "tmp/f").touch()
    bundle.args("chown", "5", "/tmp/f")
    bundle.ok()
    for caps in bundle.process["capabilities"].values():
        caps.remove("CAP_CHOWN") if "CAP_CHOWN" in caps else None
    bundle.process["capabilities"] = {k: [c for c in CAPS if c != "CAP_CHOWN"] for k in
                                      ("bounding", "effective", "permitted")}
    result = bundle.run()
    assert result.code == 1 and "not permitted" in result.err.lower()


def test_unknown_capability(bundle):
    bundle.process["capabilities"]["bounding"] = ["CAP_OF_TOMORROW"]
    assert "CAP_OF_TOMORROW" in bundle.run().err


@pytest.mark.parametrize("value", [True, False])
def test_no_new_privileges(bundle, value):
    bundle.process["noNewPrivileges"] = value
    bundle.args("cat", "/proc/self/status")
    assert status_field(bundle.ok(), "NoNewPrivs") == ("1" if value else "0")


def test_rlimits(bundle):
    bundle.process["rlimits"] = [{"type": "RLIMIT_NOFILE", "soft": 50, "hard": 60},
                                 {"type": "RLIMIT_CORE", "soft": 0, "hard": 0}]
    bundle.args("cat", "/proc/self/limits")
    lines = {line[:26].strip(): line[26:].split()[:2] for line in bundle.ok().splitlines()}
    assert lines["Max open files"] == ["50", "60"]
    assert lines["Max core file size"] == ["0", "0"]


def test_rlimit_above_ours(bundle):
    """Raised where that is possible, else cut with a warning: never an error."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    bundle.process["rlimits"] = [{"type": "RLIMIT_NOFILE", "soft": hard + 1, "hard": hard + 1}]
    bundle.sh("ulimit -Hn")
    result = bundle.run()
    assert result.code == 0, result
    can_raise = int(open("/proc/self/status").read().split("CapEff:")[1].split()[0], 16) >> 24 & 1
    if can_raise:
        assert int(result.out) == hard + 1
    else:
        assert int(result.out) == hard
        assert f"hard limit {hard + 1} cannot be raised above {hard}" in result.err


def test_oom_score(bundle):
    bundle.process["oomScoreAdj"] = 500
    bundle.args("cat", "/proc/self/oom_score_adj")
    assert bundle.ok() == "500\n"


def test_lower_oom_score_is_set_or_told(bundle):
    own = int(open("/proc/self/oom_score_adj").read())
    bundle.process["oomScoreAdj"] = -500
    bundle.args("cat", "/proc/self/oom_score_adj")
    result = bundle.run()
    assert result.code == 0, result
    assert result.out == "-500\n" or (result.out == f"{own}\n" and "oomScoreAdj" in result.err), result


def test_large_rlim_infinity_as_go_writes_it(bundle):
    bundle.process["rlimits"] = [{"type": "RLIMIT_CPU", "soft": 2**64 - 1, "hard": 2**64 - 1}]
    assert bundle.run().code == 0


# --- descriptors ----------------------------------------------------------------------------------------------------------

def test_no_descriptor_leaks(bundle):
    secret = os.open(bundle.tmp, os.O_RDONLY | os.O_DIRECTORY)
    os.set_inheritable(secret, True)
    bundle.sh("ls -l /proc/self/fd; ls -l /proc/1/fd")
    out = bundle.ok(pass_fds=[secret])
    os.close(secret)
    assert str(bundle.tmp) not in out.replace(str(bundle.tmp / "out"), "").replace(str(bundle.tmp / "err"), "")
    numbers = [int(line.split(" -> ")[0].split()[-1]) for line in out.splitlines() if " -> " in line]
    assert max(numbers) <= 3, out


@pytest.mark.parametrize("errno", [1, 38])
@pytest.mark.parametrize("program", ["true", "/bin/true"])
def test_program_is_found_under_a_filter_older_than_faccessat2(bundle, errno, program):
    bundle.process["noNewPrivileges"] = False  # the filter is loaded before the program is looked for
    bundle.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["faccessat2"], "action": "SCMP_ACT_ERRNO", "errnoRet": errno}]}
    bundle.args(program)
    bundle.ok()
    bundle.args("/etc/passwd")
    assert "permission denied" in bundle.run().err


def test_preserve_fds(bundle):
    (bundle.tmp / "one").write_text("first\n")
    (bundle.tmp / "two").write_text("second\n")
    one, two = (os.open(bundle.tmp / n, os.O_RDONLY) for n in ("one", "two"))
    bundle.sh("cat <&3; cat <&4; test ! -e /proc/self/fd/5 || ls -l /proc/self/fd").write()

    def put():
        os.dup2(one, 103), os.dup2(two, 104)
        os.dup2(103, 3), os.dup2(104, 4)
        os.closerange(5, 200)
    result = bundle.runtime("run", "--bundle", bundle.path, "--preserve-fds", "2", "box", preexec_fn=put,
                            close_fds=False)
    os.close(one), os.close(two)
    assert result.code == 0 and result.out == "first\nsecond\n", result


def test_preserved_fds_may_have_holes(bundle):
    """What is not open in the caller stays closed: nothing of the runtime's own takes its number."""
    (bundle.tmp / "one").write_text("first\n")
    one = os.open(bundle.tmp / "one", os.O_RDONLY)
    bundle.sh("cat <&7; for i in $(seq 0 70); do test -e /proc/1/fd/$i && echo $i; done").write()

    def put():
        os.dup2(one, 107)
        os.closerange(3, 100)
        os.dup2(107, 7)
        os.close(107)
    result = bundle.runtime("run", "--bundle", bundle.path, "--preserve-fds", "60", "box", preexec_fn=put,
                            close_fds=False)
    os.close(one)
    assert set(result.out.split()) - {"10"} == {"first", "0", "1", "2", "7"}, result  # 10 may be the shell's


def test_listen_fds_are_passed_on(bundle):
    (bundle.tmp / "sock").write_text("data\n")
    bundle.sh("echo $LISTEN_FDS $LISTEN_PID; cat <&3").write()
    script = f"exec 3<{bundle.tmp}/sock; export LISTEN_FDS=1 LISTEN_PID=$$; exec \"$@\""
    result = bundle.runtime("run", "--bundle", bundle.path, "box", before=["/bin/sh", "-c", script, "sh"])
    assert result.out == "1 1\ndata\n", result


def test_closed_standard_descriptors(bundle):
    bundle.sh("ls /proc/self/fd").write()
    result = bundle.runtime("run", "--bundle", bundle.path, "box",
                            before=["/bin/sh", "-c", "exec 0<&-; exec \"$@\"", "sh"])
    assert result.code == 0 and result.out.split() == ["0", "1", "2", "3"], result


# --- seccomp ---------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("no_new_privileges", [True, False])
def test_seccomp_profile(bundle, no_new_privileges):
    bundle.linux["seccomp"] = json.loads((DATA / "seccomp/docker-like.json").read_text())
    bundle.process["noNewPrivileges"] = no_new_privileges
    bundle.process["capabilities"] = {k: CAPS + ["CAP_SYS_ADMIN"] for k in ("bounding", "effective", "permitted")}
    bundle.sh("grep Seccomp: /proc/self/status; mount -t tmpfs x /tmp; ls -l /bin/busybox > /dev/null; echo alive")
    result = bundle.run()
    assert result.code == 0 and "alive" in result.out, result
    assert "Seccomp:\t2" in result.out
    assert "ermission denied" in result.err or "not permitted" in result.err


def test_seccomp_errno_and_kill(bundle):
    rule = {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}
    bundle.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]}
    bundle.args("mkdir", "/tmp/x")
    result = bundle.run()
    assert result.code == 1 and "No space left" in result.err, result
    rule.update(action="SCMP_ACT_KILL_PROCESS")
    del rule["errnoRet"]
    assert bundle.run().code == 128 + 31


def test_seccomp_names_unknown_to_us_are_skipped(bundle):
    bundle.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW",
                               "syscalls": [{"names": ["call_of_tomorrow"], "action": "SCMP_ACT_ERRNO"}]}
    assert bundle.run().code == 0
