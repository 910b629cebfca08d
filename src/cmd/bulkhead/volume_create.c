/* SPDX-License-Identifier: Apache-2.0 */
#include "bulkhead.h"

#include "base/str.h"
#include "engine/volumes.h"

#include <errno.h>
#include <stdio.h>

struct values {
	const char *driver, *name;
	char **labels, **options;
};

#define AT(field) offsetof(struct values, field)
static const struct opt options[] = {
	{ "driver", 'd', OPT_TEXT, "DRIVER", "'local' is the only one", AT(driver), NULL },
	{ "label", 0, OPT_LIST, "KEY=VALUE", "a label for the volume", AT(labels), NULL },
	{ "name", 0, OPT_TEXT, "NAME", NULL, AT(name), NULL },
	{ "opt", 'o', OPT_LIST, "KEY=VALUE", "an option of the driver: 'local' has none here",
	        AT(options), NULL },
};

static int create(
        const struct global *global, const struct values *v, int argc, char **argv, struct err *err)
{
	_engine_done_ struct engine e = ENGINE_INIT;
	_volume_done_ struct volume volume = { .name = NULL };
	const char *name = argc > 0 ? argv[0] : v->name;
	int r = 0;

	if (argc > 0 && v->name && *v->name)
		r = err_set(err, -EINVAL,
		        "conflicting options: either specify --name or provide positional arg, not "
		        "both");
	if (r == 0)
		r = engine_open(global->root, ENGINE_WRITE, &e, err);
	if (r == 0)
		r = volume_create(&e, name && *name ? name : NULL, v->driver, v->labels, v->options,
		        &volume, err);
	if (r == 0 && puts(volume.name) < 0)
		r = err_errno(err, -EIO, "cannot print the name");
	return r;
}

static int run(void *data, void *values, int argc, char **argv)
{
	struct values *v = values;
	struct err err;
	int r = create(data, v, argc, argv, &err);

	v->labels = strv_free(v->labels);
	v->options = strv_free(v->options);
	return r < 0 ? fail(EXIT_ERROR, &err) : EXIT_OK;
}

const struct opt_command command_volume_create = {
	.name = "volume create",
	.args = "[VOLUME]",
	.help = "make a volume",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.max_args = 1,
	.mixed = true,
	.values_size = sizeof(struct values),
	.run = run,
};
