/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The passwd and group files of an image: who "www-data" is inside this root.
 *
 * Theory of operation: the files belong to the image and may be anything: huge, binary, one endless
 * line, a FIFO, a link to /proc. They are opened inside the root without following magic links and
 * without blocking, must be regular files, and are read line by line through one small buffer with
 * the limits below; nothing is allocated by their size. No NSS, no locale.
 *
 * What a user text means ("user[:group]", as in an image config and docker's --user):
 *   ""            uid 0, gid 0 and root's groups, as if "0"
 *   digits        a number, before any name is looked at (CVE-2016-3697: an image's passwd with an
 *                 entry named "1000" and uid 0); a line whose name is all digits is never used.
 *                 A user number takes its gid, home and groups from its passwd line when there is
 *                 one, else gid 0 and "/"
 *   anything else a name that must be there
 * Without ":group" the supplementary groups are those of /etc/group that list the user's name; with
 * it gid is the group and there are no others (docker's rule). The list always holds the primary
 * gid too, so that a set-gid program cannot lose it (CVE-2022-36109).
 */
#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

enum {
	USERDB_FILE_MAX = 4 << 20,  /* bytes looked at of one file; more is an error */
	USERDB_LINE_MAX = 64 << 10, /* a longer line is skipped: group lines list their members */
	USERDB_ENTRIES_MAX = 65536, /* lines */
	USERDB_GROUPS_MAX = 256,    /* supplementary groups that are kept; more is an error */
	USERDB_NAME_MAX = 256,      /* bytes of a user or group name, with NUL */
	USERDB_HOME_MAX = 1024,     /* a longer home is left out ("/") */
};
/* Ids above this are refused: (uint32_t) -1 means "no change" to the kernel. */
#define USERDB_ID_MAX 4294967294U

struct userdb_user {
	uid_t uid;
	gid_t gid;
	char name[USERDB_NAME_MAX]; /* of the passwd line; "" when there was none */
	char home[USERDB_HOME_MAX]; /* absolute; "/" when there is none */
	gid_t groups[USERDB_GROUPS_MAX];
	size_t n_groups;
};

/* Looks the text up in etc/passwd and etc/group inside rootfd. -ENOENT: the name is not there;
 * -EINVAL: bad text; -ERANGE: number too large; -EFBIG: a file passes a limit; -EBADMSG: passwd or
 * group is there and is not a regular file. A missing file is an empty one. */
int userdb_lookup(int rootfd, const char *user, struct userdb_user *ret, struct err *err);
/* The home folder of a uid: its passwd line's, else "/" (the first line with that uid counts). */
int userdb_home(int rootfd, uid_t uid, char *ret_home, size_t size, struct err *err);

/* Adds a further group to the user's list: a number, or a name of etc/group inside rootfd (-ENOENT
 * when it is not there). One that is in the list already is not added twice. */
int userdb_add_group(int rootfd, const char *group, struct userdb_user *user, struct err *err);

/* Parsers of one line, pure; used by the above and by the fuzzer. 'line' is changed. Texts point
 * into it. Return 0, or -EBADMSG for a line that is not an entry. */
struct userdb_passwd_line {
	const char *name, *home;
	uid_t uid;
	gid_t gid;
};
struct userdb_group_line {
	const char *name;
	char *members; /* comma-separated */
	gid_t gid;
};
int userdb_parse_passwd_line(char *line, struct userdb_passwd_line *ret);
int userdb_parse_group_line(char *line, struct userdb_group_line *ret);
