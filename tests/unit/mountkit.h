/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * For tests of mounts: bodies run in a forked child with a private mount namespace, play the
 * supervisor first, and become the container's child by mountkit_enter(). A body that returns has
 * passed; CHECK and OK end it with a message.
 */
#include "testkit.h"

#include "base/err.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			(void) fprintf(stderr, "%s:%d: not true: %s (%s)\n", __FILE__, __LINE__,   \
			        #condition, strerror(errno));                                      \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)
/* A call that takes &err and must succeed. */
#define OK(call)                                                                                   \
	do {                                                                                       \
		if ((call) < 0) {                                                                  \
			(void) fprintf(                                                            \
			        stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #call, err.text);   \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)
/* A call that takes &err and must fail with this errno and a text that holds part. */
#define REFUSED(code, part, call)                                                                  \
	do {                                                                                       \
		int refused_r = (call);                                                            \
		if (refused_r != -(code) || !strstr(err.text, part)) {                             \
			(void) fprintf(stderr, "%s:%d: %s: %d, '%s'\n", __FILE__, __LINE__, #call, \
			        refused_r, err.text);                                              \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

/* Runs the body as described; skips the test, with the reason, when this is not the host's
 * root with CAP_SYS_ADMIN. The scratch folder is made first. */
void mountkit_run(void (*body)(void));
/* New mount, pid, ipc, uts, net and cgroup namespaces; with userns also a user namespace that maps
 * 0..65535 to MOUNTKIT_BASE.., as its root. Returns in a new process, pid 1 of its namespace; the
 * caller's process waits for it and ends with its result. */
enum { MOUNTKIT_BASE = 700000 };
void mountkit_enter(bool userns);

/* Helpers on paths below the scratch folder. */
const char *mountkit_path(const char *name); /* static storage, eight of them in turn */
void mountkit_mkdir(const char *name);       /* and what is missing above it */
void mountkit_write(const char *path, const char *text);
bool mountkit_contains(const char *path, const char *text);
