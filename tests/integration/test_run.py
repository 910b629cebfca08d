# SPDX-License-Identifier: Apache-2.0
"""bulkhead run: real images in the default sandbox."""
import json
import os
import re
import signal
import subprocess
import time

import pytest

from engine import Engine, needs_root

pytestmark = needs_root


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with Engine(tmp_path_factory.mktemp("engine")) as e:
        e.import_image("busybox")
        yield e


@pytest.fixture(scope="module")
def services(engine):
    engine.import_image("services")
    return engine


def text(result):
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


# --- exit codes, streams, signals ---------------------------------------------------------------


@pytest.mark.parametrize("code", [0, 1, 7, 42, 125, 126, 127, 255])
def test_exit_code_is_the_programs(engine, code):
    assert engine.run("busybox", "sh", "-c", f"exit {code}").returncode == code


def test_signal_is_128_plus_n(engine):
    # pid 1 cannot kill itself: a child of it must be the victim, and its shell reports it
    result = engine.run("busybox", "sh", "-c", "sh -c 'kill -9 $$'; exit $?")
    assert result.returncode == 137


def test_missing_program_is_127(engine):
    result = engine.run("busybox", "no-such-program")
    assert result.returncode == 127
    assert "executable file not found in $PATH" in result.stderr
    result = engine.run("busybox", "/no/such/program")
    assert result.returncode == 127
    assert "no such file or directory" in result.stderr


def test_not_executable_is_126(engine):
    result = engine.run("busybox", "/etc")
    assert result.returncode == 126
    assert len(result.stderr.strip().splitlines()) == 1


def test_streams_are_separate(engine):
    result = engine.run("busybox", "sh", "-c", "echo out; echo err >&2")
    assert result.stdout == "out\n"
    assert result.stderr == "err\n"


def test_stdin_reaches_the_program_and_ends(engine):
    data = os.urandom(300000).hex()
    result = engine.run("busybox", "sha256sum", input=data, options=["-i"])
    want = subprocess.run(["sha256sum"], input=data, capture_output=True, text=True).stdout
    assert result.stdout == want


def test_files_and_closed_streams(engine, tmp_path):
    out = tmp_path / "out"
    with open(out, "w") as f:
        subprocess.run(engine.argv("run", "--rm", "busybox", "sh", "-c",
                                   "readlink /proc/self/fd/1; seq 100000"), stdout=f, check=True)
    lines = out.read_text().splitlines()
    assert lines[0].startswith("pipe:"), "the container holds the host's file"
    assert lines[-1] == "100000" and len(lines) == 100001
    result = subprocess.run(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh",
                             *engine.argv("run", "--rm", "busybox", "true")])
    assert result.returncode == 0


def test_no_terminal_of_the_host_inside(engine):
    result = subprocess.run(["script", "-qec", " ".join(engine.argv(
        "run", "--rm", "busybox", "sh", "-c",
        "'for i in 0 1 2; do readlink /proc/self/fd/$i; [ -t $i ] && echo TTY; done; true'")),
        "/dev/null"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert "TTY" not in result.stdout
    assert "pipe:" in result.stdout


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
def test_signals_are_forwarded(engine, sig):
    p = engine.popen("busybox", "sh", "-c",
                     f"trap 'echo got; exit 9' {sig.name[3:]}; echo ready; while :; do sleep 0.05; done")
    assert p.stdout.readline() == "ready\n"
    p.send_signal(sig)
    out, _ = p.communicate(timeout=20)
    assert out == "got\n"
    assert p.returncode == 9


# --- what the image says --------------------------------------------------------------------------


def test_image_config_and_options(engine):
    engine.import_image("busybox", name="configured", changes=[
        'ENTRYPOINT ["sh", "-c"]', 'CMD ["echo default $A $B; pwd; id -u"]', "ENV A=1 B=2",
        "WORKDIR /some/where", "USER 33:33"])
    assert text(engine.run("configured")) == "default 1 2\n/some/where\n33"
    assert text(engine.run("configured", "echo mine $A", options=["-e", "A=9"])) == "mine 9"
    assert text(engine.run("configured", "-c", "pwd", options=["--entrypoint", "sh", "-w", "/etc"])) == "/etc"
    assert text(engine.run("configured", "id -u; id -g", options=["-u", "5:6"])) == "5\n6"
    result = engine.run("configured", options=["--entrypoint", ""])
    assert result.returncode == 125
    assert "no command" in result.stderr


def test_environment(engine):
    out = text(engine.run("busybox", "env", options=["-e", "X=a b=c", "-e", "FROM_HOST", "-e", "NOT_THERE"],
                          env={"FROM_HOST": "yes"}))
    env = dict(line.split("=", 1) for line in out.splitlines())
    assert env["X"] == "a b=c"
    assert env["FROM_HOST"] == "yes"
    assert "NOT_THERE" not in env
    assert env["PATH"] == "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    assert env["HOME"] == "/root" or env["HOME"] == "/"
    assert re.fullmatch("[0-9a-f]{12}", env["HOSTNAME"])
    assert set(env) <= {"X", "FROM_HOST", "PATH", "HOME", "HOSTNAME", "SHLVL", "PWD"}


def test_user_names_come_from_the_image(services):
    out = text(services.run("services", "sh", "-c", "id -un; id -Gn; echo $HOME", options=["-u", "www-data"]))
    assert out.splitlines() == ["www-data", "www-data", "/var/www"]
    result = services.run("services", "true", options=["-u", "nobody-here"])
    assert result.returncode == 125
    assert "nobody-here" in result.stderr


# --- real programs --------------------------------------------------------------------------------


def test_python_runs_a_program(services):
    program = "import json, hashlib, threading, subprocess; print(json.dumps({'n': sum(range(10**6))}))"
    assert json.loads(text(services.run("services", "python3", "-c", program))) == {"n": 499999500000}


def test_nginx_serves_inside_its_namespace(services):
    script = """
        echo hello > /var/www/html/index.html
        nginx
        python3 - <<'END'
import urllib.request
print(urllib.request.urlopen('http://127.0.0.1/', timeout=10).read().decode().strip())
END
        nginx -s reload && sleep 0.3 && nginx -s quit
    """
    assert "hello" in text(services.run("services", "sh", "-c", script))


def test_redis_answers(services):
    script = ("redis-server --port 6379 --daemonize yes --save '' >/dev/null; "
              "for i in $(seq 100); do redis-cli ping 2>/dev/null | grep -q PONG && break; sleep 0.1; done; "
              "redis-cli set a 1; redis-cli incr a; redis-cli shutdown nosave")
    out = text(services.run("services", "sh", "-c", script))
    assert out.splitlines()[:2] == ["OK", "2"]


# --- isolation ------------------------------------------------------------------------------------


def test_two_containers_have_disjoint_ids(engine):
    ps = [engine.popen("busybox", "sh", "-c", "cat /proc/self/uid_map; cat") for _ in range(3)]
    ranges = []
    for p in ps:
        inside, host, size = map(int, p.stdout.readline().split())
        assert inside == 0 and size == 65536
        assert host >= 65536, "host ids below 65536 belong to the host"
        ranges.append((host, host + size))
    ranges.sort()
    assert all(a[1] <= b[0] for a, b in zip(ranges, ranges[1:]))
    for p in ps:
        p.communicate(timeout=20)


def test_process_status_is_confined(engine):
    status = dict(line.split(":\t", 1) for line in
                  text(engine.run("busybox", "cat", "/proc/self/status")).splitlines() if ":\t" in line)
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"
    eight = 0x4fb  # chown dac_override fowner fsetid kill setgid setuid net_bind_service
    assert int(status["CapBnd"], 16) == int(status["CapEff"], 16) == eight
    assert int(status["CapInh"], 16) == int(status["CapAmb"], 16) == 0
    status = dict(line.split(":\t", 1) for line in text(engine.run(
        "busybox", "cat", "/proc/self/status", options=["-u", "1000"])).splitlines() if ":\t" in line)
    for name in ("CapBnd", "CapEff", "CapPrm", "CapInh", "CapAmb"):
        assert int(status[name], 16) == 0, name


def test_namespaces_are_all_its_own(engine):
    names = ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"]
    inside = text(engine.run("busybox", "sh", "-c", "for n in " + " ".join(names) + "; do readlink /proc/self/ns/$n; done"))
    for name, link in zip(names, inside.splitlines()):
        assert link != os.readlink(f"/proc/self/ns/{name}"), name


def test_proc_is_an_allow_list_and_sys_is_not_there(engine):
    listing = text(engine.run("busybox", "sh", "-c",
                              "for f in /proc/*; do [ -s $f ] || cat $f 2>/dev/null | head -c1 | grep -q . && echo $f; done; ls /sys | wc -l"))
    assert listing.splitlines()[-1] == "0"
    for name in ["kallsyms", "kcore", "keys", "key-users", "timer_list", "slabinfo", "modules", "interrupts",
                 "iomem", "ioports", "sysrq-trigger", "kmsg", "vmallocinfo", "zoneinfo", "config.gz", "cmdline",
                 "bus", "fs", "irq", "driver", "acpi", "scsi", "asound", "pressure", "locks", "diskstats"]:
        script = f"if [ -d /proc/{name} ]; then ls -A /proc/{name}; else cat /proc/{name} 2>/dev/null; fi; true"
        assert text(engine.run("busybox", "sh", "-c", script)) == "", name


@pytest.mark.parametrize("attack", [
    "mknod /tmp/d b 8 0", "mknod /tmp/d c 1 1", "mount -t tmpfs x /tmp", "mount -o remount,rw /proc/sys",
    "umount /proc", "unshare -U true", "unshare -m true", "unshare -n true", "chroot / true",
    "echo x > /proc/sys/kernel/core_pattern", "echo b > /proc/sysrq-trigger && ! [ -c /proc/sysrq-trigger ]", "echo 1 > /proc/sys/kernel/sysrq",
    "echo 1 > /proc/sys/vm/drop_caches", "hostname other", "! date -s 2000-01-01 2>&1 | grep -q permitted", "swapoff -a", "reboot -f",
    "dmesg", "ip link add x type dummy", "losetup /dev/loop0 /etc/passwd", "insmod /etc/passwd",
    "nsenter -t 1 -m true", "pivot_root / /tmp", "echo 0 > /proc/sys/user/max_user_namespaces",
    "renice -n -5 1", "chrt -f 1 true",
])
def test_attack_is_refused(engine, attack):
    result = engine.run("busybox", "sh", "-c", f"({attack}) >/dev/null 2>&1 && echo SUCCEEDED || echo refused")
    assert text(result) == "refused"


def test_host_file_system_is_not_visible_in_mounts(engine):
    mounts = text(engine.run("busybox", "cat", "/proc/self/mountinfo"))
    assert str(engine.root) not in mounts
    assert "/var/lib" not in mounts


def test_only_loopback(engine):
    out = text(engine.run("busybox", "ip", "-o", "link"))
    assert [line.split(":")[1].strip() for line in out.splitlines()] == ["lo"]
    assert "UP" in out


def test_uptime_starts_at_zero(engine):
    if not os.path.exists("/proc/self/timens_offsets"):
        pytest.skip("this kernel has no time namespaces")
    assert float(text(engine.run("busybox", "cat", "/proc/uptime")).split()[0]) < 30


def test_writes_stay_in_the_container(engine):
    assert text(engine.run("busybox", "sh", "-c", "echo x > /bin/new && cat /bin/new && chown 33:44 /bin/new && rm /bin/sh && mkdir -p /a/b && mv /a /c && ls /c")) == "x\nb"
    assert text(engine.run("busybox", "sh", "-c", "ls /bin/new 2>/dev/null; ls /bin/sh")) == "/bin/sh"


def test_read_only_root(engine):
    result = engine.run("busybox", "sh", "-c", "echo x > /new || echo no; echo y > /dev/shm/f && cat /dev/shm/f",
                        options=["--read-only"])
    assert text(result) == "no\ny"


def test_setuid_gives_nothing(engine):
    script = "cp /bin/busybox /tmp/busybox && chmod 4755 /tmp/busybox && /tmp/busybox id -u"
    out = text(engine.run("busybox", "sh", "-c", script, options=["-u", "1000"]))
    assert out == "1000"


# --- limits ---------------------------------------------------------------------------------------


def test_memory_limit_holds(engine):
    result = engine.run("busybox", "sh", "-c", "head -c 200m /dev/zero | tail -c 150m | wc -c", options=["-m", "64m"])
    assert "157286400" not in result.stdout
    result = engine.run("busybox", "sh", "-c", "head -c 20m /dev/zero | tail -c 15m | wc -c", options=["-m", "64m"])
    assert text(result) == "15728640"


def test_pids_limit_holds(engine):
    script = "n=0; for i in $(seq 60); do sleep 5 & n=$((n+1)); done 2>/dev/null; jobs -p | wc -l"
    result = engine.run("busybox", "sh", "-c", script, options=["--pids-limit", "20"])
    # busybox's shell may give up when it cannot fork: either way there are never more than 20
    assert result.returncode != 0 or int(result.stdout.split()[-1]) < 20
    result = engine.run("busybox", "sh", "-c", script, options=["--pids-limit", "200"])
    assert text(result) == "60"


def test_cpu_limit_holds(engine):
    script = "t=$(date +%s); (timeout 2 sh -c 'while :; do :; done'); cat /proc/self/stat >/dev/null; times"
    result = engine.run("busybox", "sh", "-c", script, options=["--cpus", "0.2"])
    spent = 0.0
    for minutes, seconds in re.findall(r"(\d+)m([\d.]+)s", result.stdout):
        spent += int(minutes) * 60 + float(seconds)
    assert 0.1 < spent < 1.2, result.stdout


# --- bad input: one clear sentence, the right code, nothing half-made --------------------------------


@pytest.mark.parametrize("args, code, words", [
    (["run", "--rm", "no-such-image"], 125, "no-such-image"),
    (["run", "--rm", "--no-such-flag", "busybox"], 125, "unknown flag: --no-such-flag"),
    (["run", "--rm"], 1, "argument"),
    (["run", "--rm", "-m", "1k", "busybox", "true"], 125, "memory"),
    (["run", "--rm", "-m", "lots", "busybox", "true"], 125, "lots"),
    (["run", "--rm", "--cpus", "1000", "busybox", "true"], 125, "CPU"),
    (["run", "--rm", "--cpus", "-1", "busybox", "true"], 125, "cpus"),
    (["run", "--rm", "--pids-limit", "x", "busybox", "true"], 125, "pids-limit"),
    (["run", "--rm", "--name", "a/b", "busybox", "true"], 125, "name"),
    (["run", "--rm", "--name", "..", "busybox", "true"], 125, "name"),
    (["run", "--rm", "--name", "", "busybox", "true"], 125, "name"),
    (["run", "--rm", "-w", "relative", "busybox", "true"], 125, "relative"),
    (["run", "--rm", "-e", "=x", "busybox", "true"], 125, "variable"),
    (["run", "--rm", "--cgroup-parent", "../x", "busybox", "true"], 125, "cgroup"),
    (["run", "--rm", "../../etc", "true"], 125, "etc"),
    (["run", "--rm", "", "true"], 125, "image"),
    (["nonsense"], 1, "unknown command 'nonsense'"),
    (["rmi", "no-such-image"], 1, "no-such-image"),
    (["image", "import", "/no/such/file"], 1, "/no/such/file"),
])
def test_bad_input(engine, args, code, words):
    before = engine.state()
    result = engine.call(*args)
    assert result.returncode == code, result.stderr
    assert words in result.stderr
    assert result.stdout == ""
    assert 1 <= len(result.stderr.strip().splitlines()) <= 2, result.stderr
    assert engine.state() == before


def test_name_in_use(engine):
    p = engine.popen("busybox", "sh", "-c", "echo up; cat", options=["--name", "twice"])
    assert p.stdout.readline() == "up\n"
    result = engine.run("busybox", "true", options=["--name", "twice"])
    assert result.returncode == 125
    assert "twice" in result.stderr and "in use" in result.stderr
    p.communicate(timeout=20)
    assert engine.run("busybox", "true", options=["--name", "twice"]).returncode == 0


def test_image_of_a_running_container_is_not_removed(engine):
    engine.import_image("busybox", name="used", changes=["ENV X=used"])
    p = engine.popen("used", "sh", "-c", "echo up; cat")
    assert p.stdout.readline() == "up\n"
    result = engine.call("rmi", "used")
    assert result.returncode == 1, result.stdout
    p.communicate(timeout=20)
    assert engine.call("rmi", "used").returncode == 0


def test_unwritable_state_folder(engine, tmp_path):
    (tmp_path / "file").write_text("")
    for root in ["/proc/nowhere", str(tmp_path / "file")]:
        result = subprocess.run([engine.program, "--root", root, "run", "--rm", "x"], capture_output=True, text=True)
        assert result.returncode == 125
        assert root in result.stderr
        assert len(result.stderr.strip().splitlines()) == 1


# --- nothing stays behind ---------------------------------------------------------------------------


def test_nothing_stays_after_a_run(engine):
    before = engine.state()
    assert engine.run("busybox", "sh", "-c", "sleep 100 & touch /x; exit 3").returncode == 3
    assert engine.state() == before


@pytest.mark.parametrize("delay", [0.0, 0.002, 0.004, 0.006, 0.008, 0.012, 0.02, 0.05, 0.3])
def test_a_killed_command_leaves_a_whole_container_or_none(engine, delay):
    before = engine.state()
    p = engine.popen("busybox", "sleep", "1000")
    time.sleep(delay)
    p.kill()
    p.communicate(timeout=20)
    assert engine.run("busybox", "true").returncode == 0
    left = engine.ok("ps", "-a", "-q").split()
    assert len(left) <= 1  # it lives on without its command, as in docker
    for id in left:
        engine.ok("rm", "-f", id)
    assert engine.call("system", "check").returncode == 0
    assert engine.state() == before


def test_parallel_runs(engine):
    before = engine.state()
    ps = [engine.popen("busybox", "sh", "-c", f"exit {i}") for i in range(24)]
    for i, p in enumerate(ps):
        _, err = p.communicate(timeout=60)
        assert p.returncode == i, err
    assert engine.state() == before


# --- what is shown ----------------------------------------------------------------------------------


def test_show_security_comes_first(engine):
    out = text(engine.run("busybox", "echo", "program", options=["--show-security"]))
    lines = out.splitlines()
    assert lines[0].split()[:2] == ["LAYER", "STATE"]
    assert lines[-1] == "program"
    for words in ["user ids", "namespaces", "capabilities", "no_new_privs", "system calls", "Landlock", "/proc",
                  "devices", "limits", "kernel keyring"]:
        assert any(line.startswith(words) for line in lines), words
    assert not any(w in out for w in ["OPEN", "SHARED", "NONE", "OFF", "NOT SET", "ALLOWED"])


def test_info(engine):
    out = text(engine.call("info"))
    assert "kernel" in out and "Landlock" in out and "control groups" in out


def test_version_and_help(engine):
    assert re.match(r"bulkhead version \d+\.\d+\.\d+", text(engine.call("--version")))
    assert "run" in text(engine.call("--help"))
    assert "--pids-limit" in text(engine.call("run", "--help"))
