/* SPDX-License-Identifier: Apache-2.0 */
/* How much a container has written. Its folder changes while we look, and its content is nobody's
 * friend: entries are opened by their folder's descriptor, no link is followed, and depth and
 * memory are bounded. */
#include "engine/inspect.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "engine/containers.h"
#include "store/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	DEPTH_MAX = 500, /* one descriptor each */
	LINKED_MAX = 1 << 20,
};

/* Inodes with several names that were counted: a hash table with open addressing, at most half
 * full. 0 is an empty place. */
struct linked {
	uint64_t *inodes;
	size_t n, size;
};

struct walk {
	DIR *dirs[DEPTH_MAX];
	size_t depth;
	struct linked linked;
	uint64_t bytes;
};

static void walk_done(struct walk *w)
{
	while (w->depth > 0)
		(void) closedir(w->dirs[--w->depth]);
	free(w->linked.inodes);
}

static uint64_t *place_of(const struct linked *l, uint64_t inode)
{
	size_t at = (size_t) (inode * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (l->size - 1);

	while (l->inodes[at] && l->inodes[at] != inode)
		at = (at + 1) & (l->size - 1);
	return &l->inodes[at];
}

static void grow(struct linked *l)
{
	struct linked larger = { .n = l->n, .size = l->size ? l->size * 2 : 1024 };

	larger.inodes = xnew_n(uint64_t, larger.size);
	for (size_t i = 0; i < l->size; i++)
		if (l->inodes[i])
			*place_of(&larger, l->inodes[i]) = l->inodes[i];
	free(l->inodes);
	*l = larger;
}

/* True when the inode was not there yet. */
static bool is_new(struct linked *l, uint64_t inode)
{
	uint64_t *place;

	if (l->n >= LINKED_MAX)
		return true;
	if (l->n * 2 >= l->size)
		grow(l);
	place = place_of(l, inode);
	if (*place)
		return false;
	*place = inode;
	l->n++;
	return true;
}

static int enter(struct walk *w, int dirfd, const char *name)
{
	_close_ int fd = path_open_in(
	        dirfd, name, PATH_BENEATH_NO_LINKS, O_RDONLY | O_DIRECTORY | O_NOATIME, 0);
	DIR *d;

	if (fd < 0)
		return fd;
	d = fdopendir(fd);
	if (!d)
		return -errno;
	(void) TAKE_FD(fd);
	w->dirs[w->depth++] = d;
	return 0;
}

static void count(struct walk *w, const struct stat *st)
{
	bool has_bytes = S_ISREG(st->st_mode) || S_ISLNK(st->st_mode);

	if (has_bytes && (st->st_nlink == 1 || is_new(&w->linked, st->st_ino)))
		w->bytes += (uint64_t) st->st_size;
}

/* What vanishes while we look is not counted. */
static void walk(struct walk *w)
{
	while (w->depth > 0) {
		DIR *d = w->dirs[w->depth - 1];
		struct dirent *e = readdir(d);
		struct stat st;

		if (!e) {
			(void) closedir(d);
			w->depth--;
			continue;
		}
		if (streq(e->d_name, ".") || streq(e->d_name, "..") ||
		        fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISDIR(st.st_mode) && w->depth < DEPTH_MAX)
			(void) enter(w, dirfd(d), e->d_name);
		else
			count(w, &st);
	}
}

int inspect_size(struct engine *e, const struct container *c, uint64_t *ret, struct err *err)
{
	_free_ char *upper = xprintf("fs/rw/%s/upper", c->id);
	_cleanup_(walk_done) struct walk w = { .depth = 0 };
	int r = enter(&w, store_dir(e->store), upper);

	if (r < 0 && r != -ENOENT)
		return err_errno(
		        err, r, "cannot open the writable folder of container '%.12s'", c->id);
	walk(&w);
	*ret = w.bytes;
	return 0;
}
