/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The record of a container: what its shim says about its life, and the lock that proves that the
 * shim lives.
 *
 * Theory of operation. Each container has a folder containers/ID in the state folder, and in it one
 * file 'status' of RECORD_SIZE bytes: lines "key value", a check sum, blanks up to the size. The
 * shim's keeper holds a record lock (fcntl) on that very file for life and is the only one that
 * writes it, in one pwrite; a reader that sees a torn text reads again. So one open, one question
 * for the lock and one read say everything about a container, without a daemon.
 *
 * A held lock is the only proof of life; pids are never trusted. A text that says 'running' while
 * nobody holds the lock is that of a shim that was killed: record_read() tells, and the engine
 * repairs it under the lock. A text of another boot is that of a machine that went down.
 *
 * Record locks belong to a process: a process that holds one must not open the file again, because
 * the first close would drop the lock.
 */
#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

enum {
	RECORD_SIZE = 1024,
	RECORD_TEXT_MAX = 400, /* of the error */
	RECORD_BOOT_ID_SIZE = 37,
};
#define RECORD_FILE "status"

enum record_state {
	RECORD_CREATED = 1,
	RECORD_STARTING, /* the shim is at work, nothing of the container runs yet */
	RECORD_RUNNING,
	RECORD_RESTARTING, /* ended, and the shim waits to start it again */
	RECORD_EXITED,
	RECORD_REMOVING, /* a command removes it; what it leaves half-done is finished by the next
	                    one */
};

enum record_health {
	RECORD_HEALTH_NONE,
	RECORD_HEALTH_STARTING,
	RECORD_HEALTH_HEALTHY,
	RECORD_HEALTH_UNHEALTHY,
};

struct record {
	enum record_state state;
	pid_t pid;                 /* of the container's first process; 0: none */
	pid_t shim_pid;            /* of the keeper; for people only */
	int64_t started, finished; /* nanoseconds since 1970; 0: never */
	int32_t exit_code;         /* of the last run */
	bool oom_killed;   /* the kernel ended a process for want of memory in the last run */
	uint32_t restarts; /* by the policy, since the last start by a person */
	enum record_health health;
	uint32_t failing; /* probes that failed in a row */
	char boot_id[RECORD_BOOT_ID_SIZE];
	char error[RECORD_TEXT_MAX]; /* why the last start failed; "" */
};

/* "created", "running", ... as docker's State.Status; a living shim that starts is "created". */
const char *record_state_name(enum record_state state);
/* "none", "starting", "healthy", "unhealthy". */
const char *record_health_name(enum record_health health);

/* Text of RECORD_SIZE bytes and back. record_decode: -EBADMSG for anything that record_encode does
 * not write (keys that are not known are skipped: a newer shim may say more). */
void record_encode(const struct record *r, char out[RECORD_SIZE]);
int record_decode(const char *text, size_t len, struct record *ret);

/* Makes the file in the folder 'dirfd' with the record and locks it. Returns the locked fd, -EEXIST
 * when it is there. */
int record_make(int dirfd, const struct record *r);
/* Opens and locks the file, and reads it. Returns the fd; -EWOULDBLOCK: a shim (or another command)
 * holds it; -ENOENT. wait_ms: how long to wait for the lock. */
int record_lock(int dirfd, int wait_ms, struct record *ret);
/* Writes the record to the fd of record_make or record_lock. */
int record_write(int fd, const struct record *r);
/* Reads without locking. *ret_alive (may be NULL): somebody holds the lock. -EBADMSG: damaged.
 * -ENOENT: none. */
int record_read(int dirfd, struct record *ret, bool *ret_alive);
/* The same for the file 'path' below dirfd. */
int record_read_at(int dirfd, const char *path, struct record *ret, bool *ret_alive);
/* The process that holds the lock; 0: nobody, or it cannot be seen from here. */
pid_t record_owner(int dirfd);
