/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/extract.h"

#include "archive/attrs.h"
#include "archive/place.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "base/tree.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum {
	TAR_BLOCK = 512,
	/* What archive_errno says when the format is wrong, or a name cannot be converted. */
	ERRNO_FORMAT = EILSEQ,
};

/* Times of folders are set at the end: every new entry changes them. */
struct folder_time {
	char *name;
	struct timespec times[2];
};

struct extractor {
	struct archive *archive;
	extract_fill_fn fill;
	void *userdata;
	const struct extract_limits *limits;
	struct extract_stats stats;
	struct place place, link_place;
	struct folder_time *folders;
	size_t n_folders, size_folders;
	/* The source. */
	struct err fill_err;
	bool source_ended;
	uint8_t tail[TAR_BLOCK]; /* the last bytes that were read */
};

/* One entry while it is being made. */
struct item {
	struct archive_entry *entry;
	char *name; /* cleaned */
	int parent; /* borrowed */
	const char *last;
};

static int refuse(const struct item *it, struct err *err, int code, const char *why)
{
	_free_ char *shown = str_escaped(it->name);

	return err_set(err, code, "entry '%s' %s", shown, why);
}

static int cannot(const struct item *it, struct err *err, int code, const char *doing)
{
	_free_ char *shown = str_escaped(it->name);

	return err_errno(err, code, "cannot %s '%s'", doing, shown);
}

/* --- the source ------------------------------------------------------------------------------- */

static void keep_tail(struct extractor *x, const uint8_t *data, size_t len)
{
	if (len < TAR_BLOCK)
		memmove(x->tail, x->tail + len, TAR_BLOCK - len);
	len = MIN(len, (size_t) TAR_BLOCK);
	memcpy(x->tail + TAR_BLOCK - len, data, len);
}

static la_ssize_t on_read(struct archive *a, void *userdata, const void **ret)
{
	struct extractor *x = userdata;
	const uint8_t *data = NULL;
	size_t len = 0;
	int r = x->fill(x->userdata, &data, &len, &x->fill_err);

	if (r < 0) {
		archive_set_error(a, -r, "read failed");
		x->fill_err.code = r;
		return -1;
	}
	x->source_ended = len == 0;
	/* data + len lies behind what was just read, so this is read before it is reused. */
	if (len > 0)
		keep_tail(
		        x, data + len - MIN(len, (size_t) TAR_BLOCK), MIN(len, (size_t) TAR_BLOCK));
	*ret = data;
	return (la_ssize_t) len;
}

/* The sentence for a failure of libarchive (or of our source below it). */
static int archive_failed(struct extractor *x, struct err *err)
{
	_free_ char *shown = NULL;
	const char *text = archive_error_string(x->archive);

	if (x->fill_err.code < 0) {
		if (err)
			*err = x->fill_err;
		return x->fill_err.code;
	}
	shown = str_escaped(text ? text : "it cannot be read");
	if (x->stats.entries == 0 && archive_errno(x->archive) == ERRNO_FORMAT)
		return err_set(err, -EBADMSG,
		        "the archive is not a tar archive (plain or compressed by gzip, zstd or "
		        "xz): %s",
		        shown);
	return err_set(err, -EBADMSG, "the tar archive is broken or truncated: %s", shown);
}

/* A tar archive ends with zeros; without them it was cut off between two entries. */
static int check_end(const struct extractor *x, struct err *err)
{
	if (!x->source_ended)
		return 0;
	for (size_t i = 0; i < TAR_BLOCK; i++)
		if (x->tail[i] != 0)
			return err_set(err, -EBADMSG,
			        "the tar archive is truncated: its end mark is missing");
	return 0;
}

/* --- making one entry ------------------------------------------------------------------------- */

/* Removes what has the name of the entry. */
static int clear_place(struct extractor *x, const struct item *it, struct err *err)
{
	int r = tree_remove(it->parent, it->last);

	if (r < 0)
		return cannot(it, err, r, "replace");
	/* It may lie below what went. x->place is the folder of this very entry. */
	place_forget(&x->link_place);
	return 0;
}

static int write_data(
        struct extractor *x, const struct item *it, int fd, int64_t size, struct err *err)
{
	int64_t end = 0;

	for (;;) {
		const void *data = NULL;
		size_t len = 0;
		la_int64_t offset = 0;
		int r = archive_read_data_block(x->archive, &data, &len, &offset);

		if (r == ARCHIVE_EOF)
			break;
		if (r != ARCHIVE_OK)
			return archive_failed(x, err);
		if (offset < 0 || len > INT64_MAX || offset > size || (int64_t) len > size - offset)
			return refuse(it, err, -EBADMSG, "holds data behind its end");
		for (size_t done = 0; done < len;) {
			ssize_t n = pwrite(fd, (const uint8_t *) data + done, len - done,
			        offset + (int64_t) done);

			if (n < 0)
				return cannot(it, err, -errno, "write");
			done += (size_t) n;
		}
		end = MAX(end, offset + (int64_t) len);
	}
	if (end < size && ftruncate(fd, size) < 0)
		return cannot(it, err, -errno, "write");
	return 0;
}

static int make_file(struct extractor *x, struct item *it, struct err *err)
{
	const int flags = O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW;
	int64_t size = archive_entry_size(it->entry);
	struct attrs_target t;
	_close_ int fd = -EBADF;
	int r;

	if (size < 0 || !archive_entry_size_is_set(it->entry))
		return refuse(it, err, -EBADMSG, "has no valid size");
	if ((uint64_t) size > x->limits->content_bytes - x->stats.content_bytes)
		return err_set(err, -EFBIG,
		        "the archive holds more than %llu bytes of content, the limit",
		        (unsigned long long) x->limits->content_bytes);
	x->stats.content_bytes += (uint64_t) size;
	fd = path_open_in(it->parent, it->last, PATH_BENEATH_NO_LINKS, flags, 0600);
	if (fd == -EEXIST) {
		r = clear_place(x, it, err);
		if (r < 0)
			return r;
		fd = path_open_in(it->parent, it->last, PATH_BENEATH_NO_LINKS, flags, 0600);
	}
	if (fd < 0)
		return cannot(it, err, fd, "make");
	r = write_data(x, it, fd, size, err);
	t = (struct attrs_target){ it->parent, it->last, fd, it->name };
	if (r == 0)
		r = attrs_apply(&t, it->entry, &x->stats.dropped_xattrs, err);
	return r < 0 ? r : attrs_apply_time(&t, it->entry, err);
}

static int remember_folder(struct extractor *x, const struct item *it)
{
	if (x->n_folders == x->size_folders) {
		x->size_folders = MAX(2 * x->size_folders, (size_t) 64);
		x->folders = xrealloc_n(x->folders, x->size_folders, sizeof(*x->folders));
	}
	x->folders[x->n_folders].name = xstrdup(it->name);
	attrs_times(it->entry, x->folders[x->n_folders].times);
	x->n_folders++;
	return 0;
}

static int finish_folder(struct extractor *x, const struct item *it, struct err *err)
{
	struct attrs_target t = { it->parent, it->last, -EBADF, it->name };
	int r = attrs_apply(&t, it->entry, &x->stats.dropped_xattrs, err);

	return r < 0 ? r : remember_folder(x, it);
}

static int make_folder(struct extractor *x, struct item *it, struct err *err)
{
	struct stat st;
	int r;

	if (mkdirat(it->parent, it->last, 0700) < 0) {
		if (errno != EEXIST)
			return cannot(it, err, -errno, "make");
		if (fstatat(it->parent, it->last, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return cannot(it, err, -errno, "look at");
		if (!S_ISDIR(st.st_mode)) {
			r = clear_place(x, it, err);
			if (r < 0)
				return r;
			if (mkdirat(it->parent, it->last, 0700) < 0)
				return cannot(it, err, -errno, "make");
		}
	}
	return finish_folder(x, it, err);
}

/* symlinkat or mknodat, whatever the entry is. */
static int make_node(const struct item *it)
{
	if (archive_entry_filetype(it->entry) == AE_IFLNK)
		return symlinkat(archive_entry_symlink(it->entry), it->parent, it->last) < 0
		               ? -errno
		               : 0;
	return mknodat(it->parent, it->last, archive_entry_filetype(it->entry) | 0600, 0) < 0
	               ? -errno
	               : 0;
}

static int make_special(struct extractor *x, struct item *it, struct err *err)
{
	struct attrs_target t = { it->parent, it->last, -EBADF, it->name };
	int r;

	if (archive_entry_filetype(it->entry) == AE_IFLNK) {
		const char *to = archive_entry_symlink(it->entry);

		if (!to || !*to)
			return refuse(it, err, -EBADMSG, "is a symbolic link to nothing");
	}
	r = make_node(it);
	if (r == -EEXIST) {
		r = clear_place(x, it, err);
		if (r < 0)
			return r;
		r = make_node(it);
	}
	if (r < 0)
		return cannot(it, err, r, "make");
	r = attrs_apply(&t, it->entry, &x->stats.dropped_xattrs, err);
	return r < 0 ? r : attrs_apply_time(&t, it->entry, err);
}

static int skip_device(struct extractor *x, struct item *it, struct err *err)
{
	if (archive_entry_filetype(it->entry) == AE_IFCHR &&
	        archive_entry_rdevmajor(it->entry) == 0 && archive_entry_rdevminor(it->entry) == 0)
		return refuse(it, err, -EPERM,
		        "is a 0:0 character device, which would be a whiteout of the layer store");
	x->stats.skipped_devices++;
	return 0;
}

/* --- hard links ------------------------------------------------------------------------------- */

static bool same_file(int parent_a, const char *a, int parent_b, const char *b)
{
	struct stat sa, sb;

	return fstatat(parent_a, a, &sa, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstatat(parent_b, b, &sb, AT_SYMLINK_NOFOLLOW) == 0 && sa.st_ino == sb.st_ino &&
	       sa.st_dev == sb.st_dev;
}

static int link_failed(const struct item *it, int code, const char *target, struct err *err)
{
	_free_ char *shown = str_escaped(it->name);
	_free_ char *shown_target = str_escaped(target);

	if (code == -ENOENT)
		return err_set(err, -EBADMSG,
		        "entry '%s' is a hard link to '%s', which is not in the archive before it",
		        shown, shown_target);
	return err_errno(err, code, "cannot link '%s' to '%s'", shown, shown_target);
}

static int make_hard_link(struct extractor *x, struct item *it, struct err *err)
{
	_free_ char *target = xstrdup(archive_entry_hardlink(it->entry));
	const char *last;
	int from, r;

	r = place_clean_name(target, err);
	if (r < 0)
		return err_prefix(err, r, "target of a hard link");
	if (!*target)
		return refuse(it, err, -EBADMSG, "is a hard link to the root");
	r = place_parent(&x->link_place, target, false, &from, &last, err);
	if (r == -ENOENT)
		return link_failed(it, r, target, err);
	if (r < 0)
		return r;
	if (linkat(from, last, it->parent, it->last, 0) == 0)
		return 0;
	if (errno != EEXIST)
		return link_failed(it, -errno, target, err);
	if (same_file(from, last, it->parent, it->last))
		return 0;
	r = clear_place(x, it, err);
	if (r < 0)
		return r;
	/* The target's folder may have been what was removed: ask again. */
	r = place_parent(&x->link_place, target, false, &from, &last, err);
	if (r == 0 && linkat(from, last, it->parent, it->last, 0) < 0)
		r = -errno;
	return r < 0 ? link_failed(it, r, target, err) : 0;
}

/* --- the loop --------------------------------------------------------------------------------- */

static const struct {
	unsigned int type;
	int (*make)(struct extractor *x, struct item *it, struct err *err);
} makers[] = {
	{ AE_IFREG, make_file },
	{ AE_IFDIR, make_folder },
	{ AE_IFLNK, make_special },
	{ AE_IFIFO, make_special },
	{ AE_IFSOCK, make_special },
	{ AE_IFCHR, skip_device },
	{ AE_IFBLK, skip_device },
};

static int make_item(struct extractor *x, struct item *it, struct err *err)
{
	if (archive_entry_hardlink(it->entry))
		return make_hard_link(x, it, err);
	for (size_t i = 0; i < ARRAY_SIZE(makers); i++)
		if (makers[i].type == archive_entry_filetype(it->entry))
			return makers[i].make(x, it, err);
	return refuse(it, err, -EBADMSG, "is of an unknown type");
}

static bool has_whiteout_part(const char *name)
{
	for (const char *p = name; p; p = strchr(p, '/')) {
		p += *p == '/';
		if (str_has_prefix(p, ".wh."))
			return true;
	}
	return false;
}

static int check_count(const struct extractor *x, struct err *err)
{
	if (x->stats.entries + x->place.made <= x->limits->entries)
		return 0;
	return err_set(err, -EFBIG, "the archive has more than %llu entries, the limit",
	        (unsigned long long) x->limits->entries);
}

static int extract_root(struct extractor *x, struct item *it, struct err *err)
{
	if (archive_entry_hardlink(it->entry) || archive_entry_filetype(it->entry) != AE_IFDIR) {
		it->name = (char *) (uintptr_t) "/";
		return refuse(it, err, -EBADMSG, "is not a folder");
	}
	it->parent = x->place.rootfd;
	it->last = ".";
	return finish_folder(x, it, err);
}

static int extract_entry(struct extractor *x, struct archive_entry *entry, struct err *err)
{
	const char *raw = archive_entry_pathname(entry);
	_free_ char *name = raw ? xstrdup(raw) : NULL;
	struct item it = { .entry = entry, .name = name };
	int r;

	x->stats.entries++;
	if (!name || !*name)
		return err_set(err, -EBADMSG, "entry %llu has no name",
		        (unsigned long long) x->stats.entries);
	r = place_clean_name(name, err);
	if (r == 0)
		r = check_count(x, err);
	if (r < 0)
		return r;
	if (!*name)
		return extract_root(x, &it, err);
	if (has_whiteout_part(name))
		return refuse(&it, err, -EPERM,
		        "has a name that means deletion in an image layer ('.wh.'); a root file "
		        "system cannot have it");
	r = place_parent(&x->place, name, true, &it.parent, &it.last, err);
	if (r == 0)
		r = check_count(x, err);
	return r < 0 ? r : make_item(x, &it, err);
}

static int next_entry(struct extractor *x, struct archive_entry **ret, struct err *err)
{
	int r = archive_read_next_header(x->archive, ret);

	if (r == ARCHIVE_EOF)
		return check_end(x, err);
	/* In the C locale a name that is not ASCII is a warning, and is kept as it stands. */
	if (r == ARCHIVE_OK || (r == ARCHIVE_WARN && archive_errno(x->archive) == ERRNO_FORMAT))
		return 1;
	return archive_failed(x, err);
}

/* What is no folder any more was replaced later in the archive. */
static int set_folder_times(struct extractor *x, struct err *err)
{
	for (size_t i = 0; i < x->n_folders; i++) {
		struct folder_time *f = &x->folders[i];
		struct item it = { .name = f->name };
		_close_ int fd = path_open_in(x->place.rootfd, f->name, PATH_IN_ROOT,
		        O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

		if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
			continue;
		if (fd < 0)
			return cannot(&it, err, fd, "open");
		if (futimens(fd, f->times) < 0)
			return cannot(&it, err, -errno, "set the time of");
	}
	return 0;
}

static int extract_all(struct extractor *x, struct err *err)
{
	struct archive_entry *entry;
	int r;

	while ((r = next_entry(x, &entry, err)) > 0) {
		r = extract_entry(x, entry, err);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : set_folder_times(x, err);
}

static void extractor_done(struct extractor *x)
{
	place_done(&x->place);
	place_done(&x->link_place);
	for (size_t i = 0; i < x->n_folders; i++)
		free(x->folders[i].name);
	free(x->folders);
	(void) archive_read_free(x->archive);
}

int extract_tar(int rootfd, extract_fill_fn fill, void *userdata,
        const struct extract_limits *limits, struct extract_stats *ret, struct err *err)
{
	_cleanup_(extractor_done) struct extractor x = {
		.archive = archive_read_new(),
		.fill = fill,
		.userdata = userdata,
		.limits = limits,
		.place = PLACE_INIT(rootfd),
		.link_place = PLACE_INIT(rootfd),
	};
	int r;

	if (!x.archive)
		return err_set(err, -ENOMEM, "cannot start libarchive");
	if (archive_read_support_format_tar(x.archive) != ARCHIVE_OK ||
	        archive_read_open(x.archive, &x, NULL, on_read, NULL) != ARCHIVE_OK)
		return archive_failed(&x, err);
	r = extract_all(&x, err);
	if (r == 0)
		*ret = x.stats;
	return r;
}
