/* SPDX-License-Identifier: Apache-2.0 */
#include "userdb/userdb.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- lines of a hostile file ----------------------------------------------------------------- */

enum { READ_SIZE = 16 << 10 };

struct lines {
	int fd;
	const char *path; /* for messages */
	char *chunk;      /* READ_SIZE bytes, as read */
	size_t at, end;
	char *line; /* USERDB_LINE_MAX bytes */
	size_t total, entries;
};

static void lines_done(struct lines *l)
{
	fd_closep(&l->fd);
	free(l->chunk);
	free(l->line);
}

/* Opens the file inside the root; a missing one leaves l->fd empty, which reads as an empty file.
 */
static int lines_open(struct lines *l, int rootfd, const char *path, struct err *err)
{
	struct stat st;
	int fd = path_open_in(rootfd, path, PATH_IN_ROOT, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);

	l->path = path;
	if (fd == -ENOENT || fd == -ENOTDIR)
		return 0;
	if (fd < 0)
		return err_errno(err, fd, "cannot open '/%s' of the root file system", path);
	l->fd = fd;
	if (fstat(fd, &st) < 0)
		return err_errno(err, -errno, "cannot look at '/%s' of the root file system", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, -EBADMSG,
		        "'/%s' of the root file system is not a regular file, it cannot be used to "
		        "look up users and groups",
		        path);
	l->chunk = xmalloc(READ_SIZE);
	l->line = xmalloc(USERDB_LINE_MAX);
	return 0;
}

/* The next byte, -1 at the end, -2 on an error. */
static int next_byte(struct lines *l, struct err *err, int *ret_error)
{
	if (l->at == l->end) {
		ssize_t n = read(l->fd, l->chunk, READ_SIZE);

		if (n < 0) {
			*ret_error = err_errno(
			        err, -errno, "cannot read '/%s' of the root file system", l->path);
			return -2;
		}
		l->total += (size_t) n;
		if (l->total > USERDB_FILE_MAX) {
			*ret_error = err_set(err, -EFBIG,
			        "'/%s' of the root file system is larger than %d bytes", l->path,
			        USERDB_FILE_MAX);
			return -2;
		}
		if (n == 0)
			return -1;
		l->at = 0;
		l->end = (size_t) n;
	}
	return (unsigned char) l->chunk[l->at++];
}

/* One line into l->line. Returns 1, 0 at the end of the file, or an error. Lines that are too long
 * or hold a NUL are skipped. */
static int next_line(struct lines *l, struct err *err)
{
	size_t len = 0;
	bool bad = false;
	int error = 0;

	if (l->fd < 0)
		return 0;
	for (;;) {
		int c = next_byte(l, err, &error);

		if (c == -2)
			return error;
		if (c == -1 && len == 0)
			return 0;
		if (c == '\n' || c == -1) {
			if (++l->entries > USERDB_ENTRIES_MAX)
				return err_set(err, -EFBIG,
				        "'/%s' of the root file system has more than %d lines",
				        l->path, USERDB_ENTRIES_MAX);
			if (!bad && len > 0) {
				l->line[len] = '\0';
				return 1;
			}
			if (c == -1)
				return 0;
			len = 0;
			bad = false;
		} else if (c == '\0' || len + 1 >= USERDB_LINE_MAX) {
			bad = true;
			len = MAX(len, (size_t) 1);
		} else {
			l->line[len++] = (char) c;
		}
	}
}

/* --- one line -------------------------------------------------------------------------------- */

static bool all_digits(const char *s)
{
	return *s && s[strspn(s, "0123456789")] == '\0';
}

/* A number that the kernel takes as an id. */
static int parse_id(const char *s, uint32_t *ret)
{
	int r;

	/* Decimal, whatever zeros are in front: "007" is 7 to docker as well. */
	while (s[0] == '0' && s[1])
		s++;
	r = num_parse_u32(s, ret);
	if (r < 0)
		return r;
	return *ret <= USERDB_ID_MAX ? 0 : -ERANGE;
}

static bool good_name(const char *name)
{
	return *name && strlen(name) < USERDB_NAME_MAX && !all_digits(name);
}

/* Cuts the line at its colons; returns the number of fields, more than max when there are more. */
static size_t split(char *line, char **fields, size_t max)
{
	size_t n = 0;

	for (char *field; (field = strsep(&line, ":"));) {
		if (n == max)
			return max + 1;
		fields[n++] = field;
	}
	return n;
}

int userdb_parse_passwd_line(char *line, struct userdb_passwd_line *ret)
{
	char *f[7];
	uint32_t uid, gid;

	/* name:password:uid:gid:comment:home:shell; what is behind the home may be missing. */
	size_t n = split(line, f, ARRAY_SIZE(f));

	if (n < 4 || n > ARRAY_SIZE(f) || !good_name(f[0]) || parse_id(f[2], &uid) < 0 ||
	        parse_id(f[3], &gid) < 0)
		return -EBADMSG;
	*ret = (struct userdb_passwd_line){
		.name = f[0],
		.uid = uid,
		.gid = gid,
		.home = n > 5 ? f[5] : "",
	};
	return 0;
}

int userdb_parse_group_line(char *line, struct userdb_group_line *ret)
{
	static char none[] = "";
	char *f[4];
	uint32_t gid;
	size_t n = split(line, f, ARRAY_SIZE(f));

	/* name:password:gid:member,member */
	if (n < 3 || n > ARRAY_SIZE(f) || !good_name(f[0]) || parse_id(f[2], &gid) < 0)
		return -EBADMSG;
	*ret = (struct userdb_group_line){
		.name = f[0],
		.gid = gid,
		.members = n > 3 ? f[3] : none,
	};
	return 0;
}

/* True if the comma-separated list holds the name. */
static bool lists_member(const char *members, const char *name)
{
	size_t len = strlen(name);

	while (*members) {
		size_t n = strcspn(members, ",");

		if (n == len && memcmp(members, name, len) == 0)
			return true;
		members += n;
		members += *members == ',';
	}
	return false;
}

/* --- look-ups -------------------------------------------------------------------------------- */

#define LINES_INIT                                                                                 \
	{                                                                                          \
		.fd = -EBADF                                                                       \
	}

/* Finds a passwd line by name, or by uid when name is NULL. Returns 1 and fills user, 0 when there
 * is none. */
static int find_user(
        int rootfd, const char *name, uid_t uid, struct userdb_user *user, struct err *err)
{
	_cleanup_(lines_done) struct lines l = LINES_INIT;
	int r = lines_open(&l, rootfd, "etc/passwd", err);

	if (r < 0)
		return r;
	while ((r = next_line(&l, err)) > 0) {
		struct userdb_passwd_line entry;

		if (userdb_parse_passwd_line(l.line, &entry) < 0)
			continue;
		if (name ? !streq(entry.name, name) : entry.uid != uid)
			continue;
		user->uid = entry.uid;
		user->gid = entry.gid;
		memcpy(user->name, entry.name, strlen(entry.name) + 1);
		if (entry.home[0] == '/' && strlen(entry.home) < sizeof(user->home))
			memcpy(user->home, entry.home, strlen(entry.home) + 1);
		return 1;
	}
	return r;
}

/* The gid of a group name: 1 when found, 0 when not. */
static int find_group(int rootfd, const char *name, gid_t *ret_gid, struct err *err)
{
	_cleanup_(lines_done) struct lines l = LINES_INIT;
	int r = lines_open(&l, rootfd, "etc/group", err);

	if (r < 0)
		return r;
	while ((r = next_line(&l, err)) > 0) {
		struct userdb_group_line entry;

		if (userdb_parse_group_line(l.line, &entry) < 0 || !streq(entry.name, name))
			continue;
		*ret_gid = entry.gid;
		return 1;
	}
	return r;
}

static int add_group(struct userdb_user *user, gid_t gid, struct err *err)
{
	for (size_t i = 0; i < user->n_groups; i++)
		if (user->groups[i] == gid)
			return 0;
	if (user->n_groups == USERDB_GROUPS_MAX)
		return err_set(err, -EFBIG,
		        "a user of the root file system is in more than %d groups",
		        USERDB_GROUPS_MAX);
	user->groups[user->n_groups++] = gid;
	return 0;
}

/* The groups of /etc/group that list the user's name. */
static int find_memberships(int rootfd, struct userdb_user *user, struct err *err)
{
	_cleanup_(lines_done) struct lines l = LINES_INIT;
	int r = lines_open(&l, rootfd, "etc/group", err);

	if (r < 0)
		return r;
	while ((r = next_line(&l, err)) > 0) {
		struct userdb_group_line entry;

		if (userdb_parse_group_line(l.line, &entry) < 0 ||
		        !lists_member(entry.members, user->name))
			continue;
		r = add_group(user, entry.gid, err);
		if (r < 0)
			return r;
	}
	return r;
}

static int bad_text(struct err *err, int code, const char *what, const char *text, const char *why)
{
	_free_ char *shown = str_escaped(text);

	return err_set(err, code, "unable to find %s %s: %s", what, shown, why);
}

/* The user half of the text. */
static int look_up_user(int rootfd, const char *text, struct userdb_user *user, struct err *err)
{
	uint32_t uid = 0;
	int r;

	if (*text && !all_digits(text)) {
		r = find_user(rootfd, text, 0, user, err);
		if (r == 0)
			return bad_text(
			        err, -ENOENT, "user", text, "no matching entries in passwd file");
		return MIN(r, 0);
	}
	if (*text && parse_id(text, &uid) < 0)
		return bad_text(
		        err, -ERANGE, "user", text, "the number is too large for a user id");
	user->uid = uid;
	r = find_user(rootfd, NULL, uid, user, err);
	return MIN(r, 0);
}

/* A group by number or name. */
static int look_up_group(int rootfd, const char *text, gid_t *ret_gid, struct err *err)
{
	int r;

	if (all_digits(text)) {
		if (parse_id(text, ret_gid) < 0)
			return bad_text(err, -ERANGE, "group", text,
			        "the number is too large for a group id");
		return 0;
	}
	r = find_group(rootfd, text, ret_gid, err);
	if (r == 0)
		return bad_text(err, -ENOENT, "group", text, "no matching entries in group file");
	return MIN(r, 0);
}

int userdb_add_group(int rootfd, const char *group, struct userdb_user *user, struct err *err)
{
	gid_t gid = 0;
	int r = look_up_group(rootfd, group, &gid, err);

	return r < 0 ? r : add_group(user, gid, err);
}

int userdb_lookup(int rootfd, const char *user, struct userdb_user *ret, struct err *err)
{
	struct userdb_user found = { .home = "/" };
	_free_ char *copy = NULL;
	char *group;
	int r;

	if (strlen(user) >= 2 * (size_t) USERDB_NAME_MAX)
		return bad_text(err, -EINVAL, "user", user, "the name is too long");
	copy = xstrdup(user);
	group = strchr(copy, ':');
	if (group)
		*group++ = '\0';
	if (group && strchr(group, ':'))
		return bad_text(err, -EINVAL, "user", user, "expected user or user:group");

	r = look_up_user(rootfd, copy, &found, err);
	if (r < 0)
		return r;
	if (group && *group)
		r = look_up_group(rootfd, group, &found.gid, err);
	if (r < 0)
		return r;
	r = add_group(&found, found.gid, err);
	if (r == 0 && !(group && *group) && *found.name)
		r = find_memberships(rootfd, &found, err);
	if (r < 0)
		return r;
	*ret = found;
	return 0;
}

int userdb_home(int rootfd, uid_t uid, char *ret_home, size_t size, struct err *err)
{
	struct userdb_user found = { .home = "/" };
	int r = find_user(rootfd, NULL, uid, &found, err);

	if (r < 0)
		return r;
	if (strlen(found.home) >= size)
		return err_set(err, -ENAMETOOLONG, "the home folder of uid %u is too long",
		        (unsigned int) uid);
	memcpy(ret_home, found.home, strlen(found.home) + 1);
	return 0;
}
