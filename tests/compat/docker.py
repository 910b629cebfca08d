# SPDX-License-Identifier: Apache-2.0
"""Debian's dockerd, started by hand on a socket of its own, and ended so that nothing stays behind."""
import ctypes
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.parse

CGROUPS = "/sys/fs/cgroup"
PARENT = "/bulkhead-test/docker"
CLIENT = "/usr/bin/docker"
PACKAGES = "docker.io"
DAEMON_GROUPS = ("docker", "default")  # made by the daemon whatever it is told
RUN_FOLDERS = ("/run/docker", "/run/containerd")  # so are these; with exec-root elsewhere they hold no more than folders


class Missing(Exception):
    """Why there is no dockerd to compare with."""


class Api(http.client.HTTPConnection):
    """The daemon's HTTP on its socket: for cleaning up, where the client's start would take most of the time."""

    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)

    def ask(self, method, path):
        self.request(method, path)
        answer = self.getresponse()
        body = answer.read()
        return json.loads(body) if answer.status == 200 and body else None


def process_of(pid):
    """The name of the process with this pid, '' when there is none."""
    try:
        with open(f"/proc/{pid}/comm") as f:
            return f.read().strip()
    except OSError:
        return ""


def folders_below(top):
    for base, folders, _ in os.walk(top, topdown=False):
        yield base


def environment():
    """Without a way to a registry: the answers must not depend on there being a network."""
    nowhere = {name: "http://127.0.0.1:9" for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")}
    return {**os.environ, **nowhere, "NO_PROXY": "", "no_proxy": ""}


def die_with_us():
    """Asked for in the daemon: whoever kills the tests does not leave it behind. It stops its containers then."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


class Docker:
    """Owns its folder, its daemon's processes and the groups that it made."""
    name = "docker"

    def __init__(self, folder):
        self.folder = folder
        self.socket = f"{folder}/d.sock"
        self.daemon = None
        self.folders = [f"{h}/{g}" for g in DAEMON_GROUPS for h in self.hierarchies()] + list(RUN_FOLDERS)
        self.folders = [f"{h}{PARENT}" for h in self.hierarchies()] + [f for f in self.folders if not os.path.exists(f)]

    @staticmethod
    def hierarchies():
        if os.path.exists(f"{CGROUPS}/cgroup.controllers"):
            return [CGROUPS]
        return [f"{CGROUPS}/{h}" for h in os.listdir(CGROUPS) if os.path.exists(f"{CGROUPS}/{h}/cgroup.procs")]

    # the command line
    def wrapper(self):
        """A shell script that is called as docker is."""
        return f"""#!/bin/sh
DOCKER_HOST=unix://{self.socket} DOCKER_CONFIG={self.folder}/config
export DOCKER_HOST DOCKER_CONFIG
case ${{1:-}} in
run|create) command=$1; shift; set -- "$command" --cgroup-parent {PARENT} "$@" ;;
esac
exec {CLIENT} "$@"
"""

    def call(self, *words):
        return subprocess.run([CLIENT, "-H", f"unix://{self.socket}", *words], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60)

    # life
    def start(self):
        dockerd = shutil.which("dockerd", path="/usr/sbin:/usr/bin:/sbin:/bin")
        if os.geteuid() != 0:
            raise Missing("dockerd needs root")
        if not dockerd or not os.access(CLIENT, os.X_OK):
            raise Missing(f"dockerd is missing (apt install {PACKAGES})")
        version = subprocess.run([CLIENT, "--version"], capture_output=True, text=True).stdout
        if " 20.10." not in version:
            raise Missing(f"the reference is docker 20.10, not '{version.strip()}'")
        self.log = open(f"{self.folder}/log", "wb")
        self.daemon = subprocess.Popen(
            [dockerd, "--data-root", f"{self.folder}/root", "--exec-root", f"{self.folder}/exec",
             "-H", f"unix://{self.socket}", "-p", f"{self.folder}/d.pid", "--storage-driver", "overlay2",
             "--exec-opt", "native.cgroupdriver=cgroupfs", "--bridge=none", "--iptables=false", "--ip6tables=false"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True, env=environment(),
            preexec_fn=die_with_us)
        for _ in range(300):
            if self.daemon.poll() is not None:
                raise Missing("dockerd does not start here: " + self.last_words())
            if os.path.exists(self.socket) and self.call("version").returncode == 0:
                return
            time.sleep(0.1)
        raise Missing("dockerd does not answer: " + self.last_words())

    def last_words(self):
        with open(f"{self.folder}/log", errors="replace") as f:
            lines = [line for line in f if "level=fatal" in line or "failed to start" in line] or ["no reason in its log"]
        return lines[-1].strip()[-300:]

    def import_image(self, tar, name, changes):
        words = [word for change in changes for word in ("--change", change)]
        made = self.call("import", *words, tar, name)
        assert made.returncode == 0, made.stderr

    def clean(self):
        """No container and no volume is left; running and paused ones are removed too."""
        api = Api(self.socket)
        for container in api.ask("GET", "/containers/json?all=1") or []:
            api.ask("DELETE", f"/containers/{container['Id']}?force=1&v=1")
        for volume in (api.ask("GET", "/volumes") or {}).get("Volumes") or []:
            api.ask("DELETE", f"/volumes/{urllib.parse.quote(volume['Name'])}?force=1")
        api.close()

    def processes(self):
        """Pids of what the daemon started: its containerd and the shims, known by our folder in their arguments."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    words = f.read().decode(errors="replace")
            except OSError:
                continue
            if f"{self.folder}/" in words and process_of(pid).startswith(("dockerd", "containerd")):
                found.append(int(pid))
        return found

    def stop(self):
        if self.daemon:
            if self.daemon.poll() is None:
                try:
                    self.clean()
                except OSError:
                    pass  # it does not answer: what it leaves is unmounted and killed below
                self.daemon.terminate()
                try:
                    self.daemon.wait(30)
                except subprocess.TimeoutExpired:
                    self.daemon.kill()
                    self.daemon.wait()
            self.log.close()
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.unmount()
        for top in self.folders:
            for folder in folders_below(top):
                try:
                    os.rmdir(folder)
                except OSError:
                    pass
        shutil.rmtree(self.folder, ignore_errors=True)

    def unmount(self):
        with open("/proc/self/mountinfo") as f:
            points = [line.split()[4] for line in f if line.split()[4].startswith(f"{self.folder}/")]
        for point in sorted(points, reverse=True):
            subprocess.run(["umount", "-l", point], capture_output=True)
