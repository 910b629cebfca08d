#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Containers that live on, beside Podman and Docker in one interleaved run: the start of a detached container, a
process in a running one, a list of many, and what an idle one costs. Writes docs/BENCHMARKS-LIVE.md.

  bench/live.py [-n ROUNDS] [-c CONTAINERS] [-b BUILD-FOLDER] [-o FILE]

Needs root and a release build. Peers that are not there are said to be missing. Leaves nothing behind.
"""
import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, f"{TOP}/tests/compat")
import docker as docker_by_hand  # noqa: E402 (the way to a dockerd without systemd)

GROUP = "/bulkhead-bench/live"


def run(*words, check=True, **kwargs):
    done = subprocess.run(words, capture_output=True, text=True, **kwargs)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout.strip()


class Peer:
    """One engine: the words in front of its commands, and those that its 'run' needs here."""

    def __init__(self, name, words, run_words, image):
        self.name, self.words, self.run_words, self.image = name, words, run_words, image

    def start(self, *words):
        return run(*self.words, "run", "-d", *self.run_words, *words)

    def pid(self, name):
        return int(run(*self.words, "inspect", "-f", "{{.State.Pid}}", name))


def bulkhead(build, work):
    words = [f"{build}/src/cmd/bulkhead/bulkhead", "--root", f"{work}/bulkhead"]
    run(*words, "image", "import", image(), "bench")
    return Peer("bulkhead", words, ["--cgroup-parent", GROUP], "bench")


def podman(work):
    if not shutil.which("podman"):
        return None
    os.makedirs(f"{work}/podman")
    with open(f"{work}/containers.conf", "w") as f:  # limits that a root without CAP_SYS_RESOURCE may set
        f.write('[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]\n'
                '[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "none"\n')
    runtime = "crun" if os.path.exists("/sys/fs/cgroup/cgroup.controllers") else "runc"  # crun refuses hybrid hosts
    words = ["env", f"CONTAINERS_CONF={work}/containers.conf", "PODMAN_IGNORE_CGROUPSV1_WARNING=1", "podman", "--root",
             f"{work}/podman/root", "--runroot", f"{work}/podman/run", "--cgroup-manager=cgroupfs", "--events-backend=none",
             "--runtime", runtime]
    run(*words, "import", "-q", image(), "bench")
    return Peer(f"podman ({runtime})", words, ["--network=none", f"--cgroup-parent={GROUP}"], "bench")


def image():
    return run(f"{TOP}/tools/mkimage", "busybox")


def lab(work, lines, rounds):
    """{label: (median, p10, p90, min, cpu)} of commands timed in turn."""
    with open(f"{work}/commands", "w") as f:
        f.writelines(f"{label}\t{command}\n" for label, command in lines)
    out = run(f"{work}/lab", "-n", str(rounds), "-w", "2", f"{work}/commands")
    return {fields[0]: fields[1:] for fields in (line.split("\t") for line in out.splitlines()) if not fields[0].startswith("#")}


def pss(pid):
    """KiB of a process: (proportional, private)."""
    total = private = 0
    with open(f"/proc/{pid}/smaps_rollup") as f:
        for line in f:
            if line.startswith("Pss:"):
                total = int(line.split()[1])
            elif line.startswith("Private_"):
                private += int(line.split()[1])
    return total, private


def processes(words):
    """Pids whose name or command line has one of the words."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/comm") as f:
                name = f.read().strip()
        except OSError:
            continue
        if any(name.startswith(word) for word in words):
            found.append(int(pid))
    return found


def available():
    with open("/proc/meminfo") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("MemAvailable"))


def idle(peer, count, keepers):
    """Starts idle containers and measures: (ms for each start, KiB of keepers for each, KiB private, KiB of everything)."""
    before = set(processes(keepers))
    memory, begun = available(), time.monotonic()
    for i in range(count):
        peer.start("--name", f"idle{i}", peer.image, "sleep", "100000")
    each_ms = (time.monotonic() - begun) * 1000 / count
    time.sleep(2)
    taken = (memory - available()) / count
    sizes = [pss(pid) for pid in processes(keepers) if pid not in before]
    return each_ms, sum(s[0] for s in sizes) / count, sum(s[1] for s in sizes) / count, taken


def remove_all(peer):
    ids = run(*peer.words, "ps", "-a", "-q").split()
    for i in range(0, len(ids), 50):
        run(*peer.words, "rm", "-f", *ids[i:i + 50], check=False)


def measure(peers, work, rounds, count, few):
    floor = [("fork and exec", f"{work}/true"), ("floor", f"{work}/floor {work}/rootfs /bin/true")]
    starts = lab(work, floor + [(p.name, " ".join([*p.words, "run", "-d", "--rm", *p.run_words, p.image, "/bin/true"])) for p in peers], rounds)
    for p in peers:
        time.sleep(1)
        remove_all(p)
        p.start("--name", "box", p.image, "sleep", "100000")
    entries = [("nsenter", f"nsenter -t {peers[0].pid('box')} -a /bin/true")]
    entered = lab(work, entries + [(p.name, " ".join([*p.words, "exec", "box", "/bin/true"])) for p in peers], rounds)
    keepers = {"bulkhead": ["bulkhead-shim"], "podman": ["conmon"], "docker": ["containerd-shim"]}
    costs = {}
    for p in peers:
        remove_all(p)
        n = count if p.name == "bulkhead" else few
        costs[p.name] = (n, *idle(p, n, keepers[p.name.split()[0]]))
    listed = lab(work, [(p.name, " ".join([*p.words, "ps", "-q"])) for p in peers], max(5, rounds // 2))
    tables = lab(work, [(p.name, " ".join([*p.words, "ps"])) for p in peers], max(5, rounds // 2))
    for p in peers:
        remove_all(p)
    return starts, entered, costs, listed, tables


def table(title, results, against):
    base = float(results[against][0])
    rows = "".join(f"| {name} | {r[0]} | {r[1]} | {r[2]} | {r[4]} | {float(r[0]) / base:.1f} |\n" for name, r in results.items())
    return (f"## {title}\n\n| command | median ms | p10 | p90 | CPU ms | times {against} |\n|---|---|---|---|---|---|\n{rows}\n")


def report(results, rounds, count, few, missing, versions):
    starts, entered, costs, listed, tables = results
    memory = "".join(f"| {name} | {c[0]} | {c[1]:.1f} | {c[2]:.0f} | {c[3]:.0f} | {c[4]:.0f} | {listed[name][0]} | {tables[name][0]} |\n"
                     for name, c in costs.items())
    return f"""# Benchmarks of containers that live on

All commands of a table ran in turn, {rounds} rounds. Times are milliseconds and depend on the machine and on who else works there;
what to compare are the ratios.

- Machine: {os.cpu_count()} CPUs, Linux {platform.release().split('-')[0]}
- Versions: {versions}
- Not there: {', '.join(missing) or 'nothing'}
- Made by: `bench/live.py -n {rounds} -c {count}`

{table("The start of a detached container", starts, "floor")}The command is `run -d --rm IMAGE /bin/true` without a network; it returns when the program runs. What removes the container
afterwards runs beside the next commands, for every engine. *floor* is `bench/floor.c`: what the kernel makes necessary, to the
end of the program.

{table("A process in a running container", entered, "nsenter")}The command is `exec CONTAINER /bin/true`; *nsenter* joins all namespaces of the first engine's container, and no control group.

## Idle containers

| engine | containers | ms for each start | keeper PSS, KiB | keeper private, KiB | memory taken, KiB | `ps -q` ms | `ps` ms |
|---|---|---|---|---|---|---|---|
{memory}
Each container runs `sleep`. *keeper* is what the engine leaves beside each container (both processes of bulkhead-shim, conmon,
containerd-shim); *memory taken* is what the kernel's MemAvailable lost for each container with everything in it, kernel objects
and the container's own process too. A daemon is not counted. The peers have {few} containers, since their starts take long.
"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-n", type=int, default=21)
    parser.add_argument("-c", type=int, default=500)
    parser.add_argument("-b", default=f"{TOP}/build")
    parser.add_argument("-o", default=f"{TOP}/docs/BENCHMARKS-LIVE.md")
    a = parser.parse_args()
    few = min(a.c, 50)
    work = tempfile.mkdtemp()
    peers, missing, daemon = [], [], None
    try:
        for name in ("lab", "floor"):
            run("gcc", "-O2", "-static", "-D_GNU_SOURCE", "-o", f"{work}/{name}", f"{TOP}/bench/{name}.c")
        os.mkdir(f"{work}/rootfs")
        run("tar", "-C", f"{work}/rootfs", "-xf", image())
        os.symlink(f"{work}/rootfs/bin/busybox", f"{work}/true")
        peers.append(bulkhead(a.b, work))
        other = podman(work)
        peers.append(other) if other else missing.append("podman")
        try:
            os.mkdir(f"{work}/docker")
            daemon = docker_by_hand.Docker(f"{work}/docker")
            daemon.start()
            words = [docker_by_hand.CLIENT, "-H", f"unix://{daemon.socket}"]
            run(*words, "import", image(), "bench")
            peers.append(Peer("docker", words, ["--network=none", f"--cgroup-parent={GROUP}"], "bench"))
        except docker_by_hand.Missing as why:
            missing.append(f"docker ({why})")
            daemon = None
        versions = ", ".join(run(*p.words, "--version").splitlines()[0] for p in peers)
        results = measure(peers, work, a.n, a.c, few)
        with open(a.o, "w") as f:
            f.write(report(results, a.n, a.c, few, missing, versions))
        print(open(a.o).read())
    finally:
        for p in peers:
            remove_all(p)
        if daemon:
            daemon.stop()
        run("sh", "-c", f"umount -R {work}/podman/root/* {work}/podman/run/* 2>/dev/null; rm -rf {work}; "
            "find /sys/fs/cgroup -depth -type d -path '*/bulkhead-bench*' -exec rmdir {} + 2>/dev/null", check=False)


main()
