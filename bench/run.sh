#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Times the start of containers: the whole life of /bin/true under Bulkhead and its peers, in one interleaved run,
# beside a program that does no more than the kernel makes necessary. Writes docs/BENCHMARKS.md.
#
#   bench/run.sh [-n ROUNDS] [-b BUILD-FOLDER] [-o FILE]
#
# Needs root and a release build (meson setup build --buildtype=release && ninja -C build). Peers that are not there
# are said to be missing. Everything lives in a private mount namespace and a temporary folder, and is gone afterwards.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../tools/common.sh"

rounds=41 build=$top/build out=$top/docs/BENCHMARKS.md group=bulkhead-bench
while getopts n:b:o: opt; do
	case $opt in
	n) rounds=$OPTARG ;;
	b) build=$(cd "$OPTARG" && pwd) ;;
	o) out=$OPTARG ;;
	*) exit 2 ;;
	esac
done
[ "$(id -u)" = 0 ] || die 'needs root'

# crun refuses a host with cgroup v1 and v2 controllers side by side. In a mount namespace that shows v1 alone every
# runtime works, so all of them run there.
if [ -z "${BULKHEAD_BENCH_INSIDE:-}" ]; then
	export BULKHEAD_BENCH_INSIDE=1
	exec unshare --mount --propagation private "$0" "$@"
fi
work=$(mktemp -d)
show_v1_only() {
	grep -q . /sys/fs/cgroup/unified/cgroup.controllers 2>/dev/null || return 0
	mkdir "$work/cgroup"
	mount -t tmpfs none "$work/cgroup"
	local dir
	for dir in cpu cpuacct cpuset memory devices freezer blkio pids systemd; do
		[ -d "/sys/fs/cgroup/$dir" ] || continue
		mkdir "$work/cgroup/$dir"
		mount --bind "/sys/fs/cgroup/$dir" "$work/cgroup/$dir"
	done
	mount --rbind "$work/cgroup" /sys/fs/cgroup
}
clean() {
	local status=$? dir
	trap - EXIT
	if [ -d "$work/podman" ]; then podman_here rmi -a -f >/dev/null 2>&1 || true; fi
	find /sys/fs/cgroup -depth -type d -path "*/$group*" -exec rmdir {} + 2>/dev/null || true
	for dir in "$work"/podman/*; do umount -R "$dir" 2>/dev/null || true; done
	umount -R "$work/cgroup" 2>/dev/null || true
	umount -R "$work/run" 2>/dev/null || true
	rm -rf "$work" 2>/dev/null || true
	exit $status
}
trap clean EXIT
trap 'exit 130' INT TERM
show_v1_only

# --- what is compared -------------------------------------------------------------------------------------------------

missing=()
have() {
	command -v "$1" >/dev/null && return 0
	missing+=("$1")
	return 1
}
add() { printf '%s\t%s\n' "$1" "$2" >>"$work/commands"; }

# The profile that Debian ships for podman, resolved for the capabilities of the bundle, in OCI's form.
seccomp_profile() {
	local file=/usr/share/containers/seccomp.json
	[ -e "$file" ] || return 1
	jq --slurpfile config "$here/config.json" '
		($config[0].process.capabilities.bounding) as $caps |
		{defaultAction, architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
		 syscalls: [.syscalls[]
			| select((.includes.arches // ["amd64"]) | index("amd64"))
			| select((.includes.caps // []) - $caps == [])
			| select([(.excludes.caps // [])[] | select(. as $c | $caps | index($c))] == [])
			| {names, action} + (if (.args // []) == [] then {} else {args} end)
			  + (if .errnoRet then {errnoRet} else {} end)]}' "$file"
}
# Two bundles for each runtime, with a control group of its own: what one leaves must not slow or stop another.
make_bundles() {
	# State folders are on a tmpfs, as /run is.
	mkdir "$work/run"
	mount -t tmpfs -o mode=700 none "$work/run"
	local caps='.process.capabilities |= (.effective = .bounding | .permitted = .bounding)'
	local limits='.linux.resources = {memory: {limit: 268435456}, pids: {limit: 512},
		cpu: {shares: 512, quota: 50000, period: 100000}}'
	local name base
	mkdir -p "$work/rootfs"
	tar -C "$work/rootfs" -xf "$("$top/tools/mkimage" busybox)"
	seccomp_profile >"$work/seccomp.json" || die 'no /usr/share/containers/seccomp.json (package podman)'
	for name in bulkhead-runtime crun runc; do
		base=".root.path = \"$work/rootfs\" | .linux.cgroupsPath = \"/$group/$name\" | $caps"
		mkdir -p "$work/$name/plain" "$work/$name/full"
		jq "$base" "$here/config.json" >"$work/$name/plain/config.json"
		jq --slurpfile s "$work/seccomp.json" "$base | .linux.seccomp = \$s[0] | $limits" \
			"$here/config.json" >"$work/$name/full/config.json"
	done
}
podman_here() {
	CONTAINERS_CONF=$work/containers.conf PODMAN_IGNORE_CGROUPSV1_WARNING=1 podman --root "$work/podman/root" \
		--runroot "$work/run/podman" --cgroup-manager=cgroupfs --events-backend=none "$@"
}
prepare_podman() {
	mkdir -p "$work/podman"
	# Limits that a root without CAP_SYS_RESOURCE may set.
	cat >"$work/containers.conf" <<-CONF
		[containers]
		default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
		[engine]
		cgroup_manager = "cgroupfs"
		events_logger = "none"
	CONF
	podman_here import -q "$("$top/tools/mkimage" busybox)" bench:latest >/dev/null
}
engine_commands() {
	local bulkhead=$build/src/cmd/bulkhead/bulkhead state="--root $work/state" runtime
	"$bulkhead" --root "$work/state" image import "$("$top/tools/mkimage" busybox)" bench >/dev/null
	add 'bulkhead run' "$bulkhead $state run --rm --cgroup-parent /$group/engine bench /bin/true"
	have podman && prepare_podman || return 0
	for runtime in crun runc; do
		command -v $runtime >/dev/null || continue
		add "podman run ($runtime)" "env CONTAINERS_CONF=$work/containers.conf PODMAN_IGNORE_CGROUPSV1_WARNING=1 podman \
--root $work/podman/root --runroot $work/run/podman --cgroup-manager=cgroupfs --events-backend=none --runtime $runtime run \
--rm --network=none --cgroup-parent=/$group/podman bench:latest /bin/true"
	done
}
write_commands() {
	local runtime=$build/src/cmd/bulkhead-runtime/bulkhead-runtime name
	gcc -O2 -static -D_GNU_SOURCE -o "$work/lab" "$here/lab.c"
	gcc -O2 -static -D_GNU_SOURCE -o "$work/floor" "$here/floor.c"
	make_bundles
	add 'fork and exec' "$work/rootfs/bin/true"
	add 'floor' "$work/floor $work/rootfs /bin/true"
	PATH=$(dirname "$runtime"):$PATH
	for name in bulkhead-runtime crun runc; do
		have $name || continue
		add "$name run" "$(command -v $name) --root $work/run/$name run -b $work/$name/plain $name%N"
		add "$name run, seccomp and limits" \
			"$(command -v $name) --root $work/run/$name run -b $work/$name/full $name%N"
	done
	! have bwrap || add 'bwrap' "bwrap --ro-bind $work/rootfs / --proc /proc --dev /dev --unshare-all /bin/true"
	engine_commands
}

# --- the report -------------------------------------------------------------------------------------------------------

versions() {
	printf 'bulkhead %s' "$("$build/src/cmd/bulkhead/bulkhead" --version | awk '{print $NF}')"
	local name
	for name in crun runc podman; do
		! command -v $name >/dev/null || printf ', %s %s' $name "$($name --version | awk 'NR == 1 {print $NF}')"
	done
	! command -v bwrap >/dev/null || printf ', bubblewrap %s' "$(bwrap --version | awk '{print $NF}')"
	printf '\n'
}
cgroups() {
	if [ -e /sys/fs/cgroup/cgroup.controllers ]; then echo 'cgroup v2'; else echo 'cgroup v1 (seen alone, as crun needs it)'; fi
}
report() { # RESULTS
	cat <<-TEXT
		# Benchmarks

		How long the whole life of a container takes whose program is \`/bin/true\`: from spawn to reaped. All commands ran in
		turn, $rounds rounds, each round beginning with another one, on a machine that was idle when the round began; in
		$(sed -n 's/^#busy\t//p' "$1") of the $rounds rounds it was not. Times are milliseconds and depend on the machine and on who else works
		there; what to compare are the ratios, and on a busy machine those of the CPU time.

		- *fork and exec*: the program alone, without any container.
		- *floor*: \`bench/floor.c\`, what the kernel makes necessary: one clone3 into six namespaces, the mounts and devices of a usual
		  OCI config, pivot_root, exec. No control group, no loopback device, no seccomp, no rights taken away, no state, no config
		  that is read.
		- *RUNTIME run*: an OCI bundle (\`bench/config.json\`) with the same mounts and namespaces, 14 capabilities, no_new_privs, masked and
		  read-only paths, a control group in every hierarchy, a state folder on a tmpfs as /run is.
		- *RUNTIME run, seccomp and limits*: the same with podman's default profile and limits of memory, CPU and tasks.
		- *bwrap*: a root and namespaces without control group, devices of its own or state.
		- *bulkhead run*: an image, with the whole default sandbox: ids of its own, an overlay on disk that is removed again, a record in
		  the database, Landlock, seccomp, an allow-list for /proc, limits.
		- *podman run (RUNTIME)*: the same image without a network; its storage is on the same disk.

		- Machine: $(nproc) CPUs ($(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)),
		  $(awk '/^MemTotal/ {printf "%d GiB", $2 / 1048576 + 0.5}' /proc/meminfo), Linux $(uname -r | cut -d- -f1), $(cgroups)
		- System: $(. /etc/os-release && printf '%s' "$PRETTY_NAME")
		- Versions: $(versions)
		- Not there: ${missing[*]:-nothing}
		- Made by: \`bench/run.sh -n $rounds\`

		| command | median | p10 | p90 | min | CPU | peak KiB | times floor | CPU, times floor |
		|---|---|---|---|---|---|---|---|---|
	TEXT
	awk -F '\t' '/^#/ {next}
		NR == FNR {if ($1 == "floor") {floor = $2; cpu = $6} next}
		{printf "| %s | %s | %s | %s | %s | %s | %s | %s | %s |%s\n", $1, $2, $3, $4, $5, $6, $7,
			(floor > 0 ? sprintf("%.1f", $2 / floor) : "-"), (cpu > 0 ? sprintf("%.1f", $6 / cpu) : "-"),
			($8 > 0 ? " " $8 " failed" : "")}' "$1" "$1"
	cat <<-'TEXT'

		CPU and peak memory are those of the command and the processes that it waited for; an engine that leaves work to
		others (a daemon, a monitor) shows less than it costs.
	TEXT
}

need_packages $packages_bench
write_commands
say "timing $(wc -l <"$work/commands") commands, $rounds rounds"
"$work/lab" -n "$rounds" -w 2 "$work/commands" >"$work/results"
report "$work/results" >"$work/report"
cp "$work/report" "$out"
cat "$out"
