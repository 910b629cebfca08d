# SPDX-License-Identifier: Apache-2.0
"""What a container holds of its caller's descriptors: anonymous pipes and the null device, nothing else."""
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
    run = subprocess.run(engine.argv("run", "--rm", "busybox", "sh", "-c", LOOK), stdin=stdin, stdout=stdout,
                         stderr=subprocess.PIPE, timeout=60, text=True)
    assert run.returncode == 0, run.stderr
    return run.stderr.split()


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
        run = subprocess.run(engine.argv("run", "--rm", "busybox", "sh", "-c", "readlink /proc/self/fd/0; head -n 1"), stdin=fd,
                             capture_output=True, timeout=60, text=True)
    finally:
        os.close(fd)
    assert run.stdout.splitlines()[1:] == ["x"], run
    assert str(tmp_path) not in run.stdout


def test_no_device_of_the_host(engine):
    with open("/dev/zero", "rb") as zero, open("/dev/full", "wb") as full:
        run = subprocess.run(engine.argv("run", "--rm", "busybox", "sh", "-c", "(for i in 0 1; do readlink /proc/1/fd/$i; done) >&2"),
                             stdin=zero, stdout=full, stderr=subprocess.PIPE, timeout=60, text=True)
    assert all(link.startswith("pipe:") for link in run.stderr.split()), run.stderr


def test_pipes_and_null_are_passed_on(engine):
    read, write = os.pipe()
    os.write(write, b"direct\n")
    os.close(write)
    with open("/dev/null", "wb") as null:
        seen = links(engine, read, null)
    os.close(read)
    assert seen[0].startswith("pipe:") and seen[1] == "/dev/null"


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
