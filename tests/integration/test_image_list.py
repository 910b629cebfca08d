# SPDX-License-Identifier: Apache-2.0
"""bulkhead images: the table, --format and --filter."""
import io
import json
import os
import pty
import re
import sqlite3
import subprocess
import tarfile
import time

import pytest

from engine import Engine, needs_root

pytestmark = needs_root


def import_tar(engine, folder, content, *words):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        t = tarfile.TarInfo("file")
        t.size = len(content)
        tar.addfile(t, io.BytesIO(content))
    path = folder / "image.tar"
    path.write_bytes(out.getvalue())
    made = engine.call("image", "import", "-q", *words[:-1], str(path), *words[-1:])
    assert made.returncode == 0, made.stderr
    return made.stdout.strip().removeprefix("sha256:")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """An old image, a newer one whose name was taken away, and one from elsewhere."""
    folder = tmp_path_factory.mktemp("images")
    with Engine(folder) as e:
        e.old = import_tar(e, folder, b"o" * 1500, "--change", "LABEL a=b c.d=e", "app:1")
        time.sleep(1.1)
        e.nameless = import_tar(e, folder, b"n" * 10, "--change", "LABEL a=x", "app/part:2")
        time.sleep(1.1)
        e.other = import_tar(e, folder, b"p" * 2000000, "registry.example.com:5000/team/web:latest")
        db = sqlite3.connect(e.root / "db.sqlite")
        db.execute("UPDATE names SET image_id = ? WHERE name = 'docker.io/app/part:2'", (e.other,))
        db.commit()
        db.close()
        yield e


def lines(engine, *words):
    r = engine.call("images", *words)
    assert r.returncode == 0, r.stderr
    return r.stdout.splitlines()


def ids(engine, *words):
    return lines(engine, "--no-trunc", "--format", "{{.ID}}", *words)


def refused(engine, *words):
    r = engine.call("images", *words)
    assert r.returncode == 1 and r.stdout == "", r
    assert len(r.stderr.splitlines()) == 1, r.stderr
    return r.stderr


def test_the_table_looks_like_dockers(store):
    width = len("registry.example.com:5000/team/web") + 3
    rows = [("app/part", "2", store.other), ("registry.example.com:5000/team/web", "latest", store.other),
            ("<none>", "<none>", store.nameless), ("app", "1", store.old)]
    sizes = ["2MB", "2MB", "10B", "1.5kB"]
    got = lines(store)
    assert got[0] == "REPOSITORY".ljust(width) + "TAG".ljust(10) + "IMAGE ID".ljust(15) + got[0][width + 25:]
    assert got[0].endswith("CREATED".ljust(len(got[0]) - width - 25 - 4) + "SIZE")
    for line, (repository, tag, image), size in zip(got[1:], rows, sizes):
        assert line.startswith(repository.ljust(width) + tag.ljust(10) + image[:12] + "   ")
        assert re.search(r"   (Less than a second|1 second|\d+ seconds|About a minute) ago +" + size + "$", line), line
    assert len(got) == 5
    # what stands behind changes with time
    assert [line[:width + 25] for line in lines(store, "--format", "table")] == [line[:width + 25] for line in got]
    assert lines(store, "--digests")[0].split()[:3] == ["REPOSITORY", "TAG", "DIGEST"]


def test_quiet(store):
    assert lines(store, "-q") == [i[:12] for i in (store.other, store.nameless, store.old)]
    assert lines(store, "-q", "--no-trunc") == ["sha256:" + i for i in (store.other, store.nameless, store.old)]
    assert lines(store, "-q", "--format", "{{.Repository}}")[-1] == "<none>"


def test_formats(store):
    rows = [json.loads(line) for line in lines(store, "--format", "json")]
    assert [list(row) for row in rows] == [sorted(rows[0])] * 4
    assert rows[0].keys() == {"Containers", "CreatedAt", "CreatedSince", "Digest", "ID", "Repository", "SharedSize",
                              "Size", "Tag", "UniqueSize", "VirtualSize"}
    assert all(isinstance(v, str) for row in rows for v in row.values())
    assert lines(store, "--format", "{{.Repository}}:{{.Tag}}")[-1] == "app:1"
    assert lines(store, "--format", r"{{.Tag}}\t{{.Size}}")[-1] == "1\t1.5kB"
    assert lines(store, "--format", r"table {{.ID}}\t{{.Tag}}") == (
        ["IMAGE ID       TAG"] + [f"{i[:12]}   {t}" for i, t in (
            (store.other, "2"), (store.other, "latest"), (store.nameless, "<none>"), (store.old, "1"))])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4} \w+", lines(store, "--format", "{{.CreatedAt}}")[0])
    assert "no entry for key 'Nope' (it has " in refused(store, "--format", "{{.Nope}}")
    assert "template: 1:6: the text ends before" in refused(store, "--format", "{{.ID ")


def test_filters(store):
    o, n, a = ("sha256:" + i for i in (store.other, store.nameless, store.old))
    for words, want in [
        (["dangling=true"], [n]),
        (["dangling=false"], [o, o, a]),
        (["reference=app"], [a]),
        (["reference=app:*"], [a]),
        (["reference=a*"], [a]),
        (["reference=*/*"], [o]),
        (["reference=*/*", "reference=app"], [o, a]),
        (["reference=registry.example.com:5000/team/*:l?test"], [o]),
        (["reference=nothing"], []),
        (["label=a"], [n, a]),
        (["label=a=b"], [a]),
        (["label=a", "label=c.d=e"], [a]),
        (["label=a="], []),
        (["label=a=b", "dangling=true"], []),
        (["before=" + store.nameless], [a]),
        (["since=app:1"], [o, o, n]),
        (["since=app:1", "before=app/part:2"], [n]),
        (["until=1h"], []),
        (["until=2100-01-01"], [o, o, n, a]),
    ]:
        assert ids(store, *[w for f in words for w in ("--filter", f)]) == want, words
    assert lines(store, "-q", "-f", "reference=app") == [store.old[:12]]
    for bad, why in [("x=y", "'x=y' is not known"), ("dangling", "is not known"), ("dangling=maybe", "true or false"),
                     ("before=nothing", "there is no image"), ("until=soon", "is not a time"),
                     ("\x1b[1m", r"'\x1b[1m' is not known")]:
        assert why in refused(store, "-f", bad)


def test_without_a_store(tmp_path):
    with Engine(tmp_path) as e:
        assert lines(e) == ["REPOSITORY   TAG       IMAGE ID   CREATED   SIZE"]
        assert lines(e, "--format", "json") == lines(e, "-q") == []
        assert "there is no image 'x'" in refused(e, "-f", "before=x")
        assert "no entry for key 'Nope'" in refused(e, "--format", "table {{.Nope}}")


def test_a_terminal_gets_no_control_characters(store):
    """The template is the user's own; only what it prints of images is cleaned."""
    master, slave = pty.openpty()
    try:
        argv = store.argv("images", "-f", "reference=app", "--format", "{{.Tag}}\x1b[0m")
        assert subprocess.run(argv, stdout=slave, stderr=subprocess.DEVNULL, timeout=60).returncode == 0
        assert os.read(master, 1000) == b"1\x1b[0m\r\n"
    finally:
        os.close(master)
        os.close(slave)
