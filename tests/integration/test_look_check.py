# SPDX-License-Identifier: Apache-2.0
"""system check: every kind of damage is found, said in one line, and mended without losing data."""
import fcntl
import os
import re
import shutil
import signal
import sqlite3
import time

import pytest

from engine import Engine, needs_root

pytestmark = needs_root
YOUNG = 11  # seconds; what is younger may be half of something that is being made


@pytest.fixture
def engine(tmp_path):
    with Engine(tmp_path) as e:
        e.import_image("busybox", changes=["CMD [\"sh\"]"])
        yield e


def check(engine, repair=False):
    done = engine.call("system", "check", *(["--repair"] if repair else []))
    return done.returncode, done.stdout


def test_a_healthy_state_has_no_findings(engine):
    assert check(engine) == (0, "")
    engine.detached("--name", "runs", "-v", "data:/data", "busybox", "sleep", "1000")
    engine.ok("create", "--name", "new", "busybox")
    engine.detached("--name", "ended", "busybox", "true")
    engine.ok("wait", "ended")
    assert check(engine) == (0, "")
    assert check(engine, repair=True) == (0, "")
    assert engine.status("runs") == "running"


def test_no_store_is_no_finding(tmp_path):
    with Engine(tmp_path) as e:
        assert check(e) == (0, "")
        assert not e.root.exists()


def test_what_belongs_to_nothing_is_kept_aside(engine):
    id = "ab" * 32
    for path in (f"containers/{id}", f"fs/rw/{id}/upper", "volumes/orphan/_data", "containers/strange\x1bname"):
        (engine.root / path).mkdir(parents=True)
        (engine.root / path / "precious").write_text("data")
    code, out = check(engine)
    assert (code, out) == (0, "")  # too young
    time.sleep(YOUNG)
    code, out = check(engine)
    assert code == 1 and len(out.splitlines()) == 4 and "\x1b" not in out
    assert all("belongs to nothing; --repair moves it to 'lost+found'" in line for line in out.splitlines())
    code, out = check(engine, repair=True)
    assert code == 0 and out.endswith("nothing is left to mend\n"), out
    lost = sorted(os.listdir(engine.root / "lost+found"))
    assert lost == sorted([f"container-{id}", f"rw-{id}", "volume-orphan", "container-strange\x1bname"])
    assert (engine.root / "lost+found" / f"rw-{id}" / "upper" / "precious").read_text() == "data"
    assert check(engine) == (0, "")


def test_a_container_without_its_configuration_is_given_up_and_its_files_are_kept(engine):
    for name in ("config", "folder"):
        engine.detached("--name", name, "busybox", "sh", "-c", "echo data >/precious")
        engine.ok("wait", name)
    ids = {name: engine.status(name, "{{.Id}}") for name in ("config", "folder")}
    (engine.folder(ids["config"]) / "config.json").write_text("{")
    shutil.rmtree(engine.folder(ids["folder"]))
    code, out = check(engine)
    assert code == 1 and "container 'config'" in out and "container 'folder'" in out, out
    code, out = check(engine, repair=True)
    assert code == 0, out
    assert engine.ok("ps", "-aq") == ""
    for id in ids.values():
        assert (engine.root / "lost+found" / f"rw-{id}" / "upper" / "precious").read_text() == "data\n"


def test_records_are_written_anew(engine):
    for name in ("missing", "damaged"):
        engine.detached("--name", name, "busybox", "true")
        engine.ok("wait", name)
    ids = {name: engine.status(name, "{{.Id}}") for name in ("missing", "damaged")}
    (engine.folder(ids["missing"]) / "status").unlink()
    (engine.folder(ids["damaged"]) / "status").write_text("rubbish")
    code, out = check(engine)
    assert code == 1 and "has lost its record" in out and "has a record that is damaged" in out
    assert "its record cannot be read" in engine.status("damaged", "{{.State.Error}}")
    assert check(engine, repair=True)[0] == 0
    for name in ids:
        assert engine.status(name) == "exited"
        engine.ok("start", name)
        assert engine.ok("wait", name) == "0"


def test_a_dead_shim_is_found_and_finished(engine):
    id = engine.detached("--name", "box", "busybox", "sleep", "1000")
    for pid in engine.shims():
        os.kill(pid, signal.SIGKILL)
    end = time.monotonic() + 10
    while engine.shims() and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(0.5)
    code, out = check(engine)
    assert code == 1 and "is said to run, but its shim is dead" in out, out
    code, out = check(engine, repair=True)
    assert code == 0, out
    assert engine.status("box") == "exited" and not (engine.folder(id) / "sock").exists()
    assert not [c for c in engine.cgroups("/" + id)]


def test_one_of_rm_that_has_just_ended_is_about_to_be_removed(engine):
    """Its owner has a moment for it; what is there after that moment has lost its owner."""
    id = engine.ok("create", "--rm", "--name", "box", "busybox", "true")

    def ended(seconds_ago):
        at = time.time_ns() - seconds_ago * 10**9
        engine.edit_record(id, lambda text: re.sub(r"(?m)^finished .*", f"finished {at}", re.sub(r"(?m)^state .*", "state exited", text)))
    ended(0)
    assert check(engine) == (0, "")
    ended(YOUNG)
    code, out = check(engine)
    assert code == 1 and "should have been removed (--rm)" in out, out
    assert check(engine, repair=True)[0] == 0
    assert engine.ok("ps", "-aq") == ""


def test_half_made_folders_go_unless_somebody_makes_one(engine):
    half = engine.root / "containers" / ("new-" + "a" * 64)
    half.mkdir(parents=True)
    fd = os.open(half.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(fd, fcntl.LOCK_SH)
        engine.ok("create", "busybox")
        assert half.exists()
    finally:
        os.close(fd)
    engine.ok("create", "busybox")
    assert not half.exists()


def test_left_groups_and_sockets_are_removed(engine):
    id = engine.ok("create", "--name", "box", "busybox")
    (engine.folder(id) / "sock").touch()
    made = []
    for base in ("memory", "unified"):
        folder = f"/sys/fs/cgroup/{base}{engine.cgroup_parent}/{id}"
        if os.path.isdir(f"/sys/fs/cgroup/{base}"):
            os.makedirs(folder)
            made.append(folder)
    code, out = check(engine)
    assert code == 1 and "socket of a shim that is dead" in out
    assert not made or "does not run but has control groups" in out
    assert check(engine, repair=True)[0] == 0
    assert not any(os.path.exists(folder) for folder in made)


def test_folders_that_are_missing_are_made(engine):
    id = engine.ok("create", "--name", "box", "-v", "data:/data", "busybox", "true")
    shutil.rmtree(engine.root / "fs/rw" / id)
    shutil.rmtree(engine.root / "volumes/data")
    code, out = check(engine)
    assert code == 1 and "has lost its writable folder" in out and "volume 'data' has lost its folder" in out
    assert check(engine, repair=True)[0] == 0
    engine.ok("start", "box")
    assert engine.ok("wait", "box") == "0"


def test_stale_uses_are_forgotten(engine):
    engine.ok("create", "--name", "box", "-v", "data:/data", "busybox")
    db = sqlite3.connect(engine.root / "db.sqlite")
    db.execute("INSERT INTO volume_uses VALUES (?, 'data')", ("cd" * 32,))
    db.commit()
    db.close()
    code, out = check(engine)
    assert code == 1 and "volume 'data' is used by the container 'cdcdcdcdcdcd', which is not there" in out
    assert check(engine, repair=True)[0] == 0
    engine.ok("rm", "box")


def test_damaged_images_are_told_and_left_alone(engine):
    image = engine.ok("inspect", "-f", "{{.Id}}", "busybox").split(":")[1]
    blob = engine.root / "blobs/sha256" / image
    text = blob.read_bytes()
    blob.write_bytes(text + b" ")
    code, out = check(engine)
    assert code == 1 and "image 'busybox:latest'" in out and "config was changed on disk" in out
    assert check(engine, repair=True)[0] == 1
    blob.write_bytes(text)
    assert check(engine) == (0, "")
    (layer,) = os.listdir(engine.root / "fs/layers")
    os.rename(engine.root / "fs/layers" / layer, engine.root / "away")
    assert "its layer" in check(engine)[1]
    os.rename(engine.root / "away", engine.root / "fs/layers" / layer)
    assert check(engine) == (0, "")


def test_orphaned_rows_are_deleted(engine):
    db = sqlite3.connect(engine.root / "db.sqlite")
    db.execute("PRAGMA foreign_keys = OFF")
    db.execute("INSERT INTO names VALUES ('docker.io/library/ghost:1', ?)", ("ef" * 32,))
    db.commit()
    db.close()
    code, out = check(engine)
    assert code == 1 and "name 'docker.io/library/ghost:1' names an image that is not there" in out
    assert check(engine, repair=True)[0] == 0
    assert check(engine) == (0, "")
