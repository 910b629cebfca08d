/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as the config.json of a container. What is accepted keeps the promises of engine/config.h,
 * and what is written again is the same and is accepted. */
#include "base/str.h"
#include "engine/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
	if (!truth)
		abort();
}

static void check(const struct config *c)
{
	require(c->image && c->image_id && c->hostname && c->user && c->workdir && c->restart);
	require(c->entrypoint && c->cmd && c->env && c->cap_add && c->security_opt && c->binds);
	for (size_t i = 0; i < c->n_mounts; i++)
		require(*c->mounts[i].target == '/' && !strstr(c->mounts[i].target, "/../"));
	for (size_t i = 0; i < c->n_labels; i++)
		require(*c->labels[i].key && c->labels[i].value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_config_free_ struct config *c = NULL, *again = NULL;
	_free_ char *text = NULL, *second = NULL, *command = NULL;
	struct err err = { 0 };
	int r = config_parse((const char *) data, size, &c, &err);

	if (r < 0) {
		require(!c && err.code == r && *err.text);
		return 0;
	}
	check(c);
	command = config_command(c);
	r = config_to_text(c, &text, &err);
	if (r < 0) /* escapes may make it longer than it was */
		return 0;
	require(config_parse(text, strlen(text), &again, &err) == 0);
	require(config_to_text(again, &second, &err) == 0 && streq(text, second));
	return 0;
}
