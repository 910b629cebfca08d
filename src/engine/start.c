/* SPDX-License-Identifier: Apache-2.0 */
/* From a configuration to a running container: compile, tell the shim, wait for its word. */
#include "engine/start.h"

#include "base/fd.h"
#include "base/str.h"
#include "engine/etc_files.h"
#include "engine/events.h"
#include "engine/exec.h"
#include "engine/groups.h"
#include "engine/mounts.h"
#include "engine/request.h"
#include "engine/security.h"
#include "logs/options.h"
#include "sandbox/sandbox.h"
#include "shim/client.h"
#include "shim/settings.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

void start_done(struct start *s)
{
	s->config = config_free(s->config);
	s->plan = plan_free(s->plan);
	s->plan_fd = fd_close(s->plan_fd);
	s->health_fd = fd_close(s->health_fd);
	s->settings_fd = fd_close(s->settings_fd);
	s->log_fd = fd_close(s->log_fd);
	s->logs_fd = fd_close(s->logs_fd);
	s->events_fd = fd_close(s->events_fd);
}

/* --- plan ------------------------------------------------------------------------------------- */

/* --init: the program that the host provides for it. */
static int find_init(const struct config *config, const char **ret, struct err *err)
{
	static const char *const places[] = { "/usr/bin/catatonit", "/usr/libexec/podman/catatonit",
		"/usr/bin/docker-init", "/usr/bin/tini-static" };

	*ret = NULL;
	for (size_t i = 0; config->init && i < ARRAY_SIZE(places) && !*ret; i++)
		if (access(places[i], X_OK) == 0)
			*ret = places[i];
	if (config->init && !*ret)
		return err_set(err, -ENOENT,
		        "--init needs the program 'catatonit' on the host (apt install catatonit)");
	return 0;
}

static int write_plan(struct start *s, const struct oci_spec *spec, const struct compile_ext *ext,
        struct err *err)
{
	_cleanup_(compile_notes_done) struct compile_notes notes = { 0 };
	_cleanup_(plan_writer_done) struct plan_writer writer = { 0 };
	int r;

	plan_writer_init(&writer);
	r = compile_plan(s->container->id, spec, ext, &s->facts, false, &writer, &notes, err);
	if (r < 0)
		return r;
	for (char **line = notes.lines; line && *line; line++)
		s->warn(*line);
	r = plan_writer_memfd(&writer, &s->plan_fd, err);
	return r < 0 ? r : plan_open(s->plan_fd, &s->plan, err);
}

int start_make_plan(struct start *s, struct err *err)
{
	struct engine *e = s->engine;
	_free_ char *volumes = xprintf("%s/volumes", e->root);
	_free_ char *upper = xprintf("rw/%s/upper", s->container->id);
	_free_ char *work = xprintf("rw/%s/work", s->container->id);
	_cleanup_(oci_spec_freep) struct oci_spec *spec = oci_spec_new();
	_store_image_done_ struct store_image image = { 0 };
	struct compile_ext ext = { 0 };
	struct profile_host host;
	struct request_place place = {
		.stored = &image,
		.id = s->container->id,
		.cgroup = s->container->cgroup,
		.upper = upper,
		.work = work,
		.host_id = s->container->host_id,
		.fs_path = store_fs_path(e->store),
		.volumes_path = volumes,
		.host = &host,
	};
	struct etc_files etc = { .hosts = NULL };
	int r = store_resolve(e->store, s->container->image_id, &image, err);

	if (r == 0)
		r = etc_files_make(s->config, &spec->arena, &etc, err);
	place.hosts = etc.hosts;
	place.hostname = etc.hostname;
	place.resolv_conf = etc.resolv_conf;
	if (r == 0)
		r = find_init(s->config, &place.init_program, err);
	if (r == 0)
		r = profile_host_probe(&s->facts, &host, err);
	if (r == 0)
		r = request_build(s->config, &place, spec, &ext, err);
	if (r < 0)
		return r;
	spec->process.console_rows = s->how->rows;
	spec->process.console_cols = s->how->cols;
	return write_plan(s, spec, &ext, err);
}

/* --- what the shim is told -------------------------------------------------------------------- */

static uint32_t restart_policy(const char *name)
{
	static const char *const names[] = {
		[SETTINGS_RESTART_NO] = "no",
		[SETTINGS_RESTART_ON_FAILURE] = "on-failure",
		[SETTINGS_RESTART_ALWAYS] = "always",
		[SETTINGS_RESTART_UNLESS_STOPPED] = "unless-stopped",
	};

	for (uint32_t i = 0; name && i < ARRAY_SIZE(names); i++)
		if (streq(names[i], name))
			return i;
	return SETTINGS_RESTART_NO;
}

static uint64_t positive(int64_t n)
{
	return n > 0 ? (uint64_t) n : 0;
}

int start_write_settings(struct start *s, struct err *err)
{
	const struct config *c = s->config;
	_buf_done_ struct buf bytes = BUF_INIT(SETTINGS_SIZE_MAX);
	const struct shim_settings settings = {
		.id = s->container->id,
		.name = s->container->name,
		.terminal = c->tty,
		.open_stdin = c->open_stdin,
		.stdin_once = c->stdin_once,
		.await_attach = s->how->attach != 0,
		.auto_remove = c->auto_remove,
		.restart = restart_policy(c->restart),
		.restart_max = c->restart_max,
		.reaper = engine_programs.self,
		.root = s->engine->root,
		.health = s->health_fd >= 0,
		.health_interval = positive(c->health.interval),
		.health_timeout = positive(c->health.timeout),
		.health_start_period = positive(c->health.start_period),
		.health_start_interval = positive(c->health.start_interval),
		.health_retries = (uint32_t) positive(c->health.retries),
	};
	int r = settings_encode(&settings, &bytes, err);

	if (r < 0)
		return r;
	r = fd_sealed("bulkhead-settings", bytes.data, bytes.len, &s->settings_fd);
	return r < 0 ? err_errno(err, r, "cannot make a memory file") : 0;
}

static int write_log_config(struct start *s, struct err *err)
{
	const struct config *c = s->config;
	_buf_done_ struct buf bytes = BUF_INIT(LOG_CONFIG_MAX);
	_arena_done_ struct arena arena = { 0 };
	struct log_config log;
	int r = life_log_config(c, s->container, &arena, &log, err);

	if (r < 0)
		return r;
	log_config_encode(&log, &bytes);
	r = fd_sealed("bulkhead-log", bytes.data, bytes.len, &s->log_fd);
	return r < 0 ? err_errno(err, r, "cannot make a memory file") : 0;
}

int life_log_config(const struct config *c, const struct container *container, struct arena *arena,
        struct log_config *ret, struct err *err)
{
	struct log_label *labels = arena_new_n(arena, struct log_label, c->n_labels + 1);
	const char **opts = arena_new_n(arena, const char *, c->n_log_opts + 1);
	const struct log_subject subject = {
		.id = container->id,
		.name = container->name,
		.image = c->image,
		.image_id = arena_printf(arena, "sha256:%s", container->image_id),
		.labels = labels,
		.n_labels = c->n_labels,
		.env = c->env,
	};

	for (size_t i = 0; i < c->n_labels; i++)
		labels[i] = (struct log_label){ c->labels[i].key, c->labels[i].value };
	for (size_t i = 0; i < c->n_log_opts; i++)
		opts[i] = arena_printf(arena, "%s=%s", c->log_opts[i].key, c->log_opts[i].value);
	return log_options_parse(c->log_driver, opts, &subject, arena, ret, err);
}

/* The test {"CMD", ...} or {"CMD-SHELL", TEXT} as a program; NULL: no check. */
static const char *const *health_args(const struct config *c, struct arena *arena)
{
	const char *const *test = c->health.test;
	const char **shell;

	if (!test || !test[0] || !test[1])
		return NULL;
	if (streq(test[0], "CMD"))
		return test + 1;
	if (!streq(test[0], "CMD-SHELL"))
		return NULL;
	shell = arena_new_n(arena, const char *, 4);
	shell[0] = "/bin/sh";
	shell[1] = "-c";
	shell[2] = test[1];
	return shell;
}

static int make_health(struct start *s, struct err *err)
{
	_arena_done_ struct arena arena = { 0 };
	const struct exec_options options = { .args = health_args(s->config, &arena) };

	return options.args ? exec_plan(s->plan, &options, &s->health_fd, err) : 0;
}

static int open_files(struct start *s, struct err *err)
{
	s->logs_fd = openat(
	        s->container->dir, "logs", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (s->logs_fd < 0)
		return err_errno(err, -errno, "cannot open the folder of logs of container '%.12s'",
		        s->container->id);
	return events_open(s->engine, &s->events_fd, err);
}

/* --- start ------------------------------------------------------------------------------------ */

static int print_security(struct start *s, struct err *err)
{
	_buf_done_ struct buf table = BUF_INIT(1 << 16);
	int r;

	security_table(s->plan, &s->facts, &table);
	(void) buf_addc(&table, '\n');
	r = fd_write_all(1, buf_str(&table), table.len);
	return r < 0 ? err_errno(err, r, "cannot print the table of protections") : 0;
}

static int prepare(struct start *s, struct err *err)
{
	int r = facts_probe(&s->facts, err);

	if (r == 0 && !s->facts.privileged)
		r = err_set(err, -EPERM,
		        "containers are started by root in this version: user namespaces, mounts "
		        "and control groups are set up from the host");
	if (r == 0)
		r = mounts_check_sources(s->config, true, err);
	if (r == 0)
		r = start_make_plan(s, err);
	if (r == 0)
		r = make_health(s, err);
	if (r == 0)
		r = start_write_settings(s, err);
	if (r == 0)
		r = write_log_config(s, err);
	if (r == 0)
		r = open_files(s, err);
	if (r == 0 && s->how->show_security)
		r = print_security(s, err);
	return r;
}

/* The attachment goes before the shim has answered: it is served first. */
static int send_attach(const struct life_start *how, int sock, struct err *err)
{
	const struct shim_message m = {
		.type = SHIM_ATTACH,
		.flags = how->attach | (how->owner ? (unsigned int) SHIM_ATTACH_OWNER : 0),
	};
	const int all[] = { how->stdin_fd, how->stdout_fd, how->stderr_fd };
	int fds[3], n = 0, r;

	if (!how->attach)
		return 0;
	for (int i = 0; i < 3; i++)
		if (how->attach & (1u << i))
			fds[n++] = all[i];
	r = shim_send(sock, &m, fds, (size_t) n);
	/* A shim that is gone already has said why: that is the error to tell. */
	return r < 0 && r != -EPIPE && r != -ECONNRESET
	               ? err_errno(err, r, "cannot attach to the container")
	               : 0;
}

static int run_shim(struct start *s, int *ret_sock, int *ret_exit_code, struct err *err)
{
	_cleanup_(cgroup_handle_done) struct cgroup_handle home = CGROUP_HANDLE_INIT;
	struct proc_group group;
	const struct shim_start start = {
		.program = engine_programs.shim,
		.plan_fd = s->plan_fd,
		.settings_fd = s->settings_fd,
		.log_fd = s->log_fd,
		.dir_fd = s->container->dir,
		.logs_fd = s->logs_fd,
		.events_fd = s->events_fd,
		.health_plan_fd = s->health_fd,
		.group = &group,
	};
	_close_ int sock = -EBADF;
	int r = groups_shims(s->container->cgroup, s->facts.cgroup, &home, err);

	if (r < 0)
		return r;
	group = (struct proc_group){ home.v2_fd, home.tasks_fds, home.n_tasks };

	/* What an 'update' left for the next run of an earlier shim is in the configuration. */
	(void) unlinkat(s->container->dir, SHIM_NEXT_PLAN, 0);
	(void) unlinkat(s->container->dir, SHIM_NEXT_SETTINGS, 0);
	r = shim_start(&start, &sock, err);
	if (r == 0)
		r = send_attach(s->how, sock, err);
	if (r == 0)
		r = shim_await_start(sock, NULL, ret_exit_code, err);
	if (r == 0 && ret_sock)
		*ret_sock = TAKE_FD(sock);
	return r;
}

/* The compiler refuses it as a mistake of a configuration; here it is a program that is not found.
 */
static bool has_empty_program(const struct config *config)
{
	const char *program = config->entrypoint[0] ? config->entrypoint[0] : config->cmd[0];

	return program && !*program;
}

int life_start(struct engine *e, struct container *c, const struct life_start *how,
        void (*warn)(const char *text), int *ret_sock, int *ret_exit_code, struct err *err)
{
	_start_done_ struct start s = START_INIT(e, c, how, warn);
	int r;

	*ret_exit_code = 125;
	/* One that has ended may still hold its record while its last output is read: its successor
	 * waits for it. */
	if (c->alive && c->record.state != RECORD_CREATED && c->record.state != RECORD_EXITED)
		return err_set(err, -EALREADY, "the container is running already");
	r = container_config(e, c, &s.config, err);
	if (r == 0 && has_empty_program(s.config)) {
		*ret_exit_code = 127;
		return err_set(err, -ENOENT, "exec: \"\": executable file not found in $PATH");
	}
	if (r == 0)
		r = container_set_stopped(e, c, false, err);
	if (r == 0)
		r = prepare(&s, err);
	if (r == 0 && how->attach)
		events_container(e, c, "attach", NULL, 0);
	if (r == 0)
		r = run_shim(&s, ret_sock, ret_exit_code, err);
	return r;
}
