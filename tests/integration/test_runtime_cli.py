# SPDX-License-Identifier: Apache-2.0
"""The command line: global options, logs, version, spec, plan, list."""
import json
import os
import socket
import subprocess

import pytest

from conftest import RUNTIME, CGROUP_TOP, reap


def test_version(bundle):
    for word in ("--version", "-v"):
        lines = bundle.runtime(word).out.splitlines()
        assert lines[0].startswith("bulkhead-runtime version ")
        assert lines[1].startswith("commit: ") and lines[2] == "spec: 1.3.0"


def test_help_of_every_command(bundle):
    text = bundle.runtime("--help").out
    for command in ("create", "start", "run", "state", "kill", "delete", "list", "spec", "plan"):
        assert f"  {command} " in text
        result = bundle.runtime(command, "--help")
        assert result.code == 0 and "Usage:" in result.out


@pytest.mark.parametrize("words", [[], ["nothing"], ["--nothing"], ["run", "--nothing", "x"], ["state"],
                                   ["state", "a", "b"], ["kill"], ["--root"], ["--log-format", "xml", "state", "a"]])
def test_wrong_usage(bundle, words):
    result = bundle.runtime(*words)
    assert result.code == 1 and result.err, result
    assert result.out == ""


def test_long_option_behind_one_dash(bundle):
    bundle.write()
    result = bundle.runtime("run", "-no-subreaper", f"-bundle={bundle.path}", "box")
    assert result.code == 0, result


@pytest.mark.parametrize("words, part", [
    (["--systemd-cgroup"], "systemd"),
    (["--cgroup-manager", "systemd"], "systemd"),
    (["--cgroup-manager", "odd"], "--cgroup-manager"),
    (["--root", "/"], "state folder"),
    (["--log", "/no/such/folder/log"], "log"),
    (["--log", "journald:x"], "journald:x"),
])
def test_refused_global_options(bundle, words, part):
    result = bundle.runtime(*words, "state", "box")
    assert result.code == 1 and part in result.err, result


def console_socket(bundle):
    path = bundle.tmp / "console.sock"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(1)
    listener.settimeout(20)
    return path, listener


def receive_terminal(listener):
    connection, _ = listener.accept()
    data, fds, _, _ = socket.recv_fds(connection, 100, 4)
    connection.close()
    assert len(fds) == 1
    return data, fds[0]


def read_terminal(fd):
    text = b""
    while True:
        try:
            part = os.read(fd, 4096)
        except OSError:  # EIO: its last user has gone
            break
        if not part:
            break
        text += part
    os.close(fd)
    return text.decode()


@pytest.mark.parametrize("user_namespace", [False, True])
@pytest.mark.parametrize("way", ["create", "detach", "foreground"])
def test_terminal_goes_to_the_console_socket(bundle, way, user_namespace):
    if user_namespace:
        bundle.user_namespace()
    bundle.process["terminal"] = True
    bundle.process["consoleSize"] = {"height": 33, "width": 111}
    bundle.sh("tty; stty size; echo console > /dev/console; echo tty > /dev/tty; exit 3")
    path, listener = console_socket(bundle)
    flags = ["--console-socket", path]
    with listener:
        if way == "create":
            assert bundle.create(*flags).code == 0
            data, fd = receive_terminal(listener)
            assert bundle.runtime("start", "box").code == 0
        else:
            bundle.write()
            detach = ["--detach"] if way == "detach" else []
            result = bundle.runtime("run", "--bundle", bundle.path, *flags, *detach, "box")
            assert result.code == (0 if way == "detach" else 3), result
            data, fd = receive_terminal(listener)
    assert data == b"/dev/pts/0"
    assert read_terminal(fd).split() == ["/dev/pts/0", "33", "111", "console", "tty"]
    if way != "foreground":
        bundle.wait_status("stopped")
        bundle.delete()


def test_terminal_and_console_socket_belong_together(bundle):
    path, listener = console_socket(bundle)
    with listener:
        result = bundle.create("--console-socket", path)
        assert result.code == 1 and "--console-socket needs process.terminal" in result.err
        bundle.process["terminal"] = True
        for command in bundle.create, bundle.run:
            result = command()
            assert result.code == 1 and "a terminal needs --console-socket" in result.err
        for bad in "/no/such/socket", "", "/" + 200 * "x":
            result = bundle.create("--console-socket", bad)
            assert result.code == 1 and "console socket" in result.err, result
    assert not bundle.containers()


def test_json_log_has_whole_lines(bundle):
    log = bundle.tmp / "log.json"
    result = bundle.runtime("--log", log, "--log-format", "json", "state", "not\"there")
    assert result.code == 1
    bundle.runtime("--log", log, "--log-format=json", "state", "missing")
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    assert [e["level"] for e in entries] == ["error", "error"]
    assert list(entries[1]) == ["msg", "level", "time"]
    assert entries[1]["msg"] == "container 'missing' does not exist"
    assert entries[1]["time"].endswith("Z")
    assert "does not exist" in result.err or "invalid container id" in result.err, "errors go to stderr, too"


def test_text_log(bundle):
    log = bundle.tmp / "log"
    bundle.runtime("--log", f"file:{log}", "state", "missing")
    assert "level=error msg=\"container 'missing' does not exist\"" in log.read_text()


def test_warnings_go_to_the_log_only(bundle):
    bundle.config["futureKey"] = {"x": 1}
    log = bundle.tmp / "log"
    result = bundle.run("--log", log, "--log-format", "json")
    assert result.code == 0 and result.err == "", result
    assert "futureKey" in json.loads(log.read_text())["msg"]
    result = bundle.run()
    assert "warning: config key 'futureKey' is not known" in result.err
    assert bundle.run("--log-level", "error").err == ""


def test_spec_writes_a_config_that_runs(bundle):
    assert bundle.runtime("spec", "--bundle", bundle.path).code == 0
    config = json.loads((bundle.path / "config.json").read_text())
    assert config["process"]["terminal"] is False
    config["linux"]["cgroupsPath"] = bundle.cgroup
    config["process"]["args"] = ["true"]
    bundle.config = config
    assert bundle.run().code == 0


def test_spec_does_not_overwrite(bundle):
    (bundle.path / "config.json").write_text("mine")
    result = bundle.runtime("spec", "--bundle", bundle.path)
    assert result.code == 1 and "exists already" in result.err
    assert (bundle.path / "config.json").read_text() == "mine"


def test_rootless_spec_has_a_user_namespace(bundle):
    bundle.runtime("spec", "--rootless", "--bundle", bundle.path)
    config = json.loads((bundle.path / "config.json").read_text())
    assert {"type": "user"} in config["linux"]["namespaces"]


def test_plan_prints_and_does_nothing(bundle):
    bundle.write()
    result = bundle.runtime("plan", "--bundle", bundle.path, "box")
    assert result.code == 0 and "\nexec args=[true]" in result.out, result
    assert not bundle.root.exists()


@pytest.mark.parametrize("facts, part", [("v2", "namespace flag=cgroup"), ("v1", "cgroup-join new_namespace=1"),
                                         ("hybrid", "unified=1")])
def test_plan_for_another_machine(bundle, facts, part):
    bundle.linux["resources"]["memory"] = {"limit": 1 << 26}
    bundle.write()
    result = bundle.runtime("plan", "--facts", facts, "--bundle", bundle.path)
    assert result.code == 0 and part in result.out, result


def test_plan_needs_no_root(bundle):
    bundle.write()
    bundle.tmp.chmod(0o755)
    program = bundle.tmp / "runtime"
    program.write_bytes(RUNTIME.read_bytes())
    program.chmod(0o755)
    for parent in list(bundle.tmp.parents)[:-2]:
        if parent.stat().st_mode & 0o001 == 0:
            parent.chmod(parent.stat().st_mode | 0o011)
    result = subprocess.run([program, "plan", "--facts", "v2", "--bundle", bundle.path], user=65534, group=65534,
                            extra_groups=[], capture_output=True, text=True, env={}, check=False)
    assert result.returncode == 0 and "exec args=[true]" in result.stdout, result.stderr


def test_regex_reaches_what_matches(bundle):
    for id in ("web-1", "web-2", "db"):
        bundle.linux["cgroupsPath"] = f"{bundle.cgroup}-{id}"
        bundle.sh("sleep 100")
        assert bundle.create(id=id).code == 0
    assert bundle.runtime("kill", "--regex", "^web-", "KILL").code == 0
    bundle.wait_status("stopped", "web-1")
    bundle.wait_status("stopped", "web-2")
    assert bundle.status("db") == "created"
    result = bundle.runtime("delete", "-r", "(")
    assert result.code == 1 and "no extended regular expression" in result.err
    assert bundle.runtime("delete", "--regex", "^web-[0-9]+$").code == 0
    assert bundle.containers() == ["db"]
    assert bundle.runtime("delete", "--force", "--regex", "nothing").code == 0
    assert bundle.runtime("delete", "--force", "--regex", ".").code == 0
    reap()
    assert bundle.containers() == []


def test_list(bundle):
    result = bundle.runtime("list")
    assert result.code == 1 and "there is no state folder" in result.err
    bundle.root.mkdir(mode=0o700)
    assert bundle.runtime("list").out.split() == ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]
    assert json.loads(bundle.runtime("list", "--format", "json").out) == []
    for id in ("b", "a"):
        bundle.linux["cgroupsPath"] = f"{bundle.cgroup}-{id}"
        bundle.create(id=id)
    assert bundle.runtime("list", "-q").out == "a\nb\n"
    out = bundle.runtime("list", "-f", "json").out
    assert out.startswith('[{"ociVersion":"1.') and out.count("\n") == 1, "one line, as runc writes it"
    entries = json.loads(out)
    assert [(e["id"], e["status"]) for e in entries] == [("a", "created"), ("b", "created")]
    assert bundle.runtime("list").out.splitlines()[1].split()[0] == "a"
    for id in ("a", "b"):
        bundle.delete(id)


def test_cgroup_manager_disabled(bundle):
    bundle.args("cat", "/proc/self/cgroup")
    bundle.config["mounts"] = [m for m in bundle.config["mounts"] if m["type"] != "cgroup"]
    bundle.linux["namespaces"] = [n for n in bundle.linux["namespaces"] if n["type"] != "cgroup"]
    out = bundle.ok("--cgroup-manager", "disabled")
    assert CGROUP_TOP not in out


def test_relative_bundle_and_default_bundle(bundle):
    bundle.write()
    assert bundle.runtime("run", "--bundle", ".", "box").code == 0
    assert bundle.runtime("run", "box").code == 0


def test_other_config_file(bundle):
    bundle.args("false").write()
    os.rename(bundle.path / "config.json", bundle.tmp / "other.json")
    assert bundle.runtime("run", "--bundle", bundle.path, "--config", bundle.tmp / "other.json", "box").code == 1


def test_state_folder_of_somebody_else_is_refused(bundle):
    bundle.root.mkdir()
    os.chown(bundle.root, 65534, 65534)
    result = bundle.run()
    assert result.code == 1 and "belongs to another user" in result.err
