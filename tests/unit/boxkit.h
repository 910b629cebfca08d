/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Containers for tests of the executor: a box holds the steps of a plan in any order, starts with a
 * busybox root and every namespace but user and time, and is run to its end. Needs root.
 */
#include "testkit.h"

#include "facts/facts.h"
#include "sandbox/sandbox.h"

#include <sys/types.h>

#define LIST(...)        ((const char *const[]){ __VA_ARGS__, NULL })
#define SHELL(script)    ((const char *const[]){ "sh", "-c", (script), NULL })
#define STEP(kind_, ...) (&(struct plan_step){ .kind = PLAN_##kind_, __VA_ARGS__ })

enum { STEPS = 128, HOST_BASE = 1000000 };

struct box {
	struct plan_step steps[STEPS];
	size_t n;
	struct sandbox_io io;
	char root[512];
	char group[128];
};

struct outcome {
	int r;         /* of sandbox_apply */
	int exit_code; /* of sandbox_apply or sandbox_wait_exec */
	int status;    /* of the program, as the shell tells it */
	char out[65536];
	struct err err;
};

/* What the machine offers; filled by boxkit_setup. */
extern struct facts box_facts;

/* Probes the machine. Returns 0, or the exit status of the test program: 77 where containers cannot
 * be tested (the reason is printed). */
int boxkit_setup(void);
/* Removes the parent of our groups where nobody else's group is in it. */
void boxkit_done(void);

/* A box that runs args (a list that must live as long as the box). Makes the root in the scratch
 * folder when it is not there yet. */
void box_init(struct box *b, const char *const *args);
/* Steps: adds one, the first of a kind (fails the test when there is none), removes all of a kind.
 */
void box_add(struct box *b, const struct plan_step *step);
struct plan_step *box_get(struct box *b, enum plan_kind kind);
void box_drop(struct box *b, enum plan_kind kind);
/* A new namespace; a user namespace with 65536 ids from HOST_BASE on; a file system. */
void box_add_namespace(struct box *b, uint32_t flag);
void box_add_user_namespace(struct box *b);
void box_add_mount(struct box *b, const char *type, const char *target, const char *const *data);
/* /dev of its own with a devpts, tty and the links. */
void box_add_dev(struct box *b);
/* The plan in its right order. It lives as long as w. */
struct plan *box_plan(struct box *b, struct plan_writer *w);
/* Runs the box to its end; must_run fails the test when it cannot be started. */
void box_run(struct box *b, struct outcome *o);
void box_must_run(struct box *b, struct outcome *o);
/* Starts a box without its output, and kills it again. */
void box_start(
        struct box *b, struct plan **ret_plan, struct plan_writer *w, struct sandbox_child *child);
void box_stop(struct plan *plan, struct plan_writer *w, struct sandbox_child *child);
/* A root file system with a busybox, passwd and group. */
void box_make_rootfs(const char *root);
void box_write_text(const char *dir, const char *name, const char *text, mode_t mode);
/* The status of a child as the shell tells it; everything up to the end of a file. */
int box_wait_status(pid_t pid);
/* Kills the supervisor, and asserts that what it keeps dies with it: something that holds alive[1]
 * and has been started when a byte comes from up[0]. Closes both pipes. */
void box_assert_dies_with(pid_t supervisor, int alive[2], int up[2]);
void box_read_all(int fd, char *out, size_t size);
