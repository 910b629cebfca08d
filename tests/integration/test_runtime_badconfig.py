# SPDX-License-Identifier: Apache-2.0
"""Bad configs and bundles: exit 1, one clear sentence, nothing left behind."""
import copy
import json

import pytest

from conftest import CONFIG, cgroup_dirs


def change(path, value):
    """Sets config[a][b]... = value; value None removes the key."""
    def edit(config):
        *parents, last = path.split(".")
        for key in parents:
            config = config.setdefault(key, {})
        if value is None:
            del config[last]
        else:
            config[last] = value
    return edit


NS = [{"type": "mount"}, {"type": "uts"}]

CASES = [
    ("ociVersion", None, "ociVersion"),
    ("ociVersion", "7.0.0", "ociVersion"),
    ("root", None, "root"),
    ("root.path", "no/such/folder", "no/such/folder"),
    ("root.path", "", "root.path"),
    ("process", None, "process"),
    ("process.args", [], "args"),
    ("process.args", [""], "args"),
    ("process.args", "true", "process.args"),
    ("process.args", ["a\x00b"], "NUL"),
    ("process.cwd", "relative", "cwd"),
    ("process.terminal", True, "set process.terminal to false"),
    ("process.user", {"uid": -1, "gid": 0}, "uid"),
    ("process.user", {"uid": 2**32, "gid": 0}, "uid"),
    ("process.rlimits", [{"type": "RLIMIT_NOTHING", "soft": 1, "hard": 1}], "RLIMIT_NOTHING"),
    ("process.rlimits", [{"type": "RLIMIT_CORE", "soft": 2, "hard": 1}], "rlimits"),
    ("process.oomScoreAdj", 5000, "oomScoreAdj"),
    ("process.apparmorProfile", "some", "apparmorProfile"),
    ("process.selinuxLabel", "some", "selinuxLabel"),
    ("linux.namespaces", NS + NS, "twice"),
    ("linux.namespaces", [{"type": "odd"}], "odd"),
    ("linux.namespaces", NS[1:], "mount namespace"),
    ("linux.namespaces", NS + [{"type": "network", "path": "/no/such/ns"}], "/no/such/ns"),
    ("linux.namespaces", NS + [{"type": "network", "path": "/etc/passwd"}], "/etc/passwd"),
    ("linux.namespaces", NS + [{"type": "network", "path": "/proc/self/ns/uts"}], "/proc/self/ns/uts"),
    ("linux.uidMappings", [{"containerID": 0, "hostID": 1, "size": 1}], "user namespace"),
    ("linux.cgroupsPath", "/../../etc", "cgroupsPath"),
    ("linux.cgroupsPath", "system.slice:bulkhead:x", "cgroupsPath"),
    ("linux.sysctl", {"kernel.core_pattern": "|/bin/sh"}, "core_pattern"),
    ("linux.sysctl", {"net.ipv4.no_such_thing": "1"}, "no_such_thing"),
    ("linux.seccomp", {"defaultAction": "SCMP_ACT_MAYBE"}, "SCMP_ACT_MAYBE"),
    ("linux.seccomp", {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_Z80"]}, "SCMP_ARCH_Z80"),
    ("linux.seccomp", {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/x"}, "listenerPath"),
    ("linux.devices", [{"path": "/dev/x", "type": "q", "major": 1, "minor": 1}], "devices"),
    ("linux.intelRdt", {"closID": "x"}, "intelRdt"),
    ("linux.rootfsPropagation", "sideways", "rootfsPropagation"),
    ("hooks", {"prestart": [{"path": "/bin/true"}]}, "hooks"),
    ("mounts", [{"destination": "/x", "type": "nosuchfs"}], "nosuchfs"),
    ("mounts", [{"destination": "/x", "type": "tmpfs", "options": ["size=much"]}], "/x"),
    ("mounts", [{"destination": "/x", "type": "tmpfs", "options": ["no_such_option=1"]}], "no_such_option"),
    ("mounts", [{"destination": "/x", "source": "/no/such", "options": ["bind"]}], "/no/such"),
    ("mounts", [{"destination": "/x", "type": "bind", "source": "/tmp"}], "'bind' or 'rbind'"),
    ("mounts", [{"type": "tmpfs"}], "destination"),
    ("mounts", {"destination": "/x"}, "mounts"),
    ("mounts", [{"destination": "/", "type": "tmpfs"}], "root itself"),
]


@pytest.mark.parametrize("path, value, part", CASES, ids=[f"{p}={json.dumps(v)[:40]}" for p, v, _ in CASES])
def test_bad_config(bundle, path, value, part):
    change(path, value)(bundle.config)
    bundle.refused(part)
    assert not cgroup_dirs()
    created = bundle.create()
    assert created.code == 1 and not bundle.containers() and not cgroup_dirs()


@pytest.mark.parametrize("text, part", [
    ("", "config.json"), ("{", "config.json"), ("[]", "config.json"), ("null", "config.json"), ("\x00", "config.json"),
    ('{"ociVersion":"1.3.0","ociVersion":"1.3.0"}', "ociVersion"),
    ("{" * 5000, "config.json"), ('{"ociVersion":"1.3.0"} trailing', "config.json"),
])
def test_broken_json(bundle, text, part):
    (bundle.path / "config.json").write_text(text)
    result = bundle.runtime("run", "--bundle", bundle.path, "box")
    assert result.code == 1 and part in result.err and result.err.count("\n") == 1, result
    assert not bundle.containers()


def test_truncated_config_never_runs(bundle):
    bundle.config = copy.deepcopy(CONFIG)
    text = json.dumps(bundle.config)
    for length in range(0, len(text), 97):
        (bundle.path / "config.json").write_text(text[:length])
        assert bundle.runtime("run", "--bundle", bundle.path, "box").code == 1
    assert not bundle.containers()


def test_config_that_is_too_large(bundle):
    (bundle.path / "config.json").write_text('{"a":"' + "x" * (5 << 20) + '"}')
    result = bundle.runtime("run", "--bundle", bundle.path, "box")
    assert result.code == 1 and "larger than" in result.err


def test_foreign_bytes_are_escaped_in_errors(bundle):
    bundle.args("\x1b[31mred\nline")
    sentence = bundle.refused()
    assert "\x1b" not in sentence


@pytest.mark.parametrize("where", ["/no/such/bundle", "/etc/passwd", "/"])
def test_bad_bundle(bundle, where):
    result = bundle.runtime("run", "--bundle", where, "box")
    assert result.code == 1 and result.err.count("\n") == 1 and where in result.err, result
    assert "no such file" not in result.err.lower(), "callers would take it for a missing program"


def test_pid_file_that_cannot_be_written(bundle):
    result = bundle.create("--pid-file", "/no/such/folder/pid")
    assert result.code == 1 and "pid file" in result.err
    assert not bundle.containers() and not cgroup_dirs()


def test_unwritable_state_folder(bundle):
    bundle.root = bundle.tmp / "file"
    bundle.root.write_text("")
    result = bundle.create()
    assert result.code == 1 and "state folder" in result.err, result
