/* SPDX-License-Identifier: Apache-2.0 */
/* From the values of the table to a configuration. */
#include "create_options.h"

#include "base/str.h"
#include "create_parse.h"
#include "create_values.h"
#include "engine/containers.h"
#include "engine/etc_files.h"
#include "engine/mounts.h"
#include "engine/security_opt.h"
#include "engine/texts.h"
#include "engine/ulimits.h"
#include "env_file.h"
#include "oci/image.h"

#include <errno.h>
#include <limits.h>
#include <strings.h>
#include <unistd.h>

struct reading {
	const struct create_values *v;
	struct config *c;
	struct err *err;
};

static const char *copy(struct reading *r, const char *text)
{
	return text ? arena_strdup(&r->c->arena, text) : "";
}

static const char *const *copy_list(struct reading *r, char *const *list)
{
	struct texts t;

	texts_init(&t, &r->c->arena);
	for (; list && *list; list++)
		texts_add(&t, copy(r, *list));
	return t.items;
}

/* KEY=VALUE or KEY; of two with one key the last counts. */
static void copy_map(struct reading *r, char *const *list, const struct oci_kv **ret, size_t *ret_n)
{
	struct oci_kv *kv = arena_new_n(&r->c->arena, struct oci_kv, strv_len(list) + 1);
	size_t n = 0;

	for (; list && *list; list++) {
		size_t len = strcspn(*list, "="), i = 0;
		const char *key = arena_strndup(&r->c->arena, *list, len);

		while (i < n && !streq(kv[i].key, key))
			i++;
		kv[i] = (struct oci_kv){ key, copy(r, (*list)[len] ? *list + len + 1 : "") };
		n = MAX(n, i + 1);
	}
	*ret = kv;
	*ret_n = n;
}

/* --- parts ------------------------------------------------------------------------------------ */

/* Files first, so that -e and -l win. */
static int read_env(struct reading *r)
{
	_cleanup_(strv_freep) char **env = NULL;
	int k = 0;

	for (char **file = r->v->env_files; k == 0 && file && *file; file++)
		k = env_file_read(*file, &env, r->err);
	for (char **e = r->v->env; k == 0 && e && *e; e++)
		k = env_add(*e, &env, r->err);
	if (k == 0)
		r->c->env = copy_list(r, env);
	return k;
}

static int read_labels(struct reading *r)
{
	_cleanup_(strv_freep) char **labels = NULL;
	int k = 0;

	for (char **file = r->v->label_files; k == 0 && file && *file; file++)
		k = label_file_read(*file, &labels, r->err);
	for (char **l = r->v->labels; l && *l; l++)
		strv_add(&labels, *l);
	if (k == 0)
		copy_map(r, labels, &r->c->labels, &r->c->n_labels);
	return k;
}

static int read_security(struct reading *r)
{
	struct texts t;

	texts_init(&t, &r->c->arena);
	for (char **o = r->v->security_opts; o && *o; o++) {
		_free_ char *loaded = NULL;
		int k = security_opt_load(*o, &loaded, r->err);

		if (k < 0)
			return k;
		texts_add(&t, copy(r, loaded));
	}
	r->c->security_opt = t.items;
	return 0;
}

static int read_ulimits(struct reading *r)
{
	size_t n = strv_len(r->v->ulimits), used = 0;
	struct config_ulimit *list = arena_new_n(&r->c->arena, struct config_ulimit, n + 1), one;

	for (size_t i = 0; i < n; i++) {
		size_t at = 0;
		int k = ulimit_parse(r->v->ulimits[i], &one, r->err);

		if (k < 0)
			return k;
		while (at < used && !streq(list[at].name, one.name))
			at++;
		list[at] = one;
		used = MAX(used, at + 1);
	}
	r->c->ulimits = list;
	r->c->n_ulimits = used;
	return 0;
}

static int bad_expose(struct reading *r, const char *text)
{
	_free_ char *shown = str_escaped(text);

	return err_set(r->err, -EINVAL,
	        "invalid range format for --expose: %s: a port or FIRST-LAST, with /tcp, /udp or /sctp",
	        shown);
}

/* "80", "8000-8010/udp". */
static int read_one_expose(struct reading *r, const char *text, struct texts *out)
{
	static const char *const known[] = { "tcp", "udp", "sctp", NULL };
	const char *slash = strchr(text, '/');
	const char *proto = slash ? slash + 1 : "tcp";
	_free_ char *first = xstrndup(text, strcspn(text, "-/"));
	_free_ char *last = NULL;
	const char *dash = strchr(text, '-');
	uint32_t low, high;

	last = dash ? xstrndup(dash + 1, strcspn(dash + 1, "/")) : xstrdup(first);
	if (num_parse_u32(first, &low) < 0 || num_parse_u32(last, &high) < 0 || low == 0 ||
	        low > high || high > UINT16_MAX || !texts_have(known, proto))
		return bad_expose(r, text);
	if (out->n + (high - low) >= CONFIG_LIST_MAX)
		return err_set(
		        r->err, -E2BIG, "--expose names more than %d ports", CONFIG_LIST_MAX);
	for (uint32_t port = low; port <= high; port++) {
		const char *entry = arena_printf(&r->c->arena, "%u/%s", port, proto);

		if (!texts_have(out->items, entry))
			texts_add(out, entry);
	}
	return 0;
}

static int read_expose(struct reading *r)
{
	struct texts t;
	int k = 0;

	texts_init(&t, &r->c->arena);
	for (char **e = r->v->expose; k == 0 && e && *e; e++)
		k = read_one_expose(r, *e, &t);
	r->c->exposed_ports = t.items;
	return k;
}

/* "on-failure:3". */
static int read_restart(struct reading *r)
{
	return create_restart(r->c, r->v->restart ? r->v->restart : "no", r->err);
}

int create_restart(struct config *c, const char *text, struct err *err)
{
	const char *colon = strchr(text, ':');
	size_t len = strcspn(text, ":");

	c->restart_max = 0;
	c->restart = len > 0 || colon ? arena_strndup(&c->arena, text, len) : "no";
	if (colon == text)
		return err_set(err, -EINVAL,
		        "invalid restart policy format: no policy provided before colon");
	if (colon && num_parse_u32(colon + 1, &c->restart_max) < 0)
		return err_set(err, -EINVAL,
		        "invalid restart policy format: maximum retry count must be an integer");
	return 0;
}

static int read_health(struct reading *r)
{
	const struct create_values *v = r->v;
	bool asked = v->health_cmd || v->health_interval || v->health_retries ||
	             v->health_timeout || v->health_start_period || v->health_start_interval;
	struct texts test;

	if (v->no_healthcheck && asked)
		return err_set(
		        r->err, -EINVAL, "--no-healthcheck conflicts with --health-* options");
	texts_init(&test, &r->c->arena);
	if (v->no_healthcheck)
		texts_add(&test, "NONE");
	if (v->health_cmd)
		texts_add(&test, "CMD-SHELL");
	if (v->health_cmd)
		texts_add(&test, copy(r, v->health_cmd));
	r->c->health = (struct config_health){
		.test = test.n > 0 ? test.items : NULL,
		.interval = v->health_interval,
		.timeout = v->health_timeout,
		.start_period = v->health_start_period,
		.start_interval = v->health_start_interval,
		.retries = v->health_retries,
	};
	return 0;
}

/* docker's rules: -a names the streams, else all; in the background none. */
static int read_streams(struct reading *r, enum create_for which)
{
	const struct create_values *v = r->v;
	bool in = v->interactive, out = !v->attach, error = !v->attach;

	for (char **a = v->attach; a && *a; a++) {
		in = in || strcasecmp(*a, "stdin") == 0;
		out = out || strcasecmp(*a, "stdout") == 0;
		error = error || strcasecmp(*a, "stderr") == 0;
	}
	if (v->detach && v->attach)
		return err_set(r->err, -EINVAL, "conflicting options: -a and -d");
	r->c->tty = v->tty;
	r->c->open_stdin = v->interactive;
	if (which == CREATE_FOR_RUN && v->detach)
		return 0;
	r->c->attach_stdin = in;
	r->c->attach_stdout = out;
	r->c->attach_stderr = error;
	r->c->stdin_once = r->c->open_stdin && in;
	return 0;
}

static int read_logs(struct reading *r)
{
	if (r->v->log_driver && *r->v->log_driver)
		r->c->log_driver = copy(r, r->v->log_driver);
	if (streq(r->c->log_driver, "none") && r->v->log_opts)
		return err_set(r->err, -EINVAL, "invalid logging opts for driver none");
	copy_map(r, r->v->log_opts, &r->c->log_opts, &r->c->n_log_opts);
	return 0;
}

static int read_hosts(struct reading *r)
{
	struct texts t;
	int k = 0;

	texts_init(&t, &r->c->arena);
	for (char **h = r->v->add_hosts; k == 0 && h && *h; h++) {
		const char *entry = NULL;

		k = etc_files_parse_host(&r->c->arena, *h, &entry, r->err);
		if (k == 0)
			texts_add(&t, entry);
	}
	r->c->extra_hosts = t.items;
	return k;
}

static int read_names(struct reading *r, char *const *list,
        int (*check)(const char *text, struct err *err), const char *const **ret)
{
	int k = 0;

	for (char *const *text = list; k == 0 && text && *text; text++)
		k = check(*text, r->err);
	if (k == 0)
		*ret = copy_list(r, list);
	return k;
}

static int read_network(struct reading *r)
{
	int k = read_hosts(r);

	for (char **n = r->v->networks; n && *n; n++)
		r->c->network_mode = streq(*n, "default") ? "isolated" : copy(r, *n);
	if (k == 0)
		k = read_names(r, r->v->dns, etc_files_check_dns, &r->c->dns);
	if (k == 0)
		k = read_names(r, r->v->dns_search, etc_files_check_search, &r->c->dns_search);
	if (k == 0)
		k = read_names(r, r->v->dns_options, etc_files_check_option, &r->c->dns_options);
	return k;
}

static void read_numbers(struct reading *r)
{
	const struct create_values *v = r->v;
	struct config *c = r->c;

	c->memory = v->memory;
	c->memory_reservation = v->memory_reservation;
	c->memory_swap = v->memory_swap;
	c->nano_cpus = v->nano_cpus;
	c->cpu_shares = (uint64_t) v->cpu_shares;
	c->cpu_period = v->cpu_period;
	c->cpu_quota = v->cpu_quota;
	c->pids_limit = v->pids_limit;
	if (v->shm_size)
		c->shm_size = v->shm_size;
	c->has_oom_score_adj = v->has_oom_score_adj;
	c->oom_score_adj = v->oom_score_adj;
	c->has_stop_timeout = v->has_stop_timeout;
	c->stop_timeout = v->stop_timeout;
	c->oom_kill_disable = v->oom_kill_disable;
	c->cpuset_cpus = copy(r, v->cpuset_cpus);
	c->cpuset_mems = copy(r, v->cpuset_mems);
}

static void read_rest(struct reading *r, int argc, char **argv)
{
	const struct create_values *v = r->v;
	struct config *c = r->c;
	struct texts entrypoint;

	(void) argc;
	texts_init(&entrypoint, &c->arena);
	if (v->has_entrypoint)
		texts_add(&entrypoint, copy(r, v->entrypoint));
	c->entrypoint = entrypoint.items;
	c->image = copy(r, argv[0]);
	c->cmd = copy_list(r, argv + 1);
	c->hostname = copy(r, v->hostname);
	c->domainname = copy(r, v->domainname);
	c->user = copy(r, v->user);
	c->workdir = copy(r, v->workdir);
	c->stop_signal = copy(r, v->stop_signal);
	c->cgroup_parent = copy(r, v->cgroup_parent);
	c->id_file = copy(r, v->cidfile);
	c->cap_add = copy_list(r, v->cap_add);
	c->cap_drop = copy_list(r, v->cap_drop);
	c->group_add = copy_list(r, v->groups);
	c->binds = copy_list(r, v->volumes);
	c->volumes_from = copy_list(r, v->volumes_from);
	c->read_only = v->read_only;
	c->init = v->init;
	c->auto_remove = v->rm;
	copy_map(r, v->sysctls, &c->sysctls, &c->n_sysctls);
}

/* --- refused as a whole ------------------------------------------------------------------------
 */

static int check_platform(const char *platform, struct err *err)
{
	struct oci_image *here = oci_image_new();
	_free_ char *native = xprintf("%s/%s", here->os, here->architecture);
	_free_ char *shown = str_escaped(platform);

	oci_image_free(here);
	if (streq(platform, "linux") || streq(platform, native))
		return 0;
	return err_set(
	        err, -EINVAL, "platform '%s' cannot run here: this machine runs %s", shown, native);
}

static int check_refused(const struct create_values *v, struct err *err)
{
	if (v->privileged)
		return err_set(err, -EOPNOTSUPP,
		        "--privileged is not possible: it would take down every wall at once; grant what "
		        "is needed: --cap-add CAPABILITY, --security-opt seccomp=unconfined, "
		        "--security-opt systempaths=unconfined, -v for files of the host");
	if (v->publish_all)
		return err_set(err, -EOPNOTSUPP,
		        "ports cannot be published in this version: a container has a network of its "
		        "own with loopback alone");
	return v->platform && *v->platform ? check_platform(v->platform, err) : 0;
}

/* --- the whole -------------------------------------------------------------------------------- */

static int read_all(struct reading *r, enum create_for which, int argc, char **argv)
{
	static int (*const parts[])(struct reading *) = {
		read_env,
		read_labels,
		read_security,
		read_ulimits,
		read_expose,
		read_restart,
		read_health,
		read_logs,
		read_network,
	};
	int k = check_refused(r->v, r->err);

	for (size_t i = 0; k == 0 && i < ARRAY_SIZE(parts); i++)
		k = parts[i](r);
	if (k == 0)
		k = read_streams(r, which);
	if (k < 0)
		return k;
	read_numbers(r);
	read_rest(r, argc, argv);
	return 0;
}

/* Whatever opt_parse made for the table. */
static void free_values(void *values)
{
	for (size_t i = 0; i < CREATE_OPTIONS_RUN; i++)
		if (create_option_table_run[i].type == OPT_LIST) {
			char ***list = (char ***) (void *) ((char *) values +
			                                    create_option_table_run[i].offset);

			*list = strv_free(*list);
		}
}

int create_options_read(void *values, enum create_for which, int argc, char **argv,
        struct create_options *ret, struct err *err)
{
	struct create_values *v = values;
	_config_free_ struct config *c = config_new();
	struct reading r = { .v = v, .c = c, .err = err };
	int k = read_all(&r, which, argc, argv);

	*ret = (struct create_options){ 0 };
	if (k == 0) {
		ret->config = TAKE_PTR(c);
		ret->name = v->name;
		ret->detach_keys = v->detach_keys;
		ret->has_entrypoint = v->has_entrypoint;
		ret->detach = v->detach;
		ret->no_sig_proxy = v->no_sig_proxy;
		ret->show_security = v->show_security;
		ret->volumes = TAKE_PTR(v->volumes);
		ret->mounts = TAKE_PTR(v->mounts);
		ret->tmpfs = TAKE_PTR(v->tmpfs);
		ret->volumes_from = TAKE_PTR(v->volumes_from);
	}
	free_values(values);
	return k;
}

void create_options_done(struct create_options *o)
{
	o->config = config_free(o->config);
	o->volumes = strv_free(o->volumes);
	o->mounts = strv_free(o->mounts);
	o->tmpfs = strv_free(o->tmpfs);
	o->volumes_from = strv_free(o->volumes_from);
}

/* --- with the engine -------------------------------------------------------------------------- */

/* The configurations that --volumes-from names; the list is freed by from_done. */
struct from {
	struct mounts_from *list;
	struct config **configs;
	size_t n;
};

static void from_done(struct from *f)
{
	for (size_t i = 0; i < f->n; i++)
		config_free(f->configs[i]);
	free(f->configs);
	free(f->list);
}

static int read_from(struct create_options *o, struct engine *e, struct from *f, struct err *err)
{
	size_t n = strv_len(o->volumes_from);

	f->list = xnew_n(struct mounts_from, n + 1);
	f->configs = xnew_n(struct config *, n + 1);
	for (size_t i = 0; i < n; i++) {
		_container_done_ struct container c = CONTAINER_INIT;
		const char *name;
		bool read_only;
		int r = mounts_parse_from(
		        &o->config->arena, o->volumes_from[i], &name, &read_only, err);

		if (r == 0)
			r = container_find(e, name, &c, err);
		if (r == 0)
			r = container_config(e, &c, &f->configs[f->n], err);
		if (r < 0)
			return r;
		f->list[f->n] = (struct mounts_from){ f->configs[f->n], read_only };
		f->n++;
	}
	return 0;
}

int create_options_finish(struct create_options *o, struct engine *e, struct err *err)
{
	_cleanup_(from_done) struct from from = { 0 };
	char cwd[PATH_MAX];
	struct mounts_options m = {
		.volumes = o->volumes,
		.mounts = o->mounts,
		.tmpfs = o->tmpfs,
		.cwd = getcwd(cwd, sizeof(cwd)),
	};
	int r;

	if (!m.cwd)
		return err_errno(err, -errno, "cannot find out the working folder");
	r = read_from(o, e, &from, err);
	m.from = from.list;
	m.n_from = from.n;
	if (r == 0)
		r = mounts_resolve(o->config, &m, err);
	if (r == 0)
		r = mounts_check_sources(o->config, false, err);
	return r;
}
