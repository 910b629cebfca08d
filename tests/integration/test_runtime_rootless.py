# SPDX-License-Identifier: Apache-2.0
"""The runtime as a plain user."""
import json
import os
import pathlib
import shutil
import tempfile

import pytest

from conftest import RUNTIME, Bundle, skip_or_fail

UID = 54321


class PlainBundle(Bundle):
    """Everything belongs to a plain user, who runs the runtime, too."""

    def runtime(self, *words, **more):
        return super().runtime(*words, program=self.tmp / "runtime", user=UID, group=UID, extra_groups=[],
                               env={"XDG_RUNTIME_DIR": str(self.tmp), "PATH": "/bin"}, **more)


@pytest.fixture
def plain(busybox_rootfs):
    if os.geteuid() != 0:
        skip_or_fail("this test needs root, to become somebody else")
    if not RUNTIME.exists():
        skip_or_fail(f"{RUNTIME} is not built")
    if pathlib.Path("/proc/sys/user/max_user_namespaces").read_text().strip() == "0":
        pytest.skip("user namespaces are switched off here")
    tmp = pathlib.Path(tempfile.mkdtemp(prefix="bulkhead-test-"))
    bundle = PlainBundle(tmp, busybox_rootfs)
    shutil.copy(RUNTIME, tmp / "runtime")
    for path in [tmp, *tmp.rglob("*")]:
        os.chown(path, UID, UID, follow_symlinks=False)
    assert bundle.runtime("spec", "--rootless", "--bundle", bundle.path).code == 0
    bundle.config = json.loads((bundle.path / "config.json").read_text())
    bundle.config["process"]["args"] = ["true"]
    bundle.config["root"]["readonly"] = False
    yield bundle
    for id in bundle.containers():
        bundle.delete(id)
    shutil.rmtree(tmp)


def test_rootless_run(plain):
    plain.sh("id -u; cat /proc/self/uid_map; touch /tmp/f && stat -c %u /tmp/f")
    result = plain.run()
    assert result.code == 0, result
    assert result.out.split() == ["0", "0", str(UID), "1", "0"]
    assert (plain.rootfs / "tmp/f").stat().st_uid == UID


def test_rootless_life_cycle(plain):
    plain.args("sleep", "100")
    assert plain.create().code == 0
    assert plain.status() == "created"
    assert plain.runtime("start", "box").code == 0
    assert plain.status() == "running"
    state = plain.state()
    assert state["owner"] == str(UID)
    assert os.stat(f"/proc/{state['pid']}").st_uid == UID
    assert plain.runtime("kill", "box", "KILL").code == 0
    plain.wait_status("stopped")
    assert plain.runtime("delete", "box").code == 0


def test_rootless_default_state_folder(plain):
    plain.write()
    plain.root = plain.tmp / "bulkhead-runtime"
    assert plain.runtime("run", "--bundle", plain.path, "box", root=False).code == 0
    assert plain.root.stat().st_mode & 0o777 == 0o700


def test_rootless_devices(plain):
    plain.sh("echo x > /dev/null && head -c 3 /dev/zero | wc -c")
    result = plain.run()
    assert (result.code, result.out) == (0, "3\n"), result


def test_rootless_cannot_touch_the_host(plain):
    plain.sh("echo x > /proc/sys/kernel/core_pattern; echo x > /sys/kernel/mm/ksm/run; mknod /tmp/n c 1 3; true")
    before = pathlib.Path("/proc/sys/kernel/core_pattern").read_text()
    assert plain.run().code == 0
    assert pathlib.Path("/proc/sys/kernel/core_pattern").read_text() == before
    assert not (plain.rootfs / "tmp/n").exists()


def test_rootless_needs_a_user_namespace(plain):
    plain.linux["namespaces"] = [n for n in plain.linux["namespaces"] if n["type"] != "user"]
    plain.linux.pop("uidMappings"), plain.linux.pop("gidMappings")
    plain.refused("without root a container needs a user namespace")


def test_rootless_range_of_ids_is_refused(plain):
    plain.linux["uidMappings"] = [{"containerID": 0, "hostID": UID, "size": 1},
                                  {"containerID": 1, "hostID": 100000, "size": 65536}]
    plain.refused("uids")


def test_rootless_foreign_id_is_refused(plain):
    plain.linux["uidMappings"] = [{"containerID": 0, "hostID": 0, "size": 1}]
    plain.refused("uids")
