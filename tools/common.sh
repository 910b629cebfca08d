# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034 # the variables are for those who source this
# What the scripts of this folder, quickstart.sh and check.sh share. Sourced, never run.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${BULKHEAD_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/bulkhead}
suite=bookworm # Debian 12: the oldest system that is supported, and the one that images are made from

# Debian packages by purpose.
packages_build='gcc libc6-dev meson ninja-build pkg-config libjson-c-dev libsqlite3-dev libmd-dev
	libarchive-dev zlib1g-dev liblzma-dev libzstd-dev libssl-dev scdoc'
packages_image='mmdebstrap debian-archive-keyring'
packages_unit='libcmocka-dev libseccomp-dev python3'
packages_check='clang clang-format clang-tidy cppcheck shellcheck universal-ctags binutils git'
packages_integration='python3-pytest python3-pytest-timeout busybox-static util-linux iproute2 procps
	zstd xz-utils'
packages_compat='docker.io busybox-static python3-pytest python3-pytest-timeout procps'
packages_vm='qemu-system-x86 cpio e2fsprogs'
packages_bench='crun runc bubblewrap busybox-static jq gcc libc6-dev'

say() { printf '%s\n' "== $*" >&2; }
die() {
	printf '%s\n' "$(basename "$0"): $*" >&2
	exit 1
}

# Installs what is missing of the named packages; says so only when there is something to do.
need_packages() {
	local missing=() p
	for p in "$@"; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing+=("$p")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	[ "$(id -u)" = 0 ] || die "these packages are missing (apt install them, or run as root): ${missing[*]}"
	say "installing ${missing[*]}"
	apt_install "${missing[@]}" >/dev/null 2>&1 && return 0
	apt-get update -q >/dev/null || die "apt-get update failed: is there a network?"
	apt_install "${missing[@]}" >/dev/null || die "cannot install: ${missing[*]}"
}

# Runs a command that may install packages whose services must not be started for it.
without_services() { # COMMAND...
	local policy=/usr/sbin/policy-rc.d status=0
	if [ "$(id -u)" != 0 ] || [ -e "$policy" ]; then
		"$@"
		return
	fi
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 0755 "$policy"
	("$@") || status=$?
	rm -f "$policy"
	return $status
}

apt_install() {
	DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
		-o Dpkg::Options::=--force-confold "$@" </dev/null
}

# The Debian sources of our suite that apt of this machine is set up with, as one-line entries. Empty
# when there are none (another suite, another distribution): then mmdebstrap uses its own default.
debian_sources() {
	local format='deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(SITE) $(RELEASE) $(COMPONENT)'
	apt-get indextargets --format "$format" 'Created-By: Packages' 'Origin: Debian' 2>/dev/null |
		grep -E " $suite(-updates|-security)? main\$" | sort -u
}

# Runs mmdebstrap for our suite from those sources: debian_tree TARGET OPTIONS...
debian_tree() {
	local target=$1 sources
	shift
	sources=$(debian_sources)
	case $sources in
	*" $suite main"*) printf '%s\n' "$sources" | mmdebstrap "$@" "$suite" "$target" - ;;
	*) mmdebstrap "$@" "$suite" "$target" ;;
	esac
}

# The sha256 of the given files and words, to name what was made from them.
recipe_hash() { cat -- "$@" | sha256sum | cut -c1-16; }

# Copies the sources (what git knows or would add; everything but build folders without git) to DIR.
copy_sources() {
	mkdir -p "$1"
	if git -C "$top" rev-parse --git-dir >/dev/null 2>&1; then
		(cd "$top" && git ls-files -co --exclude-standard -z |
			while IFS= read -r -d '' f; do [ -e "$f" ] && printf '%s\0' "$f"; done |
			tar -c --null -T -) | tar -x -C "$1" --no-same-owner
	else
		tar -c -C "$top" --exclude='./build*' . | tar -x -C "$1" --no-same-owner
	fi
}
