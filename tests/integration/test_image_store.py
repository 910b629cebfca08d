# SPDX-License-Identifier: Apache-2.0
"""The image store under bad luck: killed, full, forbidden, damaged, in parallel."""
import gzip
import hashlib
import io
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import tarfile
import time

import pytest

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("BULKHEAD_BUILD", os.path.join(SOURCE, "build"))
UNPACK = os.path.join(BUILD, "src/cmd/bulkhead-unpack/bulkhead-unpack")
STORECTL = os.path.join(BUILD, "tests/unit/storectl")

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def make_tar(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in files.items():
            t = tarfile.TarInfo(name)
            t.size = len(data)
            tar.addfile(t, io.BytesIO(data))
    return out.getvalue()


class Store:
    def __init__(self, folder):
        self.folder = folder
        self.root = folder / "store"

    def tar(self, name, data):
        path = self.folder / name
        path.write_bytes(data)
        return path

    def argv(self, *args):
        return [STORECTL, str(self.root), *map(str, args)]

    def call(self, *args, **kwargs):
        return subprocess.run(self.argv(*args), capture_output=True, text=True, timeout=120, **kwargs)

    def ok(self, *args, **kwargs):
        r = self.call(*args, **kwargs)
        assert r.returncode == 0, r.stderr
        return r.stdout.split()

    def refused(self, *args, text, **kwargs):
        r = self.call(*args, **kwargs)
        assert r.returncode == 1, r.stdout
        lines = r.stderr.splitlines()
        assert len(lines) == 1 and lines[0].startswith("storectl: "), r.stderr
        assert text in r.stderr
        return r

    def add(self, path, name="-", *changes):
        return self.ok("import", path, name, UNPACK, *changes)[0]

    def check(self):
        """What must be true at any time: every image is whole, nothing else is there."""
        db = sqlite3.connect(f"file:{self.root}/db.sqlite?mode=ro", uri=True)
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        blobs, layers = set(), set()
        for image, manifest in db.execute("SELECT id, manifest FROM images"):
            blobs |= {image, manifest}
            config = json.loads((self.root / "blobs/sha256" / image).read_bytes())
            doc = json.loads((self.root / "blobs/sha256" / manifest).read_bytes())
            assert doc["config"]["digest"] == "sha256:" + image
            rows = db.execute("SELECT diff_id, blob, blob_bytes FROM image_layers WHERE image_id = ? ORDER BY position",
                              (image,)).fetchall()
            assert ["sha256:" + r[0] for r in rows] == config["rootfs"]["diff_ids"]
            assert [("sha256:" + r[1], r[2]) for r in rows] == [(d["digest"], d["size"]) for d in doc["layers"]]
            blobs |= {r[1] for r in rows}
            layers |= {r[0] for r in rows}
        db.close()
        for b in os.listdir(self.root / "blobs/sha256"):
            data = (self.root / "blobs/sha256" / b).read_bytes()
            assert hashlib.sha256(data).hexdigest() == b
        return blobs, layers

    def check_clean(self):
        blobs, layers = self.check()
        assert set(os.listdir(self.root / "blobs/sha256")) == blobs
        assert set(os.listdir(self.root / "fs/layers")) == layers
        assert os.listdir(self.root / "tmp") == []


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


def test_import_resolve_config_remove(store):
    a = store.tar("a.tar", make_tar({"bin/sh": b"a"}))
    image = store.add(a, "app:1", 'CMD ["/bin/sh", "-c", "x"]', "ENV A=b", "USER www-data")
    line = store.ok("resolve", "app:1")
    digest = hashlib.sha256(a.read_bytes()).hexdigest()
    assert line == [image, "docker.io/library/app:1", f"layers/{digest}"]
    for text in (image, image[:12], "sha256:" + image, "sha256:" + image[:5], "docker.io/library/app:1", "library/app:1"):
        assert store.ok("resolve", text) == line
    config = json.loads("".join(store.call("config", "app:1").stdout))
    assert config["config"]["Cmd"] == ["/bin/sh", "-c", "x"]
    assert config["config"]["Env"][-1] == "A=b" and config["config"]["User"] == "www-data"
    assert (store.root / "fs/layers" / digest / "bin/sh").read_bytes() == b"a"
    assert os.stat(store.root).st_mode & 0o777 == 0o700
    store.check_clean()
    assert store.ok("remove", "app:1") == ["untagged", "docker.io/library/app:1", "deleted", image]
    assert store.ok("list") == []
    store.check_clean()
    assert os.listdir(store.root / "fs/layers") == []


def test_import_from_a_pipe(store):
    data = gzip.compress(make_tar({"x": os.urandom(1 << 20)}))
    r = subprocess.run(store.argv("import", "-", "piped", UNPACK), input=data, capture_output=True)
    assert r.returncode == 0, r.stderr
    store.check_clean()


def test_a_name_moves_and_layers_are_shared(store):
    a = store.tar("a", make_tar({"x": b"1"}))
    b = store.tar("b", make_tar({"x": b"2"}))
    first = store.add(a, "n")
    second = store.add(b, "n")
    third = store.add(store.tar("agz", gzip.compress(a.read_bytes())), "other")
    assert store.ok("resolve", "n")[0] == second
    assert store.ok("resolve", first)[1:] == [f"layers/{hashlib.sha256(a.read_bytes()).hexdigest()}"]
    assert len(os.listdir(store.root / "fs/layers")) == 2
    store.ok("remove", first)
    assert len(os.listdir(store.root / "fs/layers")) == 2
    store.check_clean()
    store.ok("remove", third)
    assert len(os.listdir(store.root / "fs/layers")) == 1
    store.check_clean()


def test_several_names(store):
    image = store.add(store.tar("a", make_tar({"x": b"1"})), "one")
    db = sqlite3.connect(store.root / "db.sqlite")
    db.execute("INSERT INTO names VALUES ('docker.io/library/two:latest', ?)", (image,))
    db.commit()
    db.close()
    store.refused("remove", image, text="2 names")
    assert store.ok("remove", "two") == ["untagged", "docker.io/library/two:latest"]
    assert store.ok("resolve", "one")[0] == image
    assert store.ok("remove-force", image)[-1] == image


def test_ambiguous_and_wrong_names(store):
    ids = [store.add(store.tar(f"t{i}", make_tar({"x": b"%d" % i}))) for i in range(20)]
    by = {}
    for i in ids:
        by.setdefault(i[0], []).append(i)
    pair = None
    for n in (2, 3):
        seen = {}
        for i in ids:
            seen.setdefault(i[:n], []).append(i)
        pair = pair or next((v for v in seen.values() if len(v) > 1), None)
    if pair:
        store.refused("resolve", os.path.commonprefix(pair), text="several images")
        store.refused("remove", os.path.commonprefix(pair), text="several images")
    store.refused("resolve", "nothing", text="there is no image 'nothing'")
    store.refused("resolve", "f" * 64, text="there is no image")
    store.refused("resolve", "sha256:xyz", text="not an image id")
    for bad in ("../x", "/etc", "a/../b", "", "A", "a b", "x\n", "n:" + "t" * 200):
        assert store.call("resolve", bad).returncode == 1
        assert store.call("import", store.folder / "t0", bad or " ", UNPACK).returncode == 1
    store.check_clean()


def test_image_of_a_container_stays(store):
    image = store.add(store.tar("a", make_tar({"x": b"1"})), "used")
    db = sqlite3.connect(store.root / "db.sqlite")
    db.execute("INSERT INTO containers (id, name, image_id, state, created) VALUES ('c', 'web', ?, 'running', 0)",
               (image,))
    db.commit()
    db.close()
    store.refused("remove", "used", text="container 'web'")
    store.refused("remove-force", image, text="container 'web'")
    store.check_clean()


def test_wrong_change_is_found_before_the_archive(store):
    store.refused("import", "/dev/null", "x", UNPACK, "FROM scratch", text="FROM")
    assert not (store.root / "tmp").exists() or os.listdir(store.root / "tmp") == []


@pytest.mark.parametrize("data,text", [(b"", "empty"), (b"rubbish", "not a tar"),
                                       (gzip.compress(make_tar({"x": os.urandom(9999)}))[:5000], "truncated")])
def test_bad_archives_leave_nothing(store, data, text):
    store.refused("import", store.tar("bad", data), "x", UNPACK, text=text)
    store.check_clean()
    assert store.ok("list") == []


def test_limits(store):
    a = store.tar("a", make_tar({"x": b"1" * 1000, "y": b"2"}))
    store.refused("limited-import", a, 500, 0, 0, UNPACK, text="more than 500 bytes")
    store.refused("limited-import", a, 0, 1, 0, UNPACK, text="more than 1 entries")
    store.ok("limited-import", a, 1001, 2, 1, UNPACK)


def test_missing_helper(store):
    store.refused("import", store.tar("a", make_tar({})), "x", "/nonexistent/bulkhead-unpack", text="installed")
    store.refused("import", store.tar("a", make_tar({})), "x", "/bin/true", text="without a result")
    store.check_clean()


# --- damage ---------------------------------------------------------------------------------------

def test_changed_config_is_noticed(store):
    image = store.add(store.tar("a", make_tar({"x": b"1"})), "a")
    path = store.root / "blobs/sha256" / image
    path.write_bytes(path.read_bytes().replace(b"linux", b"minix"))
    store.refused("config", "a", text="changed on disk")
    path.unlink()
    store.refused("config", "a", text="cannot read the config")


def test_damaged_and_newer_databases(store):
    store.add(store.tar("a", make_tar({"x": b"1"})), "a")
    db = sqlite3.connect(store.root / "db.sqlite")
    db.execute("PRAGMA user_version = 99")
    db.commit()
    db.close()
    store.refused("list", text="newer version of bulkhead")
    store.refused("import", "/dev/null", "x", UNPACK, text="newer version of bulkhead")
    for f in ("db.sqlite-wal", "db.sqlite-shm"):
        (store.root / f).unlink(missing_ok=True)
    (store.root / "db.sqlite").write_bytes(b"not a database" * 1000)
    store.refused("list", text="damaged")


def test_forbidden_places(store, tmp_path):
    store.refused("list", text="no image store")
    (tmp_path / "file").write_text("")
    r = subprocess.run([STORECTL, tmp_path / "file", "list"], capture_output=True, text=True)
    assert r.returncode == 1 and "is not a folder" in r.stderr
    r = subprocess.run([STORECTL, "relative", "list"], capture_output=True, text=True)
    assert r.returncode == 1 and "absolute" in r.stderr
    store.root.mkdir(mode=0o755)
    store.refused("import", "/dev/null", "x", UNPACK, text="chmod 700")
    store.root.chmod(0o700)
    os.chown(store.root, 1000, 1000)
    store.refused("import", "/dev/null", "x", UNPACK, text="uid 1000")


def in_mounts(script, *args):
    """Runs a shell script in a mount namespace of its own."""
    return subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-ec", script, "-", *map(str, args)],
                          capture_output=True, text=True, timeout=120)


def test_read_only_store(store, tmp_path):
    store.add(store.tar("a", make_tar({"x": b"1"})), "a")
    r = in_mounts('mount --bind "$1" "$1"; mount -o remount,ro,bind "$1"; exec "$2" "$1" import "$3" b "$4"',
                  store.root, STORECTL, tmp_path / "a", UNPACK)
    assert r.returncode == 1 and "ead-only" in r.stderr and len(r.stderr.splitlines()) == 1, r.stderr
    store.check_clean()


@pytest.mark.parametrize("fs", ["tmpfs", "ext4"])
def test_full_disk(store, tmp_path, fs):
    """A small disk: the import fails with one sentence and leaves nothing; a smaller one then works."""
    big = store.tar("big", make_tar({f"f{i}": os.urandom(1 << 20) for i in range(30)}))
    small = store.tar("small", make_tar({"x": b"1"}))
    mount = {"tmpfs": 'mount -t tmpfs -o size=40m,mode=700 none "$1"',
             "ext4": 'truncate -s 48M "$1.img"; mkfs.ext4 -q "$1.img"; mount -o loop "$1.img" "$1"'}[fs]
    (tmp_path / "disk").mkdir()
    r = in_mounts(f'export PATH=/usr/sbin:/sbin:$PATH; {mount} || exit 1; S="$1/store"; rc=0; "$2" "$S" import "$3" a "$5" || rc=$?; echo "rc=$rc";'
                  'find "$S/tmp" "$S/blobs/sha256" "$S/fs/layers" -mindepth 1; "$2" "$S" import "$4" b "$5"; "$2" "$S" list',
                  tmp_path / "disk", STORECTL, big, small, UNPACK)
    if fs == "ext4" and "rc=" not in r.stdout:
        pytest.skip(f"no ext4 on a loop device here: {r.stderr.strip()}")
    if fs == "tmpfs" and "cannot map the ids" in r.stderr:
        pytest.skip("this kernel cannot idmap a tmpfs (Linux 6.3)")
    out = r.stdout.splitlines()
    assert out[0] == "rc=1", r.stderr
    assert len(r.stderr.splitlines()) == 1 and "No space left on device" in r.stderr
    assert len(out) == 3 and "docker.io/library/b:latest" in out[2], r.stdout + r.stderr


# --- crashes and company --------------------------------------------------------------------------

def test_killed_imports_are_repaired_by_the_next(store):
    rng = random.Random(7)
    big = store.tar("big", make_tar({f"d{i % 7}/f{i}": rng.randbytes(20000) for i in range(600)}))
    small = store.tar("small", make_tar({"x": b"1"}))
    start = time.monotonic()
    store.add(big, "whole")
    took = time.monotonic() - start
    for i in range(16):
        p = subprocess.Popen(store.argv("import", big, f"n{i}", UNPACK), stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        time.sleep(took * i / 13)
        p.send_signal(signal.SIGKILL)
        p.wait()
        store.check()
    store.add(small, "small")
    store.check_clean()
    assert store.ok("resolve", "whole")


def test_killed_removals_are_repaired_by_the_next(store):
    big = store.tar("big", make_tar({f"d{i % 7}/f{i}": b"x" for i in range(400)}))
    small = store.tar("small", make_tar({"x": b"1"}))
    for i in range(5):
        store.add(big, "big")
        p = subprocess.Popen(store.argv("remove", "big"), stdout=subprocess.DEVNULL)
        time.sleep(0.003 * i)
        p.send_signal(signal.SIGKILL)
        p.wait()
        store.check()
        store.call("remove", "big")
        store.add(small, "small")
        store.check_clean()


def test_helper_killed(store):
    read, write = os.pipe()
    p = subprocess.Popen(store.argv("import", "-", "x", UNPACK), stdin=read, stderr=subprocess.PIPE, text=True)
    os.close(read)
    os.write(write, make_tar({"x": b"1" * 5000})[:3000])
    for _ in range(300):
        children = open(f"/proc/{p.pid}/task/{p.pid}/children").read().split()
        inner = children and open(f"/proc/{children[0]}/task/{children[0]}/children").read().split()
        if inner and len(inner) == 2 and all("Seccomp:\t2" in open(f"/proc/{i}/status").read() for i in inner):
            break
        time.sleep(0.01)
    os.kill(int(inner[1]), signal.SIGKILL)
    os.close(write)
    assert p.wait(timeout=30) == 1
    with p.stderr:
        assert "signal 9" in p.stderr.read()
    store.check_clean()


def test_parallel_imports_of_one_archive(store):
    tar = store.tar("a", make_tar({f"f{i}": os.urandom(5000) for i in range(200)}))
    running = [subprocess.Popen(store.argv("import", tar, f"n{i}", UNPACK), stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True) for i in range(6)]
    for p in running:
        out, err = p.communicate(timeout=120)
        assert p.returncode == 0, err
    assert len(os.listdir(store.root / "fs/layers")) == 1
    store.check_clean()
    for i in range(6):
        store.ok("resolve", f"n{i}")


def test_removal_while_another_imports(store):
    image = store.add(store.tar("a", make_tar({"x": b"1"})), "a")
    read, write = os.pipe()
    p = subprocess.Popen(store.argv("import", "-", "b", UNPACK), stdin=read, stdout=subprocess.DEVNULL)
    os.close(read)
    data = make_tar({"y": b"2" * 50000})
    os.write(write, data[:20000])
    for _ in range(300):
        if os.listdir(store.root / "tmp"):
            break
        time.sleep(0.01)
    assert store.ok("remove", "a")[-1] == image
    assert os.listdir(store.root / "tmp"), "the other's work is gone"
    with os.fdopen(write, "wb") as f:
        f.write(data[20000:])
    assert p.wait(timeout=60) == 0
    store.ok("resolve", "b")
    store.check_clean()


def test_leftover_layer_of_the_same_name_is_not_trusted(store):
    tar = store.tar("a", make_tar({"x": b"right"}))
    digest = hashlib.sha256(tar.read_bytes()).hexdigest()
    store.add(store.tar("b", make_tar({"x": b"1"})), "b")
    (store.root / "fs/layers" / digest).mkdir()
    (store.root / "fs/layers" / digest / "x").write_text("half")
    store.add(tar, "a")
    assert (store.root / "fs/layers" / digest / "x").read_bytes() == b"right"
    store.check_clean()


def test_very_deep_layers_are_removed(store):
    top = store.folder / "deep"
    top.mkdir()
    here = os.open(top, os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("d", dir_fd=here)
        there = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = there
    os.close(here)
    store.add(store.tar("a", make_tar({"x": b"1"})), "a")
    shutil.move(top, store.root / "tmp" / "left")
    store.add(store.tar("b", make_tar({"x": b"1"})), "b")
    store.check_clean()
