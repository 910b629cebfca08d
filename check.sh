#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Checks everything and ends with one line: N passed, M failed, K skipped.
#
#   ./check.sh [--quick] [--only SUITE]... [--list]
#
# --quick leaves out the virtual machine and the clean Debian 12 tree. Builds live in build-check/ and are used again
# by the next run; logs are in build-check/logs. What is missing is installed with apt. BULKHEAD_MUST_WORK=1 (set when
# CI is) makes a test that would be skipped for a missing program fail instead.
set -uo pipefail
cd "$(dirname "$0")" || exit 1
. tools/common.sh

# name          what it does                                                           where it runs
suites=(
	'format         clang-format, shellcheck                                               front'
	'gcc            gcc, ASan+UBSan, warnings are errors: unit tests, lints, corpus replay front'
	'integration    the programs of that build against real containers                     front'
	'clang          clang, warnings are errors: unit tests                                 front'
	'release        gcc, static and hardened: unit tests, lints of the programs            front'
	'fuzz           libFuzzer targets: corpus and a short run of each                      front'
	'tidy           clang-tidy                                                             front'
	'cppcheck       cppcheck                                                               front'
	'release-run    the integration tests against the static programs                      front'
	'compat         its command line beside the real docker                                front'
	'install        meson install into an empty folder, and a run from there               front'
	'debian12       build and unit tests in a clean Debian 12 tree                         back'
	'vm             the integration tests on Linux 6.1 with cgroup v2 alone                back'
)
builds=$top/build-check
logs=$builds/logs
quick='' only=() began=$SECONDS
[ -z "${CI:-}" ] || export BULKHEAD_MUST_WORK=${BULKHEAD_MUST_WORK:-1}
export PYTHONDONTWRITEBYTECODE=1 LC_ALL=C.UTF-8
limit_s=${BULKHEAD_TEST_TIMEOUT:-2400} # seconds for one build or one suite of tests

usage() { sed -n '3,/^set -/{/^set -/d;s/^# \{0,1\}//p}' "$0"; }

while [ $# -gt 0 ]; do
	case $1 in
	--quick) quick=1 ;;
	--only) shift && only+=("${1:?--only needs the name of a suite}") ;;
	--list) printf '%s\n' "${suites[@]}" && exit 0 ;;
	-h | --help) usage && exit 0 ;;
	*) usage >&2 && exit 2 ;;
	esac
	shift
done

# --- results ----------------------------------------------------------------------------------------------------------

note() { # KIND SUITE NAME [REASON]
	printf '%s\t%s: %s\t%s\n' "$1" "$2" "$3" "${4:-}" >>"$logs/$2.result"
}
# Runs a command as one test; its output goes to the log.
expect() { # SUITE NAME COMMAND...
	local suite=$1 name=$2
	shift 2
	if "$@" >>"$logs/$suite.log" 2>&1; then
		note PASS "$suite" "$name"
	else
		note FAIL "$suite" "$name" "$(grep -aE '(error|ERROR|fatal|refused|FAILED):? ' "$logs/$suite.log" | grep -v supports | tail -n 1 | cut -c1-200)"
		return 1
	fi
}
limit() { timeout --foreground -k 20 "$limit_s" "$@"; }
count() { cat "$logs"/${2:-*}.result 2>/dev/null | grep -c "^$1"; }

wanted() {
	local name=$1 o
	if [ -n "$quick" ] && { [ "$name" = vm ] || [ "$name" = debian12 ]; }; then return 1; fi
	[ ${#only[@]} -gt 0 ] || return 0
	for o in "${only[@]}"; do [ "$o" = "$name" ] && return 0; done
	return 1
}

run_suite() {
	local name=$1 start=$SECONDS
	: >"$logs/$name.log"
	: >"$logs/$name.result"
	"suite_${name//-/_}" </dev/null
	printf '%-12s %4d passed %4d failed %4d skipped %5d s\n' "$name" "$(count PASS "$name")" "$(count FAIL "$name")" \
		"$(count SKIP "$name")" $((SECONDS - start))
	grep -a '^FAIL' "$logs/$name.result" | cut -f2,3 | sed 's/^/  FAILED /'
	! grep -qa '^FAIL' "$logs/$name.result" || printf '  log: %s\n' "${logs#"$top/"}/$name.log"
}

# --- builds and test runs ---------------------------------------------------------------------------------------------

build() { # SUITE FOLDER OPTIONS... ; one test: it configures and compiles without a warning
	local suite=$1 dir=$builds/$2
	shift 2
	expect "$suite" build build_in "$dir" "$@"
}
build_in() {
	local dir=$1 again=()
	shift
	[ ! -e "$dir/build.ninja" ] || again=(--reconfigure)
	if ! meson setup "${again[@]}" "$dir" "$@"; then
		rm -rf "$dir"
		meson setup "$dir" "$@" || return 1
	fi
	limit ninja -C "$dir"
}

meson_tests() { # SUITE FOLDER MESON-TEST-OPTIONS...
	local suite=$1 dir=$builds/$2 report status=0
	shift 2
	report=$dir/meson-logs/testlog.junit.xml
	rm -f "$report"
	limit meson test -C "$dir" --no-rebuild --print-errorlogs "$@" >>"$logs/$suite.log" 2>&1 || status=$?
	tools/tally "$suite" "$report" >>"$logs/$suite.result"
	honest "$suite" "$status"
}

integration_tests() { # SUITE FOLDER TESTS...
	local suite=$1 dir=$builds/$2 report=$logs/$1.xml status=0
	shift 2
	if [ ! -x "$dir/src/cmd/bulkhead/bulkhead" ]; then
		note FAIL "$suite" programs 'they were not built'
		return
	fi
	rm -f "$report"
	BULKHEAD_BUILD=$dir limit /usr/bin/python3 -m pytest "$@" -q -p no:cacheprovider --timeout=300 \
		--junit-xml="$report" >>"$logs/$suite.log" 2>&1 || status=$?
	tools/tally "$suite" "$report" >>"$logs/$suite.result"
	honest "$suite" "$status"
}

# A run that failed in a way its report does not show is a failure all the same.
honest() { # SUITE STATUS
	[ "$2" = 0 ] || [ "$(count FAIL "$1")" -gt 0 ] || note FAIL "$1" 'the test run' "ended with status $2"
}

# --- suites -----------------------------------------------------------------------------------------------------------

suite_format() {
	local f
	while IFS= read -r f; do
		expect format "$f" clang-format --dry-run -Werror "$f"
	done < <(list_files '*.c' '*.h')
	while IFS= read -r f; do
		expect format "$f" shellcheck -S warning -x -P SCRIPTDIR "$f"
	done < <(list_files '*.sh' .ci/run tools/mkimage tools/try-install tests/vm/vm)
}
list_files() {
	if git rev-parse --git-dir >/dev/null 2>&1; then git ls-files -co --exclude-standard -- "$@"; else
		local pattern
		for pattern in "$@"; do find . -path './build*' -prune -o -path "*/${pattern#./}" -print; done
	fi | sort -u
}

suite_gcc() { build gcc gcc --native-file build-dev.ini && meson_tests gcc gcc; }
# With sanitizers, and without what takes long and is about time: the static programs get that.
suite_integration() {
	BULKHEAD_CRASH_ROUNDS=40 integration_tests integration gcc tests/integration tests/attack \
		--deselect tests/integration/test_services.py
}
suite_clang() {
	CC=clang build clang clang --werror -Dbuildtype=debugoptimized && meson_tests clang clang --suite unit --suite fuzz
}
suite_release() { build release release --werror -Dbuildtype=release -Dprefix=/usr && meson_tests release release; }
# What is about the programs as they are installed, about time, or too long for sanitizers. The rest has run in the suite above.
suite_release_run() {
	local t tests=()
	for t in run readme services live live_crash look_lists look_logs look_check runtime_lifecycle runtime_isolation; do
		tests+=("tests/integration/test_$t.py")
	done
	integration_tests release-run release "${tests[@]}" tests/attack/test_stdio.py tests/attack/test_probe.py
}
suite_compat() {
	integration_tests compat release tests/compat
}
suite_fuzz() { build fuzz fuzz --native-file build-fuzz.ini && meson_tests fuzz fuzz --suite fuzz; }

suite_tidy() {
	[ -e "$builds/clang/compile_commands.json" ] || build tidy clang --werror || return
	list_files 'src/*.c' |
		xargs -P 2 -I '{}' sh -c 'log=$(mktemp) && if clang-tidy --quiet -p "$1" "$2" >"$log" 2>&1; then
				printf "PASS\ttidy: %s\t\n" "$2"
			else
				printf "FAIL\ttidy: %s\t%s\n" "$2" "$(grep -E "(error|warning):" "$log" | head -n 1)"
				cat "$log" >&2
			fi; rm -f "$log"' - "$builds/clang" '{}' >>"$logs/tidy.result" 2>>"$logs/tidy.log"
}

suite_cppcheck() {
	[ -e "$builds/clang/compile_commands.json" ] || build cppcheck clang --werror || return
	mkdir -p "$builds/cppcheck"
	expect cppcheck 'src/' cppcheck --quiet -j 2 --project=build-check/clang/compile_commands.json \
		--cppcheck-build-dir=build-check/cppcheck --file-filter='src/*' --enable=warning,performance,portability \
		--library=posix,gnu -D__x86_64__ -D__GNUC__ --inline-suppr --suppressions-list=tools/cppcheck.txt --error-exitcode=1 \
		--template='{file}:{line}: error: {message} [{id}]'
}

suite_install() {
	local dest
	[ -e "$builds/release/build.ninja" ] || build install release -Dbuildtype=release -Dprefix=/usr || return
	dest=$(mktemp -d)
	expect install 'meson install' meson install -C "$builds/release" --no-rebuild --destdir "$dest" &&
		tools/try-install "$dest" >>"$logs/install.result" 2>>"$logs/install.log"
	honest install $?
	rm -rf "$dest"
}

suite_debian12() {
	expect debian12 'the tree' tests/vm/vm build || return
	rm -rf "$builds/debian12"
	mkdir -p "$builds/debian12/build"
	copy_sources "$builds/debian12/src"
	expect debian12 'build and unit tests' limit tests/vm/vm chroot -b "$builds/debian12=/bulkhead" -- \
		sh -ec 'cd /bulkhead && meson setup build src -Dbuildtype=release && ninja -C build &&
			meson test -C build --no-rebuild --suite unit --print-errorlogs'
	local status=$?
	[ ! -e "$builds/debian12/build/meson-logs/testlog.junit.xml" ] ||
		tools/tally debian12 "$builds/debian12/build/meson-logs/testlog.junit.xml" >>"$logs/debian12.result"
	return $status
}

# What an emulated machine, which is many times slower, is for: the kernel's side of things. What is about archives, words,
# real services and time runs on the host alone.
not_in_vm='image_ look_ services readme crash two_hundred hundred_megabytes several_readers killed_reader of_several bombs_are'

suite_vm() {
	local images=$builds/debian12/images name status=0
	wanted debian12 || suite_debian12 || true # --only vm still needs the programs
	if [ ! -x "$builds/debian12/build/src/cmd/bulkhead/bulkhead" ]; then
		note FAIL vm programs 'they were not built'
		return
	fi
	mkdir -p "$images"
	for name in busybox debian services; do
		cp "$(tools/mkimage "$name")" "$images/$name.tar" || return
	done
	rm -rf "$logs/vm-results"
	for name in $not_in_vm; do
		note SKIP vm "*$name*" 'takes minutes when emulated, runs on the host'
	done
	tests/vm/vm run --timeout "$((limit_s * 6))" --results "$logs/vm-results" --disk "$builds/debian12=/bulkhead" -- \
		sh -c 'cd /bulkhead/src && export BULKHEAD_BUILD=/bulkhead/build BULKHEAD_IMAGES=/bulkhead/images \
			BULKHEAD_MUST_WORK='"${BULKHEAD_MUST_WORK:-}"' PYTHONDONTWRITEBYTECODE=1 &&
			exec python3 -m pytest tests/integration tests/attack -q -p no:cacheprovider --timeout=300 --junit-xml=/results/junit.xml \
			-k "not '"${not_in_vm// / and not }"'"' \
		>>"$logs/vm.log" 2>&1 || status=$?
	tools/tally vm "$logs/vm-results/junit.xml" >>"$logs/vm.result"
	honest vm "$status"
	rm -rf "$images"
}

# --- the run ----------------------------------------------------------------------------------------------------------

background() {
	local line
	for line in "${suites[@]}"; do
		set -- $line
		case $line in *back) ! wanted "$1" || run_suite "$1" ;; esac
	done
}

finish_background() {
	trap - EXIT
	[ -z "${lane:-}" ] || kill -TERM -- "-$lane" 2>/dev/null
}

main() {
	local line name failed
	for name in "${only[@]}"; do
		printf '%s\n' "${suites[@]}" | grep -q "^$name " || die "no suite '$name' (--list shows them)"
	done
	mkdir -p "$logs"
	rm -rf "${logs:?}"/*
	say "packages"
	need_packages $packages_build $packages_unit $packages_check $packages_integration $packages_image
	! wanted compat || without_services need_packages $packages_compat || exit 1
	if wanted vm || wanted debian12; then need_packages $packages_vm; fi
	say "running (what is slow runs beside the rest)"
	set -m # the background lane is a process group of its own, so that it can be ended as a whole
	background >"$logs/background" 2>&1 </dev/null &
	lane=$!
	set +m
	trap finish_background EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	for line in "${suites[@]}"; do
		name=${line%% *}
		case $line in *front) ! wanted "$name" || run_suite "$name" ;; esac
	done
	wait "$lane"
	lane=
	cat "$logs/background"
	cat "$logs"/*.result | awk -F '\t' '$1 == "SKIP" {print "skipped: " $2 ($3 ? " (" $3 ")" : "")}'
	failed=$(count FAIL)
	say "$((SECONDS - began)) s"
	printf '%d passed, %d failed, %d skipped\n' "$(count PASS)" "$failed" "$(count SKIP)"
	[ "$failed" = 0 ] && [ "$(count PASS)" -gt 0 ]
}

main
