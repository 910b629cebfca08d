# SPDX-License-Identifier: Apache-2.0
"""What a container holds of its caller's descriptors: the null device, and pipes that are its own."""
import os
import socket
import subprocess

from kit import *  # noqa: F403

pytestmark = needs_root
LOOK = "(for i in 0 1 2; do readlink /proc/1/fd/$i; done) >&2; cat"


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with Engine(tmp_path_factory.mktemp("stdio")) as e:
        e.import_image("busybox")
        yield e


def links(engine, stdin, stdout):
    run = subprocess.run(engine.argv("run", "--rm", "-i", "busybox", "sh", "-c", LOOK), stdin=stdin, stdout=stdout,
                         stderr=subprocess.PIPE, timeout=60, text=True)
    assert run.returncode == 0, run.stderr
    return without_notes(run.stderr).split()


@pytest.mark.parametrize("family", [socket.AF_UNIX, socket.AF_INET])
def test_no_socket_of_the_host(engine, family):
    """It would be a way into the host's network: by SIOCGIFCONF, by connect after AF_UNSPEC, by its abstract names."""
    if family == socket.AF_UNIX:
        ours, theirs = socket.socketpair()
    else:
        server = socket.create_server(("127.0.0.1", 0))
        ours = socket.create_connection(server.getsockname())
        theirs, _ = server.accept()
        server.close()
    with ours, theirs:
        ours.sendall(b"through\n")
        ours.shutdown(socket.SHUT_WR)
        seen = links(engine, theirs.fileno(), theirs.fileno())
        assert not [link for link in seen if link.startswith("socket:")], seen
        assert ours.recv(100) == b"through\n", "the bytes must pass all the same"


def test_no_named_pipe_of_the_host(engine, tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    fd = os.open(fifo, os.O_RDWR)
    try:
        os.write(fd, b"x\n")
        run = subprocess.run(engine.argv("run", "--rm", "-i", "busybox", "sh", "-c", "readlink /proc/self/fd/0; head -n 1"), stdin=fd,
                             capture_output=True, timeout=60, text=True)
    finally:
        os.close(fd)
    assert run.stdout.splitlines()[1:] == ["x"], run
    assert str(tmp_path) not in run.stdout


def test_no_device_of_the_host(engine):
    with open("/dev/zero", "rb") as zero, open("/dev/full", "wb") as full:
        run = subprocess.run(engine.argv("run", "--rm", "-i", "busybox", "sh", "-c", "(for i in 0 1; do readlink /proc/1/fd/$i; done) >&2"),
                             stdin=zero, stdout=full, stderr=subprocess.PIPE, timeout=60, text=True)
    assert all(link.startswith("pipe:") for link in without_notes(run.stderr).split()), run.stderr


def inode(link):
    return int(link[len("pipe:["):-1])


def test_a_pipe_of_the_host_is_not_handed_on(engine):
    """By /proc/self/fd/1 the other end is open too: the container would take what others wrote into the same pipe."""
    read, write = os.pipe()
    os.write(write, b"SECRET of another program\n")
    steal = "timeout 1 head -c 6 </proc/self/fd/1 >&2; echo own; readlink /proc/1/fd/1 >&2"
    run = subprocess.run(engine.argv("run", "--rm", "busybox", "sh", "-c", steal), stdin=subprocess.DEVNULL, stdout=write,
                         stderr=subprocess.PIPE, timeout=60, text=True)
    os.close(write)
    got = os.read(read, 1000)
    mine = os.fstat(read).st_ino
    os.close(read)
    assert "SECRET" not in run.stderr, run
    assert inode(run.stderr.split()[-1]) != mine
    assert got == b"SECRET of another program\nown\n"


def test_a_pipe_for_input_is_not_handed_on(engine):
    """Else the container could write into it what a later reader takes for its caller's words."""
    read, write = os.pipe()
    os.write(write, b"direct\n")
    os.close(write)
    mine = os.fstat(read).st_ino
    run = subprocess.run(engine.argv("run", "--rm", "-i", "busybox", "sh", "-c", "cat; readlink /proc/1/fd/0"), stdin=read,
                         capture_output=True, timeout=60, text=True)
    os.close(read)
    first, second = run.stdout.split()
    assert first == "direct" and inode(second) != mine


def test_streams_can_be_opened_again(engine):
    """Servers log to /dev/stderr, also as another user."""
    for user in ("0", "33"):
        run = engine.run("busybox", "sh", "-c", "cat /dev/stdin >/dev/stdout; echo err >/dev/stderr", options=["-i", "-u", user], input="in\n")
        assert (run.stdout, without_notes(run.stderr)) == ("in\n", "err\n"), run


def test_without_i_stdin_is_the_null_device(engine):
    run = engine.run("busybox", "sh", "-c", "readlink /proc/1/fd/0; cat", input="not for it\n")
    assert run.stdout == "/dev/null\n"


def test_inherited_descriptors_do_not_get_in(engine):
    """A careless caller holds a folder, a file and a socket of the host without close-on-exec."""
    fds = [os.open("/", os.O_RDONLY), os.open("/etc/passwd", os.O_RDONLY), socket.socket().detach()]
    for fd in fds:
        os.set_inheritable(fd, True)
    try:
        run = subprocess.run(engine.argv("run", "--rm", "-w", f"/proc/self/fd/{fds[0]}", "busybox", "ls", "/proc/self/fd"),
                             capture_output=True, close_fds=False, text=True, timeout=60, stdin=subprocess.DEVNULL)
        assert run.returncode == 125 and "working folder" in run.stderr, run
        run = subprocess.run(engine.argv("run", "--rm", "busybox", "ls", "/proc/1/fd"), capture_output=True, close_fds=False,
                             text=True, timeout=60, stdin=subprocess.DEVNULL)
    finally:
        for fd in fds:
            os.close(fd)
    assert set(run.stdout.split()) <= {"0", "1", "2", "3"}, run  # 3: the listing itself, as process 1
