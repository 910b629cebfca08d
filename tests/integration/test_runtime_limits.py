# SPDX-License-Identifier: Apache-2.0
"""Memory, pids and cpu limits, shown by exceeding them: on v1, hybrid and v2."""
import pytest

from conftest import CGROUPS, cgroup_dirs, cgroup_hierarchies, is_cgroup2_only, skip_or_fail

MIB = 1 << 20
SLOW = 120  # seconds; an emulated machine is slow


def need(controller):
    if is_cgroup2_only():
        if controller not in (CGROUPS / "cgroup.controllers").read_text().split():
            skip_or_fail(f"no {controller} controller")
    elif not any(controller in h.name.split(",") for h in cgroup_hierarchies()):
        skip_or_fail(f"no {controller} controller")


def test_memory_limit_kills(bundle):
    need("memory")
    bundle.linux["resources"]["memory"] = {"limit": 16 * MIB}
    bundle.sh("x=$(yes | head -c 64000000); echo survived")
    result = bundle.run(timeout=SLOW)
    assert "survived" not in result.out and result.code != 0, result


def test_memory_below_the_limit_works(bundle):
    need("memory")
    bundle.linux["resources"]["memory"] = {"limit": 64 * MIB}
    bundle.sh("x=$(yes | head -c 4000000); echo survived")
    assert bundle.ok() == "survived\n"


def test_small_memory_limit_starts(bundle):
    """The runtime's own set-up must not count more than the program (runc needs megabytes here)."""
    need("memory")
    bundle.linux["resources"]["memory"] = {"limit": 2 * MIB}
    assert bundle.run().code == 0


def test_memory_of_a_tmpfs_counts(bundle):
    need("memory")
    bundle.linux["resources"]["memory"] = {"limit": 16 * MIB}
    bundle.mount("/data", type="tmpfs", source="tmpfs", options=["size=64m"])
    bundle.sh("dd if=/dev/zero of=/data/f bs=1M count=48; echo survived")
    result = bundle.run()
    assert "survived" not in result.out or "48+0 records out" not in result.err, result


def test_pids_limit_refuses_forks(bundle):
    need("pids")
    bundle.linux["resources"]["pids"] = {"limit": 8}
    bundle.sh("i=0; while [ $i -lt 30 ]; do sleep 1 & i=$((i+1)); done; wait")
    result = bundle.run()
    assert "fork" in result.err.lower(), result


def test_pids_below_the_limit_work(bundle):
    need("pids")
    bundle.linux["resources"]["pids"] = {"limit": 40}
    bundle.sh("i=0; while [ $i -lt 10 ]; do sleep 0.01 & i=$((i+1)); done; wait; echo done")
    result = bundle.run()
    assert (result.out, result.err) == ("done\n", "")


def test_cpu_quota_slows_down(bundle):
    """A tenth of a cpu: the kernel counts the periods in which the program had to wait."""
    need("cpu")
    bundle.linux["resources"]["cpu"] = {"quota": 10000, "period": 100000}
    bundle.sh("i=0; while [ $i -lt 40000 ]; do i=$((i+1)); done; "
              "cat /sys/fs/cgroup/cpu.stat /sys/fs/cgroup/cpu/cpu.stat /sys/fs/cgroup/cpu,cpuacct/cpu.stat 2>/dev/null")
    result = bundle.run(timeout=SLOW)
    throttled = [line for line in result.out.splitlines() if line.startswith("nr_throttled")]
    assert throttled and int(throttled[0].split()[1]) > 0, result


def test_cpuset(bundle):
    need("cpuset")
    bundle.linux["resources"]["cpu"] = {"cpus": "0"}
    bundle.sh("grep Cpus_allowed_list /proc/self/status")
    assert bundle.ok().split()[-1] == "0"


@pytest.mark.parametrize("resources, part", [
    ({"memory": {"limit": -5}}, "memory"),
    ({"cpu": {"cpus": "0-999"}}, "cpus"),
    ({"unified": {"memory/max": "1"}}, "unified"),
    ({"pids": {"limit": "7"}}, "pids.limit"),
])
def test_bad_limits_are_one_sentence(bundle, resources, part):
    bundle.linux["resources"].update(resources)
    bundle.refused(part)
    assert not cgroup_dirs()


def test_limits_are_in_place_before_the_program(bundle):
    need("pids")
    bundle.linux["resources"]["pids"] = {"limit": 50}
    bundle.create()
    files = [CGROUPS / bundle.cgroup.strip("/") / "pids.max", CGROUPS / "pids" / bundle.cgroup.strip("/") / "pids.max"]
    assert [f.read_text().strip() for f in files if f.exists()] == ["50"]
    bundle.delete()


def test_group_of_another_container_is_refused(bundle):
    """Two containers in one group would share its limits and its end."""
    bundle.create()
    second = bundle.create(id="second")
    assert second.code == 1 and second.err.count("\n") == 1, second
    assert bundle.status() == "created", "the first one must be untouched"
    assert bundle.containers() == ["box"]
    bundle.delete()


def test_half_made_container_does_not_take_the_group_of_another(bundle):
    """A create that is killed between its plan and the refusal leaves a plan that names a foreign group."""
    bundle.create()
    half = bundle.root / "half"
    half.mkdir(mode=0o700)
    (half / "plan").write_bytes((bundle.root / "box/plan").read_bytes())
    assert bundle.delete("half").code == 0
    assert bundle.status() == "created"
    bundle.delete()


def test_half_made_container_loses_its_group(bundle):
    bundle.create()
    (bundle.root / "box/state.json").unlink()
    assert bundle.runtime("delete", "box").code == 1
    assert bundle.delete().code == 0
    assert not cgroup_dirs() and not bundle.containers()


def test_a_frozen_group_is_refused(bundle):
    """Whoever joins one stops there, and on v1 not even SIGKILL ends it."""
    if is_cgroup2_only():
        top, file, frozen = CGROUPS, "cgroup.freeze", "1"
    else:
        need("freezer")
        top = next(h for h in cgroup_hierarchies() if "freezer" in h.name.split(","))
        file, frozen = "freezer.state", "FROZEN"
    group = top / bundle.cgroup.strip("/")
    group.mkdir(parents=True)
    (group / file).write_text(frozen)
    try:
        bundle.args("true").refused("container's cgroup unexpectedly frozen", timeout=10)
        result = bundle.create(timeout=10)
        assert result.code == 1 and "unexpectedly frozen" in result.err, result
    finally:
        (group / file).write_text("0" if frozen == "1" else "THAWED")
        bundle.delete()
        if group.is_dir():
            group.rmdir()
