# SPDX-License-Identifier: Apache-2.0
"""logs and events."""
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
def shared(tmp_path_factory):
    with Engine(tmp_path_factory.mktemp("look")) as e:
        e.import_image("busybox", changes=["CMD [\"sh\"]"])
        yield e


@pytest.fixture
def engine(shared):
    shared.clear()
    yield shared
    shared.clear()


def run_and_wait(engine, name, script, *options):
    engine.detached("--name", name, *options, "busybox", "sh", "-c", script)
    engine.ok("wait", name)


# --- logs ---------------------------------------------------------------------------------------

def test_logs_keep_streams_and_bytes(engine):
    run_and_wait(engine, "box", "printf 'a\\tb\\n\\033[1mc'; echo err >&2")
    done = subprocess.run(engine.argv("logs", "box"), capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"a\tb\n\x1b[1mc", b"err\n")


def test_logs_tail_and_timestamps(engine):
    run_and_wait(engine, "box", "for i in 1 2 3 4 5; do echo $i; done")
    assert engine.ok("logs", "-n", "2", "box") == "4\n5"
    assert engine.ok("logs", "box", "--tail=0") == ""
    assert engine.ok("logs", "--tail", "all", "box").split() == list("12345")
    assert engine.ok("container", "logs", "-n", "-1", "box").split() == list("12345")
    assert engine.ok("logs", "-n", "x", "box").split() == list("12345")
    for line in engine.ok("logs", "-t", "box").splitlines():
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z \d", line)


def test_logs_since_and_until(engine):
    run_and_wait(engine, "box", "echo one; sleep 1; echo two; sleep 1; echo three")
    stamps = [line.split()[0] for line in engine.ok("logs", "-t", "box").splitlines()]
    assert engine.ok("logs", "--since", stamps[1], "box") == "two\nthree"
    assert engine.ok("logs", "--until", stamps[1], "box") == "one\ntwo"
    assert engine.ok("logs", "--since", "1h", "box") == "one\ntwo\nthree"
    assert engine.ok("logs", "--until", "1h", "box") == ""
    assert engine.refused("logs", "--since", "yesterday", "box")


def test_logs_follow_ends_with_the_container(engine):
    engine.detached("--name", "box", "busybox", "sh", "-c", "for i in 1 2 3; do echo $i; sleep 0.3; done; exit 3")
    start = time.monotonic()
    assert engine.ok("logs", "-f", "box") == "1\n2\n3"
    assert time.monotonic() - start < 15
    assert engine.ok("logs", "-f", "box") == "1\n2\n3"  # one that has ended


def test_logs_follow_shows_lines_as_they_come(engine):
    engine.detached("--name", "box", "busybox", "sh", "-c", "echo first; while :; do sleep 0.1; done")
    with subprocess.Popen(engine.argv("logs", "-f", "box"), stdout=subprocess.PIPE, text=True) as follower:
        assert follower.stdout.readline() == "first\n"
        engine.ok("kill", "box")
        assert follower.stdout.read() == ""
        assert follower.wait(timeout=20) == 0


def test_logs_of_what_has_none(engine):
    engine.ok("create", "--name", "new", "busybox")
    assert engine.ok("logs", "new") == ""
    run_and_wait(engine, "silent", "echo lost", "--log-driver", "none")
    assert "configured logging driver does not support reading" in engine.refused("logs", "silent")
    assert "No such container: nobody" in engine.refused("logs", "nobody")


def test_logs_details(engine):
    run_and_wait(engine, "box", "echo hi", "-l", "tier=front", "--log-opt", "labels=tier")
    assert engine.ok("logs", "--details", "box") == "tier=front hi"


# --- events -------------------------------------------------------------------------------------

def events(engine, *options):
    now = f"{time.time():.9f}"
    return [json.loads(line) for line in
            engine.ok("events", "--format", "json", "--until", now, *options).splitlines()]


def test_events_tell_the_life_of_a_container(engine):
    since = f"{time.time():.9f}"
    id = engine.detached("--name", "box", "-l", "tier=front", "busybox", "sh", "-c", "exit 3")
    engine.ok("wait", "box")
    engine.ok("rename", "box", "other")
    engine.ok("rm", "other")
    got = [e for e in events(engine, "--since", since) if e["Type"] == "container"]
    actions = [e["Action"] for e in got]
    assert [a for a in actions if a in ("create", "start", "die", "rename", "destroy")] == [
        "create", "start", "die", "rename", "destroy"]
    for e in got:
        assert e["id"] == e["Actor"]["ID"] == id and e["from"] == "busybox" and e["scope"] == "local"
        assert e["Actor"]["Attributes"]["image"] == "busybox" and e["Actor"]["Attributes"]["tier"] == "front"
        assert e["timeNano"] // 10**9 == e["time"]
    by = {e["Action"]: e["Actor"]["Attributes"] for e in got}
    assert by["die"]["exitCode"] == "3" and by["die"]["name"] == "box" and by["destroy"]["name"] == "other"


def test_events_filters_and_formats(engine):
    since = f"{time.time():.9f}"
    engine.ok("create", "--name", "one", "-l", "a=1", "busybox")
    engine.ok("create", "--name", "two", "-v", "data:/data", "busybox")
    options = ["--since", since, "--until", f"{time.time():.9f}"]
    names = engine.ok("events", *options, "-f", "event=create", "-f", "type=container", "--format",
                      "{{.Actor.Attributes.name}} {{.Status}} {{.From}}")
    assert names.splitlines() == ["one create busybox", "two create busybox"]
    assert engine.ok("events", *options, "-f", "label=a=1", "--format", "{{.Action}}") == "create"
    assert "data" in engine.ok("system", "events", *options, "-f", "type=volume", "--format", "{{.Actor.ID}}")
    line = engine.ok("events", *options, "-f", "container=one")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}\S+ container create [0-9a-f]{64} "
                        r"\(a=1, image=busybox, name=one\)", line), line
    assert "invalid filter" in engine.refused("events", "-f", "colour=red")


def test_events_follow(engine):
    with subprocess.Popen(engine.argv("events", "--format", "{{.Action}} {{.Actor.Attributes.name}}"),
                          stdout=subprocess.PIPE, text=True) as follower:
        time.sleep(0.5)
        engine.ok("create", "--name", "box", "busybox", "true")
        assert follower.stdout.readline() == "create box\n"
        engine.ok("start", "box")
        engine.ok("wait", "box")
        seen = []
        while "die box\n" not in seen:
            seen.append(follower.stdout.readline())
        assert "start box\n" in seen
        follower.send_signal(signal.SIGINT)
        follower.wait(timeout=10)


def test_events_are_turned_over_and_followers_miss_nothing(engine):
    """Eight MiB of old events: the next one moves them, while a follower reads on."""
    engine.ok("create", "--name", "box", "busybox", "true")
    file = engine.root / "events"
    line = json.dumps({"time": 1, "type": "volume", "action": "old", "id": "x", "attributes": {"pad": "p" * 1000}})
    with subprocess.Popen(engine.argv("events", "-f", "type=container", "--format", "{{.Action}}"),
                          stdout=subprocess.PIPE, text=True) as follower:
        time.sleep(0.5)
        with open(file, "a") as f:
            while f.tell() < 8 << 20:
                f.write((line + "\n") * 100)
        engine.ok("rename", "box", "other")
        assert follower.stdout.readline() == "rename\n"
        assert file.stat().st_size < 1 << 20 and (engine.root / "events.1").stat().st_size >= 8 << 20
        engine.ok("rm", "other")
        assert follower.stdout.readline() == "destroy\n"
        follower.kill()
    past = engine.ok("events", "--since", "0", "--until", f"{time.time():.9f}", "-f", "container=box", "--format",
                     "{{.Action}}")
    assert "create" in past


def test_events_until_ends_the_waiting(engine):
    start = time.monotonic()
    assert engine.ok("events", "--until", f"{time.time() + 1:.3f}", "-f", "event=nothing") == ""
    assert 0.5 < time.monotonic() - start < 10
