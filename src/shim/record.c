/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/record.h"

#include "base/fd.h"
#include "base/str.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { TORN_TRIES = 50, LOCK_STEP_MS = 5 };

static const char heading[] = "bulkhead-status 1\n";

static const char *const states[] = {
	[RECORD_CREATED] = "created",
	[RECORD_STARTING] = "starting",
	[RECORD_RUNNING] = "running",
	[RECORD_RESTARTING] = "restarting",
	[RECORD_EXITED] = "exited",
	[RECORD_REMOVING] = "removing",
};

static const char *const healths[] = {
	[RECORD_HEALTH_NONE] = "none",
	[RECORD_HEALTH_STARTING] = "starting",
	[RECORD_HEALTH_HEALTHY] = "healthy",
	[RECORD_HEALTH_UNHEALTHY] = "unhealthy",
};

const char *record_state_name(enum record_state state)
{
	return state == RECORD_STARTING ? states[RECORD_CREATED] : states[state];
}

const char *record_health_name(enum record_health health)
{
	return healths[health];
}

/* --- text ------------------------------------------------------------------------------------- */

/* FNV-1a: against torn and cut texts, not against an attacker, who cannot reach the file. */
static uint32_t sum_of(const char *text, size_t len)
{
	uint32_t sum = 2166136261u;

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ (unsigned char) text[i]) * 16777619u;
	return sum;
}

void record_encode(const struct record *r, char out[RECORD_SIZE])
{
	_buf_done_ struct buf text = BUF_INIT(RECORD_SIZE);
	_buf_done_ struct buf error = BUF_INIT(RECORD_TEXT_MAX + 4);

	for (const char *p = r->error; *p; p++)
		if (buf_addc(&error, *p >= ' ' && *p < 0x7f ? *p : '?') < 0)
			break;
	(void) buf_addf(&text,
	        "%sstate %s\npid %d\nshim %d\nstarted %lld\nfinished %lld\nexit %d\noom %d\n"
	        "restarts %u\nhealth %s\nfailing %u\nboot %s\nerror %s\n",
	        heading, states[r->state], (int) r->pid, (int) r->shim_pid, (long long) r->started,
	        (long long) r->finished, (int) r->exit_code, r->oom_killed, r->restarts,
	        healths[r->health], r->failing, r->boot_id, buf_str(&error));
	(void) buf_addf(&text, "sum %08x\n", sum_of(buf_str(&text), text.len));
	memset(out, ' ', RECORD_SIZE);
	memcpy(out, buf_str(&text), MIN(text.len, (size_t) RECORD_SIZE));
	out[RECORD_SIZE - 1] = '\n';
}

static int name_in(const char *const *names, size_t n, const char *value)
{
	for (size_t i = 0; i < n; i++)
		if (names[i] && streq(names[i], value))
			return (int) i;
	return -EBADMSG;
}

static int set_text(char *field, size_t size, const char *value)
{
	if (strlen(value) >= size)
		return -EBADMSG;
	(void) snprintf(field, size, "%s", value);
	return 0;
}

static int set_number(struct record *r, const char *key, int64_t n)
{
	if (streq(key, "pid") && n >= 0 && n <= INT32_MAX)
		r->pid = (pid_t) n;
	else if (streq(key, "shim") && n >= 0 && n <= INT32_MAX)
		r->shim_pid = (pid_t) n;
	else if (streq(key, "started") && n >= 0)
		r->started = n;
	else if (streq(key, "finished") && n >= 0)
		r->finished = n;
	else if (streq(key, "exit") && n >= 0 && n <= 255)
		r->exit_code = (int32_t) n;
	else if (streq(key, "oom") && n >= 0 && n <= 1)
		r->oom_killed = n == 1;
	else if (streq(key, "restarts") && n >= 0 && n <= UINT32_MAX)
		r->restarts = (uint32_t) n;
	else if (streq(key, "failing") && n >= 0 && n <= UINT32_MAX)
		r->failing = (uint32_t) n;
	else
		return -EBADMSG;
	return 0;
}

static int set_field(struct record *r, const char *key, const char *value)
{
	static const char *const numbers[] = { "pid", "shim", "started", "finished", "exit", "oom",
		"restarts", "failing" };
	int64_t n;
	int k = 0;

	if (streq(key, "state")) {
		k = name_in(states, ARRAY_SIZE(states), value);
		r->state = k < 0 ? 0 : (enum record_state) k;
	} else if (streq(key, "health")) {
		k = name_in(healths, ARRAY_SIZE(healths), value);
		r->health = k < 0 ? 0 : (enum record_health) k;
	} else if (streq(key, "boot")) {
		k = set_text(r->boot_id, sizeof(r->boot_id), value);
	} else if (streq(key, "error")) {
		k = set_text(r->error, sizeof(r->error), value);
	} else if (name_in(numbers, ARRAY_SIZE(numbers), key) >= 0) {
		k = num_parse_i64(value, &n) < 0 ? -EBADMSG : set_number(r, key, n);
	}
	return k < 0 ? k : 0;
}

/* One line "key value" between p and end. */
static int read_line(struct record *r, const char *p, const char *end)
{
	_free_ char *line = xstrndup(p, (size_t) (end - p));
	char *blank = strchr(line, ' ');

	if (!blank || strlen(line) != (size_t) (end - p))
		return -EBADMSG;
	*blank = '\0';
	return set_field(r, line, blank + 1);
}

/* The line of the sum, which ends the text; NULL when there is none. */
static const char *find_sum(const char *text, size_t len)
{
	const char *p = memmem(text, len, "\nsum ", 5);

	return p ? p + 1 : NULL;
}

int record_decode(const char *text, size_t len, struct record *ret)
{
	struct record r = { .state = 0 };
	const char *sum, *p = text + strlen(heading);
	char want[16];

	if (len != RECORD_SIZE || memcmp(text, heading, strlen(heading)) != 0)
		return -EBADMSG;
	sum = find_sum(text, len);
	if (!sum || text + len - sum < 13)
		return -EBADMSG;
	(void) snprintf(want, sizeof(want), "sum %08x\n", sum_of(text, (size_t) (sum - text)));
	if (memcmp(sum, want, strlen(want)) != 0)
		return -EBADMSG;
	while (p < sum) {
		const char *end = memchr(p, '\n', (size_t) (sum - p));
		int k = end ? read_line(&r, p, end) : -EBADMSG;

		if (k < 0)
			return k;
		p = end + 1;
	}
	if (r.state == 0)
		return -EBADMSG;
	*ret = r;
	return 0;
}

/* --- file and lock ---------------------------------------------------------------------------- */

static int take_lock(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	while (fcntl(fd, F_SETLK, &lock) < 0) {
		if (errno == EACCES || errno == EAGAIN)
			return -EWOULDBLOCK;
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

/* Who holds the lock: 0 nobody, -1 somebody whose number is not known here. */
static pid_t lock_owner(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(fd, F_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
		return 0;
	return lock.l_pid > 0 ? lock.l_pid : -1;
}

/* The writer writes all of it in one call, but a reader on another CPU may see half of it. */
static int read_text(int fd, struct record *ret)
{
	char text[RECORD_SIZE];
	int r = -EBADMSG;

	for (int i = 0; i < TORN_TRIES && r == -EBADMSG; i++) {
		ssize_t n = pread(fd, text, sizeof(text), 0);

		if (n < 0)
			return -errno;
		r = record_decode(text, (size_t) n, ret);
		if (r < 0 && n == 0)
			return r;
	}
	return r;
}

int record_write(int fd, const struct record *r)
{
	char text[RECORD_SIZE];
	ssize_t n;

	record_encode(r, text);
	do
		n = pwrite(fd, text, sizeof(text), 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n == sizeof(text) ? 0 : -ENOSPC;
}

int record_make(int dirfd, const struct record *r)
{
	_close_ int fd = openat(
	        dirfd, RECORD_FILE, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	int k;

	if (fd < 0)
		return -errno;
	k = take_lock(fd);
	if (k == 0)
		k = record_write(fd, r);
	return k < 0 ? k : TAKE_FD(fd);
}

static void sleep_ms(int ms)
{
	const struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = (long) ms % 1000 * 1000000 };

	(void) nanosleep(&t, NULL);
}

int record_lock(int dirfd, int wait_ms, struct record *ret)
{
	_close_ int fd = openat(dirfd, RECORD_FILE, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	int k;

	if (fd < 0)
		return -errno;
	while ((k = take_lock(fd)) == -EWOULDBLOCK && wait_ms > 0) {
		sleep_ms(MIN(LOCK_STEP_MS, wait_ms));
		wait_ms -= LOCK_STEP_MS;
	}
	if (k < 0)
		return k;
	/* Removed by the one who held it before us. */
	if (fstat(fd, &st) < 0 || st.st_nlink == 0)
		return -ENOENT;
	k = read_text(fd, ret);
	if (k == -EBADMSG)
		*ret = (struct record){ .state = RECORD_EXITED,
			.exit_code = 255,
			.error = "the record of its state was damaged" };
	else if (k < 0)
		return k;
	return TAKE_FD(fd);
}

int record_read_at(int dirfd, const char *path, struct record *ret, bool *ret_alive)
{
	_close_ int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return -errno;
	/* The lock first: a shim that ends in between writes before it lets go. */
	if (ret_alive)
		*ret_alive = lock_owner(fd) != 0;
	return read_text(fd, ret);
}

int record_read(int dirfd, struct record *ret, bool *ret_alive)
{
	return record_read_at(dirfd, RECORD_FILE, ret, ret_alive);
}

pid_t record_owner(int dirfd)
{
	_close_ int fd = openat(dirfd, RECORD_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	pid_t pid = fd < 0 ? 0 : lock_owner(fd);

	return MAX(pid, 0);
}
