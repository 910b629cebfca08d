# SPDX-License-Identifier: Apache-2.0
"""Real services under the command line that docker users know: PostgreSQL, nginx, Redis, and a shell on a terminal."""
import os
import re
import time

import pytest

from engine import Engine, needs_root

pytestmark = needs_root

PG_BIN = "/usr/lib/postgresql/15/bin"
PG_DATA = "/var/lib/postgresql/data"
FETCH = "import sys, urllib.request as r; sys.stdout.write(r.urlopen(sys.argv[1], timeout=10).read().decode())"


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with Engine(tmp_path_factory.mktemp("engine")) as e:
        for image in ("busybox", "services"):
            e.import_image(image)
        yield e


@pytest.fixture(scope="module")
def postgres_image(engine):
    """Big: only where a test asks for it."""
    engine.import_image("postgres")
    return "postgres"


@pytest.fixture(autouse=True)
def nothing_left(engine):
    yield
    engine.remove_all()


def until(probe, what, seconds=60):
    """Waits for a probe to give something true, and returns it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = probe()
        if found:
            return found
        time.sleep(0.1)
    pytest.fail(f"waited {seconds} s for {what}")


def logs(engine, name):
    result = engine.call("logs", name)
    assert result.returncode == 0, result.stderr
    return result.stdout + result.stderr


# --- PostgreSQL -----------------------------------------------------------------------------------


@pytest.fixture
def postgres(engine, postgres_image):
    """A cluster in the volume 'pg', made by initdb as the user postgres, and a server on it."""
    storage = ["-u", "postgres", "-v", "pg:/var/lib/postgresql"]
    engine.ok("run", "--rm", *storage, postgres_image, f"{PG_BIN}/initdb", "-D", PG_DATA, "-A", "trust", "--no-sync", timeout=240)
    engine.start(postgres_image, f"{PG_BIN}/postgres", "-D", PG_DATA, "-c", "unix_socket_directories=/tmp", name="pg",
                 options=[*storage, "--stop-signal", "INT", "--stop-timeout", "60"])
    return ready(engine)


def ready(engine):
    until(lambda: engine.execute("pg", f"{PG_BIN}/pg_isready", "-q", "-h", "/tmp").returncode == 0, "the server")
    return engine


def sql(engine, text, host="/tmp"):
    result = engine.execute("pg", "psql", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", host, "-c", text)
    assert result.returncode == 0, result.stderr + logs(engine, "pg")
    return result.stdout.strip()


def test_postgres_keeps_its_data_over_a_clean_stop(postgres):
    sql(postgres, "create table ships (name text primary key, holds int)")
    sql(postgres, "insert into ships select 'ship ' || n, n % 16 from generate_series(1, 5000) n")
    postgres.ok("stop", "pg")
    said = logs(postgres, "pg")
    assert "received fast shutdown request" in said
    assert "database system is shut down" in said
    assert postgres.ok("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", "pg") == "exited 0"

    assert postgres.ok("start", "pg") == "pg"
    ready(postgres)
    said = logs(postgres, "pg")[len(said):]
    assert "database system was shut down at" in said
    assert "not properly shut down" not in said
    assert sql(postgres, "select count(*), sum(holds) from ships") == "5000|37476"


def test_postgres_recovers_from_a_kill(postgres):
    sql(postgres, "create table t as select 42 as n")
    postgres.ok("kill", "pg")
    assert postgres.ok("wait", "pg") == "137"
    postgres.ok("start", "pg")
    ready(postgres)
    assert "not properly shut down" in logs(postgres, "pg")
    assert sql(postgres, "select n from t") == "42"


def test_postgres_works_hard(postgres):
    """Parallel workers with shared memory, sorts that spill to disk, TCP, many sessions."""
    sql(postgres, "create table big as select n, md5(n::text) as h from generate_series(1, 200000) n; analyze big")
    plan = sql(postgres, "set min_parallel_table_scan_size = 0; set parallel_setup_cost = 0; set parallel_tuple_cost = 0;"
                         "explain (analyze, costs off, timing off) select count(*) from big where h like '%ab%'", host="127.0.0.1")
    assert re.search(r"Workers Launched: [1-9]", plan), plan
    spill = sql(postgres, "set work_mem = '64kB'; explain (analyze, costs off, timing off) select * from big order by h")
    assert "external merge" in spill
    script = ("for i in $(seq 20); do psql -X -q -h 127.0.0.1 -c "
              "\"update big set h = 'x' where n = $i\" & done; wait; psql -X -A -t -h /tmp -c \"select count(*) from big where h = 'x'\"")
    result = postgres.execute("pg", "sh", "-c", script)
    assert result.stdout.strip() == "20", result.stderr


# --- nginx ----------------------------------------------------------------------------------------


@pytest.fixture
def web(engine, tmp_path):
    """nginx with its site and its configuration from two folders of the host, both of them read-only."""
    site, conf = tmp_path / "site", tmp_path / "conf"
    site.mkdir()
    conf.mkdir()
    (site / "index.html").write_text("one\n")
    os.chown(site / "index.html", 1000, 1000)
    (conf / "answer.conf").write_text(answer("first"))
    tmp_path.chmod(0o755)
    engine.start("services", "nginx", "-g", "daemon off;", name="web",
                 options=["-v", f"{site}:/var/www/html:ro", "-v", f"{conf}:/etc/nginx/conf.d:ro", "--stop-signal", "QUIT"])
    until(lambda: fetch(engine, "/").returncode == 0, "nginx")
    return engine, site, conf


def answer(word):
    return f'server {{ listen 8080; location / {{ return 200 "{word}"; }} }}\n'


def fetch(engine, path, port=80):
    return engine.execute("web", "python3", "-c", FETCH, f"http://127.0.0.1:{port}{path}")


def test_nginx_serves_a_folder_of_the_host(web):
    engine, site, _ = web
    assert fetch(engine, "/").stdout == "one\n"
    (site / "index.html").write_text("two\n")  # the same file, changed outside
    (site / "new.html").write_text("new\n")
    assert fetch(engine, "/").stdout == "two\n"
    assert fetch(engine, "/new.html").stdout == "new\n"
    assert fetch(engine, "/missing.html").returncode != 0
    assert engine.execute("web", "stat", "-c", "%u:%g", "/var/www/html/index.html").stdout == "1000:1000\n"
    assert engine.execute("web", "sh", "-c", "echo x >/var/www/html/index.html").returncode != 0
    assert (site / "index.html").read_text() == "two\n"


def test_nginx_reloads_and_stops(web):
    engine, _, conf = web
    assert fetch(engine, "/", 8080).stdout == "first"
    before = engine.ok("inspect", "-f", "{{.State.Pid}} {{.State.StartedAt}}", "web")
    (conf / "answer.conf").write_text(answer("second"))
    engine.ok("exec", "web", "nginx", "-s", "reload")
    until(lambda: fetch(engine, "/", 8080).stdout == "second", "the new configuration", 10)
    assert engine.ok("inspect", "-f", "{{.State.Pid}} {{.State.StartedAt}}", "web") == before
    assert "nginx: worker process" in engine.ok("top", "web")
    engine.ok("stop", "web")
    assert engine.ok("inspect", "-f", "{{.State.ExitCode}}", "web") == "0"


def test_files_made_in_a_bind_mount_belong_to_who_made_them(engine, tmp_path):
    """The container's ids are its own, the files of a bind mount keep those of the host."""
    tmp_path.chmod(0o777)
    engine.ok("run", "--rm", "-u", "1234:5678", "-v", f"{tmp_path}:/data", "services", "touch", "/data/made")
    made = os.stat(tmp_path / "made")
    assert (made.st_uid, made.st_gid) == (1234, 5678)


# --- Redis ----------------------------------------------------------------------------------------


def redis(engine, *options):
    engine.start("services", "redis-server", "--dir", "/var/lib/redis", "--save", "", "--logfile", "", name="store",
                 options=["-u", "redis", "-v", "kept:/var/lib/redis", *options])
    until(lambda: ask(engine, "ping") == "PONG", "Redis")


def ask(engine, *words):
    return engine.execute("store", "redis-cli", *words).stdout.strip()


def test_redis_data_outlives_the_container(engine):
    redis(engine)
    first = engine.ok("inspect", "-f", "{{.Id}}", "store")
    assert ask(engine, "set", "ship", "bulkhead") == "OK"
    assert ask(engine, "save") == "OK"
    engine.ok("rm", "-f", "store")
    assert engine.ok("volume", "ls", "-q") == "kept"
    redis(engine)
    assert engine.ok("inspect", "-f", "{{.Id}}", "store") != first
    assert ask(engine, "get", "ship") == "bulkhead"
    in_use = engine.call("volume", "rm", "kept")
    assert in_use.returncode == 1 and "in use" in in_use.stderr


def test_redis_survives_a_restart_and_many_clients(engine):
    redis(engine, "-m", "256m")
    script = "for i in $(seq 10); do (seq 100 | sed 's/.*/incr n/' | redis-cli >/dev/null) & done; wait; redis-cli get n"
    assert engine.execute("store", "sh", "-c", script).stdout.strip() == "1000"
    engine.ok("exec", "store", "redis-cli", "save")
    engine.ok("restart", "store")
    until(lambda: ask(engine, "ping") == "PONG", "Redis")
    assert ask(engine, "get", "n") == "1000"
    assert "Ready to accept connections" in logs(engine, "store")


# --- a shell on a terminal --------------------------------------------------------------------------

SHELL = ["busybox", "sh", "-c", "PS1='ready> ' exec sh"]


def test_shell_on_a_terminal(engine):
    with engine.terminal("run", "-it", "--rm", *SHELL, rows=31, columns=91) as t:
        t.expect("ready> ")
        assert t.mode() == (False, False), "the terminal outside is raw while the one inside edits lines"
        t.send("stty size; tty; test -t 0 && test -t 1 && test -t 2 && echo all three\r")
        t.expect("31 91")
        t.expect("/dev/pts/")
        t.expect("all three")
        t.expect("ready> ")
        t.resize(40, 100)
        time.sleep(0.3)
        t.send("stty size\r")
        t.expect("40 100")
        t.expect("ready> ")
        t.send("exit 42\r")
        assert t.finish() == 42
        assert t.mode() == (True, True), "the terminal outside is as it was"


def test_keys_of_a_terminal(engine):
    with engine.terminal("run", "-it", "--rm", *SHELL) as t:
        t.expect("ready> ")
        t.send("sleep 1000\r")
        time.sleep(0.5)
        t.send("\x03")  # Ctrl-C ends the sleep, not the shell
        t.expect("ready> ")
        t.send("echo $?\r")
        t.expect("130")
        t.expect("ready> ")
        t.send("cat\r")
        time.sleep(0.5)  # until it reads
        t.send("typed\r")
        t.expect("typed")
        t.expect("typed")
        t.send("\x04")  # Ctrl-D ends cat
        t.expect("ready> ")
        t.send("\x04")  # and then the shell
        assert t.finish() == 0


def test_detach_and_attach_again(engine):
    with engine.terminal("run", "-it", "--name", "shell", *SHELL) as t:
        t.expect("ready> ")
        t.send("kept=yes\r")
        t.expect("ready> ")
        t.send("\x10")
        time.sleep(0.2)
        t.send("\x11")
        assert t.finish() == 0
        assert t.mode() == (True, True)
    assert engine.ok("inspect", "-f", "{{.State.Status}}", "shell") == "running"
    with engine.terminal("attach", "shell") as t:
        t.send("\r")
        t.expect("ready> ")
        t.send("echo is $kept\r")
        t.expect("is yes")
        t.expect("ready> ")
        t.send("exit 5\r")
        assert t.finish() == 5
    assert engine.ok("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", "shell") == "exited 5"


def test_ctrl_p_alone_reaches_the_program(engine):
    """The first key of the sequence is held back only until the next one says that it was meant."""
    with engine.terminal("run", "-it", "--rm", "busybox", "sh", "-c", "stty raw -echo; echo go; head -c 2 | od -An -tx1") as t:
        t.expect("go")
        t.send("\x10")
        t.send("x")
        t.expect("10 78")
        assert t.finish() == 0


def test_exec_on_a_terminal_leaves_the_container_alone(engine):
    engine.start("busybox", "sleep", "300", name="box")
    with engine.terminal("exec", "-it", "box", "sh", "-c", "PS1='ready> ' exec sh", rows=20, columns=70) as t:
        t.expect("ready> ")
        t.send("stty size; exit 9\r")
        t.expect("20 70")
        assert t.finish() == 9
    assert engine.ok("inspect", "-f", "{{.State.Status}}", "box") == "running"


def test_no_terminal_no_t(engine):
    result = engine.call("run", "-it", "--rm", "busybox", "true")
    assert result.returncode == 1
    assert "TTY" in result.stderr
