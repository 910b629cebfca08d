#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# From a fresh clone to a hardened container that does real work. Installs what the build needs, builds into build/,
# makes a Debian image from packages, runs it and shows what protects it. A second run is quick.
#
#   sudo ./quickstart.sh [STATE-FOLDER]      default: /var/lib/bulkhead
set -euo pipefail
cd "$(dirname "$0")"
. tools/common.sh
[ "$(id -u)" = 0 ] || die 'containers are started by root in this version: sudo ./quickstart.sh'

say 'build tools'
need_packages $packages_build $packages_image

say 'building Bulkhead (release, static) in build/'
build() {
	[ -e build/build.ninja ] || meson setup build -Dbuildtype=release -Dtests=false
	ninja -C build
}
mkdir -p build
build >build/quickstart.log 2>&1 || {
	tail -n 30 build/quickstart.log >&2
	die 'the build failed (build/quickstart.log)'
}
bulkhead=(build/src/cmd/bulkhead/bulkhead ${1:+--root "$1"})

image=debian:12
if ! "${bulkhead[@]}" images | grep -Eq '^debian +12 '; then
	tar=$(tools/mkimage debian)
	say "importing it as $image"
	"${bulkhead[@]}" image import --change 'CMD ["python3"]' "$tar" "$image"
fi

say 'a hardened container, with what protects it'
"${bulkhead[@]}" run --rm --show-security -i -m 256m --cpus 1 --pids-limit 64 --read-only "$image" python3 - <<'PROGRAM'
import os

limit = 2_000_000
sieve = bytearray([1]) * limit
sieve[0:2] = b"\0\0"
for n in range(2, int(limit**0.5) + 1):
    if sieve[n]:
        sieve[n * n::n] = bytes(len(range(n * n, limit, n)))
with open("/etc/os-release") as f:
    system = dict(line.rstrip().split("=", 1) for line in f if "=" in line)["PRETTY_NAME"].strip('"')
processes = [name for name in os.listdir("/proc") if name.isdigit()]
print(f"\nHello from {system}: there are {sum(sieve)} primes below {limit}.")
print(f"I am user {os.getuid()} on {os.uname().nodename}, process {os.getpid()} of {len(processes)}.")
PROGRAM
say "now try: sudo ${bulkhead[*]} run --rm $image python3 -c 'print(6 * 7)'"
