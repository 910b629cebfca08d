/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bulkhead-unpack: fills a folder from a tar archive, in a sandbox.
 *
 * Standard input is the archive; descriptors 3, 4 and 5 are the folder, a file that gets a copy of
 * the raw bytes, and where the result goes (archive/record.h). This process parses nothing: it
 * starts the two confined ones (stages.h), waits for both and puts their records together.
 */
#include "archive/record.h"
#include "base/fd.h"
#include "base/str.h"
#include "caps/caps.h"
#include "cmd/bulkhead-unpack/confine.h"
#include "cmd/bulkhead-unpack/stages.h"
#include "opt/opt.h"
#include "proc/proc.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIPE_SIZE = 1 << 20, ID_COUNT = 65536 };

struct options {
	struct stages_limits limits;
	uint64_t host_id, memory;
};

struct stage {
	const char *what; /* for messages */
	int pidfd, record_fd;
	int status; /* of the process: as proc_wait */
	struct unpack_record record;
};

/* --- command line ----------------------------------------------------------------------------- */

static int parse_number(const char *text, void *field, struct err *err)
{
	if (num_parse_u64(text, field) < 0)
		return err_set(err, -EINVAL, "a number is expected");
	return 0;
}

#define NUMBER(flag, field, what)                                                                  \
	{                                                                                          \
		.name = flag, .type = OPT_PARSE, .arg = "N", .help = what,                         \
		.offset = offsetof(struct options, field), .parse = parse_number                   \
	}
static const struct opt option_table[] = {
	NUMBER("host-id", host_id, "first of the 131072 ids of the host to work with"),
	NUMBER("max-bytes", limits.content_bytes, "most bytes of content"),
	NUMBER("max-entries", limits.entries, "most entries"),
	NUMBER("max-ratio", limits.ratio, "most uncompressed bytes for a compressed one"),
	NUMBER("memory", memory, "most bytes of address space of each process; 0: no bound"),
};

static int check_options(const struct options *o, struct err *err)
{
	if (o->host_id < ID_COUNT || o->host_id > UINT32_MAX - 2 * (uint64_t) ID_COUNT)
		return err_set(err, -EINVAL, "--host-id must be given, from 65536 on");
	if (o->limits.content_bytes == 0 || o->limits.entries == 0 || o->limits.ratio == 0)
		return err_set(
		        err, -EINVAL, "--max-bytes, --max-entries and --max-ratio must be given");
	for (int fd = UNPACK_FD_LAYER; fd <= UNPACK_FD_RESULT; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			return err_set(err, -EBADF,
			        "descriptor %d is not open; this program is run by 'bulkhead image "
			        "import'",
			        fd);
	return 0;
}

/* --- the two processes ------------------------------------------------------------------------ */

static int make_pipe(int *ret_read, int *ret_write, struct err *err)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_errno(err, -errno, "cannot make a pipe");
	*ret_read = fds[0];
	*ret_write = fds[1];
	return 0;
}

static int start_hash(const struct options *o, int tar_fd, struct stage *stage, struct err *err)
{
	_close_ int record = -EBADF;
	struct hash_stage hash = { &o->limits, STDIN_FILENO, UNPACK_FD_BLOB, tar_fd, -EBADF };
	int r = make_pipe(&stage->record_fd, &record, err);
	const int fds[] = { STDIN_FILENO, STDERR_FILENO, UNPACK_FD_BLOB, tar_fd, record };
	const struct confine c = {
		.host_id = (uint32_t) o->host_id + ID_COUNT,
		.count = 1,
		.layer_fd = -EBADF,
		.memory = o->memory,
		.fds = fds,
		.n_fds = ARRAY_SIZE(fds),
		.stage = stage_hash,
		.on_failure = stage_hash_failed,
		.userdata = &hash,
	};

	if (r < 0)
		return r;
	hash.record_fd = record;
	r = confine_start(&c, &stage->pidfd, err);
	return r < 0 ? r : 0;
}

static int start_extract(const struct options *o, int tar_fd, struct stage *stage, struct err *err)
{
	_close_ int record = -EBADF;
	struct extract_stage extract = { &o->limits, tar_fd, -EBADF };
	int r = make_pipe(&stage->record_fd, &record, err);
	const int fds[] = { STDERR_FILENO, tar_fd, record };
	const struct confine c = {
		.host_id = (uint32_t) o->host_id,
		.count = ID_COUNT,
		.layer_fd = UNPACK_FD_LAYER,
		/* To set owners, modes, times and file capabilities, as root of the image. */
		.caps = CAPS_BIT(CAP_CHOWN) | CAPS_BIT(CAP_DAC_OVERRIDE) | CAPS_BIT(CAP_FOWNER) |
		        CAPS_BIT(CAP_FSETID) | CAPS_BIT(CAP_SETFCAP),
		.memory = o->memory,
		.fds = fds,
		.n_fds = ARRAY_SIZE(fds),
		.stage = stage_extract,
		.on_failure = stage_extract_failed,
		.userdata = &extract,
	};

	if (r < 0)
		return r;
	extract.record_fd = record;
	r = confine_start(&c, &stage->pidfd, err);
	return r < 0 ? r : 0;
}

static int start_both(
        const struct options *o, struct stage *hash, struct stage *extract, struct err *err)
{
	_close_ int tar_read = -EBADF, tar_write = -EBADF;
	int r = make_pipe(&tar_read, &tar_write, err);

	if (r < 0)
		return r;
	/* Fewer changes of process; the smaller pipe works too. */
	(void) fcntl(tar_write, F_SETPIPE_SZ, PIPE_SIZE);
	r = start_hash(o, tar_write, hash, err);
	return r < 0 ? r : start_extract(o, tar_read, extract, err);
}

/* Waits and takes the record, which may be missing or nonsense: the process was in hostile hands.
 */
static void finish(struct stage *s)
{
	struct unpack_record *r = &s->record;
	ssize_t n;

	s->status = proc_wait(s->pidfd);
	n = TEMP_FAILURE_RETRY(read(s->record_fd, r, sizeof(*r)));
	r->text[sizeof(r->text) - 1] = '\0';
	r->method[sizeof(r->method) - 1] = '\0';
	if (n == (ssize_t) sizeof(*r) && memcmp(r->magic, UNPACK_MAGIC, sizeof(r->magic)) == 0 &&
	        (r->code < 0) == (s->status != 0))
		return;
	*r = (struct unpack_record){ .code = -EPROTO };
	if (s->status == 128 + SIGSYS)
		(void) snprintf(r->text, sizeof(r->text),
		        "the process that %s was stopped by its sandbox: the archive may be an attack",
		        s->what);
	else if (s->status > 128)
		(void) snprintf(r->text, sizeof(r->text),
		        "the process that %s was ended by signal %d%s", s->what, s->status - 128,
		        s->status == 128 + SIGABRT ? " (it may have run out of memory)" : "");
	else
		(void) snprintf(r->text, sizeof(r->text),
		        "the process that %s ended without a result", s->what);
}

/* Of two failures the cause: an early end of the first looks like a truncated archive to the
 * second, and an early end of the second like a broken pipe to the first. */
static const struct unpack_record *failure(const struct stage *hash, const struct stage *extract)
{
	if (hash->record.code < 0 && hash->record.code != -EPIPE)
		return &hash->record;
	if (extract->record.code < 0)
		return &extract->record;
	return hash->record.code < 0 ? &hash->record : NULL;
}

static void merge(const struct stage *hash, const struct stage *extract, struct unpack_record *ret)
{
	const struct unpack_record *bad = failure(hash, extract);

	*ret = hash->record;
	memcpy(ret->magic, UNPACK_MAGIC, UNPACK_MAGIC_SIZE);
	ret->code = bad ? bad->code : 0;
	memset(ret->text, 0, sizeof(ret->text));
	if (bad)
		memcpy(ret->text, bad->text, sizeof(ret->text));
	ret->entries = extract->record.entries;
	ret->content_bytes = extract->record.content_bytes;
	ret->skipped_devices = extract->record.skipped_devices;
	ret->dropped_xattrs = extract->record.dropped_xattrs;
}

static int unpack(const struct options *o, struct unpack_record *ret, struct err *err)
{
	struct stage hash = {
		.what = "decompresses the archive", .pidfd = -EBADF, .record_fd = -EBADF
	};
	struct stage extract = {
		.what = "extracts the archive", .pidfd = -EBADF, .record_fd = -EBADF
	};
	int r = stages_init(err);

	if (r == 0)
		r = start_both(o, &hash, &extract, err);
	if (r == 0) {
		/* The first may only end once the second has emptied the pipe, and ends by itself
		 * when the second dies. */
		finish(&hash);
		finish(&extract);
		merge(&hash, &extract, ret);
	}
	(void) fd_close(hash.pidfd);
	(void) fd_close(hash.record_fd);
	(void) fd_close(extract.pidfd);
	(void) fd_close(extract.record_fd);
	return r;
}

int main(int argc, char **argv)
{
	struct options o = { 0 };
	struct unpack_record record = { .code = 0 };
	struct err err = { 0 };
	bool help = false;
	int used = 0;
	int r = opt_parse(option_table, ARRAY_SIZE(option_table), &o, argc - 1, argv + 1, false,
	        &used, &help, &err);

	if (r == 0 && help) {
		(void) puts(
		        "bulkhead-unpack: fills a layer of the image store from an archive; run "
		        "by 'bulkhead image import'");
		return EXIT_SUCCESS;
	}
	if (r == 0 && used != argc - 1)
		r = err_set(&err, -EINVAL, "'%s' is one word too many", argv[used + 1]);
	if (r == 0)
		r = check_options(&o, &err);
	if (r < 0) {
		(void) fprintf(stderr, "bulkhead-unpack: %s\n", err.text);
		return 2;
	}
	(void) sigaction(SIGPIPE, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL);
	(void) umask(0);
	r = unpack(&o, &record, &err);
	if (r < 0) {
		memcpy(record.magic, UNPACK_MAGIC, UNPACK_MAGIC_SIZE);
		record.code = r;
		(void) snprintf(record.text, sizeof(record.text), "%s", err.text);
	}
	if (fd_write_all(UNPACK_FD_RESULT, &record, sizeof(record)) < 0)
		return 2;
	return record.code < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
