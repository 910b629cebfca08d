/* SPDX-License-Identifier: Apache-2.0 */
/* The child's last steps: finding the program, telling "created", waiting, exec. */
#include "base/fd.h"
#include "base/str.h"
#include "sandbox/child.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_CANNOT_RUN = 126, EXIT_NOT_FOUND = 127 };

static const char default_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/* Looks at one candidate with the final user's rights. Nothing of the host is open any more, so
 * the container's own view is all that a name can reach. */
static int look_at(const char *path)
{
	_close_ int fd = open(path, O_PATH | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -EACCES;
	if (faccessat(fd, "", X_OK, AT_EACCESS | AT_EMPTY_PATH) == 0)
		return 0;
	/* A filter that is loaded early may not know faccessat2 (the C library makes EINVAL of
	 * ENOSYS): exec has the last word. */
	if (errno == EPERM || errno == ENOSYS || errno == EINVAL)
		return st.st_mode & 0111 ? 0 : -EACCES;
	return -errno;
}

static const char *path_variable(const char *const *env)
{
	for (; *env; env++)
		if (str_has_prefix(*env, "PATH="))
			return *env + strlen("PATH=");
	return default_path;
}

/* execvp's rule: the first that can be run; else, if one was there and could not, that. */
static int search(struct child *c, const char *name)
{
	const char *rest = path_variable(c->env);
	int worst = -ENOENT;

	for (;;) {
		size_t n = strcspn(rest, ":");
		_free_ char *path = n ? xprintf("%.*s/%s", (int) n, rest, name)
		                      : xprintf("./%s", name);
		int r = look_at(path);

		if (r == 0) {
			c->program = TAKE_PTR(path);
			return 0;
		}
		if (r == -EACCES || r == -EISDIR)
			worst = -EACCES;
		if (!rest[n])
			return worst;
		rest += n + 1;
	}
}

/* The words are those that callers of runtimes look for. */
static int program_failed(struct child *c, const char *name, int code, bool searched)
{
	_free_ char *shown = str_escaped(name);

	c->exit_code = EXIT_CANNOT_RUN;
	switch (code) {
	case -ENOENT:
	case -ENOTDIR:
		c->exit_code = EXIT_NOT_FOUND;
		if (searched)
			return err_set(&c->err, -ENOENT,
			        "exec: \"%s\": executable file not found in $PATH", shown);
		return err_set(&c->err, -ENOENT, "exec: \"%s\": no such file or directory", shown);
	case -EISDIR:
		return err_set(&c->err, code, "exec: \"%s\": is a directory", shown);
	case -EACCES:
	case -EPERM:
		return err_set(&c->err, code, "exec: \"%s\": permission denied", shown);
	case -ENOEXEC:
		return err_set(&c->err, code, "exec: \"%s\": exec format error", shown);
	default:
		return err_errno(&c->err, code, "exec: \"%s\"", shown);
	}
}

int child_find(struct child *c, const struct plan_step *s)
{
	const char *name = s->exec.args[0];
	static const char *const no_env[] = { NULL };
	bool searched;
	int r;

	if (!c->env)
		c->env = no_env;
	if (!name || !*name)
		return program_failed(c, "", -ENOENT, true);
	searched = !strchr(name, '/');
	if (searched) {
		r = search(c, name);
	} else {
		r = look_at(name);
		c->program = xstrdup(name);
	}
	return r < 0 ? program_failed(c, name, r, searched) : 0;
}

/* Waits for the byte that 'start' sends. When the other side goes away without it there is nobody
 * left to tell. */
static void wait_at_gate(const struct child *c)
{
	char byte;
	ssize_t n;

	do
		n = read(c->gate, &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		_exit(1);
}

int child_ready(struct child *c, const struct plan_step *s)
{
	const struct report report = { .type = REPORT_READY };
	int r = 0;

	if (!c->has_stdio)
		r = child_take_stdio(c, 0);
	if (r < 0)
		return r;
	r = report_send(c->sync, &report);
	if (r < 0)
		_exit(1); /* the supervisor is gone */
	if (!s->ready.wait)
		return 0;
	c->passed_gate = true;
	wait_at_gate(c);
	return 0;
}

int child_exec(struct child *c, const struct plan_step *s)
{
	const char *const *env = c->env ? c->env : s->exec.env;
	const char *name = c->program ? c->program : s->exec.args[0];
	int code;

	if (!name)
		return program_failed(c, "", -ENOENT, true);
	(void) execve(
	        name, (char *const *) (uintptr_t) s->exec.args, (char *const *) (uintptr_t) env);
	code = -errno;
	if (code == -ENOENT && c->program) {
		_free_ char *shown = str_escaped(name);

		/* FIND saw the file: what is missing is the interpreter that it names. */
		c->exit_code = EXIT_NOT_FOUND;
		return err_set(&c->err, code,
		        "exec: \"%s\": its interpreter is missing: no such file or directory",
		        shown);
	}
	return program_failed(c, name, code, false);
}
