/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/inflate.h"

#include "base/str.h"

#include <errno.h>
#include <limits.h>
#include <lzma.h>
#include <stdbool.h>
#define ZLIB_CONST
#include <zlib.h>
#include <zstd.h>

struct codec;

struct inflate {
	inflate_fill_fn fill;
	void *userdata;
	const struct codec *codec;
	const uint8_t *in; /* what is left of the last raw bytes */
	size_t in_len;
	bool in_end;      /* the source has ended */
	bool inside;      /* a member, frame or stream has begun and not ended */
	bool ended;       /* everything was yielded */
	uint8_t first[8]; /* the bytes that were collected to know the method */
	z_stream gz;
	ZSTD_DStream *zstd;
	lzma_stream xz;
	uint8_t out[INFLATE_BLOCK];
};

/*
 * One way of compression. step: moves bytes from z->in to out[0..size) and keeps z->inside;
 * returns the number of bytes written or a negative errno. It is called with no input only at the
 * end of the source.
 */
struct codec {
	const char *name;
	uint8_t magic[6];
	size_t magic_len;
	int (*init)(struct inflate *z);
	ssize_t (*step)(struct inflate *z, uint8_t *out, size_t size, struct err *err);
	void (*done)(struct inflate *z);
};

static int broken(const struct inflate *z, struct err *err, const char *why)
{
	return err_set(err, -EBADMSG, "the %s stream is broken: %s", z->codec->name,
	        why ? why : "bad data");
}

/* --- gzip ------------------------------------------------------------------------------------- */

static int gzip_init(struct inflate *z)
{
	return inflateInit2(&z->gz, 16 + MAX_WBITS) == Z_OK ? 0 : -ENOMEM;
}

static ssize_t gzip_step(struct inflate *z, uint8_t *out, size_t size, struct err *err)
{
	int r;

	if (!z->inside && z->in_len > 0)
		(void) inflateReset(&z->gz);
	z->gz.next_in = z->in;
	z->gz.avail_in = (uInt) MIN(z->in_len, (size_t) INT_MAX);
	z->gz.next_out = out;
	z->gz.avail_out = (uInt) size;
	z->inside = z->inside || z->in_len > 0;
	r = inflate(&z->gz, Z_NO_FLUSH);
	z->in_len -= (size_t) (z->gz.next_in - z->in);
	z->in = z->gz.next_in;
	if (r == Z_STREAM_END)
		z->inside = false;
	else if (r != Z_OK && r != Z_BUF_ERROR)
		return broken(z, err, z->gz.msg);
	return (ssize_t) (size - z->gz.avail_out);
}

static void gzip_done(struct inflate *z)
{
	(void) inflateEnd(&z->gz);
}

/* --- zstd ------------------------------------------------------------------------------------- */

static int zstd_init(struct inflate *z)
{
	z->zstd = ZSTD_createDStream();
	if (!z->zstd)
		return -ENOMEM;
	if (ZSTD_isError(
	            ZSTD_DCtx_setParameter(z->zstd, ZSTD_d_windowLogMax, INFLATE_ZSTD_WINDOW_LOG)))
		return -EINVAL;
	return 0;
}

static ssize_t zstd_step(struct inflate *z, uint8_t *out, size_t size, struct err *err)
{
	ZSTD_inBuffer in = { .src = z->in, .size = z->in_len };
	ZSTD_outBuffer to = { .dst = out, .size = size };
	size_t r;

	if (z->in_len == 0 && !z->inside)
		return 0;
	r = ZSTD_decompressStream(z->zstd, &to, &in);
	z->in += in.pos;
	z->in_len -= in.pos;
	if (ZSTD_isError(r))
		return broken(z, err, ZSTD_getErrorName(r));
	z->inside = r != 0;
	return (ssize_t) to.pos;
}

static void zstd_done(struct inflate *z)
{
	(void) ZSTD_freeDStream(z->zstd);
}

/* --- xz --------------------------------------------------------------------------------------- */

static int xz_init(struct inflate *z)
{
	lzma_ret r = lzma_stream_decoder(&z->xz, INFLATE_XZ_MEMORY, LZMA_CONCATENATED);

	z->inside = true;
	return r == LZMA_OK ? 0 : -ENOMEM;
}

static ssize_t xz_step(struct inflate *z, uint8_t *out, size_t size, struct err *err)
{
	lzma_ret r;

	if (!z->inside)
		return 0;
	z->xz.next_in = z->in;
	z->xz.avail_in = z->in_len;
	z->xz.next_out = out;
	z->xz.avail_out = size;
	r = lzma_code(&z->xz, z->in_end ? LZMA_FINISH : LZMA_RUN);
	z->in = z->xz.next_in;
	z->in_len = z->xz.avail_in;
	if (r == LZMA_STREAM_END)
		z->inside = false;
	else if (r == LZMA_MEMLIMIT_ERROR)
		return err_set(err, -EFBIG,
		        "the xz stream needs more than %d MiB of memory to unpack; compress it again "
		        "with a smaller dictionary",
		        INFLATE_XZ_MEMORY >> 20);
	else if (r != LZMA_OK && r != LZMA_BUF_ERROR)
		return broken(
		        z, err, r == LZMA_MEM_ERROR ? "out of memory" : "the data is corrupt");
	return (ssize_t) (size - z->xz.avail_out);
}

static void xz_done(struct inflate *z)
{
	lzma_end(&z->xz);
}

/* --- none ------------------------------------------------------------------------------------- */

static const struct codec codecs[] = {
	{ "gzip", { 0x1f, 0x8b }, 2, gzip_init, gzip_step, gzip_done },
	{ "zstd", { 0x28, 0xb5, 0x2f, 0xfd }, 4, zstd_init, zstd_step, zstd_done },
	{ "xz", { 0xfd, '7', 'z', 'X', 'Z', 0 }, 6, xz_init, xz_step, xz_done },
	{ .name = "none" },
};

/* What people have at hand and we do not read: better a name than "not a tar archive". */
static const struct {
	const char *name;
	const char *magic;
} foreign[] = {
	{ "bzip2", "BZh" },
	{ "zip", "PK\003\004" },
	{ "7-zip", "7z\xbc\xaf" },
	{ "lzip", "LZIP" },
	{ "squashfs", "hsqs" },
	{ "cpio", "070701" },
};

static int refuse_foreign(const uint8_t *data, size_t len, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(foreign); i++) {
		size_t n = strlen(foreign[i].magic);

		if (len >= n && memcmp(data, foreign[i].magic, n) == 0)
			return err_set(err, -EBADMSG,
			        "the archive is a %s file; give a tar archive, plain or compressed by "
			        "gzip, zstd or xz",
			        foreign[i].name);
	}
	return 0;
}

int inflate_new(inflate_fill_fn fill, void *userdata, struct inflate **ret, struct err *err)
{
	struct inflate *z = xnew(struct inflate);

	z->fill = fill;
	z->userdata = userdata;
	z->xz = (lzma_stream) LZMA_STREAM_INIT;
	(void) err;
	*ret = z;
	return 0;
}

struct inflate *inflate_free(struct inflate *z)
{
	if (!z)
		return NULL;
	if (z->codec && z->codec->done)
		z->codec->done(z);
	free(z);
	return NULL;
}

void inflate_freep(struct inflate **z)
{
	*z = inflate_free(*z);
}

const char *inflate_method(const struct inflate *z)
{
	return z->codec ? z->codec->name : "none";
}

static int refill(struct inflate *z, struct err *err)
{
	int r;

	if (z->in_len > 0 || z->in_end)
		return 0;
	r = z->fill(z->userdata, &z->in, &z->in_len, err);
	if (r < 0)
		return r;
	z->in_end = z->in_len == 0;
	return 0;
}

/* Collects the first bytes, which may come one by one from a pipe, and chooses the method. */
static int begin(struct inflate *z, size_t *ret_first, struct err *err)
{
	size_t n = 0;
	int r;

	while (n < sizeof(z->first)) {
		r = refill(z, err);
		if (r < 0)
			return r;
		if (z->in_end)
			break;
		z->first[n++] = *z->in++;
		z->in_len--;
	}
	if (n == 0)
		return err_set(err, -EBADMSG, "the archive is empty: not one byte came");
	for (const struct codec *c = codecs; !z->codec; c++)
		if (n >= c->magic_len && memcmp(z->first, c->magic, c->magic_len) == 0)
			z->codec = c;
	*ret_first = n;
	r = refuse_foreign(z->first, n, err);
	if (r < 0)
		return r;
	r = z->codec->init ? z->codec->init(z) : 0;
	return r < 0 ? err_errno(err, r, "cannot start the %s decoder", z->codec->name) : 0;
}

/* The end of the source is reached and nothing more comes out: was that a good place? */
static ssize_t finish(struct inflate *z, struct err *err)
{
	if (z->inside)
		return err_set(err, -EBADMSG, "the %s stream is truncated: it ends in the middle",
		        z->codec->name);
	z->ended = true;
	return 0;
}

static ssize_t pump(struct inflate *z, const uint8_t **ret, struct err *err)
{
	for (;;) {
		size_t before;
		ssize_t n;
		int r = refill(z, err);

		if (r < 0)
			return r;
		before = z->in_len;
		n = z->codec->step(z, z->out, sizeof(z->out), err);
		if (n != 0) {
			*ret = z->out;
			return n;
		}
		if (z->in_end)
			return finish(z, err);
		if (z->in_len == before)
			return broken(z, err, "unknown bytes behind its end");
	}
}

ssize_t inflate_read(struct inflate *z, const uint8_t **ret, struct err *err)
{
	size_t first = 0;
	int r;

	if (z->ended)
		return 0;
	if (!z->codec) {
		r = begin(z, &first, err);
		if (r < 0)
			return r;
	}
	if (z->codec->step) {
		/* The collected bytes are fed before the rest of the first block. */
		const uint8_t *rest = z->in;
		size_t rest_len = z->in_len;
		ssize_t n;

		if (first == 0)
			return pump(z, ret, err);
		z->in = z->first;
		z->in_len = first;
		n = z->codec->step(z, z->out, sizeof(z->out), err);
		if (n < 0)
			return n;
		if (z->in_len > 0)
			return broken(z, err, "its header is damaged");
		z->in = rest;
		z->in_len = rest_len;
		*ret = z->out;
		return n > 0 ? n : pump(z, ret, err);
	}
	if (first > 0) {
		*ret = z->first;
		return (ssize_t) first;
	}
	r = refill(z, err);
	if (r < 0)
		return r;
	z->ended = z->in_end;
	*ret = z->in;
	first = z->in_len;
	z->in_len = 0;
	return (ssize_t) first;
}
