/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/internal.h"
#include "compile/compile.h"

#include "base/path.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { LISTEN_FDS_MAX = 1024, PATH_BYTES_MAX = 4096 };

void bundle_done(struct bundle *b)
{
	free(TAKE_PTR(b->dir));
	free(TAKE_PTR(b->rootfs));
	b->spec = oci_spec_free(b->spec);
}

unsigned int bundle_listen_fds(void)
{
	const char *pid = secure_getenv("LISTEN_PID");
	const char *fds = secure_getenv("LISTEN_FDS");
	uint32_t for_pid = 0, n = 0;
	if (!fds || num_parse_u32(fds, &n) < 0 || n > LISTEN_FDS_MAX)
		return 0;
	/* Callers that cannot know our pid leave it out; another's means another program. */
	if (pid && (num_parse_u32(pid, &for_pid) < 0 || for_pid != (uint32_t) getpid()))
		return 0;
	return n;
}

/* The absolute path of a folder with all links resolved. */
static int resolve_folder(const char *path, char **ret, struct err *err)
{
	_free_ char *shown = str_escaped(path);
	_close_ int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return err_set(err, -errno, "there is no bundle folder '%s'", shown);
	if (fd < 0)
		return err_errno(err, -errno, "cannot open the bundle '%s'", shown);
	char link[64];
	char target[PATH_BYTES_MAX];
	(void) snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, target, sizeof(target));
	if (n < 0)
		return err_errno(err, -errno, "cannot tell the path of the bundle '%s'", shown);
	if ((size_t) n >= sizeof(target) || target[0] != '/')
		return err_set(
		        err, -ENAMETOOLONG, "the path of the bundle '%s' is too long", shown);
	*ret = xstrndup(target, (size_t) n);
	return 0;
}

/* Variables of the LISTEN_FDS protocol: the program is process 1 of its own world. */
static void add_listen_env(struct oci_spec *spec, unsigned int n)
{
	size_t count = 0;
	const char *const *env = spec->process.env;
	while (env && env[count])
		count++;
	const char **all = arena_new_n(&spec->arena, const char *, count + 3);
	for (size_t i = 0; i < count; i++)
		all[i] = env[i];
	all[count] = arena_printf(&spec->arena, "LISTEN_FDS=%u", n);
	all[count + 1] = "LISTEN_PID=1";
	spec->process.env = all;
}

static int read_config(const char *path, struct oci_spec **ret, struct err *err)
{
	_free_ char *shown = str_escaped(path);
	_buf_done_ struct buf text = BUF_INIT(OCI_CONFIG_MAX);
	int r = buf_read_file(&text, AT_FDCWD, path);
	if (r == -ENOENT)
		return err_set(err, r, "there is no config '%s': is this a bundle?", shown);
	if (r == -EMSGSIZE)
		return err_set(
		        err, r, "the config '%s' is larger than %d bytes", shown, OCI_CONFIG_MAX);
	if (r < 0)
		return err_errno(err, r, "cannot read the config '%s'", shown);
	return oci_spec_parse(buf_str(&text), text.len, ret, err);
}

int bundle_open(const struct runtime_create *args, unsigned int listen_fds, struct bundle *ret,
        struct err *err)
{
	int r = resolve_folder(args->bundle, &ret->dir, err);
	if (r < 0)
		return r;
	_free_ char *config = args->config ? xstrdup(args->config)
	                                   : xprintf("%s/config.json", ret->dir);
	r = read_config(config, &ret->spec, err);
	if (r < 0)
		return r;
	const char *root = ret->spec->root_path ? ret->spec->root_path : "";
	_free_ char *joined = root[0] == '/' ? xstrdup(root) : xprintf("%s/%s", ret->dir, root);
	ret->rootfs = path_clean(joined);
	if (listen_fds > 0)
		add_listen_env(ret->spec, listen_fds);
	return 0;
}

int bundle_compile(const struct runtime_create *args, const struct bundle *b,
        const struct facts *facts, bool wait_for_start, struct plan_writer *w,
        struct compile_notes *notes, struct err *err)
{
	struct facts own = *facts;
	if (args->no_cgroups)
		own.cgroup = NULL;
	const struct compile_ext ext = {
		.bundle_dir = b->dir,
		.create_cwd = true, /* callers rely on it: containerd leaves WORKDIR to the runtime
		                     */
		.no_pivot = args->no_pivot,
		.no_new_keyring = args->no_new_keyring,
	};
	return compile_plan(args->id, b->spec, &ext, &own, wait_for_start, w, notes, err);
}

int runtime_plan(const struct runtime_create *args, const struct facts *facts,
        struct plan_writer *w, struct compile_notes *notes, struct err *err)
{
	_bundle_done_ struct bundle b = { 0 };
	struct facts own;
	int r = folder_check_id(args->id, err);
	if (r >= 0)
		r = bundle_open(args, 0, &b, err);
	if (r >= 0 && !facts)
		r = facts_probe(&own, err);
	if (r < 0)
		return r;
	return bundle_compile(args, &b, facts ? facts : &own, true, w, notes, err);
}
