# SPDX-License-Identifier: Apache-2.0
"""Archives, friendly and hostile, through bulkhead-unpack: where bytes land, and what is refused."""
import gzip
import hashlib
import io
import lzma
import os
import stat
import struct
import subprocess
import tarfile
import unicodedata
import zlib

import pytest

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("BULKHEAD_BUILD", os.path.join(SOURCE, "build"))
UNPACK = os.path.join(BUILD, "src/cmd/bulkhead-unpack/bulkhead-unpack")
HOST_ID = 0x7FFE0000
RECORD = struct.Struct("<8siI32s32s6Q8s1024s")
LIMITS = {"max-bytes": 1 << 30, "max-entries": 100000, "max-ratio": 200, "memory": 0}

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


class Result:
    def __init__(self, code, data):
        assert len(data) == RECORD.size, f"no record, exit code {code}"
        (magic, self.code, _, raw, diff, self.raw_bytes, self.diff_bytes, self.entries, self.content_bytes,
         self.skipped_devices, self.dropped_xattrs, method, text) = RECORD.unpack(data)
        assert magic == b"BHUNPK\0\1"
        self.raw, self.diff = raw.hex(), diff.hex()
        self.method, self.text = (x.split(b"\0")[0].decode() for x in (method, text))
        assert (self.code == 0) == (code == 0)


class Layer:
    """A folder to fill. Everything around it is checked to stay as it was."""

    def __init__(self, top):
        self.top = top
        self.outside = top / "outside"
        self.outside.mkdir()
        (self.outside / "secret").write_text("secret")
        self.path = top / "layer"
        self.path.mkdir(mode=0o755)
        self.blob = top / "blob"

    def unpack(self, data, **limits):
        """data: bytes (by pipe), or the path of a file."""
        argv = [UNPACK, "--host-id", str(HOST_ID)]
        for name, value in {**LIMITS, **{k.replace("_", "-"): v for k, v in limits.items()}}.items():
            argv += [f"--{name}", str(value)]
        layer = os.open(self.path, os.O_PATH | os.O_DIRECTORY)
        blob = os.open(self.blob, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        result, write = os.pipe()
        # High numbers first, so that none is overwritten on its way.
        high = [os.dup2(fd, 100 + i) for i, fd in enumerate((layer, blob, write))]

        def place():
            for i, fd in enumerate(high):
                os.dup2(fd, 3 + i)
            os.closerange(6, 128)

        stdin = subprocess.PIPE if isinstance(data, bytes) else open(data, "rb")
        p = subprocess.Popen(argv, stdin=stdin, preexec_fn=place, close_fds=False)
        for fd in (layer, blob, write, *high):
            os.close(fd)
        if isinstance(data, bytes):
            try:
                p.stdin.write(data)
                p.stdin.close()
            except BrokenPipeError:
                pass
        else:
            stdin.close()
        code = p.wait(timeout=120)
        got = os.read(result, 4096)
        os.close(result)
        assert sorted(os.listdir(self.top)) == ["blob", "layer", "outside"]
        assert os.listdir(self.outside) == ["secret"]
        assert (self.outside / "secret").read_text() == "secret"
        return Result(code, got)

    def ok(self, data, **limits):
        r = self.unpack(data, **limits)
        assert r.text == "" and r.code == 0
        return r

    def refused(self, data, text, **limits):
        r = self.unpack(data, **limits)
        assert r.code < 0, "was accepted"
        assert text in r.text
        assert r.text == r.text.strip() and not r.text.endswith(".") and "\n" not in r.text
        return r

    def names(self):
        found = set()
        for folder, folders, files in os.walk(self.path):
            for n in folders + files:
                found.add(os.path.relpath(os.path.join(folder, n), self.path))
        return found


@pytest.fixture
def layer(tmp_path):
    return Layer(tmp_path)


class Tar:
    """A tar archive, entry by entry."""

    def __init__(self, fmt=tarfile.PAX_FORMAT):
        self.out = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.out, mode="w", format=fmt)

    def add(self, name, data=b"", **fields):
        t = tarfile.TarInfo(name)
        t.size = len(data)
        for k, v in fields.items():
            setattr(t, k, v)
        self.tar.addfile(t, io.BytesIO(data) if data else None)
        return self

    def dir(self, name, **fields):
        return self.add(name, type=tarfile.DIRTYPE, mode=fields.pop("mode", 0o755), **fields)

    def symlink(self, name, to, **fields):
        return self.add(name, type=tarfile.SYMTYPE, linkname=to, **fields)

    def link(self, name, to, **fields):
        return self.add(name, type=tarfile.LNKTYPE, linkname=to, **fields)

    def bytes(self):
        self.tar.close()
        return self.out.getvalue()


def test_normal_tree(layer):
    data = (Tar().dir("./", mode=0o711, mtime=5).dir("./usr/", mode=0o755, mtime=1000000000)
            .add("./usr/a", b"hello", mode=0o4755, uid=33, gid=34, mtime=1234567890)
            .symlink("./usr/l", "a", uid=7, mtime=99).link("./usr/h", "./usr/a")
            .add("./usr/fifo", type=tarfile.FIFOTYPE, mode=0o620).dir("usr/sgid", mode=0o3775, gid=50)
            .add("usr/sgid/x", b"1", mode=0o600, gid=8).bytes())
    r = layer.ok(data)
    p = layer.path
    assert r.raw == r.diff == hashlib.sha256(data).hexdigest()
    assert (r.raw_bytes, r.diff_bytes, r.entries, r.content_bytes, r.method) == (len(data), len(data), 8, 6, "none")
    assert layer.blob.read_bytes() == data
    a = os.stat(p / "usr/a")
    assert (p / "usr/a").read_bytes() == b"hello"
    assert (a.st_uid, a.st_gid, stat.S_IMODE(a.st_mode), a.st_mtime, a.st_nlink) == (33, 34, 0o4755, 1234567890, 2)
    assert os.stat(p / "usr/h").st_ino == a.st_ino
    link = os.lstat(p / "usr/l")
    assert (os.readlink(p / "usr/l"), link.st_uid, link.st_mtime) == ("a", 7, 99)
    assert stat.S_ISFIFO(os.stat(p / "usr/fifo").st_mode)
    sgid, x = os.stat(p / "usr/sgid"), os.stat(p / "usr/sgid/x")
    assert (stat.S_IMODE(sgid.st_mode), sgid.st_gid) == (0o3775, 50)
    assert (x.st_gid, x.st_uid, stat.S_IMODE(x.st_mode)) == (8, 0, 0o600)
    assert (os.stat(p / "usr").st_mtime, os.stat(p).st_mtime) == (1000000000, 5)
    assert stat.S_IMODE(os.stat(p).st_mode) == 0o711


def test_times_have_nanoseconds_and_may_be_before_1970(layer):
    layer.ok(Tar().add("a", pax_headers={"mtime": "1234567890.123456789"}).add("b", mtime=-3).bytes())
    assert os.stat(layer.path / "a").st_mtime_ns == 1234567890123456789
    assert os.stat(layer.path / "b").st_mtime == -3


@pytest.mark.parametrize("fmt", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_format_is_read(layer, fmt):
    name = "d/" + "n" * 90 if fmt == tarfile.USTAR_FORMAT else "d/" + "n" * 200 + "/" + "m" * 200
    layer.ok(Tar(fmt).add(name, b"x").symlink("l", "t" * (90 if fmt == tarfile.USTAR_FORMAT else 300)).bytes())
    assert (layer.path / name).read_bytes() == b"x"


@pytest.mark.parametrize("fmt", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_names_are_bytes_and_stay_as_they_are(layer, fmt):
    names = [unicodedata.normalize("NFD", "é"), unicodedata.normalize("NFC", "é"), "日本", "\udcff-not-utf8",
             "back\\slash", "new\nline", " blank "]
    t = Tar(fmt)
    for n in names:
        t.add(n, b"x")
    t.symlink("link", "日本").link("hard", "日本")
    layer.ok(t.bytes())
    assert set(os.listdir(layer.path)) == {*names, "link", "hard"}
    assert os.readlink(layer.path / "link") == "日本"


def test_missing_parents_are_made(layer):
    layer.ok(Tar().add("a/b/c/file", b"x").bytes())
    st = os.stat(layer.path / "a/b")
    assert (stat.S_IMODE(st.st_mode), st.st_uid) == (0o755, 0)


# --- names that lead out --------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["../outside/x", "a/../../outside/x", "..", "a/..", "/../outside/x", "./../x"])
def test_dotdot_is_refused(layer, name):
    layer.refused(Tar().dir("a").add(name, b"x").bytes(), "'..'")


def test_absolute_names_land_inside(layer):
    layer.ok(Tar().add(f"{layer.outside}/x", b"x").add("//etc//./passwd", b"y").bytes())
    assert (layer.path / str(layer.outside)[1:] / "x").read_bytes() == b"x"
    assert (layer.path / "etc/passwd").read_bytes() == b"y"


@pytest.mark.parametrize("target", ["/outside", "../outside", "{outside}", "../../../../../..{outside}"])
def test_parent_symlinks_are_resolved_inside(layer, target):
    target = target.format(outside=layer.outside)
    layer.ok(Tar().dir("real").symlink("out", target).add("out/secret", b"attack").symlink("in", "/real")
             .add("in/file", b"normal").bytes())
    assert (layer.path / "real/file").read_bytes() == b"normal"
    assert b"attack" in [f.read_bytes() for f in layer.path.rglob("secret")]


def test_nothing_is_written_through_a_final_symlink(layer):
    layer.ok(Tar().symlink("secret", str(layer.outside / "secret")).add("secret", b"attack")
             .symlink("dir", str(layer.outside)).dir("dir", mode=0o700, uid=99).bytes())
    assert not (layer.path / "secret").is_symlink() and (layer.path / "secret").read_bytes() == b"attack"
    assert not (layer.path / "dir").is_symlink()


def test_symlink_loop_as_parent_is_refused(layer):
    layer.refused(Tar().symlink("a", "b").symlink("b", "a").add("a/x", b"x").bytes(), "'a/x'")


def test_file_as_parent_is_refused(layer):
    layer.refused(Tar().add("a", b"x").add("a/x", b"x").bytes(), "'a/x'")


# --- hard links -----------------------------------------------------------------------------------

@pytest.mark.parametrize("target,text", [
    ("../outside/secret", "'..'"), ("{outside}/secret", "not in the archive before it"),
    ("nothing", "not in the archive before it"), ("out/secret", "not in the archive before it"), (".", "root"),
    ("folder", "cannot link"), ("later", "not in the archive before it")])
def test_hard_links_that_lead_out_or_nowhere_are_refused(layer, target, text):
    layer.refused(Tar().symlink("out", str(layer.outside)).dir("folder")
                  .link("l", target.format(outside=layer.outside)).add("later", b"x").bytes(), text)


def test_hard_link_to_a_symlink_does_not_follow_it(layer):
    layer.ok(Tar().symlink("s", str(layer.outside / "secret")).link("h", "s").add("h", b"attack").bytes())
    assert (layer.path / "h").read_bytes() == b"attack"
    assert os.readlink(layer.path / "s") == str(layer.outside / "secret")


def test_hard_links_through_folders_and_to_themselves(layer):
    layer.ok(Tar().dir("a").dir("b").add("a/f", b"x").link("b/g", "a/f").link("a/f", "a/f").link("/b/g", "./a/f")
             .symlink("s", "/a").link("c", "s/f").add("old", b"old").link("old", "a/f").bytes())
    assert os.stat(layer.path / "a/f").st_nlink == 4
    assert (layer.path / "old").read_bytes() == b"x"


# --- duplicates -----------------------------------------------------------------------------------

def test_later_entries_replace_earlier_ones(layer):
    layer.ok(Tar().add("f", b"old", mode=0o777).add("f", b"new", mode=0o600)
             .dir("d").add("d/deep/er", b"x").add("d", b"a file now")
             .add("x", b"x").dir("x").add("x/y", b"y").symlink("t", "x").add("t", b"file")
             .dir("keep", mode=0o700, mtime=1).add("keep/me", b"z").dir("keep", mode=0o750, uid=5, mtime=77).bytes())
    p = layer.path
    assert ((p / "f").read_bytes(), stat.S_IMODE(os.stat(p / "f").st_mode)) == (b"new", 0o600)
    assert (p / "d").read_bytes() == b"a file now"
    assert (p / "x/y").read_bytes() == b"y"
    assert (p / "t").read_bytes() == b"file"
    keep = os.stat(p / "keep")
    assert (stat.S_IMODE(keep.st_mode), keep.st_uid, keep.st_mtime) == (0o750, 5, 77)
    assert (p / "keep/me").read_bytes() == b"z"


def test_a_replaced_file_leaves_its_hard_links_alone(layer):
    layer.ok(Tar().add("a", b"first").link("b", "a").add("a", b"second").bytes())
    assert ((layer.path / "a").read_bytes(), (layer.path / "b").read_bytes()) == (b"second", b"first")


def test_parent_replaced_between_two_entries(layer):
    layer.ok(Tar().dir("p").add("p/1", b"1").symlink("q", "/elsewhere").dir("elsewhere").add("p", b"gone")
             .symlink("p", "/elsewhere").add("p/2", b"2").bytes())
    assert (layer.path / "elsewhere/2").read_bytes() == b"2"
    assert not (layer.path / "elsewhere/1").exists()


def test_deep_folder_is_replaced(layer):
    t = Tar()
    for i in range(60):
        t.add("d/" + "x/" * i + "f", b"x")
    layer.ok(t.add("d", b"flat").bytes())
    assert layer.names() == {"d"}


def test_root_must_be_a_folder(layer):
    layer.refused(Tar().add(".", b"x").bytes(), "not a folder")
    layer.refused(Tar().symlink(".", "/etc").bytes(), "not a folder")


# --- devices, whiteouts, attributes ---------------------------------------------------------------

def test_devices_are_skipped_and_counted(layer):
    r = layer.ok(Tar().dir("dev").add("dev/null", type=tarfile.CHRTYPE, devmajor=1, devminor=3)
                 .add("dev/sda", type=tarfile.BLKTYPE, devmajor=8, devminor=0).add("file", b"x").bytes())
    assert r.skipped_devices == 2
    assert layer.names() == {"dev", "file"}


def test_forged_whiteouts_are_refused(layer):
    layer.refused(Tar().add("usr", type=tarfile.CHRTYPE, devmajor=0, devminor=0).bytes(), "whiteout")
    layer.refused(Tar().add("a/.wh.b", b"").bytes(), "'.wh.'")
    layer.refused(Tar().add(".wh..wh..opq", b"").bytes(), "'.wh.'")
    layer.refused(Tar().add(".wh.dir/file", b"").bytes(), "'.wh.'")
    layer.ok(Tar().add("not.wh.x", b"").bytes())


CAP_NET_RAW_V2 = struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0)


def test_file_capabilities_are_kept(layer):
    raw = CAP_NET_RAW_V2.decode("latin-1")
    data = Tar().add("ping", b"x", mode=0o755, pax_headers={"SCHILY.xattr.security.capability": raw}).bytes()
    r = layer.ok(data)
    assert r.dropped_xattrs == 0
    # For host root, to whom the folder is not shifted: the plain form, as GNU tar would have stored it.
    assert os.getxattr(layer.path / "ping", "security.capability") == CAP_NET_RAW_V2
    got = subprocess.run(["getcap", layer.path / "ping"], capture_output=True, text=True, env={"PATH": "/usr/sbin:/sbin:/usr/bin"})
    assert "cap_net_raw=ep" in got.stdout


def test_extended_attributes_are_chosen(layer):
    def x(name, value):
        return {f"SCHILY.xattr.{name}": value}
    drop = ["trusted.overlay.opaque", "trusted.overlay.redirect", "trusted.x", "user.overlay.opaque",
            "user.overlay.whiteout", "security.selinux", "security.ima", "security.capability2", "system.x", "bogus"]
    t = Tar().add("keep", b"x", pax_headers=x("user.note", "hello"))
    t.add("drop", b"x", pax_headers={k: v for n in drop for k, v in x(n, "y").items()})
    t.dir("dir", pax_headers=x("user.dir", "1")).symlink("l", "keep", pax_headers=x("user.l", "1"))
    r = layer.ok(t.bytes())
    assert r.dropped_xattrs == len(drop) + 1  # a link cannot have user.*
    assert os.getxattr(layer.path / "keep", "user.note") == b"hello"
    assert os.getxattr(layer.path / "dir", "user.dir") == b"1"
    assert os.listxattr(layer.path / "drop") == []


def test_acls_are_kept(layer):
    acl = {"SCHILY.acl.access": "user::rw-,user:33:r--,group::r--,mask::r--,other::---"}
    default = {"SCHILY.acl.default": "user::rwx,group:50:rwx,group::r-x,mask::rwx,other::r-x"}
    layer.ok(Tar().add("f", b"x", mode=0o640, pax_headers=acl).dir("d", pax_headers=default).bytes())
    f = os.getxattr(layer.path / "f", "system.posix_acl_access")
    assert f == struct.pack("<I" + "HHI" * 5, 2, 1, 6, 0xFFFFFFFF, 2, 4, 33, 4, 4, 0xFFFFFFFF, 16, 4, 0xFFFFFFFF,
                            32, 0, 0xFFFFFFFF)
    assert struct.pack("<HHI", 8, 7, 50) in os.getxattr(layer.path / "d", "system.posix_acl_default")


@pytest.mark.parametrize("uid,gid", [(65536, 0), (0, 65536), (1 << 31, 0), (4294967295, 0)])
def test_ids_beyond_a_containers_range_are_refused(layer, uid, gid):
    layer.refused(Tar().add("f", b"x", uid=uid, gid=gid).bytes(), "0 to 65535")


def test_highest_id(layer):
    layer.ok(Tar().add("f", b"x", uid=65535, gid=65534).bytes())
    st = os.stat(layer.path / "f")
    assert (st.st_uid, st.st_gid) == (65535, 65534)


# --- sparse files ---------------------------------------------------------------------------------

@pytest.mark.parametrize("version", ["gnu", "0.0", "0.1", "1.0"])
def test_sparse_files_stay_sparse(layer, tmp_path_factory, version):
    src = tmp_path_factory.mktemp("src")
    with open(src / "sparse", "wb") as f:
        f.write(b"begin")
        f.seek(64 << 20)
        f.write(b"middle")
        f.truncate(128 << 20)
    fmt = ["--format=gnu"] if version == "gnu" else ["--format=pax", f"--sparse-version={version}"]
    data = subprocess.run(["tar", "-cS", *fmt, "-C", src, "sparse"], capture_output=True, check=True).stdout
    r = layer.ok(data)
    st = os.stat(layer.path / "sparse")
    assert (st.st_size, r.content_bytes) == (128 << 20, 128 << 20)
    assert st.st_blocks * 512 < 1 << 20
    with open(layer.path / "sparse", "rb") as f:
        assert f.read(5) == b"begin"
        f.seek(64 << 20)
        assert f.read(7) == b"middle\0"


# --- bounds ---------------------------------------------------------------------------------------

def test_content_is_bounded(layer):
    data = Tar().add("a", b"x" * 600).add("b", b"x" * 600).bytes()
    layer.refused(data, "more than 1000 bytes", max_bytes=1000)


def test_holes_count_as_content(layer):
    header = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "f",
              "GNU.sparse.realsize": str(1 << 60)}
    layer.refused(Tar().add("f", b"0\n" + b"\0" * 510, pax_headers=header).bytes(), "more than")


def test_entries_are_bounded(layer):
    t = Tar()
    for i in range(50):
        t.add(f"f{i}")
    data = t.bytes()
    layer.refused(data, "more than 49 entries", max_entries=49)
    layer.ok(data, max_entries=50)


def test_parents_made_unasked_count_as_entries(layer):
    t = Tar()
    for i in range(10):
        t.add(f"{i}/" + "/".join("abcdefghijklmnopqrstuvwxyz") + "/f")
    layer.refused(t.bytes(), "entries, the limit", max_entries=50)


def test_names_are_bounded(layer):
    layer.refused(Tar().add("n" * 256, b"x").bytes(), "255")
    layer.refused(Tar().add("/".join(["n" * 200] * 25), b"x").bytes(), "4095")
    layer.refused(Tar().add("d/" * 257 + "f", b"x").bytes(), "256 folders")
    layer.ok(Tar().add("n" * 255, b"x").add("d/" * 255 + "f", b"x").bytes())


def test_symlink_targets_are_bounded(layer):
    layer.refused(Tar().symlink("l", "x" * 5000).bytes(), "'l'")


@pytest.mark.parametrize("compress", [lambda d: gzip.compress(d, 9), lambda d: lzma.compress(d, preset=1)])
def test_bombs_are_stopped(layer, compress):
    bomb = compress(Tar().add("zeros", b"\0" * (300 << 20)).bytes())
    layer.refused(bomb, "decompression bomb", max_ratio=100)
    assert sum(f.stat().st_blocks * 512 for f in layer.path.rglob("*")) < 290 << 20


def test_memory_of_xz_is_bounded(layer):
    # The header asks for 1 GiB; the data need not exist.
    data = lzma.compress(Tar().add("a", b"x").bytes(), preset=0)
    big = bytearray(data)
    assert big[12 + 1] == 0 and big[12 + 2] == 0x21
    big[12 + 4] = 38  # dictionary size code: 1 GiB
    size = (big[12] + 1) * 4
    big[12 + size - 4:12 + size] = struct.pack("<I", zlib.crc32(bytes(big[12:12 + size - 4])))
    layer.refused(bytes(big), "MiB of memory")


# --- compression ----------------------------------------------------------------------------------

def zstd(data):
    return subprocess.run(["zstd", "-qc"], input=data, capture_output=True, check=True).stdout


COMPRESS = {"gzip": gzip.compress, "xz": lzma.compress, "zstd": zstd}


@pytest.mark.parametrize("method", COMPRESS)
def test_compressions_are_detected(layer, method, tmp_path_factory):
    tar = Tar().add("a", os.urandom(300000)).add("b", b"b").bytes()
    data = COMPRESS[method](tar)
    r = layer.ok(data)
    assert (r.method, r.diff, r.raw) == (method, hashlib.sha256(tar).hexdigest(), hashlib.sha256(data).hexdigest())
    assert layer.blob.read_bytes() == data
    assert layer.names() == {"a", "b"}
    path = tmp_path_factory.mktemp("in") / "archive"
    path.write_bytes(data)
    assert layer.ok(str(path)).diff == r.diff


@pytest.mark.parametrize("method", COMPRESS)
def test_several_members_are_one_stream(layer, method):
    tar = Tar().add("a", b"x" * 5000).bytes()
    r = layer.ok(COMPRESS[method](tar[:2000]) + COMPRESS[method](tar[2000:]))
    assert r.diff == hashlib.sha256(tar).hexdigest()


@pytest.mark.parametrize("method", COMPRESS)
@pytest.mark.parametrize("keep", [0.05, 0.5, 0.999])
def test_truncated_streams_are_refused(layer, method, keep):
    data = COMPRESS[method](Tar().add("a", os.urandom(100000)).bytes())
    r = layer.refused(data[:int(len(data) * keep)], "truncated")
    assert method in r.text


@pytest.mark.parametrize("method", COMPRESS)
def test_changed_streams_are_refused(layer, method):
    data = bytearray(COMPRESS[method](Tar().add("a", os.urandom(100000)).bytes()))
    data[len(data) // 2] ^= 1
    layer.refused(bytes(data), method)


@pytest.mark.parametrize("method", ["gzip", "zstd"])
def test_garbage_behind_the_stream_is_refused(layer, method):
    layer.refused(COMPRESS[method](Tar().add("a", b"x").bytes()) + b"garbage behind", method)


def test_two_compressions_are_not_unwrapped(layer):
    layer.refused(gzip.compress(gzip.compress(Tar().add("a", b"x").bytes())), "not a tar archive")


# --- broken and lying archives --------------------------------------------------------------------

@pytest.mark.parametrize("data,text", [
    (b"", "empty"), (b"x", "not a tar"), (b"hello world\n" * 1000, "not a tar"), (b"PK\3\4" + b"x" * 600, "zip"),
    (b"BZh9" + b"x" * 600, "bzip2"), (b"hsqs" + b"x" * 600, "squashfs"), (b"070701" + b"0" * 600, "cpio"),
    (b"\x93\x11" * 2048, "not a tar")],
    ids=["nothing", "byte", "text", "zip", "bzip2", "squashfs", "cpio", "noise"])
def test_other_files_are_refused(layer, data, text):
    layer.refused(data, text)
    assert layer.names() == set()


def test_an_archive_without_entries_is_fine(layer):
    assert layer.ok(Tar().bytes()).entries == 0


def test_truncated_archives_are_refused(layer):
    data = Tar(tarfile.USTAR_FORMAT).add("a", b"x" * 5000).add("b", b"y" * 600).bytes()
    for size in (100, 512, 700, 3000, 512 + 5120, 512 + 5120 + 300, 512 + 5120 + 512 + 100):
        layer.refused(data[:size], "tar")


def test_missing_end_mark_is_refused(layer):
    data = Tar(tarfile.USTAR_FORMAT).add("a", b"x" * 512).bytes()
    layer.refused(data[:1024], "truncated")
    layer.ok(data[:1024 + 512])


def header(name, size_field, typeflag=b"0", **change):
    """A ustar header with any bytes in its size field and a right checksum."""
    h = bytearray(512)
    h[:len(name)] = name
    h[100:108] = b"0000644\0"
    h[108:116] = h[116:124] = b"0000000\0"
    h[124:136] = size_field
    h[136:148] = b"00000000000\0"
    h[156:157] = typeflag
    h[257:265] = b"ustar\x0000"
    for offset, value in change.get("at", {}).items():
        h[offset:offset + len(value)] = value
    h[148:156] = b" " * 8
    h[148:156] = b"%06o\0 " % sum(h)
    return bytes(h)


END = b"\0" * 1024


@pytest.mark.parametrize("size", [
    b"\xff" * 12,  # base-256: -1
    b"\x80" + b"\xff" * 11,  # base-256: huge
    b"\x80\0\0\0\x7f" + b"\xff" * 7,  # base-256: the largest number of 63 bits
    b"77777777777\0",  # octal: 8 GiB that do not come
])
def test_wrong_sizes_are_refused(layer, size):
    layer.refused(header(b"lie", size) + b"x" * 512 + END, "")


def test_base_256_sizes_and_ids_are_read(layer):
    h = header(b"f", b"\x80" + b"\0" * 10 + b"\x05", at={108: b"\x80\0\0\0\0\0\x03\xe8"})
    layer.ok(h + b"hello".ljust(512, b"\0") + END)
    assert (layer.path / "f").read_bytes() == b"hello"
    assert os.stat(layer.path / "f").st_uid == 1000


def test_wrong_checksum_is_refused(layer):
    good = Tar(tarfile.USTAR_FORMAT).add("a", b"x").add("b", b"y").bytes()
    bad = bytearray(good)
    bad[1024] ^= 1
    layer.refused(bytes(bad), "broken")


def test_lying_pax_records_are_refused(layer):
    def pax(body):
        return header(b"pax", b"%011o\0" % len(body), b"x") + body.ljust(-(-len(body) // 512) * 512, b"\0")
    entry = header(b"f", b"00000000001\0") + b"x".ljust(512, b"\0")
    layer.ok(pax(b"10 path=g\n") + entry + END)
    assert layer.names() == {"g"}
    layer.refused(pax(b"99999 path=g\n") + entry + END, "broken")
    layer.refused(pax(b"19 path=../outside\n") + entry + END, "'..'")
    layer.refused(pax(b"11 size=-5\n") + entry + END, "")
    layer.refused(pax(b"29 size=99999999999999999999\n") + entry + END, "")


def test_escaped_names_cannot_forge_a_line(layer):
    r = layer.refused(Tar().add("a\n\x1b[31mERROR/../x", b"x").bytes(), "'..'")
    assert "\x1b" not in r.text and "\\x0a" in r.text


def test_empty_link_target_and_name(layer):
    layer.refused(header(b"l", b"00000000000\0", b"2") + END, "to nothing")
    layer.refused(header(b"", b"00000000000\0") + END, "")


def test_trailing_bytes_count_for_the_digest_only(layer):
    data = Tar().add("a", b"x").bytes() + b"\0" * 5000 + b"behind"
    r = layer.ok(data)
    assert (r.diff, r.diff_bytes) == (hashlib.sha256(data).hexdigest(), len(data))
    assert layer.names() == {"a"}


# --- the sandbox ----------------------------------------------------------------------------------

def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def confined(pid):
    try:
        with open(f"/proc/{pid}/status") as f:
            return "Seccomp:\t2" in f.read()
    except OSError:
        return False


def test_parser_has_no_power(layer):
    """Looks at both processes while they wait for more of the archive."""
    layer_fd = os.open(layer.path, os.O_PATH | os.O_DIRECTORY)
    blob = os.open(layer.blob, os.O_RDWR | os.O_CREAT, 0o600)
    result, write = os.pipe()
    high = [os.dup2(fd, 100 + i) for i, fd in enumerate((layer_fd, blob, write))]

    def place():
        for i, fd in enumerate(high):
            os.dup2(fd, 3 + i)
        os.closerange(6, 128)

    limits = [x for k, v in LIMITS.items() for x in (f"--{k}", str(v))]
    p = subprocess.Popen([UNPACK, "--host-id", str(HOST_ID), *limits], stdin=subprocess.PIPE, preexec_fn=place,
                         close_fds=False, stderr=subprocess.DEVNULL)
    for fd in (layer_fd, blob, write, *high):
        os.close(fd)
    try:
        data = Tar().add("first", b"x" * 100000).bytes()
        p.stdin.write(data[:60000])
        p.stdin.flush()
        for _ in range(200):
            children = open(f"/proc/{p.pid}/task/{p.pid}/children").read().split()
            if len(children) == 2 and all(map(confined, children)):
                break
            subprocess.run(["sleep", "0.02"])
        assert len(children) == 2
        own = {n: os.readlink(f"/proc/self/ns/{n}") for n in ("user", "mnt", "net", "pid", "ipc", "uts")}
        for pid in children:
            status = dict(line.split(":\t", 1) for line in open(f"/proc/{pid}/status") if ":\t" in line)
            assert int(status["Uid"].split()[0]) in (HOST_ID, HOST_ID + 65536)
            assert status["NoNewPrivs"].strip() == "1" and status["Seccomp"].strip() == "2"
            allowed = 1 << 0 | 1 << 1 | 1 << 3 | 1 << 4 | 1 << 31
            assert int(status["CapBnd"], 16) & ~allowed == 0 and int(status["CapPrm"], 16) & ~allowed == 0
            for n, value in own.items():
                assert os.readlink(f"/proc/{pid}/ns/{n}") != value
            mounts = open(f"/proc/{pid}/mountinfo").read().splitlines()
            assert len(mounts) == 1 and "nosuid,nodev,noexec" in mounts[0]
            fds = {os.readlink(f"/proc/{pid}/fd/{fd}").split(":")[0] for fd in os.listdir(f"/proc/{pid}/fd")}
            assert not [f for f in fds if f not in ("pipe", "/", "/dev/null", "/first", str(layer.blob))], fds
            limits = open(f"/proc/{pid}/limits").read()
            assert "Max core file size        0                    0" in limits
    finally:
        p.kill()
        p.wait()
        os.close(result)
    for pid in children:
        for _ in range(100):
            if not alive(pid):
                break
            subprocess.run(["sleep", "0.02"])
        assert not alive(pid), "outlived its parent"


def test_direct_call_explains_itself():
    r = subprocess.run([UNPACK, "--host-id", "100000", "--max-bytes", "1", "--max-entries", "1", "--max-ratio", "1"],
                       stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert r.returncode == 2 and "bulkhead image import" in r.stderr
    assert subprocess.run([UNPACK, "--host-id", "0"], capture_output=True).returncode == 2


# --- a real root file system ----------------------------------------------------------------------

def listing(folder):
    fmt = "%P\\0%y\\0%m\\0%U\\0%G\\0%T@\\0%l\\0%n\\0"
    out = subprocess.run(["find", ".", "-mindepth", "1", "(", "-type", "f", "-printf", fmt + "%s\\n", ")", "-o", "(",
                          "!", "-type", "b", "!", "-type", "c", "-printf", fmt + "\\n", ")"], cwd=folder,
                         capture_output=True, check=True).stdout
    return sorted(out.split(b"\n"))


def attributes(folder):
    found = {}
    for root, folders, files in os.walk(folder):
        for n in folders + files:
            path = os.path.join(root, n)
            names = os.listxattr(path, follow_symlinks=False)
            if names:
                found[os.path.relpath(path, folder)] = {k: os.getxattr(path, k, follow_symlinks=False) for k in names}
    return found


def test_debian_equals_gnu_tar(layer, tmp_path_factory):
    """Entry by entry: type, mode, owner, time, link, size, content, attributes."""
    tar = os.environ.get("BULKHEAD_DEBIAN_TAR")
    if not tar:
        mkimage = os.path.join(SOURCE, "tools", "mkimage")
        if not os.path.exists(mkimage):
            pytest.skip("no BULKHEAD_DEBIAN_TAR and no tools/mkimage")
        tar = subprocess.run([mkimage, "debian"], capture_output=True, text=True, check=True).stdout.strip()
    gnu = tmp_path_factory.mktemp("gnu")
    subprocess.run(["tar", "--numeric-owner", "--xattrs", "--xattrs-include=*", "--acls", "-xpf", tar, "-C", gnu],
                   check=True)
    layer.ok(tar, max_entries=1000000)
    assert listing(layer.path) == listing(gnu)
    assert attributes(layer.path) == attributes(gnu)
    same = subprocess.run(["diff", "-rq", "--no-dereference", "-x", "dev", gnu, layer.path], capture_output=True,
                          text=True)
    assert same.stdout == ""
    subprocess.run(["rm", "-rf", gnu])
