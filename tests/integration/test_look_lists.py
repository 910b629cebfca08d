# SPDX-License-Identifier: Apache-2.0
"""ps, inspect, top, port and rename: what docker's users and scripts expect to see."""
import json
import os
import re
import shutil
import sqlite3
import time

import pytest

from engine import Engine, needs_root

pytestmark = needs_root


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with Engine(tmp_path_factory.mktemp("look")) as e:
        e.import_image("busybox", changes=["CMD [\"sh\"]", "LABEL from=image", "EXPOSE 80"])
        yield e


@pytest.fixture
def engine(shared):
    shared.clear()
    yield shared
    shared.clear()


def rows(engine, *options):
    return [json.loads(line) for line in engine.ok("ps", "--format", "json", *options).splitlines()]


# --- ps -----------------------------------------------------------------------------------------

def test_ps_without_a_store_is_an_empty_table(tmp_path):
    with Engine(tmp_path) as e:
        assert e.ok("ps", "-a") == "CONTAINER ID   IMAGE     COMMAND   CREATED   STATUS    PORTS     NAMES"
        assert not e.root.exists()


def test_ps_shows_dockers_table(engine):
    id = engine.detached("--name", "web", "busybox", "sleep", "1000")
    engine.ok("create", "--name", "other", "busybox", "echo", "a long command line that is cut")
    head, line = engine.ok("ps").splitlines()
    assert head.split() == ["CONTAINER", "ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"]
    cells = re.split(r" {3,}", line)
    assert cells[0] == id[:12] and cells[1] == "busybox" and cells[2] == '"sleep 1000"' and cells[-1] == "web"
    assert re.fullmatch(r"(\d+ seconds?|Less than a second) ago", cells[3])
    assert re.fullmatch(r"Up (\d+ seconds?|Less than a second)", cells[4])
    everything = engine.ok("ps", "-a").splitlines()
    assert len(everything) == 3 and "other" in everything[1] and '"echo \'a long comman…"' in everything[1]
    assert "Created" in everything[1]


def test_ps_prints_ids_and_chooses_the_newest(engine):
    first = engine.ok("create", "--name", "first", "busybox")
    second = engine.ok("create", "--name", "second", "busybox")
    assert engine.ok("ps", "-q") == ""
    assert engine.ok("ps", "-aq") == f"{second[:12]}\n{first[:12]}"
    assert engine.ok("ps", "-lq", "--no-trunc") == second
    assert engine.ok("ps", "-n", "1", "-q") == second[:12]
    assert engine.ok("container", "ls", "-aq", "--last", "5") == f"{second[:12]}\n{first[:12]}"


def test_ps_has_the_keys_of_docker_28(engine):
    engine.ok("create", "--name", "web", "-l", "tier=front", "-v", "data:/data", "busybox", "echo", "hi")
    (row,) = rows(engine, "-a", "--no-trunc")
    assert list(row) == ["Command", "CreatedAt", "ID", "Image", "Labels", "LocalVolumes", "Mounts", "Names", "Networks",
                         "Platform", "Ports", "RunningFor", "Size", "State", "Status"]
    assert row["Command"] == '"echo hi"' and row["Names"] == "web" and row["State"] == "created"
    assert row["Labels"] == "from=image,tier=front" and row["LocalVolumes"] == "1" and row["Mounts"] == "data"
    assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4} ", row["CreatedAt"])
    assert engine.ok("ps", "-a", "--format", '{{.Names}} {{.Label "tier"}}|{{.Label "none"}}') == "web front|"
    table = engine.ok("ps", "-a", "--format", "table {{.Names}}\t{{.State}}").splitlines()
    assert [line.split() for line in table] == [["NAMES", "STATE"], ["web", "created"]]


def test_ps_filters(engine):
    engine.ok("create", "--name", "one", "-l", "a=1", "busybox")
    engine.detached("--name", "two", "-l", "a=2", "-v", "data:/data", "busybox", "sleep", "1000")
    engine.detached("--name", "three", "busybox", "sh", "-c", "exit 3")
    engine.ok("wait", "three")

    def names(*filters):
        words = [w for f in filters for w in ("-f", f)]
        return sorted(engine.ok("ps", "-a", "--format", "{{.Names}}", *words).split())

    assert names("name=^/t") == ["three", "two"]
    assert names("label=a") == ["one", "two"] and names("label=a=2") == ["two"]
    assert names("exited=3") == ["three"] and names("exited=0") == []
    assert names("status=created", "status=running") == ["one", "two"]
    assert names("since=one") == ["three", "two"] and names("before=two") == ["one"]
    assert names("ancestor=busybox") == ["one", "three", "two"] and names("ancestor=nothing") == []
    assert names("volume=data") == ["two"] and names("volume=/data") == ["two"]
    assert names("expose=80") == ["one", "three", "two"] and names("publish=80") == []
    assert names("health=none", "is-task=false") == ["one", "three", "two"]
    id = engine.status("two", "{{.Id}}")
    assert names(f"id={id[:12]}") == ["two"]
    # status shows what does not run too
    assert engine.ok("ps", "-f", "status=exited", "--format", "{{.Names}}") == "three"
    assert "invalid filter 'colour=red'" in engine.refused("ps", "-f", "colour=red")
    assert "invalid filter 'status=up'" in engine.refused("ps", "-f", "status=up")
    assert "No such container: nobody" in engine.refused("ps", "-f", "since=nobody")


def test_ps_states(engine):
    engine.detached("--name", "box", "busybox", "sh", "-c", "sleep 1000")
    engine.ok("pause", "box")
    assert re.match(r"Up .* \(Paused\)$", rows(engine)[0]["Status"])
    assert rows(engine)[0]["State"] == "paused"
    engine.ok("unpause", "box")
    engine.ok("kill", "box")
    engine.wait_status("box", "exited")
    assert re.match(r"Exited \(137\) .* ago$", rows(engine, "-a")[0]["Status"])
    engine.detached("--name", "again", "--restart", "always", "busybox", "sh", "-c", "exit 4")
    end = time.monotonic() + 20
    while (row := rows(engine)[0])["State"] != "restarting" and time.monotonic() < end:
        time.sleep(0.05)
    assert re.match(r"Restarting \(4\) .* ago$", row["Status"])


def test_ps_sizes_count_what_was_written(engine):
    engine.detached("--name", "box", "busybox", "sh", "-c",
                 "head -c 100000 /dev/zero >/a; ln /a /b; mkdir -p /d/e; head -c 5 /dev/zero >/d/e/f; echo up; sleep 1000")
    engine.wait_log("box", "up")
    (row,) = rows(engine, "-s")
    assert re.match(r"100kB \(virtual .*\)", row["Size"]), row["Size"]
    assert engine.ok("inspect", "-s", "-f", "{{.SizeRw}}", "box") == "100005"
    assert "SIZE" in engine.ok("ps", "-s").splitlines()[0]
    assert rows(engine)[0]["Size"] == "0B"


def test_ps_never_lets_a_container_speak_to_the_terminal(engine):
    engine.ok("create", "--name", "box", "-l", "evil=\x1b[31m", "busybox", "echo", "\x1b]0;x\x07", "a\nb")
    for command in (["ps", "-a"], ["ps", "-a", "--no-trunc"], ["ps", "-a", "--format", "table {{.Labels}}"],
                    ["ps", "-a", "--format", "json"], ["inspect", "box"]):
        out = engine.ok(*command)
        assert "\x1b" not in out and "\x07" not in out, command


def test_ps_image_is_the_id_when_the_name_moved(engine):
    engine.import_image("busybox", "moving:1")
    engine.ok("create", "--name", "box", "moving:1", "sh")
    id = engine.status("box", "{{.Image}}")
    engine.import_image("busybox", "moving:1", changes=["LABEL new=1"])
    assert rows(engine, "-a")[0]["Image"] == id.split(":")[1][:12]
    assert rows(engine, "-a", "--no-trunc")[0]["Image"] == id
    engine.ok("rm", "box")


def test_ps_of_500_containers_needs_the_database_and_the_records_alone(tmp_path):
    """500 copies of those of one container, without any other file. (bench/live.py measures the time.)"""
    with Engine(tmp_path) as e:
        e.import_image("busybox", changes=["CMD [\"sh\"]"])
        first = e.ok("create", "--name", "box", "busybox")
        db = sqlite3.connect(e.root / "db.sqlite")
        columns = [row[1] for row in db.execute("PRAGMA table_info(containers)")]
        (row,) = db.execute("SELECT * FROM containers")
        for i in range(1, 500):
            copy = dict(zip(columns, row), id=f"{i:064x}", name=f"box{i}", host_id=0x70000000 + i * 65536)
            db.execute(f"INSERT INTO containers VALUES ({', '.join('?' * len(columns))})", list(copy.values()))
            os.mkdir(e.folder(copy["id"]))
            shutil.copy(e.folder(first) / "status", e.folder(copy["id"]) / "status")
        db.commit()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()
        assert len(e.ok("ps", "-aq").splitlines()) == 500
        assert len(e.ok("ps", "-a").splitlines()) == 501
        db = sqlite3.connect(e.root / "db.sqlite")
        db.execute("DELETE FROM containers WHERE id != ?", (first,))
        db.commit()
        db.close()


# --- prune --------------------------------------------------------------------------------------

def test_prune_removes_what_does_not_run_and_the_filters_leave(engine):
    for name, labels in (("one", ["-l", "keep=yes"]), ("two", ["-l", "keep=no"]), ("three", [])):
        engine.ok("create", "--name", name, *labels, "busybox", "true")
    engine.detached("--name", "runs", "busybox", "sleep", "1000")
    names = lambda: sorted(engine.ok("ps", "-a", "--format", "{{.Names}}").split())
    assert engine.call("container", "prune", input="n\n").stdout.endswith("Total reclaimed space: 0B\n")
    assert engine.ok("container", "prune", "-f", "--filter", "until=1h") == "Total reclaimed space: 0B"
    assert names() == ["one", "runs", "three", "two"]
    engine.ok("container", "prune", "-f", "--filter", "label!=keep")
    assert names() == ["one", "runs", "two"]
    out = engine.ok("container", "prune", "-f", "--filter", "label=keep=no").splitlines()
    assert out[0] == "Deleted Containers:" and len(out[1]) == 64 and out[-1].startswith("Total reclaimed space: ")
    assert names() == ["one", "runs"]
    assert "Invalid filter 'nonsense'" in engine.refused("container", "prune", "-f", "--filter", "nonsense=1")
    engine.ok("container", "prune", "-f")
    assert names() == ["runs"]


# --- inspect ------------------------------------------------------------------------------------

def test_inspect_has_dockers_shape(engine):
    id = engine.detached("--name", "web", "-l", "tier=front", "-v", "data:/data:ro", "busybox", "sleep", "1000")
    (o,) = json.loads(engine.ok("inspect", "web"))
    assert o["Id"] == id and o["Name"] == "/web" and o["Path"] == "sleep" and o["Args"] == ["1000"]
    assert o["State"]["Status"] == "running" and o["State"]["Running"] and o["State"]["Pid"] > 1
    assert o["State"]["FinishedAt"] == "0001-01-01T00:00:00Z"
    assert o["Config"]["Cmd"] == ["sleep", "1000"] and o["Config"]["Labels"] == {"from": "image", "tier": "front"}
    assert o["HostConfig"]["RestartPolicy"]["Name"] == "no"
    (mount,) = o["Mounts"]
    assert mount["Type"] == "volume" and mount["Name"] == "data" and mount["Destination"] == "/data" and not mount["RW"]
    assert os.path.isdir(mount["Source"])
    assert os.path.isfile(o["LogPath"])
    for key in ("HostnamePath", "HostsPath", "ResolvConfPath"):
        assert o[key] == "", key  # they exist in the container's memory alone
    for key in ("LowerDir", "UpperDir", "WorkDir"):
        assert os.path.isdir(o["GraphDriver"]["Data"][key].split(":")[0]), key
    assert o["NetworkSettings"]["Ports"] == {} and "IPAddress" in o["NetworkSettings"]
    assert o["Created"] <= o["State"]["StartedAt"]


def test_inspect_formats(engine):
    engine.ok("create", "--name", "web", "busybox", "echo", "a", "b")
    assert engine.ok("inspect", "-f", "{{.State.Status}}", "web") == "created"
    assert engine.ok("inspect", "web", "--format", "{{json .Args}}") == '["a","b"]'
    assert engine.ok("container", "inspect", "-f", "{{.ID}}", "web") == engine.ok("inspect", "-f", "{{.Id}}", "web")
    assert json.loads(engine.ok("inspect", "-f", "json", "web"))[0]["Name"] == "/web"
    # what docker's JSON leaves out, its templates know
    engine.ok("create", "--name", "bind", "-v", "/usr:/x:ro", "busybox")
    assert engine.ok("inspect", "-f", "{{range .Mounts}}{{.Type}}-{{.Name}}-{{.Destination}}{{end}} {{.Config.StopSignal}}|",
                     "bind") == "bind--/x |"
    done = engine.call("inspect", "-f", "{{.NoSuchKey}}", "web")
    assert (done.returncode, done.stdout) == (1, "\n") and "NoSuchKey" in done.stderr
    assert "template parsing error" in engine.refused("inspect", "-f", "{{", "web", code=64)
    assert engine.refused("ps", "--format", "{{.NoSuch}}") and engine.refused("ps", "-a", "--format", "{{.NoSuch}}")
    assert "bad format of filter" in engine.refused("ps", "-f", "nonsense", code=125)


def test_inspect_finds_containers_images_and_volumes(engine):
    engine.ok("create", "--name", "web", "-v", "data:/data", "busybox")
    objects = json.loads(engine.ok("inspect", "web", "busybox", "data"))
    assert [o.get("Name") for o in objects] == ["/web", None, "data"]
    image = objects[1]
    assert image["RepoTags"] == ["busybox:latest"] and image["Config"]["Labels"] == {"from": "image"}
    assert image["RootFS"]["Type"] == "layers" and image["RootFS"]["Layers"][0].startswith("sha256:")
    assert image["Config"]["ExposedPorts"] == {"80/tcp": {}}
    assert json.loads(engine.ok("image", "inspect", "busybox"))[0]["Id"] == image["Id"]
    assert engine.ok("inspect", "--type", "image", "-f", "{{.Os}}", "busybox") == "linux"
    assert objects[2]["Driver"] == "local" and objects[2]["Scope"] == "local"


def test_inspect_tells_what_is_missing(engine):
    engine.ok("create", "--name", "web", "busybox")
    done = engine.call("inspect", "nosuch")
    assert (done.returncode, done.stdout, done.stderr) == (1, "[]\n", "Error: No such object: nosuch\n")
    done = engine.call("inspect", "nosuch", "web", "-f", "{{.Name}}")
    assert (done.returncode, done.stdout, done.stderr) == (1, "/web\n", "Error: No such object: nosuch\n")
    assert engine.refused("inspect", "--type", "container", "x") == "Error: No such container: x\n"
    assert engine.refused("image", "inspect", "web") == "Error: No such image: web\n"
    assert engine.refused("inspect", "--type", "network", "x") == "Error: No such network: x\n"
    assert '"thing" is not a valid value for --type' in engine.refused("inspect", "--type", "thing", "x")


def test_inspect_health(engine):
    engine.detached("--name", "web", "--health-cmd", "printf 'fine\\033[1m'", "--health-interval", "100ms", "busybox",
                 "sleep", "1000")
    engine.wait_status("web", "healthy", "{{.State.Health.Status}}")
    out = engine.ok("inspect", "web")
    assert "\x1b" not in out
    log = json.loads(out)[0]["State"]["Health"]["Log"]
    assert 1 <= len(log) <= 5 and log[-1]["ExitCode"] == 0 and log[-1]["Output"].startswith("fine")
    assert rows(engine)[0]["Status"].endswith("(healthy)")


def test_inspect_security_says_what_protects(engine):
    engine.detached("--name", "web", "busybox", "sleep", "1000")
    engine.ok("create", "--name", "weak", "--cap-add", "NET_ADMIN", "busybox")
    running = engine.ok("inspect", "--security", "web")
    assert "as it runs" in running and "Nothing is granted beyond the default" in running
    assert "seccomp" in running.lower() or "system calls" in running
    stopped = engine.ok("inspect", "--security", "weak")
    assert "as it would be started now" in stopped and "NET_ADMIN" in stopped.split("Granted beyond")[1]
    assert engine.refused("inspect", "--security", "nobody") == "Error: No such container: nobody\n"


# --- top, port, rename --------------------------------------------------------------------------

def test_top_shows_the_processes_of_one_container(engine):
    if not shutil.which("ps"):
        pytest.skip("ps is missing")
    engine.detached("--name", "web", "busybox", "sh", "-c", "sleep 1234 & sleep 1235")
    engine.detached("--name", "other", "busybox", "sleep", "4321")
    head, *lines = engine.ok("top", "web").splitlines()
    assert head.split()[:3] == ["UID", "PID", "PPID"] and head.split()[-1] == "CMD"
    assert len(lines) == 2 and any("sleep 1234" in line for line in lines) and "4321" not in "".join(lines)
    head, *lines = engine.ok("container", "top", "web", "-o", "pid,comm").splitlines()
    assert head.split() == ["PID", "COMMAND"] and len(lines) == 2
    assert "Couldn't find PID field in ps output" in engine.refused("top", "web", "-o", "comm")
    assert "not allowed" in engine.refused("top", "web", "-o", "uid=PID,comm")


def test_top_needs_a_running_container(engine):
    id = engine.ok("create", "--name", "web", "busybox")
    assert f"Container {id} is not running" in engine.refused("top", "web")
    assert "No such container: nobody" in engine.refused("top", "nobody")


def test_port_of_a_container_that_publishes_nothing(engine):
    engine.ok("create", "--name", "web", "busybox")
    assert engine.ok("port", "web") == ""
    assert "No public port '80/tcp' published for web" in engine.refused("port", "web", "80")
    assert "No such container: nobody" in engine.refused("port", "nobody")


def test_rename(engine):
    id = engine.ok("create", "--name", "old", "busybox")
    assert engine.ok("rename", "old", "new") == ""
    assert engine.ok("ps", "-aq", "--no-trunc", "-f", "name=^new$") == id
    assert "No such container: old" in engine.refused("inspect", "--type", "container", "old")
    engine.ok("create", "--name", "third", "busybox")
    assert "already in use" in engine.refused("rename", "third", "new")
    assert "Invalid container name" in engine.refused("rename", "third", "no/slash")
