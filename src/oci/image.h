/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Documents of the OCI image-spec 1.1: image configuration and manifest.
 *
 * Theory of operation: parsing is bounded, strict (json/json.h) and pure; a digest that is not
 * "sha256:" and 64 hexadecimal digits is refused before anybody can make a path or a request of it.
 * Everything in these documents comes from whoever made the image: texts stay texts, and nothing
 * here is ever a command or a path for us. Documents that came from outside are kept by their
 * bytes; writing is for images that are made here, and always gives the same bytes for the same
 * structure. All memory of a structure belongs to its arena.
 */
#include "base/arena.h"
#include "base/err.h"
#include "oci/kv.h"

#include <stdbool.h>

enum {
	OCI_IMAGE_DOC_MAX = 4 << 20, /* bytes of a configuration or manifest */
	OCI_LAYERS_MAX = 512,        /* more than overlayfs can stack */
	OCI_CHANGE_MAX = 64 << 10,   /* bytes of one --change instruction */
};

#define OCI_MEDIA_MANIFEST        "application/vnd.oci.image.manifest.v1+json"
#define OCI_MEDIA_CONFIG          "application/vnd.oci.image.config.v1+json"
#define OCI_MEDIA_LAYER           "application/vnd.oci.image.layer.v1.tar"
#define OCI_MEDIA_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"

struct oci_history {
	const char *created, *created_by, *author, *comment; /* NULL when absent */
	bool empty_layer;
};

/* Lists of texts are NULL-terminated and never NULL; single texts are NULL when absent. */
struct oci_image {
	struct arena arena;
	const char *created, *author;
	const char *architecture, *variant, *os; /* architecture and os are never NULL */
	const char *user, *working_dir, *stop_signal;
	const char *const *env; /* NAME=VALUE; entries without '=' are left out (CVE-2026-57231) */
	const char *const *entrypoint, *const *cmd;
	const char *const *exposed_ports; /* "80/tcp" */
	const char *const *volumes;
	const char *const *shell;    /* of the shell form; empty: /bin/sh -c */
	const char *const *on_build; /* kept, never executed */
	const struct oci_kv *labels;
	size_t n_labels;
	bool args_escaped;
	bool has_stop_timeout;
	int64_t stop_timeout;        /* seconds */
	const char *healthcheck;     /* the JSON object as it is, NULL when absent */
	const char *const *diff_ids; /* digests of the plain layers, lowest first */
	const struct oci_history *history;
	size_t n_history;
};

/* Parses an image configuration. Errors: -EINVAL (with the dotted name), -EMSGSIZE (a bound). */
int oci_image_parse(const char *json, size_t len, struct oci_image **ret, struct err *err);
/* An image without layers for this machine's architecture, for callers that fill it. */
struct oci_image *oci_image_new(void);
struct oci_image *oci_image_free(struct oci_image *img);
void oci_image_freep(struct oci_image **img);
/* The configuration as JSON: keys in a fixed order, maps sorted. New memory. */
char *oci_image_to_json(const struct oci_image *img);
/* Appends a layer by the digest of its plain tar; -EINVAL for a bad digest, -EMSGSIZE beyond
 * OCI_LAYERS_MAX. */
int oci_image_add_layer(struct oci_image *img, const char *diff_id);
void oci_image_add_history(struct oci_image *img, const struct oci_history *entry);

/*
 * Applies one instruction of 'image import --change': CMD ENTRYPOINT ENV EXPOSE HEALTHCHECK LABEL
 * ONBUILD STOPSIGNAL USER VOLUME WORKDIR, as in a Dockerfile: shell form or JSON form, quotes,
 * backslashes, $NAME and ${NAME} from the environment of the image. On failure the image is
 * unchanged. -EINVAL with a text.
 */
int oci_image_change(struct oci_image *img, const char *instruction, struct err *err);

struct oci_descriptor {
	const char *media_type; /* never NULL */
	const char *digest;     /* valid */
	int64_t size;           /* not negative */
	const struct oci_kv *annotations;
	size_t n_annotations;
};

struct oci_manifest {
	struct arena arena;
	const char *media_type; /* never NULL */
	const char *artifact_type;
	struct oci_descriptor config;
	const struct oci_descriptor *layers; /* lowest first */
	size_t n_layers;
	const struct oci_kv *annotations;
	size_t n_annotations;
};

/* Parses an image manifest (OCI, or docker's schema 2, which has the same form). A document that is
 * also an index ("manifests"), or says so, is refused (CVE-2021-41190). */
int oci_manifest_parse(const char *json, size_t len, struct oci_manifest **ret, struct err *err);
struct oci_manifest *oci_manifest_new(void);
struct oci_manifest *oci_manifest_free(struct oci_manifest *m);
void oci_manifest_freep(struct oci_manifest **m);
char *oci_manifest_to_json(const struct oci_manifest *m);
