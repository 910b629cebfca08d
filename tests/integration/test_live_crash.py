# SPDX-License-Identifier: Apache-2.0
"""Whatever dies, and whenever: the next command finds a state that makes sense, and nothing is lost."""
import os
import random
import shutil
import signal
import subprocess
import time

import pytest

from engine import Engine, needs_root

pytestmark = needs_root

ROUNDS = int(os.environ.get("BULKHEAD_CRASH_ROUNDS", "150"))


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with Engine(tmp_path_factory.mktemp("crash")) as e:
        e.import_image("busybox")
        yield e


@pytest.fixture
def engine(shared):
    shared.clear()
    yield shared
    shared.clear()
    left = {what: things for what, things in shared.state().items() if things}
    assert not left, f"left behind: {left}"


def victims(rng):
    """Command lines that change something, with the names that they use."""
    name = f"box{rng.randrange(4)}"
    return rng.choice([
        ["run", "-d", "--name", name, "busybox", "sleep", "1000"],
        ["run", "-d", "--name", name, "-v", f"vol{rng.randrange(2)}:/data", "-v", "/anonymous", "busybox", "sleep", "1000"],
        ["run", "--rm", "busybox", "true"],
        ["run", "-d", "--rm", "busybox", "true"],
        ["create", "--name", name, "busybox", "echo", "hello"],
        ["start", name],
        ["stop", "-t", "0", name],
        ["restart", "-t", "0", name],
        ["rm", "-f", "-v", name],
        ["rename", name, f"box{rng.randrange(4)}"],
        ["update", "--pids-limit", str(rng.randrange(20, 40)), name],
        ["exec", name, "true"],
        ["pause", name],
        ["unpause", name],
        ["volume", "create", f"vol{rng.randrange(2)}"],
        ["volume", "rm", f"vol{rng.randrange(2)}"],
    ])


def kill_a_shim(engine, rng):
    shims = engine.shims()
    if shims:
        try:
            os.kill(rng.choice(shims), signal.SIGKILL)
        except ProcessLookupError:
            pass


def assert_sound(engine, what):
    """The next commands work, and agree with what runs."""
    engine.call("rm", "-f", "nobody")  # any command that changes something repairs first
    listed = engine.ok("ps", "-a", "--no-trunc", "--format", "{{.ID}} {{.State}}").splitlines()
    check = engine.call("system", "check")
    assert check.returncode == 0, f"{what}: {check.stdout}{check.stderr}"
    for line in listed:
        id, state = line.split()
        shown = engine.call("inspect", "--type", "container", "-f", "{{.State.Pid}}", id)
        if "No such container" in shown.stderr:
            continue  # one of --rm that ended after the list was made
        pid = int(shown.stdout)
        if state in ("running", "paused"):
            assert pid > 0 and os.path.exists(f"/proc/{pid}"), f"{what}: {line}"
        assert state in ("created", "running", "paused", "exited", "restarting"), f"{what}: {line}"


def test_kills_at_any_moment(engine):
    seed = int(os.environ.get("BULKHEAD_CRASH_SEED", random.randrange(1 << 30)))
    rng = random.Random(seed)
    for round in range(ROUNDS):
        words = victims(rng)
        p = subprocess.Popen(engine.argv(*words), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(rng.choice([0, 0.001, 0.003, 0.006, 0.01, 0.02, 0.04]) * rng.random() * 2)
        if rng.random() < 0.3:
            kill_a_shim(engine, rng)
        p.kill()
        p.wait()
        if round % 5 == 4:
            assert_sound(engine, f"seed {seed}, round {round}: {words}")
    assert_sound(engine, f"seed {seed}, at the end")


def test_copies_of_the_state_at_any_moment_can_be_repaired(engine, tmp_path):
    rng = random.Random(4711)
    script = " ; ".join(" ".join(engine.argv(*words)) for words in (
        ["run", "-d", "--name", "one", "-v", "vol:/data", "busybox", "sleep", "1000"], ["run", "--rm", "busybox", "true"],
        ["stop", "-t", "0", "one"], ["start", "one"], ["rm", "-f", "-v", "one"]))
    busy = subprocess.Popen(["sh", "-c", f"while :; do {script} ; done"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        for i in range(12):
            time.sleep(rng.random() * 0.2)
            copy = tmp_path / f"copy{i}"
            # What a copying tool does: file by file, while they change.
            subprocess.run(["cp", "-a", str(engine.root), str(copy)], stderr=subprocess.DEVNULL, check=False)
            with Engine(tmp_path) as other:
                other.root = copy
                other.cgroup_parent += "-copies"
                done = other.call("system", "check", "--repair")
                assert done.returncode == 0, f"copy {i}: {done.stdout}{done.stderr}"
                assert other.call("ps", "-a").returncode == 0
                assert other.run("busybox", "echo", "works").stdout == "works\n"
                shutil.rmtree(copy)
    finally:
        os.killpg(busy.pid, signal.SIGKILL)
        busy.wait()


def test_after_a_reboot_everything_has_ended_and_boot_starts_what_the_policy_says(engine):
    for name, policy in (("no", "no"), ("always", "always"), ("unless", "unless-stopped"), ("stopped", "unless-stopped")):
        engine.detached("--name", name, "--restart", policy, "busybox", "sleep", "1000")
    engine.ok("stop", "-t", "0", "stopped")
    ids = dict(line.split() for line in engine.ok("ps", "-a", "--no-trunc", "--format", "{{.Names}} {{.ID}}").splitlines())
    for pid in engine.shims():
        os.kill(pid, signal.SIGKILL)
    end = time.monotonic() + 10
    while engine.shims() and time.monotonic() < end:
        time.sleep(0.02)
    boot = open("/proc/sys/kernel/random/boot_id").read().strip()
    for id in ids.values():  # as the machine before the reboot left them
        engine.edit_record(id, lambda text: text.replace(boot, "00000000-0000-0000-0000-000000000000"))
    assert engine.ok("ps", "-q") == ""
    assert "machine went down" in engine.status("no", "{{.State.Error}}")
    assert sorted(engine.ok("system", "boot").splitlines()) == ["always", "unless"]
    assert sorted(engine.ok("ps", "--format", "{{.Names}}").splitlines()) == ["always", "unless"]
    assert sorted(engine.ok("system", "shutdown").splitlines()) == ["always", "unless"]
    assert engine.ok("ps", "-q") == ""
    assert sorted(engine.ok("system", "boot").splitlines()) == ["always", "unless"]


def test_a_disk_that_is_full_loses_nothing(engine, tmp_path):
    """The container goes on, its record is that of its end, and the engine works again when there is room."""
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "none", str(tmp_path)]).returncode != 0:
        pytest.skip("tmpfs cannot be mounted here")
    try:
        small = Engine(tmp_path)
        small.import_image("busybox")
        small.detached("--name", "box", "busybox", "sh", "-c", "sleep 1; i=0; while [ $i -lt 200 ]; do echo $i; i=$((i+1)); done; sleep 1000")
        filler = os.open(tmp_path / "filler", os.O_WRONLY | os.O_CREAT)
        try:
            while os.write(filler, b"x" * 65536):
                pass
        except OSError:
            os.close(filler)
        time.sleep(2)
        assert small.status("box") == "running"
        failed = small.call("run", "-d", "busybox", "true")
        assert failed.returncode in (0, 125)
        assert failed.returncode == 0 or "full" in failed.stderr or "space" in failed.stderr, failed.stderr
        os.unlink(tmp_path / "filler")
        small.ok("stop", "-t", "0", "box")
        assert small.status("box", "{{.State.ExitCode}}") == "137"
        assert small.run("busybox", "echo", "works").stdout == "works\n"
        small.clear()
        assert small.call("system", "check").returncode == 0
    finally:
        small.clear()
        subprocess.run(["umount", "-l", str(tmp_path)])
