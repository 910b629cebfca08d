/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/attrs.h"

#include "base/buf.h"
#include "base/fd.h"
#include "base/str.h"

#include <archive.h>
#include <archive_entry.h>
#include <endian.h>
#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

static int failed(const struct attrs_target *t, struct err *err, const char *doing)
{
	int code = -errno;
	_free_ char *shown = str_escaped(t->name);

	return err_errno(err, code, "cannot set the %s of '%s'", doing, shown);
}

/* --- owner and mode --------------------------------------------------------------------------- */

static int apply_owner(const struct attrs_target *t, struct archive_entry *entry, struct err *err)
{
	la_int64_t uid = archive_entry_uid(entry), gid = archive_entry_gid(entry);

	if (uid < 0 || gid < 0 || uid > UINT16_MAX || gid > UINT16_MAX) {
		_free_ char *shown = str_escaped(t->name);

		return err_set(err, -EINVAL,
		        "entry '%s' belongs to uid %lld, gid %lld: a container has the ids 0 to "
		        "65535",
		        shown, (long long) uid, (long long) gid);
	}
	if (t->fd >= 0 ? fchown(t->fd, (uid_t) uid, (gid_t) gid) < 0
	               : fchownat(t->parent_fd, t->last, (uid_t) uid, (gid_t) gid,
	                         AT_SYMLINK_NOFOLLOW) < 0)
		return failed(t, err, "owner");
	return 0;
}

static int apply_mode(const struct attrs_target *t, struct archive_entry *entry, struct err *err)
{
	mode_t mode = archive_entry_perm(entry);

	if (archive_entry_filetype(entry) == AE_IFLNK)
		return 0;
	/* Not a link (we have just made it), so that fchmodat does not follow one. */
	if (t->fd >= 0 ? fchmod(t->fd, mode) < 0 : fchmodat(t->parent_fd, t->last, mode, 0) < 0)
		return failed(t, err, "mode");
	return 0;
}

/* --- extended attributes ---------------------------------------------------------------------- */

static int set_xattr(const struct attrs_target *t, const char *name, const void *value, size_t len)
{
	if (t->fd >= 0)
		return fsetxattr(t->fd, name, value, len, 0) < 0 ? -errno : 0;
	/* There is no setxattrat before Linux 6.13; a relative name needs the working folder. */
	if (fchdir(t->parent_fd) < 0)
		return -errno;
	return lsetxattr(t->last, name, value, len, 0) < 0 ? -errno : 0;
}

enum keep { DROP, KEEP_IF_POSSIBLE, KEEP };

/* First match counts. */
static const struct {
	const char *prefix;
	enum keep keep;
} xattr_rules[] = {
	{ "user.overlay.", DROP },
	{ "user.", KEEP_IF_POSSIBLE },
	{ "security.capability", KEEP },
	{ "system.posix_acl_access", KEEP },
	{ "system.posix_acl_default", KEEP },
	{ "", DROP },
};

static enum keep xattr_keep(const char *name)
{
	size_t i = 0;

	while (!str_has_prefix(name, xattr_rules[i].prefix))
		i++;
	/* The fixed names must fit whole. */
	if (xattr_rules[i].keep == KEEP && !streq(name, xattr_rules[i].prefix))
		return DROP;
	return xattr_rules[i].keep;
}

static int apply_xattr(const struct attrs_target *t, const char *name, const void *value,
        size_t len, uint64_t *dropped, struct err *err)
{
	enum keep keep = xattr_keep(name);
	_free_ char *shown = NULL;
	_free_ char *shown_name = NULL;
	int r;

	if (keep == DROP) {
		(*dropped)++;
		return 0;
	}
	r = len > ATTRS_XATTR_MAX ? -E2BIG : set_xattr(t, name, value, len);
	/* user.* exists on files and folders only, and not on every file system. */
	if (keep == KEEP_IF_POSSIBLE && (r == -EPERM || r == -EOPNOTSUPP)) {
		(*dropped)++;
		return 0;
	}
	if (r == 0)
		return 0;
	shown = str_escaped(t->name);
	shown_name = str_escaped(name);
	return err_errno(
	        err, r, "cannot set the extended attribute '%s' of '%s'", shown_name, shown);
}

static int apply_xattrs(const struct attrs_target *t, struct archive_entry *entry,
        uint64_t *dropped, struct err *err)
{
	const char *name;
	const void *value;
	size_t len;

	if (archive_entry_xattr_reset(entry) > ATTRS_XATTR_COUNT) {
		_free_ char *shown = str_escaped(t->name);

		return err_set(err, -E2BIG, "entry '%s' has more than %d extended attributes",
		        shown, ATTRS_XATTR_COUNT);
	}
	while (archive_entry_xattr_next(entry, &name, &value, &len) == ARCHIVE_OK) {
		int r = name ? apply_xattr(t, name, value, len, dropped, err) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

/* --- ACLs, which pax archives carry as text (SCHILY.acl.*) and libarchive as a list ------------
 */

/* linux/posix_acl_xattr.h: a version, then one record for each entry, little endian. */
struct acl_record {
	uint16_t tag, perm;
	uint32_t id;
};
enum { ACL_VERSION = 2, ACL_NO_ID = -1 };

static const struct {
	int from;
	uint16_t to;
	bool has_id;
} acl_tags[] = {
	{ ARCHIVE_ENTRY_ACL_USER_OBJ, 0x01, false },
	{ ARCHIVE_ENTRY_ACL_USER, 0x02, true },
	{ ARCHIVE_ENTRY_ACL_GROUP_OBJ, 0x04, false },
	{ ARCHIVE_ENTRY_ACL_GROUP, 0x08, true },
	{ ARCHIVE_ENTRY_ACL_MASK, 0x10, false },
	{ ARCHIVE_ENTRY_ACL_OTHER, 0x20, false },
};

/* The kernel wants entries by tag, then id. */
static int by_tag_and_id(const void *pa, const void *pb)
{
	const struct acl_record *a = pa, *b = pb;
	uint16_t ta = le16toh(a->tag), tb = le16toh(b->tag);
	uint32_t ia = le32toh(a->id), ib = le32toh(b->id);

	if (ta != tb)
		return ta < tb ? -1 : 1;
	return ia < ib ? -1 : ia > ib;
}

static size_t collect_acl(struct archive_entry *entry, int type, struct acl_record *records)
{
	int t, perm, tag, id;
	const char *name;
	size_t n = 0;

	(void) archive_entry_acl_reset(entry, type);
	while (n < ATTRS_ACL_MAX &&
	        archive_entry_acl_next(entry, type, &t, &perm, &tag, &id, &name) == ARCHIVE_OK)
		for (size_t i = 0; i < ARRAY_SIZE(acl_tags); i++)
			if (acl_tags[i].from == tag)
				records[n++] = (struct acl_record){
					.tag = htole16(acl_tags[i].to),
					.perm = htole16((uint16_t) (perm & 7)),
					.id = htole32(
					        (uint32_t) (acl_tags[i].has_id ? id : ACL_NO_ID)),
				};
	return n;
}

static int apply_acl(const struct attrs_target *t, struct archive_entry *entry, int type,
        const char *xattr, struct err *err)
{
	_buf_done_ struct buf value = BUF_INIT(ATTRS_XATTR_MAX);
	_free_ struct acl_record *records = NULL;
	uint32_t version = htole32(ACL_VERSION);
	uint64_t dropped = 0;
	size_t n;

	if (archive_entry_acl_count(entry, type) <= 0)
		return 0;
	records = xnew_n(struct acl_record, ATTRS_ACL_MAX);
	n = collect_acl(entry, type, records);
	/* Three entries say what the mode says. */
	if (n <= 3 && type == ARCHIVE_ENTRY_ACL_TYPE_ACCESS)
		return 0;
	qsort(records, n, sizeof(*records), by_tag_and_id);
	(void) buf_add(&value, &version, sizeof(version));
	(void) buf_add(&value, records, n * sizeof(*records));
	return apply_xattr(t, xattr, value.data, value.len, &dropped, err);
}

int attrs_apply(const struct attrs_target *t, struct archive_entry *entry, uint64_t *dropped,
        struct err *err)
{
	int r = apply_owner(t, entry, err);

	if (r == 0)
		r = apply_mode(t, entry, err);
	if (r == 0)
		r = apply_xattrs(t, entry, dropped, err);
	if (r == 0)
		r = apply_acl(
		        t, entry, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, "system.posix_acl_access", err);
	if (r == 0)
		r = apply_acl(
		        t, entry, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, "system.posix_acl_default", err);
	return r;
}

/* --- times ------------------------------------------------------------------------------------ */

void attrs_times(struct archive_entry *entry, struct timespec ret[2])
{
	/* The access time is what nobody wants to depend on: the same, not today's. */
	ret[0] = (struct timespec){
		.tv_sec = archive_entry_mtime(entry),
		.tv_nsec = archive_entry_mtime_nsec(entry),
	};
	if (ret[0].tv_nsec < 0 || ret[0].tv_nsec > 999999999)
		ret[0].tv_nsec = 0;
	ret[1] = ret[0];
}

int attrs_apply_time(const struct attrs_target *t, struct archive_entry *entry, struct err *err)
{
	struct timespec times[2];

	attrs_times(entry, times);
	if (t->fd >= 0 ? futimens(t->fd, times) < 0
	               : utimensat(t->parent_fd, t->last, times, AT_SYMLINK_NOFOLLOW) < 0)
		return failed(t, err, "time");
	return 0;
}
