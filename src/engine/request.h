/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * From options and image to a configuration, and from a configuration to an OCI specification with
 * the default profile.
 *
 * Theory of operation: pure functions. 'create' calls config_resolve (the image fills in what the
 * options left open) and config_check (whatever can be wrong without a machine is refused now and
 * not at a start in the middle of the night); each start calls request_build, which checks again
 * what it uses, since config.json may have been edited. Whatever gives a container more than the
 * default profile is a grant: one sentence of config_grants().
 */
#include "compile/compile.h"
#include "engine/config.h"
#include "engine/profile.h"
#include "oci/image.h"

struct container;
struct store_image;

/* What the engine itself adds at a start. */
struct request_place {
	const struct store_image *stored; /* the layers */
	const char *id;                   /* of the container, 64 digits */
	const char *cgroup;               /* absolute path of its group */
	const char *upper, *work;         /* names below fs_path: its writable part */
	uint32_t host_id;                 /* first of its ids on the host */
	const char *fs_path;              /* the one tree that layers and writable folders lie in */
	const char *hosts, *hostname, *resolv_conf; /* contents of the files in /etc */
	const char *volumes_path;                   /* absolute path of the folder of volumes */
	const char *init_program; /* host path of the init for --init; NULL: there is none */
	const struct profile_host *host;
};

/* Fills in what the options left open from the image: entry point, command, environment, labels,
 * user, working folder, stop signal, health check, volumes (as anonymous mounts), host name
 * (short id); and 'weakened'. 'config' holds the options as given: an empty list or text was not
 * given, and has_entrypoint says that --entrypoint was (which drops the image's CMD). -EINVAL with
 * docker's sentence: "no command specified". */
int config_resolve(struct config *config, bool has_entrypoint, const struct oci_image *image,
        const char *id, struct err *err);

/* Checks everything of the configuration that can be wrong without a machine (names of
 * capabilities, sysctls, limits, security options), so that 'create' refuses and not 'start'. */
int config_check(const struct config *config, struct err *err);

/* What is accepted and has less effect on this machine than its words say: sentences for the user
 * at 'create', appended to *ret. */
void config_warnings(const struct config *config, const struct facts *facts, char ***ret);

/* The grants: one sentence for each thing that gives the container more than the default profile,
 * in the form "--cap-add NET_ADMIN: can change ..."; *ret is a new strv, NULL when there is none.
 * Returns their number. */
size_t config_grants(const struct config *config, char ***ret);

/* Fills spec (from oci_spec_new) and ext for one start. The texts live in spec's arena or are the
 * caller's. -EINVAL: a bad request, with the sentence. */
int request_build(const struct config *config, const struct request_place *place,
        struct oci_spec *spec, struct compile_ext *ext, struct err *err);
