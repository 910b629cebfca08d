/* SPDX-License-Identifier: Apache-2.0 */
/* An archive becomes an image of one layer. */
#include "archive/record.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "base/tree.h"
#include "digest/digest.h"
#include "kernel/sys.h"
#include "oci/image.h"
#include "oci/ref.h"
#include "proc/proc.h"
#include "store/internal.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { TMP_NAME_TRIES = 32, LAYER_MODE = 0755 };

static const struct store_limits default_limits = {
	.content_bytes = 64ULL << 30,
	.entries = 4000000,
	.ratio = 200,
};

/* How the image-spec calls the compressions; it has no name for xz, which no registry takes: a push
 * would compress again. */
static const struct {
	const char *method, *media_type;
} media_types[] = {
	{ "none", "application/vnd.oci.image.layer.v1.tar" },
	{ "gzip", "application/vnd.oci.image.layer.v1.tar+gzip" },
	{ "zstd", "application/vnd.oci.image.layer.v1.tar+zstd" },
	{ "xz", "application/vnd.oci.image.layer.v1.tar+xz" },
};

/* One import on its way. */
struct import {
	struct store *store;
	const struct store_import *options;
	char *name;   /* full, or NULL */
	int lock;     /* shared: keeps the tidying away */
	int tmp, dir; /* tmp/ and our folder in it */
	char folder[2 * 16 + 1];
	struct unpack_record record;
	char raw[DIGEST_HEX_SIZE], diff[DIGEST_HEX_SIZE];
	const char *media_type;
	char id[DIGEST_HEX_SIZE], manifest[DIGEST_HEX_SIZE];
	size_t config_len;
	int64_t created;
	bool known;
};

static void import_done(struct import *im)
{
	(void) fd_close(im->dir);
	/* What is left of it, also after success the empty folder; a failure: tidied later. */
	if (im->tmp >= 0 && im->folder[0])
		(void) tree_remove(im->tmp, im->folder);
	(void) fd_close(im->tmp);
	(void) fd_close(im->lock);
	free(im->name);
}

/* --- a place to work -------------------------------------------------------------------------- */

static void hex(const uint8_t *data, size_t len, char *ret)
{
	for (size_t i = 0; i < len; i++)
		(void) snprintf(ret + 2 * i, 3, "%02x", data[i]);
}

static int make_folder(struct import *im, struct err *err)
{
	uint8_t random[16];
	int r = store_open_folder(im->store, "tmp", &im->tmp, err);

	if (r < 0)
		return r;
	r = sys_getrandom(random, sizeof(random));
	if (r < 0)
		return err_errno(err, r, "cannot get random bytes");
	hex(random, sizeof(random), im->folder);
	if (mkdirat(im->tmp, im->folder, 0700) < 0) {
		r = -errno;
		im->folder[0] = '\0';
		return err_errno(err, r, "cannot make a folder in '%s/tmp'", im->store->path);
	}
	im->dir = path_open_in(
	        im->tmp, im->folder, PATH_BENEATH_NO_LINKS, O_RDONLY | O_DIRECTORY, 0);
	if (im->dir < 0)
		return err_errno(err, im->dir, "cannot open the new folder in tmp");
	if (mkdirat(im->dir, "layer", LAYER_MODE) < 0)
		return err_errno(err, -errno, "cannot make the layer's folder");
	return 0;
}

/* --- the sandboxed helper --------------------------------------------------------------------- */

struct helper_args {
	char host_id[32], bytes[32], entries[32], ratio[32], memory[32];
};

static void number(char *out, size_t size, uint64_t n)
{
	(void) snprintf(out, size, "%" PRIu64, n);
}

static void fill_args(const struct store_limits *l, struct helper_args *a)
{
	const struct store_limits *d = &default_limits;

	number(a->host_id, sizeof(a->host_id), STORE_UNPACK_HOST_ID);
	number(a->bytes, sizeof(a->bytes), l->content_bytes ? l->content_bytes : d->content_bytes);
	number(a->entries, sizeof(a->entries), l->entries ? l->entries : d->entries);
	number(a->ratio, sizeof(a->ratio), l->ratio ? l->ratio : d->ratio);
	number(a->memory, sizeof(a->memory), STORE_UNPACK_MEMORY); /* meson.build */
}

/* Runs the helper to its end. Its exit code says no more than whether it wrote a record. */
static int run_helper(const struct import *im, int layer, int blob, int result, struct err *err)
{
	const struct store_import *o = im->options;
	struct helper_args a;
	const char *const argv[] = { "bulkhead-unpack", "--host-id", a.host_id, "--max-bytes",
		a.bytes, "--max-entries", a.entries, "--max-ratio", a.ratio, "--memory", a.memory,
		NULL };
	const struct proc_fd fds[] = {
		{ o->fd, STDIN_FILENO },
		{ STDERR_FILENO, STDERR_FILENO },
		{ layer, UNPACK_FD_LAYER },
		{ blob, UNPACK_FD_BLOB },
		{ result, UNPACK_FD_RESULT },
	};
	const struct proc_spawn spawn = {
		.path = o->helper,
		.argv = argv,
		.fds = fds,
		.n_fds = ARRAY_SIZE(fds),
		.die_with_parent = true,
	};
	_close_ int pidfd = -EBADF;
	pid_t pid;

	fill_args(&o->limits, &a);
	pid = proc_spawn(&spawn, &pidfd);
	if (pid < 0)
		return err_errno(err, pid, "cannot start '%s'", o->helper);
	return proc_wait(pidfd);
}

static int check_record(struct import *im, ssize_t got, int status, struct err *err)
{
	struct unpack_record *r = &im->record;

	if (status == 127)
		return err_set(err, -ENOENT, "cannot run '%s': is bulkhead installed completely?",
		        im->options->helper);
	if (got != (ssize_t) sizeof(*r) || memcmp(r->magic, UNPACK_MAGIC, UNPACK_MAGIC_SIZE) != 0 ||
	        r->code > 0 || (r->code == 0) != (status == 0))
		return err_set(err, -EPROTO, "'%s' ended without a result (exit code %d)",
		        im->options->helper, status);
	r->text[sizeof(r->text) - 1] = '\0';
	r->method[sizeof(r->method) - 1] = '\0';
	if (r->code < 0) {
		/* Already a sentence with its foreign parts escaped; who wrote it was in hostile
		 * hands, though. Quotes and backslashes pass, control bytes do not. */
		_buf_done_ struct buf safe = BUF_INIT(4 * sizeof(r->text));

		for (const char *p = r->text; *p; p++)
			(void) buf_addc(&safe, *p >= 0x20 && *p < 0x7f ? *p : '?');
		return err_set(err, r->code, "%s", buf_str(&safe));
	}
	for (size_t i = 0; i < ARRAY_SIZE(media_types); i++)
		if (streq(r->method, media_types[i].method))
			im->media_type = media_types[i].media_type;
	if (!im->media_type)
		return err_set(err, -EPROTO, "'%s' gave a wrong result", im->options->helper);
	hex(r->raw_sha256, sizeof(r->raw_sha256), im->raw);
	hex(r->diff_sha256, sizeof(r->diff_sha256), im->diff);
	return 0;
}

static int unpack(struct import *im, struct err *err)
{
	_close_ int layer = path_open_in(
	        im->dir, "layer", PATH_BENEATH_NO_LINKS, O_PATH | O_DIRECTORY, 0);
	_close_ int blob = path_open_in(
	        im->dir, "blob", PATH_BENEATH_NO_LINKS, O_RDWR | O_CREAT | O_EXCL, 0600);
	_close_ int read_end = -EBADF, write_end = -EBADF;
	int fds[2], status;
	ssize_t n;

	if (layer < 0 || blob < 0)
		return err_errno(err, layer < 0 ? layer : blob, "cannot make a file in tmp");
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_errno(err, -errno, "cannot make a pipe");
	read_end = fds[0];
	write_end = fds[1];
	status = run_helper(im, layer, blob, write_end, err);
	if (status < 0)
		return status;
	write_end = fd_close(write_end);
	n = TEMP_FAILURE_RETRY(read(read_end, &im->record, sizeof(im->record)));
	return check_record(im, n, status, err);
}

/* --- documents -------------------------------------------------------------------------------- */

static int write_document(struct import *im, const char *name, const char *text, struct err *err)
{
	_close_ int fd = path_open_in(
	        im->dir, name, PATH_BENEATH_NO_LINKS, O_WRONLY | O_CREAT | O_EXCL, 0600);
	int r = fd < 0 ? fd : fd_write_all(fd, text, strlen(text));

	return r < 0 ? err_errno(err, r, "cannot write the image's %s", name) : 0;
}

/* Wrong instructions are found before the archive is read. */
static int make_image(const struct store_import *o, struct oci_image **ret, struct err *err)
{
	_cleanup_(oci_image_freep) struct oci_image *img = oci_image_new();

	for (char *const *c = o->changes; c && *c; c++) {
		int r = oci_image_change(img, *c, err);

		if (r < 0)
			return r;
	}
	*ret = TAKE_PTR(img);
	return 0;
}

static int write_config(struct import *im, struct oci_image *img, struct err *err)
{
	char now[64], diff[DIGEST_TEXT_SIZE];
	_free_ char *json = NULL;
	struct oci_history history;
	int r;

	time_rfc3339(now, sizeof(now));
	im->created = (int64_t) time(NULL);
	img->created = arena_strdup(&img->arena, now);
	img->author = im->options->author ? arena_strdup(&img->arena, im->options->author) : NULL;
	history = (struct oci_history){
		.created = img->created,
		.created_by = "bulkhead image import",
		.author = img->author,
		.comment = im->options->message ? im->options->message : "Imported by bulkhead",
	};
	oci_image_add_history(img, &history);
	(void) snprintf(diff, sizeof(diff), "sha256:%s", im->diff);
	r = oci_image_add_layer(img, diff);
	if (r < 0)
		return err_errno(err, r, "cannot name the layer");
	json = oci_image_to_json(img);
	im->config_len = strlen(json);
	if (im->config_len > STORE_DOCUMENT_MAX)
		return err_set(err, -EMSGSIZE, "the image's config would be larger than 4 MiB");
	digest_sha256(json, im->config_len, im->id);
	return write_document(im, "config", json, err);
}

static int write_manifest(struct import *im, struct err *err)
{
	_cleanup_(oci_manifest_freep) struct oci_manifest *m = oci_manifest_new();
	struct oci_descriptor layer = {
		.media_type = im->media_type,
		.digest = arena_printf(&m->arena, "sha256:%s", im->raw),
		.size = (int64_t) im->record.raw_bytes,
	};
	_free_ char *json = NULL;

	m->media_type = OCI_MEDIA_MANIFEST;
	m->config = (struct oci_descriptor){
		.media_type = OCI_MEDIA_CONFIG,
		.digest = arena_printf(&m->arena, "sha256:%s", im->id),
		.size = (int64_t) im->config_len,
	};
	m->layers = &layer;
	m->n_layers = 1;
	json = oci_manifest_to_json(m);
	digest_sha256(json, strlen(json), im->manifest);
	return write_document(im, "manifest", json, err);
}

/* --- commit ----------------------------------------------------------------------------------- */

/* Whether the store knows the layer. A folder of that name without a row is what a crash or a
 * removal left: it goes out of the way. */
static int place_layer(struct import *im, int layers, struct err *err)
{
	_stmt_ sqlite3_stmt *q = db_prepare(
	        im->store, "SELECT 1 FROM layers WHERE diff_id = ?1", err);
	const char *const diff[] = { im->diff };
	int r = q ? db_step(im->store, q, diff, 1, err) : -EIO;

	if (r != 0)
		return r < 0 ? r : 0;
	if (renameat2(im->dir, "layer", layers, im->diff, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno == EEXIST && renameat(layers, im->diff, im->dir, "old") == 0 &&
	        renameat2(im->dir, "layer", layers, im->diff, RENAME_NOREPLACE) == 0)
		return 0;
	return err_errno(err, -errno, "cannot move the layer to its place");
}

static int place_files(struct import *im, struct err *err)
{
	const struct {
		const char *from, *to;
	} blobs[] = { { "blob", im->raw }, { "config", im->id }, { "manifest", im->manifest } };
	_close_ int layers = -EBADF, place = -EBADF;
	int r = store_open_folder(im->store, "fs/layers", &layers, err);

	if (r == 0)
		r = store_open_folder(im->store, "blobs/sha256", &place, err);
	if (r == 0)
		r = place_layer(im, layers, err);
	/* The same name is the same content. */
	for (size_t i = 0; i < ARRAY_SIZE(blobs) && r == 0; i++)
		if (renameat(im->dir, blobs[i].from, place, blobs[i].to) < 0)
			r = err_errno(err, -errno, "cannot move a blob to its place");
	/* The names before the rows. */
	if (r == 0 && (fsync(layers) < 0 || fsync(place) < 0))
		r = err_errno(err, -errno, "cannot write the image to disk");
	return r;
}

static int insert_rows(struct import *im, struct err *err)
{
	char content[32], entries[32], raw_bytes[32], created[32];
	struct store *s = im->store;
	int r;

	number(content, sizeof(content), im->record.content_bytes);
	number(entries, sizeof(entries), im->record.entries);
	number(raw_bytes, sizeof(raw_bytes), im->record.raw_bytes);
	number(created, sizeof(created), (uint64_t) im->created);
	r = db_exec(s, err,
	        "INSERT OR IGNORE INTO images (id, manifest, created) "
	        "VALUES (?1, ?2, CAST(?3 AS INTEGER))",
	        im->id, im->manifest, created);
	im->known = r == 0 && sqlite3_changes(s->db) == 0;
	if (r == 0)
		r = db_exec(s, err,
		        "INSERT OR IGNORE INTO layers (diff_id, content_bytes, entries) "
		        "VALUES (?1, CAST(?2 AS INTEGER), CAST(?3 AS INTEGER))",
		        im->diff, content, entries);
	if (r == 0)
		r = db_exec(s, err,
		        "INSERT OR IGNORE INTO image_layers (image_id, position, diff_id, blob, "
		        "blob_bytes) VALUES (?1, 0, ?2, ?3, CAST(?4 AS INTEGER))",
		        im->id, im->diff, im->raw, raw_bytes);
	if (r == 0 && im->name)
		r = db_exec(s, err, "INSERT OR REPLACE INTO names (name, image_id) VALUES (?1, ?2)",
		        im->name, im->id);
	return r;
}

static int commit(struct import *im, struct err *err)
{
	int r;

	/* Everything that was written, in one go. */
	if (syncfs(im->dir) < 0)
		return err_errno(err, -errno, "cannot write the image to disk");
	r = db_make_durable(im->store, err);
	if (r == 0)
		r = store_begin(im->store, err);
	if (r < 0)
		return r;
	r = place_files(im, err);
	if (r == 0)
		r = insert_rows(im, err);
	if (r < 0) {
		store_rollback(im->store);
		return r;
	}
	return store_commit(im->store, err);
}

/* --- the whole -------------------------------------------------------------------------------- */

static int import_locked(struct import *im, struct err *err)
{
	_cleanup_(oci_image_freep) struct oci_image *img = NULL;
	int r = make_image(im->options, &img, err);

	if (r == 0)
		r = store_lock(im->store, STORE_LOCK_ADD, &im->lock, err);
	if (r == 0)
		r = make_folder(im, err);
	if (r == 0)
		r = unpack(im, err);
	if (r == 0)
		r = write_config(im, img, err);
	if (r == 0)
		r = write_manifest(im, err);
	return r < 0 ? r : commit(im, err);
}

static int full_name(struct import *im, struct err *err)
{
	struct oci_ref ref;
	int r;

	if (!im->options->name)
		return 0;
	r = oci_ref_parse(im->options->name, &ref, err);
	if (r < 0)
		return r;
	if (ref.digest[0])
		return err_set(err, -EINVAL,
		        "the name of a new image cannot hold a digest; give NAME[:TAG]");
	im->name = oci_ref_full(&ref);
	return 0;
}

static int import_one(struct store *s, const struct store_import *options,
        struct store_imported *ret, struct err *err)
{
	_cleanup_(import_done) struct import im = {
		.store = s, .options = options, .lock = -EBADF, .tmp = -EBADF, .dir = -EBADF
	};
	int r = full_name(&im, err);

	if (r == 0)
		r = import_locked(&im, err);
	if (r < 0)
		return r;
	*ret = (struct store_imported){
		.known = im.known,
		.entries = im.record.entries,
		.content_bytes = im.record.content_bytes,
		.skipped_devices = im.record.skipped_devices,
		.dropped_xattrs = im.record.dropped_xattrs,
	};
	(void) snprintf(ret->id, sizeof(ret->id), "%s", im.id);
	return 0;
}

int store_import(struct store *s, const struct store_import *options, struct store_imported *ret,
        struct err *err)
{
	int r;

	/* What crashed commands left. */
	store_tidy(s);
	r = import_one(s, options, ret, err);
	/* What this command could not, because another one was adding. */
	store_tidy(s);
	db_shorten_log(s);
	return r;
}
