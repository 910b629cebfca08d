/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as a config.json. What is accepted keeps the promises of oci/spec.h. */
#include "base/str.h"
#include "oci/spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
	if (!truth)
		abort();
}

static void check_linux(const struct oci_linux *l)
{
	require(l->masked_paths && l->readonly_paths);
	for (size_t i = 0; i < l->n_namespaces; i++)
		require(oci_namespace_name(l->namespaces[i].clone_flag));
	for (size_t i = 0; i < l->n_sysctl; i++) {
		_free_ char *path = oci_sysctl_path(l->sysctl[i].key);

		require(path && *path != '/' && !strstr(path, "..") && !strchr(path, '+'));
		require(!strchr(l->sysctl[i].value, '\n'));
	}
	for (size_t i = 0; i < l->n_devices; i++)
		require(*l->devices[i].path == '/' && strchr("bcup", l->devices[i].type));
	for (size_t i = 0; l->seccomp && i < l->seccomp->n_rules; i++)
		require(l->seccomp->rules[i].names[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(oci_spec_freep) struct oci_spec *spec = NULL;
	struct err err = { 0 };
	int r = oci_spec_parse((const char *) data, size, &spec, &err);

	if (r < 0) {
		require(!spec && err.code == r && *err.text);
		return 0;
	}
	require(spec->root_path && *spec->root_path && spec->version);
	require(spec->unknown && spec->unsupported && spec->notes);
	require(spec->process.args && spec->process.env);
	if (spec->has_process)
		require(spec->process.args[0] && *spec->process.cwd == '/');
	for (size_t i = 0; i < spec->n_mounts; i++)
		require(*spec->mounts[i].destination == '/' && spec->mounts[i].options);
	check_linux(&spec->linux_);
	return 0;
}
