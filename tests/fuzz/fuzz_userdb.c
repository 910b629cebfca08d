/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The user data base of an image. Input: the user text, a NUL, the passwd file, a NUL, the group
 * file (further NULs belong to it). The files are put into a folder of their own, since the reader
 * of lines is part of what is tested.
 */
#include "userdb/userdb.h"

#include "base/fd.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 1024 };

static char folder[] = "/tmp/fuzz-userdb-XXXXXX";
static int root = -EBADF;

static void remove_folder(void)
{
	(void) unlinkat(root, "etc/passwd", 0);
	(void) unlinkat(root, "etc/group", 0);
	(void) unlinkat(root, "etc", AT_REMOVEDIR);
	(void) rmdir(folder);
}

static void make_folder(void)
{
	if (root >= 0)
		return;
	if (!mkdtemp(folder))
		abort();
	root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || mkdirat(root, "etc", 0700) < 0 || atexit(remove_folder) != 0)
		abort();
}

static void put(const char *name, const uint8_t *data, size_t size)
{
	_close_ int fd = openat(root, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || fd_write_all(fd, data, size) < 0)
		abort();
}

/* The part up to a NUL or the end; moves behind it. */
static size_t part(const uint8_t **data, size_t *size, const uint8_t **ret)
{
	const uint8_t *nul = memchr(*data, 0, *size);
	size_t len = nul ? (size_t) (nul - *data) : *size;

	*ret = *data;
	*data += nul ? len + 1 : len;
	*size -= nul ? len + 1 : len;
	return len;
}

static void check(const char *text, const struct userdb_user *u)
{
	size_t digits = strspn(text, "0123456789");

	if (u->uid > USERDB_ID_MAX || u->gid > USERDB_ID_MAX || u->home[0] != '/')
		abort();
	if (u->n_groups < 1 || u->n_groups > USERDB_GROUPS_MAX || u->groups[0] != u->gid)
		abort();
	if (*u->name && strspn(u->name, "0123456789") == strlen(u->name))
		abort();
	/* A number is that number, whatever the files say. */
	if (digits > 0 && (text[digits] == '\0' || text[digits] == ':') &&
	        strtoull(text, NULL, 10) != u->uid)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[TEXT_MAX + 1], home[USERDB_HOME_MAX];
	struct userdb_user user;
	const uint8_t *bytes;
	struct err err;
	size_t n;

	make_folder();
	n = part(&data, &size, &bytes);
	if (n > TEXT_MAX)
		return 0;
	memcpy(text, bytes, n);
	text[n] = '\0';
	n = part(&data, &size, &bytes);
	put("etc/passwd", bytes, n);
	put("etc/group", data, size);
	if (userdb_lookup(root, text, &user, &err) == 0)
		check(text, &user);
	if (userdb_home(root, 33, home, sizeof(home), &err) == 0 && home[0] != '/')
		abort();
	return 0;
}
