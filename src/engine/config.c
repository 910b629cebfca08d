/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/config.h"

#include "base/str.h"
#include "engine/config_fields.h"

#define SHM_SIZE (UINT64_C(64) << 20)

const char *const config_no_texts[] = { NULL };

struct config *config_new(void)
{
	struct config *c = xnew(struct config);

	*c = (struct config){
		.image = "",
		.image_id = "",
		.hostname = "",
		.domainname = "",
		.user = "",
		.workdir = "",
		.entrypoint = config_no_texts,
		.cmd = config_no_texts,
		.env = config_no_texts,
		.exposed_ports = config_no_texts,
		.image_volumes = config_no_texts,
		.stop_signal = "",
		.cpuset_cpus = "",
		.cpuset_mems = "",
		.shm_size = SHM_SIZE,
		.cap_add = config_no_texts,
		.cap_drop = config_no_texts,
		.security_opt = config_no_texts,
		.group_add = config_no_texts,
		.binds = config_no_texts,
		.volumes_from = config_no_texts,
		.restart = "no",
		.log_driver = "json-file",
		.cgroup_parent = "",
		.id_file = "",
		.network_mode = "isolated",
		.extra_hosts = config_no_texts,
		.dns = config_no_texts,
		.dns_search = config_no_texts,
		.dns_options = config_no_texts,
	};
	return c;
}

struct config *config_free(struct config *c)
{
	if (c) {
		arena_done(&c->arena);
		free(c);
	}
	return NULL;
}

void config_freep(struct config **c)
{
	*c = config_free(*c);
}

static void add_words(struct buf *out, const char *const *words)
{
	for (; *words; words++) {
		const char *quote = strchr(*words, ' ') ? "'" : "";

		(void) buf_addf(out, "%s%s%s%s", out->len ? " " : "", quote, *words, quote);
	}
}

char *config_command(const struct config *c)
{
	_buf_done_ struct buf text = BUF_INIT(CONFIG_SIZE_MAX);

	add_words(&text, c->entrypoint);
	add_words(&text, c->cmd);
	return buf_take(&text);
}
