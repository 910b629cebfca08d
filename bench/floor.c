/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor: what any container start must do, and nothing else. One clone3 into six new
 * namespaces, the mounts and devices of a usual OCI config, pivot_root, exec, wait. No cgroup, no
 * seccomp, no state, no input. Runtimes are compared with it (bench/run.sh).
 *
 *   floor ROOTFS PROGRAM [ARGUMENT...]
 */
#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static void must(int ok, const char *what)
{
	if (ok)
		return;
	(void) fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
	_exit(125);
}

struct fs {
	const char *type;
	const char *target;
	unsigned long flags;
	const char *data;
};

static const unsigned long quiet = MS_NOSUID | MS_NOEXEC | MS_NODEV;

static void mount_filesystems(void)
{
	static const struct fs list[] = {
		{ "proc", "proc", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL },
		{ "tmpfs", "dev", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k" },
		{ "devpts", "dev/pts", MS_NOSUID | MS_NOEXEC,
		        "newinstance,ptmxmode=0666,mode=0620" },
		{ "tmpfs", "dev/shm", MS_NOSUID | MS_NOEXEC | MS_NODEV, "mode=1777,size=65536k" },
		{ "mqueue", "dev/mqueue", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL },
		{ "sysfs", "sys", MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY, NULL },
	};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		const struct fs *f = &list[i];

		must(mkdir(f->target, 0755) == 0 || errno == EEXIST, f->target);
		must(mount(f->type, f->target, f->type, f->flags, f->data) == 0, f->target);
	}
}

static void make_devices(void)
{
	static const struct {
		const char *path;
		unsigned int major, minor;
	} list[] = {
		{ "dev/null", 1, 3 },
		{ "dev/zero", 1, 5 },
		{ "dev/full", 1, 7 },
		{ "dev/random", 1, 8 },
		{ "dev/urandom", 1, 9 },
		{ "dev/tty", 5, 0 },
	};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		must(mknod(list[i].path, S_IFCHR | 0666, makedev(list[i].major, list[i].minor)) ==
		                0,
		        list[i].path);
}

static void cover_proc(void)
{
	static const char *const masked[] = { "proc/kcore", "proc/keys", "proc/timer_list" };
	static const char *const readonly[] = { "proc/bus", "proc/fs", "proc/irq", "proc/sys",
		"proc/sysrq-trigger" };

	for (size_t i = 0; i < sizeof(masked) / sizeof(masked[0]); i++)
		must(mount("dev/null", masked[i], NULL, MS_BIND, NULL) == 0 || errno == ENOENT,
		        masked[i]);
	for (size_t i = 0; i < sizeof(readonly) / sizeof(readonly[0]); i++) {
		const char *path = readonly[i];

		if (mount(path, path, NULL, MS_BIND | MS_REC, NULL) == 0)
			must(mount(NULL, path, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | quiet,
			             NULL) == 0,
			        path);
	}
}

static void child(const char *root, char **argv)
{
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "private mounts");
	must(mount(root, root, NULL, MS_BIND | MS_REC, NULL) == 0, root);
	must(chdir(root) == 0, root);
	mount_filesystems();
	make_devices();
	cover_proc();
	must(syscall(SYS_pivot_root, ".", ".") == 0, "pivot_root");
	must(umount2(".", MNT_DETACH) == 0, "the old root");
	must(chdir("/") == 0, "/");
	(void) execv(argv[0], argv);
	must(0, argv[0]);
}

int main(int argc, char **argv)
{
	struct clone_args args = {
		.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
		         CLONE_NEWCGROUP,
		.exit_signal = SIGCHLD,
	};
	int status = 0;
	long pid;

	if (argc < 3) {
		(void) fprintf(stderr, "usage: floor ROOTFS PROGRAM [ARGUMENT...]\n");
		return 125;
	}
	pid = syscall(SYS_clone3, &args, sizeof(args));
	must(pid >= 0, "clone3");
	if (pid == 0)
		child(argv[1], argv + 2);
	must(waitpid((pid_t) pid, &status, 0) == pid, "wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
