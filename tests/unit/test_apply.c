/* SPDX-License-Identifier: Apache-2.0 */
/* Plans executed for real: what the program inside sees, what fails how, and that the host is left
 * as it was. Needs root. */
#include "boxkit.h"

#include "base/base.h"
#include "base/fd.h"
#include "base/str.h"
#include "caps/caps.h"
#include "cgroup/cgroup.h"
#include "landlock/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/mount.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void exit_codes_are_passed_on(void **state)
{
	static const struct {
		const char *const args[4];
		int status;
	} cases[] = {
		{ { "true" }, 0 },
		{ { "false" }, 1 },
		{ { "sh", "-c", "exit 42" }, 42 },
	};
	struct outcome o;
	struct box b;

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		box_init(&b, cases[i].args);
		box_must_run(&b, &o);
		assert_int_equal(o.status, cases[i].status);
	}
}

static void every_namespace_is_new(void **state)
{
	static const char *const names[] = { "mnt", "pid", "net", "ipc", "uts", "cgroup" };
	struct outcome o;
	struct box b;

	(void) state;
	box_init(&b, SHELL("for n in mnt pid net ipc uts cgroup; do readlink /proc/self/ns/$n; "
	                   "done; echo pid=$$; hostname; ip addr show lo; cat /proc/self/cgroup"));
	box_must_run(&b, &o);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_free_ char *path = xprintf("/proc/self/ns/%s", names[i]);
		char own[64] = { 0 };

		assert_true(readlink(path, own, sizeof(own) - 1) > 0);
		if (strstr(o.out, own))
			fail_msg("the container shares the namespace %s", own);
	}
	assert_contains(o.out, "pid=1\nbox\n");
	assert_contains(o.out, "127.0.0.1");
	assert_null(strstr(o.out, "bulkhead-test"));
	assert_null(strstr(o.out, "/.."));
}

static void ids_are_shifted_in_a_user_namespace(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	box_init(&b, SHELL("id; cat /proc/self/uid_map; cat /proc/self/setgroups; "
	                   "cat /proc/self/cgroup; stat -c %u /proc/self"));
	box_add_user_namespace(&b);
	box_must_run(&b, &o);
	assert_contains(o.out, "uid=0(root) gid=0(root)");
	assert_contains(o.out, "1000000      65536");
	assert_contains(o.out, "allow");
	assert_null(strstr(o.out, "/.."));
}

static void unmapped_user_is_refused(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	box_init(&b, LIST("true"));
	box_add_user_namespace(&b);
	box_get(&b, PLAN_USER)->user.uid = 70000;
	box_run(&b, &o);
	assert_int_equal(o.r, -EINVAL);
	assert_contains(o.err.text, "cannot change to user 70000");
}

static void read_only_root_cannot_be_written(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	box_init(&b, SHELL("touch /x; touch /tmp/y"));
	box_add(&b, STEP(ROOT_ATTR, .root_attr = { .attr_set = MOUNT_ATTR_RDONLY }));
	box_add_mount(&b, "tmpfs", "/tmp", NULL);
	box_must_run(&b, &o);
	assert_contains(o.out, "/x: Read-only file system");
	assert_null(strstr(o.out, "/tmp/y"));
}

static void masked_and_read_only_paths_hold(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	box_init(&b, SHELL("wc -c < /proc/kallsyms; ls /proc/bus | wc -l; "
	                   "echo 1 > /proc/sys/kernel/core_uses_pid; echo done"));
	box_add(&b, STEP(MASK, .path = { .path = "/proc/kallsyms" }));
	box_add(&b, STEP(MASK, .path = { .path = "/proc/bus" }));
	box_add(&b, STEP(MASK, .path = { .path = "/proc/there-is-no-such-file" }));
	box_add(&b, STEP(READONLY, .path = { .path = "/proc/sys" }));
	box_must_run(&b, &o);
	assert_contains(o.out, "0\n0\n");
	assert_contains(o.out, "Read-only file system");
	assert_contains(o.out, "done");
}

static void proc_shows_only_what_is_allowed(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	box_init(&b, SHELL("wc -c < /proc/kallsyms; head -n1 /proc/meminfo; cat /proc/self/comm"));
	box_add_user_namespace(&b);
	box_add(&b, STEP(PROC_ALLOW, .proc_allow = { .names = LIST("meminfo", "sys") }));
	box_must_run(&b, &o);
	assert_true(str_has_prefix(o.out, "0\nMemTotal"));
	assert_contains(o.out, "cat\n");
}

static void devices_are_bound_in_a_user_namespace(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	box_init(&b, SHELL("echo x > /dev/null; stat -c %t,%T /dev/null; ls -l /dev; test -c "
	                   "/dev/null && readlink /dev/fd"));
	box_add_user_namespace(&b);
	box_add(&b, STEP(MOUNT, .mount = { .kind = PLAN_MOUNT_FS,
	                                .source = "tmpfs",
	                                .target = "/dev",
	                                .fstype = "tmpfs",
	                                .data = LIST("mode=755"),
	                                .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC }));
	box_add(&b, STEP(DEVICE, .device = { .type = 'c',
	                                 .path = "/dev/null",
	                                 .major = 1,
	                                 .minor = 3,
	                                 .mode = 0666,
	                                 .bind = 1 }));
	box_add(&b, STEP(DEV_LINKS));
	box_must_run(&b, &o);
	assert_contains(o.out, "1,3\n");
	assert_contains(o.out, "/proc/self/fd\n");
}

static void rlimits_are_set_last(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	box_init(&b, SHELL("ulimit -n; ulimit -c"));
	/* Fewer descriptors than the set-up itself needs. */
	box_add(&b, STEP(RLIMIT, .rlimit = { .resource = RLIMIT_NOFILE,
	                                 .name = "RLIMIT_NOFILE",
	                                 .soft = 4,
	                                 .hard = 5 }));
	box_add(&b, STEP(RLIMIT, .rlimit = { .resource = RLIMIT_FSIZE, .name = "RLIMIT_FSIZE" }));
	box_must_run(&b, &o);
	assert_true(str_has_prefix(o.out, "4\n"));
}

static void limit_that_is_refused_fails_before_ready(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	box_init(&b, LIST("true"));
	box_add(&b, STEP(RLIMIT, .rlimit = { .resource = RLIMIT_NOFILE,
	                                 .name = "RLIMIT_NOFILE",
	                                 .soft = 1ULL << 40,
	                                 .hard = 1ULL << 40 }));
	box_run(&b, &o);
	assert_true(o.r < 0);
	assert_contains(o.err.text, "the limit RLIMIT_NOFILE");
}

static void capabilities_are_exactly_the_plans(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	box_init(&b, SHELL("grep -E 'Cap|NoNew|Seccomp:' /proc/self/status"));
	box_get(&b, PLAN_CAPS)->caps =
	        (struct plan_caps){ .bounding = 0x21, .permitted = 0x21, .effective = 0x21 };
	box_add(&b, STEP(NO_NEW_PRIVS));
	box_must_run(&b, &o);
	assert_contains(o.out, "CapInh:\t0000000000000000");
	assert_contains(o.out, "CapPrm:\t0000000000000021");
	assert_contains(o.out, "CapEff:\t0000000000000021");
	assert_contains(o.out, "CapBnd:\t0000000000000021");
	assert_contains(o.out, "CapAmb:\t0000000000000000");
	assert_contains(o.out, "NoNewPrivs:\t1");
	assert_contains(o.out, "Seccomp:\t0");
}

static void user_is_looked_up_inside_the_root(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	box_init(&b, SHELL("id; echo HOME=$HOME; umask; grep CapBnd /proc/self/status"));
	box_add_user_namespace(&b);
	box_get(&b, PLAN_USER)->user =
	        (struct plan_user){ .lookup = "web", .set_home = 1, .has_umask = 1, .umask = 027 };
	box_get(&b, PLAN_CAPS)->caps.empty_unless_root = 1;
	box_must_run(&b, &o);
	assert_contains(o.out, "uid=33(web) gid=34(www)");
	assert_contains(o.out, "77(extra)");
	assert_contains(o.out, "HOME=/home/web\n0027\n");
	assert_contains(o.out, "CapBnd:\t0000000000000000");
}

static void unknown_user_is_refused(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	box_init(&b, LIST("true"));
	box_get(&b, PLAN_USER)->user.lookup = "nobody-knows";
	box_run(&b, &o);
	assert_int_equal(o.r, -ENOENT);
	assert_contains(o.err.text, "nobody-knows");
}

/* Refuses sethostname with EXDEV, which nothing else gives. */
static void seccomp_filter_is_loaded(void **state)
{
	static const struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sethostname, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EXDEV),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	static const enum plan_kind kinds[] = { PLAN_SECCOMP, PLAN_SECCOMP_EARLY };
	struct outcome o;
	struct box b;

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		box_init(&b, SHELL("grep Seccomp: /proc/self/status; hostname x; hostname"));
		box_add(&b,
		        &(struct plan_step){ .kind = kinds[i],
		                .seccomp = { .filter = filter, .filter_size = sizeof(filter) } });
		if (kinds[i] == PLAN_SECCOMP)
			box_add(&b, STEP(NO_NEW_PRIVS));
		box_must_run(&b, &o);
		assert_contains(o.out, "Seccomp:\t2");
		assert_contains(o.out, "nvalid cross-device link");
		assert_contains(o.out, "box\n");
	}
}

static void landlock_denies_a_write(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	if (box_facts.landlock_abi == 0)
		skip();
	box_init(&b, SHELL("touch /etc/x; touch /tmp/y && echo good"));
	box_add_mount(&b, "tmpfs", "/tmp", NULL);
	box_add(&b, STEP(LANDLOCK, .landlock = { .handled_fs = landlock_fs_rights(1), .abi = 1 }));
	box_add(&b, STEP(LANDLOCK_RULE,
	                    .landlock_rule = { .path = "/",
	                            .access = LL_FS_EXECUTE | LL_FS_READ_FILE | LL_FS_READ_DIR }));
	box_add(&b, STEP(LANDLOCK_RULE,
	                    .landlock_rule = { .path = "/tmp", .access = landlock_fs_rights(1) }));
	box_add(&b, STEP(LANDLOCK_RULE,
	                    .landlock_rule = { .path = "/missing", .access = 1, .optional = 1 }));
	box_add(&b, STEP(NO_NEW_PRIVS));
	box_add(&b, STEP(LANDLOCK_ENTER));
	box_must_run(&b, &o);
	assert_contains(o.out, "/etc/x: Permission denied");
	assert_contains(o.out, "good");
}

static void cwd_is_made_when_asked(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	box_init(&b, SHELL("echo in $PWD"));
	box_get(&b, PLAN_CWD)->cwd = (struct plan_cwd){ .path = "/srv/app", .create = 1 };
	box_must_run(&b, &o);
	assert_contains(o.out, "in /srv/app\n");
	box_init(&b, LIST("true"));
	box_get(&b, PLAN_CWD)->cwd.path = "/nowhere";
	box_run(&b, &o);
	assert_true(o.r < 0);
	assert_contains(o.err.text, "/nowhere");
}

static void sysctl_of_the_namespace_is_written(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	box_init(&b, SHELL("cat /proc/sys/net/ipv4/ip_unprivileged_port_start; "
	                   "unshare -n true; echo $?"));
	box_add_user_namespace(&b);
	box_get(&b, PLAN_CAPS)->caps.effective |= 1 << 21;
	box_get(&b, PLAN_CAPS)->caps.permitted |= 1 << 21;
	box_get(&b, PLAN_CAPS)->caps.bounding |= 1 << 21;
	box_add(&b, STEP(SYSCTL, .sysctl = { .path = "net/ipv4/ip_unprivileged_port_start",
	                                 .value = "80" }));
	box_add(&b, STEP(SYSCTL, .sysctl = { .path = "net/no/such", .value = "1", .optional = 1 }));
	box_add(&b,
	        STEP(LATE_SYSCTL, .sysctl = { .path = "user/max_net_namespaces", .value = "0" }));
	box_must_run(&b, &o);
	assert_true(str_has_prefix(o.out, "80\n"));
	assert_contains(o.out, "No space left");
}

static void memfd_noexec_is_set_before_root_is_given_up(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	if (!box_facts.has_memfd_noexec)
		skip();
	box_init(&b, LIST("cat", "/proc/sys/vm/memfd_noexec"));
	box_add_user_namespace(&b);
	box_add(&b, STEP(EARLY_SYSCTL, .sysctl = { .path = "vm/memfd_noexec", .value = "1" }));
	box_must_run(&b, &o);
	assert_string_equal(o.out, "1\n");
}

static void time_namespace_has_its_offset(void **state)
{
	char before[64] = { 0 }, after[64] = { 0 };
	struct outcome o;
	struct box b;

	(void) state;
	assert_true(readlink("/proc/self/ns/time_for_children", before, 63) > 0);
	box_init(&b, LIST("cat", "/proc/uptime"));
	box_add_user_namespace(&b);
	box_add_namespace(&b, CLONE_NEWTIME);
	box_add(&b, STEP(TIME_OFFSET, .time_offset = { .clock = "boottime", .secs = 500000000 }));
	box_must_run(&b, &o);
	assert_true(str_has_prefix(o.out, "50"));
	assert_true(strlen(o.out) > 15);
	assert_true(readlink("/proc/self/ns/time_for_children", after, 63) > 0);
	assert_string_equal(before, after);
}

static void tmpfs_bind_and_its_flags(void **state)
{
	_free_ char *dir = NULL;
	struct outcome o;
	struct box b;

	(void) state;
	box_init(&b, SHELL("cat /mnt/deep/hello; touch /mnt/deep/x; grep mnt /proc/mounts"));
	dir = xprintf("%s/shared", testkit_scratch());
	assert_int_equal(mkdir(dir, 0755), 0);
	box_write_text(dir, "hello", "from the host\n", 0644);
	box_add(&b, STEP(MOUNT, .mount = { .kind = PLAN_MOUNT_BIND,
	                                .source = dir,
	                                .target = "/mnt/deep",
	                                .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC }));
	box_must_run(&b, &o);
	assert_contains(o.out, "from the host\n");
	assert_contains(o.out, "Read-only file system");
	assert_contains(o.out, "noexec");
}

static void idmapped_bind_shows_its_owner(void **state)
{
	_free_ char *dir = NULL;
	struct outcome o;
	struct box b;

	(void) state;
	box_init(&b, SHELL("stat -c %u:%g /mnt/f"));
	dir = xprintf("%s/shared", testkit_scratch());
	assert_int_equal(mkdir(dir, 0755), 0);
	box_write_text(dir, "f", "x", 0644);
	box_add_user_namespace(&b);
	box_add(&b, STEP(MOUNT, .mount = { .kind = PLAN_MOUNT_BIND,
	                                .source = dir,
	                                .target = "/mnt",
	                                .idmap = 1 }));
	/* The target must be there: the root belongs to the host's root. */
	_free_ char *target = xprintf("%s/mnt", b.root);
	assert_int_equal(mkdir(target, 0755), 0);
	box_must_run(&b, &o);
	assert_string_equal(o.out, "0:0\n");
}

static void cgroup_limit_holds_and_goes_away(void **state)
{
	bool v2 = box_facts.cgroup && box_facts.cgroup->mode == CGROUP_V2;
	struct outcome o;
	struct box b;

	(void) state;
	if (!box_facts.cgroup || box_facts.cgroup->cannot_create)
		skip();
	box_init(&b, SHELL("for i in 1 2 3 4 5 6 7 8 9; do sleep 0.1 & done; wait"));
	box_add(&b, STEP(CGROUP_SET, .cgroup_set = { .hierarchy = v2 ? "" : "pids",
	                                     .file = "pids.max",
	                                     .value = "4" }));
	box_must_run(&b, &o);
	assert_contains(o.out, "an't fork");
}

static void mount_of_cgroups_shows_only_its_own(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	if (!box_facts.cgroup || box_facts.cgroup->cannot_create)
		skip();
	box_init(&b, SHELL("ls /sys/fs/cgroup; cat /proc/self/mountinfo"));
	box_add_user_namespace(&b);
	box_add(&b, STEP(MOUNT, .mount = { .kind = PLAN_MOUNT_CGROUP,
	                                .source = "cgroup",
	                                .target = "/sys/fs/cgroup",
	                                .fstype = "cgroup",
	                                .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
	                                            MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC }));
	box_must_run(&b, &o);
	assert_contains(o.out, "cgroup");
	assert_null(strstr(o.out, "bulkhead-test"));
}

static void overlay_root_is_writable_with_its_own_ids(void **state)
{
	static const char *const layers[] = { "layer", NULL };
	_free_ char *base = NULL;
	_free_ char *made = NULL;
	struct outcome o;
	struct stat st;
	struct box b;

	(void) state;
	box_init(
	        &b, SHELL("stat -c %u /etc/passwd; echo new > /etc/new && touch /etc/passwd && cat "
	                  "/etc/new"));
	base = xprintf("%s/base", testkit_scratch());
	assert_int_equal(mkdir(base, 0700), 0);
	for (size_t i = 0; i < 3; i++) {
		static const char *const names[] = { "layer", "upper", "work" };
		_free_ char *dir = xprintf("%s/%s", base, names[i]);

		if (i == 0)
			box_make_rootfs(dir);
		else
			assert_int_equal(mkdir(dir, 0755), 0);
	}
	box_drop(&b, PLAN_ROOT);
	box_add_user_namespace(&b);
	box_add(&b, STEP(ROOT_OVERLAY, .root_overlay = { .base = base,
	                                       .layers = layers,
	                                       .upper = "upper",
	                                       .work = "work",
	                                       .host_id = HOST_BASE,
	                                       .size = 65536 }));
	box_must_run(&b, &o);
	assert_string_equal(o.out, "0\nnew\n");
	made = xprintf("%s/upper/etc/new", base);
	assert_int_equal(stat(made, &st), 0);
	assert_int_equal(st.st_uid, 0);
}

static void plan_without_mount_namespace_is_refused(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	box_init(&b, LIST("true"));
	box_drop(&b, PLAN_NAMESPACE);
	box_run(&b, &o);
	assert_int_equal(o.r, -EINVAL);
	assert_contains(o.err.text, "mount namespace");
}

/* --- the host stays as it was --- */

static char mounts_before[1 << 20], mounts_after[1 << 20];

static void read_mounts(char *out, size_t size)
{
	int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);

	box_read_all(fd, out, size);
	fd_close(fd);
}

static void host_is_left_as_it_was(void **state)
{
	const char *names[CGROUP_HIERARCHIES_MAX + 1];

	(void) state;
	read_mounts(mounts_after, sizeof(mounts_after));
	assert_string_equal(mounts_before, mounts_after);
	if (!box_facts.cgroup || box_facts.cgroup->cannot_create)
		return;
	cgroup_hierarchy_names(box_facts.cgroup, names);
	for (size_t i = 0; names[i]; i++) {
		_free_ char *path = xprintf(
		        "/sys/fs/cgroup/%s/bulkhead-test/apply-%d", names[i], (int) getpid());

		assert_int_equal(access(path, F_OK), -1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(exit_codes_are_passed_on),
		testkit_case(every_namespace_is_new),
		testkit_case(ids_are_shifted_in_a_user_namespace),
		testkit_case(unmapped_user_is_refused),
		testkit_case(read_only_root_cannot_be_written),
		testkit_case(masked_and_read_only_paths_hold),
		testkit_case(proc_shows_only_what_is_allowed),
		testkit_case(devices_are_bound_in_a_user_namespace),
		testkit_case(rlimits_are_set_last),
		testkit_case(limit_that_is_refused_fails_before_ready),
		testkit_case(capabilities_are_exactly_the_plans),
		testkit_case(user_is_looked_up_inside_the_root),
		testkit_case(unknown_user_is_refused),
		testkit_case(seccomp_filter_is_loaded),
		testkit_case(landlock_denies_a_write),
		testkit_case(cwd_is_made_when_asked),
		testkit_case(sysctl_of_the_namespace_is_written),
		testkit_case(memfd_noexec_is_set_before_root_is_given_up),
		testkit_case(time_namespace_has_its_offset),
		testkit_case(tmpfs_bind_and_its_flags),
		testkit_case(idmapped_bind_shows_its_owner),
		testkit_case(cgroup_limit_holds_and_goes_away),
		testkit_case(mount_of_cgroups_shows_only_its_own),
		testkit_case(overlay_root_is_writable_with_its_own_ids),
		testkit_case(plan_without_mount_namespace_is_refused),
		testkit_case(host_is_left_as_it_was),
	};
	int r = boxkit_setup();

	if (r)
		return r;
	read_mounts(mounts_before, sizeof(mounts_before));
	r = testkit_run(tests);
	boxkit_done();
	return r;
}
