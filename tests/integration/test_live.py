# SPDX-License-Identifier: Apache-2.0
"""Containers that live on: detached, attached, stopped, restarted, and what happens when something dies."""
import json
import os
import signal
import subprocess
import time

import pytest

from engine import CGROUP_ROOT, Engine, needs_root

pytestmark = needs_root


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with Engine(tmp_path_factory.mktemp("live")) as e:
        e.import_image("busybox")
        yield e


@pytest.fixture
def engine(shared):
    """Clean before and after, and nothing left outside."""
    shared.clear()
    yield shared
    shared.clear()
    left = {what: things for what, things in shared.state().items() if things}
    assert not left, f"left behind: {left}"


LOOP = "trap 'echo term; exit 5' TERM; echo up; while :; do sleep 0.05; done"


# --- start and end ------------------------------------------------------------------------------

def test_detached_prints_the_id_and_lives_on(engine):
    id = engine.detached("--name", "box", "busybox", "sleep", "1000")
    assert len(id) == 64 and int(id, 16)
    assert engine.status("box") == "running"
    pid = int(engine.status("box", "{{.State.Pid}}"))
    assert b"sleep" in open(f"/proc/{pid}/cmdline", "rb").read()
    assert engine.ok("rm", "-f", "box") == "box"
    assert not os.path.exists(f"/proc/{pid}")


def test_exit_code_and_output_are_kept(engine):
    engine.detached("--name", "box", "busybox", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert engine.ok("wait", "box") == "7"
    assert engine.status("box", "{{.State.ExitCode}} {{.State.Status}} {{.State.Running}}") == "7 exited false"
    logs = engine.call("logs", "box")
    assert (logs.stdout, logs.stderr) == ("out\n", "err\n")


def test_stopped_container_starts_again_with_its_files(engine):
    engine.detached("--name", "box", "busybox", "sh", "-c", "echo more >>/kept; cat /kept; " + LOOP)
    engine.wait_log("box", "up")
    assert engine.ok("stop", "box") == "box"
    assert engine.status("box", "{{.State.ExitCode}}") == "5"
    assert engine.ok("start", "box") == "box"
    engine.wait_log("box", "more\nmore")
    assert engine.ok("restart", "-t", "1", "box") == "box"
    engine.wait_log("box", "more\nmore\nmore")


def test_starting_one_twice_at_once_is_no_error(engine):
    engine.ok("create", "--name", "box", "busybox", "sleep", "1000")
    for _ in range(5):
        assert engine.ok("start", "box", "box") == "box\nbox"
        assert engine.ok("start", "box") == "box"
        engine.ok("stop", "-t", "0", "box")


def test_init_that_ignores_signals_is_killed_after_the_timeout(engine):
    engine.detached("--name", "box", "busybox", "sleep", "1000")
    begun = time.monotonic()
    engine.ok("stop", "-t", "1", "box")
    assert 0.9 < time.monotonic() - begun < 8
    assert engine.status("box", "{{.State.ExitCode}}") == "137"


def test_stop_of_several_waits_for_all_at_once(engine):
    names = [f"box{i}" for i in range(4)]
    for name in names:
        engine.detached("--name", name, "busybox", "sleep", "1000")
    begun = time.monotonic()
    assert engine.ok("stop", "-t", "2", *names).splitlines() == names
    assert time.monotonic() - begun < 7


def test_missing_program_leaves_a_created_container(engine):
    error = engine.refused("run", "-d", "--name", "box", "busybox", "no-such-program", code=127)
    assert "executable file not found in $PATH" in error
    assert engine.status("box", "{{.State.Status}} {{.State.ExitCode}}") == "created 127"
    assert "no-such-program" in engine.status("box", "{{.State.Error}}")


def test_auto_remove_of_a_detached_container(engine):
    engine.detached("--rm", "--name", "box", "busybox", "true")
    end = time.monotonic() + 10
    while engine.state()["containers"] and time.monotonic() < end:
        time.sleep(0.05)
    assert engine.ok("ps", "-a", "-q") == ""
    assert not engine.state()["containers"] and not engine.state()["rw"]


def test_oom_kill_is_shown(engine):
    engine.detached("--name", "box", "-m", "32m", "busybox", "sh", "-c", "tail /dev/zero")
    engine.ok("wait", "box")
    assert engine.status("box", "{{.State.OOMKilled}} {{.State.ExitCode}}") == "true 137"


def test_pause_freezes_and_unpause_goes_on(engine):
    engine.detached("--name", "box", "busybox", "sh", "-c", "while :; do echo x; sleep 0.05; done")
    engine.wait_log("box", "x")
    engine.ok("pause", "box")
    assert engine.status("box", "{{.State.Status}} {{.State.Paused}}") == "paused true"
    before = engine.ok("logs", "box")
    time.sleep(0.4)
    assert engine.ok("logs", "box") == before
    assert "paused" in engine.refused("exec", "box", "true")
    engine.ok("unpause", "box")
    time.sleep(0.3)
    assert len(engine.ok("logs", "box")) > len(before)
    engine.ok("pause", "box")
    engine.ok("rm", "-f", "box")


def test_kill_sends_one_signal(engine):
    engine.detached("--name", "box", "busybox", "sh", "-c", "trap 'echo usr1' USR1; " + LOOP)
    engine.wait_log("box", "up")
    engine.ok("kill", "-s", "USR1", "box")
    engine.wait_log("box", "usr1")
    engine.ok("kill", "box")
    engine.wait_status("box", "exited 137", "{{.State.Status}} {{.State.ExitCode}}")


def test_nothing_of_the_host_is_open_in_the_container(engine):
    out = engine.ok("run", "--rm", "busybox", "ls", "-l", "/proc/self/fd")
    names = [line.split()[8] for line in out.splitlines()[1:]]
    assert sorted(names) == ["0", "1", "2", "3"], out  # 3 is the folder that is listed
    assert str(engine.root) not in out


# --- attach, stdin, streams ---------------------------------------------------------------------

def test_attach_gets_what_comes_and_the_exit_code(engine):
    engine.detached("--name", "box", "busybox", "sh", "-c", "sleep 1; echo late; exit 6")
    done = engine.call("attach", "box")
    assert (done.returncode, done.stdout) == (6, "late\n")


def test_stdin_reaches_a_detached_container(engine):
    engine.detached("-i", "--name", "box", "busybox", "sh", "-c", "read x; echo got $x; sleep 100")
    attach = subprocess.Popen(engine.argv("attach", "box"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    attach.stdin.write("typed\n")
    attach.stdin.flush()
    engine.wait_log("box", "got typed")
    attach.kill()
    attach.communicate()
    assert engine.status("box") == "running"  # a killed client takes nothing along


def test_several_readers_get_the_same(engine):
    engine.detached("--name", "box", "busybox", "sh", "-c", "sleep 1; seq 20000; exit 3")
    readers = [subprocess.Popen(engine.argv("attach", "--no-stdin", "box"), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, text=True) for _ in range(3)]
    outs = [r.communicate(timeout=60)[0] for r in readers]
    want = "".join(f"{n}\n" for n in range(1, 20001))
    assert outs == [want] * 3
    assert [r.returncode for r in readers] == [3] * 3
    assert engine.ok("logs", "box") + "\n" == want


def test_a_killed_reader_does_not_stop_the_container(engine):
    engine.detached("--name", "box", "busybox", "sh", "-c", "sleep 1; i=0; while [ $i -lt 300000 ]; do echo $i; i=$((i+1)); done")
    stuck = subprocess.Popen(engine.argv("attach", "--no-stdin", "box"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    time.sleep(2)  # its pipe is full, and nobody reads it
    stuck.kill()
    stuck.communicate()
    assert engine.ok("wait", "box", timeout=60) == "0"


def test_foreground_output_of_a_hundred_megabytes_is_whole_and_memory_stays(engine):
    run = subprocess.Popen(engine.argv("run", "--name", "box", "--log-driver", "none", "busybox", "head", "-c", "100m", "/dev/zero"),
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    total, peak = 0, 0
    while chunk := run.stdout.read(1 << 20):
        total += len(chunk)
        for pid in engine.shims():
            try:
                status = open(f"/proc/{pid}/smaps_rollup").read()
            except OSError:
                continue
            peak = max(peak, sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("Private_")))
    assert run.wait() == 0 and total == 100 << 20
    assert "sanitize" in os.environ.get("BULKHEAD_BUILD", "") or peak < 100000  # kB: far below what went through


def test_closed_stdout_ends_a_foreground_run(engine):
    begun = time.monotonic()
    out = subprocess.run(["sh", "-c", " ".join(engine.argv("run", "--rm", "busybox", "yes")) + " | head -n 1"],
                         capture_output=True, text=True, timeout=30)
    assert out.stdout == "y\n"
    assert time.monotonic() - begun < 20


def test_signals_of_the_foreground_reach_the_container(engine):
    run = subprocess.Popen(engine.argv("run", "--rm", "busybox", "sh", "-c", LOOP), stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, text=True)
    assert run.stdout.readline() == "up\n"
    run.send_signal(signal.SIGTERM)
    assert run.communicate(timeout=20)[0] == "term\n"
    assert run.returncode == 5


# --- restart policies ---------------------------------------------------------------------------

def test_on_failure_gives_up_after_its_count(engine):
    engine.detached("--name", "box", "--restart", "on-failure:2", "busybox", "false")
    engine.wait_status("box", "2 exited 1", "{{.RestartCount}} {{.State.Status}} {{.State.ExitCode}}")


def test_on_failure_does_not_start_a_success_again(engine):
    engine.detached("--name", "box", "--restart", "on-failure", "busybox", "true")
    engine.wait_status("box", "0 exited 0", "{{.RestartCount}} {{.State.Status}} {{.State.ExitCode}}")


def test_always_comes_back_until_it_is_stopped(engine):
    engine.detached("--name", "box", "--restart", "always", "busybox", "sh", "-c", "sleep 0.1; exit 3")
    end = time.monotonic() + 20
    while int(engine.status("box", "{{.RestartCount}}")) < 2 and time.monotonic() < end:
        time.sleep(0.05)
    assert int(engine.status("box", "{{.RestartCount}}")) >= 2
    engine.ok("stop", "box")
    time.sleep(1)
    assert engine.status("box") == "exited"


def test_a_killed_init_is_started_again_by_the_policy(engine):
    engine.detached("--name", "box", "--restart", "always", "busybox", "sleep", "1000")
    first = int(engine.status("box", "{{.State.Pid}}"))
    os.kill(first, signal.SIGKILL)
    end = time.monotonic() + 20
    while engine.status("box", "{{.State.Pid}}") in ("0", str(first)) and time.monotonic() < end:
        time.sleep(0.05)
    assert engine.status("box", "{{.State.Status}} {{.RestartCount}}") == "running 1"
    assert engine.ok("exec", "box", "echo", "alive") == "alive"


def test_update_changes_the_limits_and_the_policy(engine):
    id = engine.detached("--name", "box", "-m", "64m", "busybox", "sleep", "1000")
    engine.ok("update", "-m", "32m", "--memory-swap", "32m", "--pids-limit", "33", "--restart", "always", "box")
    template = "{{.HostConfig.Memory}} {{.HostConfig.PidsLimit}} {{.HostConfig.RestartPolicy.Name}}"
    assert engine.status("box", template) == "33554432 33 always"
    os.kill(int(engine.status("box", "{{.State.Pid}}")), signal.SIGKILL)
    end = time.monotonic() + 20
    while engine.status("box", "{{.RestartCount}}") != "1" and time.monotonic() < end:
        time.sleep(0.05)
    engine.wait_status("box", "running")
    groups = [g for g in engine.cgroups("/" + id) if os.path.exists(f"{g}/pids.max")]
    assert open(f"{groups[0]}/pids.max").read().strip() == "33"  # of the second run too


# --- health -------------------------------------------------------------------------------------

def test_health_goes_from_starting_to_healthy_to_unhealthy(engine):
    engine.detached("--name", "box", "--health-cmd", "test -e /well && echo fine", "--health-interval", "200ms",
                 "--health-retries", "2", "busybox", "sleep", "1000")
    assert engine.status("box", "{{.State.Health.Status}}") in ("starting", "unhealthy")
    engine.wait_status("box", "unhealthy", "{{.State.Health.Status}}")
    engine.ok("exec", "box", "touch", "/well")
    engine.wait_status("box", "healthy", "{{.State.Health.Status}}")
    log = json.loads(engine.ok("inspect", "-f", "{{json .State.Health.Log}}", "box"))
    assert 0 < len(log) <= 5 and log[-1]["ExitCode"] == 0 and log[-1]["Output"] == "fine\n"
    assert "(healthy)" in engine.ok("ps", "--format", "{{.Status}}")


def test_a_probe_that_hangs_is_killed(engine):
    engine.detached("--name", "box", "--health-cmd", "sleep 1000", "--health-interval", "100ms", "--health-timeout", "300ms",
                 "--health-retries", "1", "busybox", "sleep", "1000")
    engine.wait_status("box", "unhealthy", "{{.State.Health.Status}}")


def test_a_probe_that_shouts_is_cut(engine):
    engine.detached("--name", "box", "--health-cmd", "yes | head -c 1000000", "--health-interval", "100ms", "busybox", "sleep", "1000")
    engine.wait_status("box", "healthy", "{{.State.Health.Status}}")
    assert os.path.getsize(engine.folder(engine.ok("ps", "-q", "--no-trunc")) / "health.json") < 200000


# --- exec ---------------------------------------------------------------------------------------

def test_exec_has_what_the_container_has(engine):
    engine.detached("--name", "box", "-e", "A=1", "-w", "/tmp", "-u", "nobody", "busybox", "sleep", "1000")
    assert engine.ok("exec", "-e", "B=2", "box", "sh", "-c", "echo $A $B; pwd; id -un").split() == ["1", "2", "/tmp", "nobody"]
    show = "grep -E 'Cap|NoNewPrivs|Seccomp:' /proc/%s/status; cat /proc/%s/limits; cat /proc/%s/cgroup"
    init = engine.ok("exec", "-u", "root", "box", "sh", "-c", show.replace("%s", "1"))
    own = engine.ok("exec", "box", "sh", "-c", show.replace("%s", "self"))
    assert init == own
    spaces = "for n in /proc/%s/ns/*; do readlink $n; done"
    assert engine.ok("exec", "box", "sh", "-c", spaces % "self") == engine.ok("exec", "-u", "0", "box", "sh", "-c", spaces % "self")


def test_exec_exit_codes_and_streams(engine):
    engine.detached("--name", "box", "busybox", "sleep", "1000")
    done = engine.call("exec", "box", "sh", "-c", "echo out; echo err >&2; exit 9")
    assert (done.returncode, done.stdout, done.stderr) == (9, "out\n", "err\n")
    assert "executable file not found" in engine.refused("exec", "box", "no-such", code=127)
    assert "permission denied" in engine.refused("exec", "box", "/etc/passwd", code=126)
    assert "working folder" in engine.refused("exec", "-w", "/not/there", "box", "pwd", code=126)
    assert engine.call("exec", "-i", "box", "cat", input="through").stdout == "through"
    assert engine.call("exec", "box", "cat", input="not through").stdout == ""
    assert "not running" in (engine.ok("stop", "-t", "0", "box"), engine.refused("exec", "box", "true"))[1]


def test_exec_detached_goes_on(engine):
    engine.detached("--name", "box", "busybox", "sleep", "1000")
    engine.ok("exec", "-d", "box", "sh", "-c", "sleep 0.3; echo x >/done; sleep 1000")
    end = time.monotonic() + 10
    while engine.call("exec", "box", "test", "-e", "/done").returncode and time.monotonic() < end:
        time.sleep(0.05)
    assert engine.ok("exec", "box", "cat", "/done") == "x"


def test_exec_sees_processes_as_an_administrator_expects(engine):
    engine.detached("--name", "box", "-u", "nobody", "busybox", "sh", "-c", LOOP)
    engine.wait_log("box", "up")
    assert "sleep 0.05" in engine.ok("exec", "-u", "root", "box", "ps") or "trap" in engine.ok("exec", "box", "ps")
    engine.ok("exec", "-u", "root", "box", "kill", "-TERM", "1")
    engine.wait_status("box", "exited 5", "{{.State.Status}} {{.State.ExitCode}}")


def is_dead(pid):
    """Gone, or only waiting to be reaped (we are the reaper of orphans)."""
    try:
        return open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


# --- what happens when something dies -----------------------------------------------------------

def test_a_killed_client_leaves_the_container(engine):
    run = subprocess.Popen(engine.argv("run", "--name", "box", "busybox", "sh", "-c", LOOP), stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, text=True)
    assert run.stdout.readline() == "up\n"
    run.kill()
    run.communicate()
    assert engine.status("box") == "running"
    assert engine.ok("stop", "box") == "box"
    assert engine.status("box", "{{.State.ExitCode}}") == "5"


def test_the_end_of_its_starters_group_leaves_the_container(engine):
    """systemd kills the whole control group of a unit or session that ends."""
    top = CGROUP_ROOT if os.path.exists(f"{CGROUP_ROOT}/cgroup.controllers") else f"{CGROUP_ROOT}/unified"
    starter = f"{top}{engine.cgroup_parent}-starter"
    if not os.path.exists(f"{top}/cgroup.procs"):
        pytest.skip("no cgroup v2 tree is mounted")
    os.makedirs(starter)
    try:
        subprocess.run(["sh", "-c", 'echo 0 > "$0/cgroup.procs" && exec "$@"', starter, *engine.argv(
            "run", "-d", "--name", "box", "busybox", "sleep", "1000")], check=True, stdout=subprocess.DEVNULL)
        assert open(f"{starter}/cgroup.procs").read() == ""
        if os.path.exists(f"{starter}/cgroup.kill"):
            open(f"{starter}/cgroup.kill", "w").write("1")
    finally:
        os.rmdir(starter)
    assert engine.ok("exec", "box", "echo", "lives") == "lives"
    shims = engine.shims()
    assert len(shims) == 2
    for pid in shims:
        groups = [line.split(":", 2)[2] for line in open(f"/proc/{pid}/cgroup").read().splitlines()]
        assert set(groups) <= {f"{engine.cgroup_parent}/shims", "/"}, groups


@pytest.mark.parametrize("which", ["keeper", "server"])
def test_a_killed_shim_ends_its_container_and_is_told(engine, which):
    id = engine.detached("--name", "box", "busybox", "sleep", "1000")
    pid = int(engine.status("box", "{{.State.Pid}}"))
    shims = engine.shims()
    keeper = next(p for p in shims if open(f"/proc/{p}/comm").read() == "bulkhead-shim\n")
    victim = keeper if which == "keeper" else next(p for p in shims if p != keeper)
    os.kill(victim, signal.SIGKILL)
    end = time.monotonic() + 10
    while not is_dead(pid) and time.monotonic() < end:
        time.sleep(0.02)
    assert is_dead(pid)
    engine.wait_status("box", "exited 137", "{{.State.Status}} {{.State.ExitCode}}")
    assert engine.ok("ps", "-q") == ""
    assert engine.cgroups("/" + id) == []
    assert engine.ok("start", "box") == "box"
    assert engine.status("box") == "running"


def test_the_shim_is_locked_down(engine):
    engine.detached("--name", "box", "busybox", "sleep", "1000")
    shims = engine.shims()
    server = next(p for p in shims if open(f"/proc/{p}/comm").read() != "bulkhead-shim\n")
    status = dict(line.split(":\t", 1) for line in open(f"/proc/{server}/status").read().splitlines() if ":\t" in line)
    for caps in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[caps], 16) == 0
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
    links = [os.readlink(f"/proc/{server}/fd/{n}") for n in os.listdir(f"/proc/{server}/fd")]
    assert not [link for link in links if "db.sqlite" in link or link.endswith("/status")], links


def test_shims_of_another_version_are_spoken_to(engine):
    """A request that a shim does not know is refused with a sentence, and the shim lives on."""
    import socket
    import struct
    id = engine.detached("--name", "box", "busybox", "sleep", "1000")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        fd = os.open(engine.folder(id), os.O_RDONLY)
        s.connect(f"/proc/self/fd/{fd}/sock")
        os.close(fd)
        s.send(struct.pack("<IHHI", 0x4d534842, 9, 999, 0))
        answer = s.recv(4096)
        assert struct.unpack("<H", answer[6:8])[0] == 68 and b"older version" in answer
        s.send(b"junk")
        assert s.recv(100) == b""
    assert engine.status("box") == "running"
    assert engine.ok("exec", "box", "echo", "alive") == "alive"


def test_other_users_cannot_reach_the_socket(engine):
    id = engine.detached("--name", "box", "busybox", "sleep", "1000")
    script = ("import os, socket, sys\nos.setuid(65534)\ns = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
              "try:\n    s.connect(sys.argv[1])\nexcept OSError as e:\n    print(e.errno)\n")
    short = os.open(engine.folder(id), os.O_RDONLY)
    out = subprocess.run(["/usr/bin/python3", "-c", script, f"/proc/self/fd/{short}/sock"], capture_output=True, text=True,
                         pass_fds=[short]).stdout
    os.close(short)
    assert out.strip() in ("13", "1")


# --- many ---------------------------------------------------------------------------------------

def test_two_hundred_parallel_runs(engine):
    script = ("i=0; while [ $i -lt 200 ]; do (" + " ".join(engine.argv("run", "--rm", "busybox", "true"))
              + " || echo FAILED) & i=$((i+1)); [ $((i % 20)) -ne 0 ] || wait; done; wait")
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=280)
    assert "FAILED" not in done.stdout, done.stderr
    assert engine.ok("ps", "-a", "-q") == ""
