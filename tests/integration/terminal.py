# SPDX-License-Identifier: Apache-2.0
"""A command on a pseudo-terminal, and somebody who waits for words and types."""
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time


class Terminal:
    """Used as a context: whatever still runs at its end is killed."""

    def __init__(self, command, rows=24, columns=80, env=None):
        self.seen, self.position, self.open = b"", 0, True
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execvpe(command[0], command, env or os.environ)
        self.status = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def mode(self):
        """Whether the terminal outside echoes and edits lines: (echo, canonical)."""
        flags = termios.tcgetattr(self.fd)[3]
        return bool(flags & termios.ECHO), bool(flags & termios.ICANON)

    def read(self, timeout):
        """Takes in what has been printed; the end of it is remembered in `open`."""
        if not select.select([self.fd], [], [], timeout)[0]:
            return
        try:
            data = os.read(self.fd, 65536)
        except OSError:  # EIO: the last one who had it open is gone
            data = b""
        self.seen += data
        self.open = bool(data)

    def send(self, text):
        os.write(self.fd, text if isinstance(text, bytes) else text.encode())

    def expect(self, text, timeout=20):
        """Waits for text behind what was waited for before; returns what stood in front of it."""
        text = text if isinstance(text, bytes) else text.encode()
        end = time.monotonic() + timeout
        while self.open and text not in self.seen[self.position:] and time.monotonic() < end:
            self.read(0.1)
        rest = self.seen[self.position:]
        if text not in rest:
            raise AssertionError(f"{text!r} did not appear, but {rest!r}")
        self.position += rest.index(text) + len(text)
        return rest[:rest.index(text)].decode(errors="replace")

    def finish(self, timeout=20):
        """Waits for the command's end; returns its exit status, as a shell would say it."""
        end = time.monotonic() + timeout
        while self.open and time.monotonic() < end:
            self.read(0.1)
        if self.open:
            raise AssertionError(f"the command does not end; printed: {self.seen!r}")
        self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.status if self.status >= 0 else 128 - self.status
