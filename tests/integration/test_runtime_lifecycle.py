# SPDX-License-Identifier: Apache-2.0
"""create, start, state, kill, delete, run: outputs, exit codes and words that callers match."""
import datetime
import json
import os
import re
import signal
import subprocess
import time

import pytest

from conftest import RUNTIME, cgroup_dirs, cgroup_pids, reap, wait_until


def test_full_life(bundle):
    pid_file = bundle.tmp / "pid"
    bundle.sh("echo started; exec sleep 100")
    created = bundle.create("--pid-file", pid_file)
    assert created.code == 0, created
    assert created.out == "", "the program must not run before start"
    assert bundle.status() == "created"
    pid = bundle.state()["pid"]
    assert pid_file.read_text() == str(pid)

    assert bundle.runtime("start", "box").code == 0
    assert bundle.status() == "running"
    out = bundle.tmp / f"out1"
    assert wait_until(lambda: out.read_text() == "started\n")

    assert bundle.runtime("kill", "box", "KILL").code == 0
    bundle.wait_status("stopped")
    assert bundle.state()["pid"] == 0
    assert bundle.runtime("delete", "box").code == 0
    assert not bundle.containers() and not cgroup_dirs()


def test_state_document(bundle):
    bundle.config["annotations"] = {"org.example": "x\"y\n"}
    bundle.create()
    text = bundle.runtime("state", "box").out
    state = json.loads(text)
    assert text.startswith('{\n  "ociVersion"')
    assert state["id"] == "box" and state["ociVersion"] == "1.3.0"
    assert state["bundle"] == str(bundle.path) and state["rootfs"] == str(bundle.rootfs)
    assert state["annotations"] == {"org.example": "x\"y\n"}
    assert state["owner"] == "root"
    created = datetime.datetime.strptime(re.sub(r"\.\d+Z$", "", state["created"]), "%Y-%m-%dT%H:%M:%S")
    assert abs((datetime.datetime.utcnow() - created).total_seconds()) < 60
    bundle.delete()


def test_process_sees_nothing_of_the_gate(bundle):
    bundle.sh("ls -l /proc/self/fd | wc -l; ls /proc/1/fd | tr '\\n' ' '")
    bundle.create()
    bundle.runtime("start", "box")
    bundle.wait_status("stopped")
    assert (bundle.tmp / "out1").read_text().splitlines()[0] == "5"  # total, 0, 1, 2 and the folder itself
    assert sorted(os.listdir(bundle.root / "box")) == ["plan", "state.json"]
    bundle.delete()


def test_unknown_container(bundle):
    for words in (["state", "box"], ["start", "box"], ["kill", "box"], ["delete", "box"]):
        result = bundle.runtime(*words)
        assert result.code == 1
        assert result.err == "bulkhead-runtime: container 'box' does not exist\n"
    assert bundle.runtime("delete", "--force", "box").code == 0


def test_start_needs_a_created_container(bundle):
    bundle.args("sleep", "100")
    bundle.create()
    assert bundle.runtime("start", "box").code == 0
    again = bundle.runtime("start", "box")
    assert again.code == 1 and "cannot start a container that is not created" in again.err
    bundle.runtime("kill", "box", "9")
    bundle.wait_status("stopped")
    dead = bundle.runtime("start", "box")
    assert dead.code == 1 and "cannot start a container that has stopped" in dead.err
    bundle.delete()


def test_start_after_the_waiting_process_was_killed(bundle):
    bundle.create()
    bundle.runtime("kill", "box", "KILL")
    bundle.wait_status("stopped")
    result = bundle.runtime("start", "box", timeout=5)
    assert result.code == 1 and "has stopped" in result.err
    bundle.delete()


def test_kill_words_of_a_stopped_container(bundle):
    bundle.args("true")
    bundle.create()
    bundle.runtime("start", "box")
    bundle.wait_status("stopped")
    result = bundle.runtime("kill", "box", "TERM")
    assert result.code == 1 and "container not running" in result.err
    assert "container not running" in bundle.runtime("kill", "box", "0").err
    assert bundle.runtime("kill", "--all", "box", "KILL").code == 0, "--all must not fail on a stopped container"
    bundle.delete()


@pytest.mark.parametrize("name", ["USR1", "SIGUSR1", "sigusr1", "10"])
def test_kill_signal_names(bundle, name):
    bundle.sh("trap 'echo got; exit 0' USR1; echo ready; while :; do sleep 0.05; done")
    bundle.create()
    bundle.runtime("start", "box")
    assert wait_until(lambda: "ready" in (bundle.tmp / "out1").read_text())
    assert bundle.runtime("kill", "box", name).code == 0
    bundle.wait_status("stopped")
    assert "got" in (bundle.tmp / "out1").read_text()
    bundle.delete()


def test_kill_unknown_signal(bundle):
    bundle.create()
    result = bundle.runtime("kill", "box", "SIGNOTHING")
    assert result.code == 1 and "unknown signal 'SIGNOTHING'" in result.err
    bundle.delete()


def test_kill_all_reaches_every_process(bundle):
    bundle.linux["namespaces"] = [n for n in bundle.linux["namespaces"] if n["type"] != "pid"]
    bundle.sh("sleep 100 & sleep 100 & wait")
    bundle.create()
    bundle.runtime("start", "box")
    assert wait_until(lambda: len(cgroup_pids()) == 3)
    assert bundle.runtime("kill", "--all", "box", "KILL").code == 0
    assert wait_until(lambda: (reap(), not cgroup_pids())[1])
    bundle.delete()


def test_delete_refuses_a_running_container(bundle):
    bundle.args("sleep", "100")
    bundle.create()
    bundle.runtime("start", "box")
    result = bundle.runtime("delete", "box")
    assert result.code == 1 and "that is not stopped" in result.err
    assert bundle.status() == "running"
    assert bundle.delete().code == 0
    assert not bundle.containers() and not cgroup_dirs()


def test_delete_takes_a_created_container(bundle):
    bundle.create()
    assert bundle.runtime("delete", "box").code == 0
    assert not bundle.containers() and not cgroup_dirs()


def test_delete_kills_what_the_init_left(bundle):
    """Without a pid namespace the children outlive the init."""
    bundle.linux["namespaces"] = [n for n in bundle.linux["namespaces"] if n["type"] != "pid"]
    bundle.sh("sleep 100 & exit 0")
    bundle.create()
    bundle.runtime("start", "box")
    bundle.wait_status("stopped")
    assert cgroup_pids()
    assert bundle.delete(force=False).code == 0
    assert not cgroup_pids() and not cgroup_dirs()


def test_same_id_twice(bundle):
    bundle.create()
    again = bundle.create()
    assert again.code == 1 and "already exists" in again.err
    assert bundle.status() == "created", "the first one must be untouched"
    bundle.delete()


@pytest.mark.parametrize("bad", ["", ".", "..", "a/b", "../up", ".hidden", "a b", "a\nb", "ä", "x" * 1025])
def test_bad_ids(bundle, bad):
    result = bundle.create(id=bad)
    assert result.code == 1 and "invalid container id" in result.err
    assert "invalid character in the container ID" in result.err
    assert "\n" not in result.err.rstrip("\n")
    assert not bundle.containers()


@pytest.mark.parametrize("good", ["a", "0", "_x", "+", "-x".replace("-", "_"), "A-b.c+d_e", "x" * 200])
def test_good_ids(bundle, good):
    bundle.linux["cgroupsPath"] = bundle.cgroup
    result = bundle.run(id=good)
    assert result.code == 0, result


# --- run ----------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("script, code", [("exit 0", 0), ("exit 7", 7), ("exit 255", 255), ("kill -9 $$", None),
                                          ("sh -c 'kill -9 $$'; exit $?", 137)])
def test_run_exit_codes(bundle, script, code):
    """Process 1 of a pid namespace does not die of its own signals."""
    bundle.sh(script)
    result = bundle.run()
    assert result.code == (0 if code is None else code), result
    assert not bundle.containers() and not cgroup_dirs()


def test_run_killed_from_outside(bundle):
    bundle.args("sleep", "100").write()
    run = subprocess.Popen([RUNTIME, "--root", bundle.root, "run", "--bundle", bundle.path, "box"])
    assert wait_until(lambda: bundle.containers() and (bundle.root / "box/state.json").exists())
    assert bundle.runtime("kill", "box", "KILL").code == 0
    assert run.wait(10) == 137
    assert not bundle.containers()


def test_run_forwards_signals(bundle):
    bundle.sh("trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.05; done").write()
    run = subprocess.Popen([RUNTIME, "--root", bundle.root, "run", "--bundle", bundle.path, "box"],
                           stdout=subprocess.PIPE, text=True)
    assert run.stdout.readline() == "ready\n"
    run.send_signal(signal.SIGTERM)
    assert run.wait(10) == 3
    assert run.stdout.read() == "bye\n"
    run.stdout.close()


def test_run_passes_stdin_and_stderr(bundle):
    bundle.sh("cat; echo problem >&2")
    given = bundle.tmp / "given"
    given.write_text("some text\n")
    with open(given) as f:
        result = bundle.run(stdin=f)
    assert (result.code, result.out, result.err) == (0, "some text\n", "problem\n")


def test_run_detached(bundle):
    bundle.args("sleep", "100")
    bundle.write()
    result = bundle.runtime("run", "--detach", "--bundle", bundle.path, "--pid-file", bundle.tmp / "pid", "second")
    assert result.code == 0, result
    assert bundle.status("second") == "running"
    assert int((bundle.tmp / "pid").read_text()) == bundle.state("second")["pid"]
    bundle.delete("second")


def test_run_keep(bundle):
    bundle.args("false").write()
    assert bundle.runtime("run", "--keep", "--bundle", bundle.path, "box").code == 1
    assert bundle.status() == "stopped"
    again = bundle.run()
    assert again.code == 1 and "already exists" in again.err
    assert bundle.runtime("delete", "box").code == 0


@pytest.mark.parametrize("command", ["run", "create"])
def test_missing_program_is_told_as_callers_expect(bundle, command):
    bundle.args("no-such-program").write()
    result = bundle.runtime(command, "--bundle", bundle.path, "box")
    assert result.code == 1 and "executable file not found in $PATH" in result.err
    assert not bundle.containers() and not cgroup_dirs()


def test_program_without_permission(bundle):
    (bundle.rootfs / "bin/plain").write_text("#!/bin/sh\n")
    bundle.args("/bin/plain")
    assert "permission denied" in bundle.refused("/bin/plain").lower()


def test_broken_program_fails_start(bundle):
    """The format of the program is seen by exec only, after the gate."""
    (bundle.rootfs / "bin/broken").write_bytes(b"\x7fELF but not really")
    (bundle.rootfs / "bin/broken").chmod(0o755)
    bundle.args("/bin/broken")
    assert bundle.create().code == 0
    result = bundle.runtime("start", "box")
    assert result.code == 1 and "/bin/broken" in result.err, result
    bundle.wait_status("stopped")
    bundle.delete()
    assert "/bin/broken" in bundle.refused()


# --- interrupted commands -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("delay_ms", [0, 1, 2, 3, 4, 6, 8, 12])
def test_killed_create_is_repaired_by_the_next(bundle, delay_ms):
    bundle.args("true").write()
    words = [RUNTIME, "--root", bundle.root, "create", "--bundle", bundle.path, "box"]
    with open(bundle.tmp / "log", "wb") as log:
        create = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        time.sleep(delay_ms / 1000)
        create.kill()
        create.wait()
    result = bundle.run()
    if result.code != 0:
        assert "already exists" in result.err, result
        assert bundle.status() == "created", "only a complete container may keep its ID"
        assert bundle.delete(force=False).code == 0
        result = bundle.run()
    assert result.code == 0, result
    assert not bundle.containers()


@pytest.mark.parametrize("delay_ms", [0, 2, 4, 8, 20])
def test_killed_run_takes_its_container_with_it(bundle, delay_ms):
    bundle.args("sleep", "100").write()
    words = [RUNTIME, "--root", bundle.root, "run", "--bundle", bundle.path, "box"]
    run = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(delay_ms / 1000)
    run.kill()
    run.wait()
    assert wait_until(lambda: (reap(), not cgroup_pids())[1]), "the container outlived its foreground runtime"
    bundle.args("true")
    assert bundle.run().code == 0, "the next command with the ID must repair"
    assert not bundle.containers() and not cgroup_dirs()


# --- several at once ----------------------------------------------------------------------------------------------------

def start_many(bundle, command, ids):
    bundle.write()
    with open(bundle.tmp / "many", "wb") as log:
        return [subprocess.Popen([RUNTIME, "--root", bundle.root, command, "--bundle", bundle.path, id],
                                 stdin=subprocess.DEVNULL, stdout=log, stderr=log) for id in ids]


def test_one_of_many_creates_with_one_id_wins(bundle):
    codes = [p.wait(30) for p in start_many(bundle, "create", ["box"] * 8)]
    assert sorted(codes) == [0] + [1] * 7
    assert (bundle.tmp / "many").read_text().count("already exists") == 7
    assert bundle.status() == "created"
    assert bundle.delete(force=False).code == 0


def test_many_containers_at_once(bundle):
    runs = []
    for n in range(12):
        bundle.linux["cgroupsPath"] = f"{bundle.cgroup}-{n}"
        bundle.write()
        config = bundle.path / f"config{n}.json"
        os.rename(bundle.path / "config.json", config)
        runs.append(subprocess.Popen([RUNTIME, "--root", bundle.root, "run", "--bundle", bundle.path, "--config",
                                      config, f"box{n}"], stdin=subprocess.DEVNULL))
    assert [r.wait(60) for r in runs] == [0] * 12
    assert not bundle.containers()


def test_delete_beside_a_foreground_run(bundle):
    bundle.args("sleep", "100").write()
    run = subprocess.Popen([RUNTIME, "--root", bundle.root, "run", "--bundle", bundle.path, "box"])
    assert wait_until(lambda: (bundle.root / "box/state.json").exists())
    assert bundle.runtime("delete", "--force", "box").code == 0
    assert run.wait(10) == 137
    assert not bundle.containers() and not cgroup_dirs()
