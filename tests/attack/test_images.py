# SPDX-License-Identifier: Apache-2.0
"""Images that attack who runs them: every place that the runtime touches is something else than it looks."""
import tarfile

from kit import *  # noqa: F403

pytestmark = needs_root
ESC = "\x1b[31m\x07\x9b\r"
BUSYBOX = "/bin/busybox"
APPLETS = ["sh", "cat", "id", "ls", "touch", "echo", "pwd", "env", "readlink", "head", "wc", "mount", "true", "sleep"]


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with Engine(tmp_path_factory.mktemp("images")) as e:
        yield e


@pytest.fixture(scope="module")
def canary(tmp_path_factory):
    """A folder of the host that every link of the images wants to reach."""
    folder = tmp_path_factory.mktemp("canary")
    folder.parent.chmod(0o755)
    folder.chmod(0o777)
    (folder / "secret").write_text("SECRET-OF-THE-HOST")
    (folder / "passwd").write_text("root:x:0:0:root:/SECRET-OF-THE-HOST:/bin/sh\n")
    return folder


@pytest.fixture(scope="module", autouse=True)
def host_is_left_alone(canary):
    before = host_state(canary / "secret")
    yield
    assert sorted(p.name for p in canary.iterdir()) == ["passwd", "secret"]
    assert host_state(canary / "secret") == before


def small(path, folders=("etc",)):
    """A busybox with few names: such images are made by the dozen."""
    image = Image(path, base=None)
    for folder in ("bin", *folders):
        image.folder(folder)
    image.program("bin/busybox", BUSYBOX)
    for name in APPLETS:
        image.link(f"bin/{name}", "busybox")
    return image


def run_image(engine, tmp_path, image, *args, name="hostile", changes=(), options=()):
    before = engine.state()
    image.load(engine, name, changes)
    result = engine.run(name, *args, options=options, timeout=30)
    no_escapes(result.stderr)
    after = engine.state()
    assert after["rw"] == before["rw"] and after["groups"] == before["groups"] and after["mounts"] == before["mounts"]
    assert "SECRET-OF-THE-HOST" not in result.stdout + result.stderr
    engine.call("rmi", name)
    return result


# --- what stands at the places of mounts, devices and tables ---------------------------------------------------

# Places that are looked at one by one, and those below a /dev that is covered whole.
PLACES = [("proc",), ("sys",), ("dev",), ("etc",),
          ("tmp", "dev/null", "dev/pts", "dev/shm", "dev/mqueue", "dev/console", "dev/ptmx", "dev/fd")]
KINDS = ["host", "relative", "loop", "magic", "root", "fifo", "file", "deep"]


def put(image, place, kind, canary):
    up = "../" * 12
    if kind == "fifo":
        return image.fifo(place)
    if kind == "file":
        return image.add(place, data=b"x")
    if kind == "deep":
        return image.folder(place + "/a" * 200)
    target = {"host": str(canary), "relative": up + str(canary).lstrip("/"), "loop": place.split("/")[-1],
              "magic": "/proc/self/root" + str(canary), "root": "/"}[kind]
    return image.link(place, target)


@pytest.mark.parametrize("kind", KINDS)
def test_place_of_an_image_is_something_else(engine, tmp_path, canary, kind):
    """CVE-2019-19921, CVE-2023-27561, CVE-2025-31133, CVE-2025-52565, CVE-2026-41579."""
    ran = 0
    for places in PLACES:
        image = small(tmp_path / "place.tar", folders=[f for f in ("etc", "dev") if f not in places])
        for place in places:
            put(image, place, kind, canary)
        script = "".join(f"cat /{place}/secret 2>/dev/null; touch /{place}/made 2>/dev/null; " for place in places)
        script += f"cat {canary}/secret 2>/dev/null; echo ran; [ -c /dev/null ] && [ -e /proc/self/stat ] && echo sound"
        result = run_image(engine, tmp_path, image, "sh", "-c", script)
        if result.returncode == 125:
            assert result.stderr.startswith("bulkhead: ") and len(without_notes(result.stderr).splitlines()) == 1, (places, result)
        else:
            ran += 1
            assert result.returncode == 0 and result.stdout.split() == ["ran", "sound"], (places, result)
    assert ran >= 2, "the test shows nothing when no image starts"


def test_device_nodes_of_an_image_are_not_made(engine, tmp_path):
    """A node of the image would be the host's disk."""
    image = small(tmp_path / "nodes.tar").folder("nodes")
    for name, kind, device in [("sda", tarfile.BLKTYPE, (8, 0)), ("vda", tarfile.BLKTYPE, (254, 0)), ("mem", tarfile.CHRTYPE, (1, 1)),
                               ("kmsg", tarfile.CHRTYPE, (1, 11)), ("null", tarfile.CHRTYPE, (1, 3))]:
        image.add(f"nodes/{name}", kind, mode=0o666, device=device)
    result = run_image(engine, tmp_path, image, "sh", "-c", "for f in /nodes/*; do head -c 1 $f && echo READ; done; ls /nodes | wc -l")
    assert "READ" not in result.stdout
    assert result.stdout.split()[-1] == "0"


# --- users ------------------------------------------------------------------------------------------------------

HUGE = b"".join(b"u%d:x:%d:%d::/:/bin/sh\n" % (i, i % 60000, i % 60000) for i in range(1500000))
# (passwd, group, user, what `id -u; id -g` says, or a word of the refusal)
USERS = {
    "digits are a number, also where a name is made of them (CVE-2016-3697)":
        (b"1000:x:0:0:root:/:/bin/sh\n", b"", "1000", "1000 0"),
    "a number with a home for it": (b"x:x:1000:5::/home:/bin/sh\n", b"", "1000", "1000 5"),
    "root by name": (b"root:x:0:0::/root:/bin/sh\n", b"", "root", "0 0"),
    "a name that says it is root": (b"root:x:33:34::/root:/bin/sh\n", b"", "root", "33 34"),
    "an unknown name": (b"a:x:1:1::/:\n", b"", "root", "root"),
    "no tables at all": (None, None, "5:6", "5 6"),
    "minus one": (b"", b"", "-1", "-1"),
    "minus one as a large number": (b"", b"", "4294967295", "4294967295"),
    "beyond 32 bits": (b"", b"", "4294967296", "4294967296"),
    "the overflow back to root": (b"evil:x:4294967296:4294967296::/:\n", b"", "evil", "evil"),
    "hexadecimal": (b"", b"", "0x0", "0x0"),
    "a sign": (b"", b"", "+0", "0"),
    "not mapped": (b"", b"", "70000", "70000"),
    "a gid that is not mapped": (b"a:x:1:70000::/:\n", b"", "a", "mapped"),
    "group by digits that are a name": (b"a:x:1:1::/:\n", b"5:x:0:\n", "a:5", "1 5"),
    "group overflow": (b"a:x:1:1::/:\n", b"g:x:4294967296:\n", "a:g", "g"),
    "no line end": (b"a:x:7:8::/:/bin/sh", b"", "a", "7 8"),
    "carriage returns": (b"a:x:7:8::/:/bin/sh\r\n", b"", "a", "7 8"),
    "zero bytes": (b"a\0b:x:0:0::/:\na:x:7:8::/:\n", b"", "a", "7 8"),
    "only zero bytes": (b"\0" * 100000, b"\0" * 1000, "7", "7 0"),
    "every byte": (bytes(range(256)) * 500, bytes(range(256)) * 500, "7", "7 0"),
    "one endless line": (b"a" * 3000000, b"", "7", "7 0"),
    "too many lines": (HUGE, b"", "nobody-here", ""),
    "too many groups": (b"a:x:7:8::/:\n", b"".join(b"g%d:x:%d:a\n" % (i, i) for i in range(9, 60000)), "a", "group"),
    "an escape sequence as user": (b"", b"", ESC, "user"),
    "an escape sequence as home": (b"a:x:7:8::/\x1b[31m:/bin/sh\n", b"", "a", "7 8"),
    "three parts": (b"", b"", "0:0:0", "expected"),
    "nothing before the colon": (b"root:x:9:9::/:\n", b"", ":5", "0 5"),
    "blanks": (b"", b"", " 0", ""),
    "a path": (b"", b"", "../../etc/passwd", "passwd"),
}


@pytest.mark.parametrize("case", USERS)
def test_user_tables(engine, tmp_path, case):
    passwd, group, user, wanted = USERS[case]
    image = small(tmp_path / "user.tar")
    if passwd is not None:
        image.add("etc/passwd", data=passwd).add("etc/group", data=group)
    result = run_image(engine, tmp_path, image, "sh", "-c", "id -u; id -g", options=["-u", user])
    if wanted and wanted.replace(" ", "").isdigit() and " " in wanted:
        assert result.returncode == 0 and result.stdout.split() == wanted.split(), result
    else:
        assert result.returncode == 125 and result.stdout == "", result
        assert wanted in result.stderr or user == ESC, result


@pytest.mark.parametrize("kind", ["fifo", "folder", "link"])
@pytest.mark.parametrize("table", ["etc/passwd", "etc/group"])
def test_user_table_is_no_file(engine, tmp_path, canary, kind, table):
    """CVE-2024-1753 class: a FIFO would hang the runtime, a link read the host's table."""
    image = small(tmp_path / "table.tar")
    image.add("etc/passwd" if table == "etc/group" else "etc/group", data=b"root:x:0:0::/:/bin/sh\n" if table == "etc/group" else b"")
    {"fifo": image.fifo, "folder": image.folder, "link": lambda n: image.link(n, str(canary / "passwd"))}[kind](table)
    result = run_image(engine, tmp_path, image, "sh", "-c", "echo $HOME; id -u", options=["-u", "root"])
    assert result.returncode in (0, 125), result


# --- working folder, program, environment ---------------------------------------------------------------------------

@pytest.mark.parametrize("folder", ["/proc/self/fd/3", "/proc/self/fd/7", "/proc/self/fd/9", "/proc/self/cwd", "/proc/self/root",
                                    "/proc/1/root", "/proc/1/cwd", "/proc/thread-self/cwd", "/link", "/link/../..", "/out", "/fifo",
                                    "/bin/busybox", "/loop", "/" + "deep/" * 300, "/x/../../../../../../tmp", "/dev/fd/5",
                                    "/proc/self/task/1/root", "/proc/2/cwd"])
def test_working_folder(engine, tmp_path, canary, folder):
    """CVE-2024-21626, CVE-2026-55686."""
    image = small(tmp_path / "cwd.tar").link("link", "/proc/self/root").link("out", str(canary)).fifo("fifo").link("loop", "loop")
    script = f"pwd; cat secret ../secret ../../../../../../..{canary}/secret; ls -di / /.. | sort -u | wc -l; touch made"
    result = run_image(engine, tmp_path, image, "sh", "-c", script, changes=[f"WORKDIR {folder}"])
    assert result.returncode in (0, 125), result
    assert not (canary / "made").exists()


@pytest.mark.parametrize("line", ["#!/proc/self/exe\n", "#!/proc/1/exe\n", "#!/proc/self/fd/3\n", "#!/proc/self/fd/255\n",
                                  "#!/dev/stdin\n", "#!/entry\n", "#!\n", "#!/" + "x" * 300 + "\n", "\x7fELF", ""])
def test_program_points_at_the_runtime(engine, tmp_path, line):
    """CVE-2019-5736: what runs is never the runtime, and its file cannot be written."""
    image = small(tmp_path / "entry.tar").add("entry", data=line.encode("latin-1"), mode=0o755)
    result = run_image(engine, tmp_path, image, changes=['ENTRYPOINT ["/entry"]'])
    assert result.returncode in (126, 127), result
    assert "usage" not in (result.stdout + result.stderr).lower(), "the runtime ran inside"


def test_strange_programs(engine, tmp_path):
    image = small(tmp_path / "programs.tar").fifo("fifo").add("plain", data=b"x").link("loop", "loop").folder("dir")
    image.folder("priv").add("priv/busybox", data=open(BUSYBOX, "rb").read(), mode=0o6755)
    image.load(engine, "programs")
    for program in ["/fifo", "/plain", "/loop", "/dir", "/dev/null", "/proc/self/fd/0", "/proc/kcore", "/", "//", ".", "..", ESC,
                    "x" * 5000, "/" + "x" * 300, "\x1b]0;title\x07"]:
        result = engine.run("programs", program, timeout=20)
        assert result.returncode in (126, 127), (program, result)
        no_escapes(result.stderr)
    assert engine.run("programs", "/priv/busybox", "id", "-u", options=["-u", "5"]).stdout == "5\n"
    engine.call("rmi", "programs")


def test_environment_of_an_image_acts_inside_only(engine, tmp_path, canary):
    """CVE-2025-23266: a loader variable must not reach anything that runs on the host."""
    image = small(tmp_path / "env.tar")
    names = ["LD_PRELOAD=/evil.so", "LD_LIBRARY_PATH=/", "LD_AUDIT=/evil.so", "GCONV_PATH=/", "BASH_ENV=/evil", "PATH=/nowhere:/bin",
             "TERM=\\x1b[31m", "IFS=x"]
    result = run_image(engine, tmp_path, image, "env", changes=[f"ENV {name}" for name in names])
    assert result.returncode == 0, result
    assert "LD_PRELOAD=/evil.so" in result.stdout.splitlines()


@pytest.mark.parametrize("options, args", [
    (["--name", ESC], []), (["-w", ESC], []), (["-w", "/" + ESC], []), (["-u", ESC], []), (["-u", "0:" + ESC], []), (["-e", "=" + ESC], []),
    (["--hostname", ESC * 20], []), (["--cgroup-parent", ESC], []), (["-m", ESC], []), (["--" + ESC], []), ([], [ESC]),
    (["--entrypoint", ESC], []), (["--entrypoint", "/" + ESC], []), (["--cpus", ESC], []), (["--pids-limit", ESC], []),
])
def test_our_messages_hold_no_escape_sequence(engine, tmp_path, options, args):
    small(tmp_path / "plain.tar").load(engine, "plain")
    result = engine.run("plain", *args, options=options, timeout=20)
    assert result.returncode != 0 and result.stderr, result
    no_escapes(result.stderr, result.stdout)


@pytest.mark.parametrize("words", [["run", "--rm", ESC], ["rmi", ESC], ["image", "import", "/" + ESC], ["image", "import", "/etc/hostname", ESC],
                                   ["image", "import", "--change", ESC, "/etc/hostname"], [ESC], ["images", "--" + ESC], ["--root", ESC, "images"],
                                   ["--root", "/etc/hostname/" + ESC, "images"], ["image", "import", "--change", "ENV " + ESC, "/etc/hostname"]])
def test_no_command_prints_an_escape_sequence(engine, words):
    result = engine.call(*words, timeout=20)
    assert result.returncode != 0, result
    no_escapes(result.stderr, result.stdout)


@pytest.mark.parametrize("entry", [
    dict(name=ESC, kind=b"9"), dict(name="../" + ESC), dict(name="a" + ESC * 100), dict(name=f"{ESC}/.wh.x"),
    dict(name="x", kind=tarfile.LNKTYPE, target=ESC), dict(name="x", kind=tarfile.LNKTYPE, target="../../" + ESC),
])
def test_an_archive_prints_no_escape_sequence(engine, tmp_path, entry):
    image = Image(tmp_path / "esc.tar", base=None).add(**entry)
    image.tar.close()
    result = engine.call("image", "import", str(image.path), "esc", timeout=20)
    no_escapes(result.stderr, result.stdout)
    if result.returncode == 0:
        engine.call("rmi", "esc")


def test_a_hostile_host_name_stays_a_name(engine, tmp_path):
    small(tmp_path / "name.tar").load(engine, "named")
    for name in ["../../etc", "a b", "x;reboot", "%s%n", "a\nb"]:
        result = engine.run("named", "cat", "/proc/sys/kernel/hostname", options=["--hostname", name], timeout=20)
        assert result.returncode == 125 or result.stdout.rstrip("\n") == name, result
        no_escapes(result.stderr)
