/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/bulkhead-unpack/stages.h"

#include "archive/extract.h"
#include "archive/inflate.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"

#include <fcntl.h>
#include <iconv.h>
#include <langinfo.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <unistd.h>

enum { RAW_BLOCK = 256 << 10, TAR_READ_BLOCK = 256 << 10 };

static void record_init(struct unpack_record *r)
{
	*r = (struct unpack_record){ .code = 0 };
	memcpy(r->magic, UNPACK_MAGIC, UNPACK_MAGIC_SIZE);
}

static int send_record(int fd, struct unpack_record *record, int code, const struct err *err)
{
	record->code = code;
	if (code < 0)
		(void) snprintf(record->text, sizeof(record->text), "%s", err->text);
	return fd_write_all(fd, record, sizeof(*record)) < 0 || code < 0 ? EXIT_FAILURE
	                                                                 : EXIT_SUCCESS;
}

static void send_failure(int fd, const struct err *err)
{
	struct unpack_record record;

	record_init(&record);
	(void) send_record(fd, &record, err->code, err);
}

/* --- the first: hash, decompress -------------------------------------------------------------- */

struct hasher {
	const struct hash_stage *stage;
	EVP_MD_CTX *raw, *diff;
	uint64_t raw_bytes, diff_bytes;
	uint8_t block[RAW_BLOCK];
};

int stages_init(struct err *err)
{
	EVP_MD_CTX *probe;
	iconv_t names;
	int ok;

	/* No configuration file: it could name code to load. */
	ok = OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL);
	probe = EVP_MD_CTX_new();
	ok = ok && probe && EVP_DigestInit_ex(probe, EVP_sha256(), NULL);
	EVP_MD_CTX_free(probe);
	/* libarchive asks for this conversion at names of pax archives; glibc reads its tables
	 * once. */
	names = iconv_open(nl_langinfo(CODESET), "UTF-8");
	if (names != (iconv_t) -1)
		(void) iconv_close(names);
	return ok ? 0 : err_set(err, -EIO, "cannot start SHA-256 of libcrypto");
}

static int hash_failed(struct err *err)
{
	return err_set(err, -EIO, "SHA-256 of libcrypto failed");
}

static int fill_raw(void *userdata, const uint8_t **ret, size_t *ret_len, struct err *err)
{
	struct hasher *h = userdata;
	ssize_t n = TEMP_FAILURE_RETRY(read(h->stage->in_fd, h->block, sizeof(h->block)));
	int r;

	if (n < 0)
		return err_errno(err, -errno, "cannot read the archive");
	if (n > 0 && !EVP_DigestUpdate(h->raw, h->block, (size_t) n))
		return hash_failed(err);
	r = fd_write_all(h->stage->blob_fd, h->block, (size_t) n);
	if (r < 0)
		return err_errno(err, r, "cannot store the archive");
	h->raw_bytes += (uint64_t) n;
	*ret = h->block;
	*ret_len = (size_t) n;
	return 0;
}

static int check_ratio(const struct hasher *h, struct err *err)
{
	if (h->diff_bytes <= RATIO_FREE_BYTES ||
	        h->diff_bytes / h->stage->limits->ratio <= h->raw_bytes)
		return 0;
	return err_set(err, -EFBIG,
	        "the archive unpacks to more than %llu times its size, the limit: it looks like a "
	        "decompression bomb",
	        (unsigned long long) h->stage->limits->ratio);
}

/* Moves everything through. A plain archive is its own tar archive and is hashed once. */
static int hash_all(struct hasher *h, struct inflate *z, struct err *err)
{
	for (;;) {
		const uint8_t *data = NULL;
		ssize_t n = inflate_read(z, &data, err);
		int r;

		if (n <= 0)
			return (int) n;
		h->diff_bytes += (uint64_t) n;
		if (!streq(inflate_method(z), "none") &&
		        !EVP_DigestUpdate(h->diff, data, (size_t) n))
			return hash_failed(err);
		r = check_ratio(h, err);
		if (r < 0)
			return r;
		r = fd_write_all(h->stage->out_fd, data, (size_t) n);
		if (r < 0)
			return err_errno(err, r, "cannot pass the archive on");
	}
}

static int hash_finish(
        struct hasher *h, struct inflate *z, struct unpack_record *record, struct err *err)
{
	unsigned int len;

	if (!EVP_DigestFinal_ex(h->raw, record->raw_sha256, &len) ||
	        !EVP_DigestFinal_ex(h->diff, record->diff_sha256, &len))
		return hash_failed(err);
	if (streq(inflate_method(z), "none"))
		memcpy(record->diff_sha256, record->raw_sha256, sizeof(record->diff_sha256));
	record->raw_bytes = h->raw_bytes;
	record->diff_bytes = h->diff_bytes;
	(void) snprintf(record->method, sizeof(record->method), "%s", inflate_method(z));
	return 0;
}

static int hash_stage(struct hasher *h, struct unpack_record *record, struct err *err)
{
	_inflate_free_ struct inflate *z = NULL;
	int r;

	if (!h->raw || !h->diff || !EVP_DigestInit_ex(h->raw, EVP_sha256(), NULL) ||
	        !EVP_DigestInit_ex(h->diff, EVP_sha256(), NULL))
		return hash_failed(err);
	r = inflate_new(fill_raw, h, &z, err);
	if (r == 0)
		r = hash_all(h, z, err);
	return r < 0 ? r : hash_finish(h, z, record, err);
}

int stage_hash(void *userdata)
{
	struct hasher *h = xnew(struct hasher);
	struct unpack_record record;
	struct err err = { 0 };
	int r;

	record_init(&record);
	h->stage = userdata;
	h->raw = EVP_MD_CTX_new();
	h->diff = EVP_MD_CTX_new();
	r = hash_stage(h, &record, &err);
	EVP_MD_CTX_free(h->raw);
	EVP_MD_CTX_free(h->diff);
	/* The other process ends when the pipe does, so the record goes first. */
	r = send_record(h->stage->record_fd, &record, r, &err);
	free(h);
	return r;
}

void stage_hash_failed(void *userdata, const struct err *err)
{
	const struct hash_stage *s = userdata;

	send_failure(s->record_fd, err);
}

/* --- the second: extract ---------------------------------------------------------------------- */

struct tar_source {
	int fd;
	uint8_t block[TAR_READ_BLOCK];
};

static int fill_tar(void *userdata, const uint8_t **ret, size_t *ret_len, struct err *err)
{
	struct tar_source *s = userdata;
	ssize_t n = TEMP_FAILURE_RETRY(read(s->fd, s->block, sizeof(s->block)));

	if (n < 0)
		return err_errno(err, -errno, "cannot read the archive");
	*ret = s->block;
	*ret_len = (size_t) n;
	return 0;
}

/* What stands behind the end mark belongs to the digest. */
static int drain(struct tar_source *s, struct err *err)
{
	const uint8_t *data;
	size_t len = 1;
	int r = 0;

	while (r == 0 && len > 0)
		r = fill_tar(s, &data, &len, err);
	return r;
}

int stage_extract(void *userdata)
{
	const struct extract_stage *stage = userdata;
	const struct extract_limits limits = {
		.content_bytes = stage->limits->content_bytes,
		.entries = stage->limits->entries,
	};
	struct tar_source *s = xnew(struct tar_source);
	struct extract_stats stats = { 0 };
	struct unpack_record record;
	struct err err = { 0 };
	int root, r;

	record_init(&record);
	s->fd = stage->in_fd;
	root = path_open_in(AT_FDCWD, ".", PATH_BENEATH, O_PATH | O_DIRECTORY, 0);
	r = extract_tar(root, fill_tar, s, &limits, &stats, &err);
	(void) fd_close(root);
	if (r == 0)
		r = drain(s, &err);
	record.entries = stats.entries;
	record.content_bytes = stats.content_bytes;
	record.skipped_devices = stats.skipped_devices;
	record.dropped_xattrs = stats.dropped_xattrs;
	free(s);
	return send_record(stage->record_fd, &record, r, &err);
}

void stage_extract_failed(void *userdata, const struct err *err)
{
	const struct extract_stage *s = userdata;

	send_failure(s->record_fd, err);
}
