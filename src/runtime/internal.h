/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Private to src/runtime: the folder of one container, and what create and run share. */
#include "base/buf.h"
#include "compile/compile.h"
#include "base/fd.h"
#include "base/str.h"
#include "runtime/runtime.h"

#define STATE_FILE  "state.json"
#define PLAN_FILE   "plan"
#define START_FIFO  "start.fifo"
#define RESULT_FIFO "result.fifo"

/* --- folder.c: ROOT/ID ------------------------------------------------------------------------ */

struct folder {
	const char *id; /* the caller's */
	int fd;         /* locked */
};
#define FOLDER_INIT                                                                                \
	{                                                                                          \
		.fd = -EBADF                                                                       \
	}
#define _folder_done_ _cleanup_(folder_done)
void folder_done(struct folder *f);
/* -EINVAL with the sentence for a bad ID. */
int folder_check_id(const char *id, struct err *err);
/* Opens without a lock. -ENOENT with the sentence when it does not exist. */
int folder_open(const struct runtime *rt, const char *id, int *ret_fd, struct err *err);
/* Opens with an exclusive lock, waiting for it. */
int folder_lock(const struct runtime *rt, const char *id, struct folder *ret, struct err *err);
/* Makes the folder, locked. A half-made or a stopped auto-remove container of that ID is cleaned
 * first. -EEXIST: "container with id 'ID' already exists". */
int folder_make(const struct runtime *rt, const char *id, struct folder *ret, struct err *err);
/* Removes the folder and everything in it. */
int folder_remove(const struct runtime *rt, const struct folder *f, struct err *err);
/* Kills and removes what the container's plan made (control groups). A plan that cannot be read
 * falls back on what the state says, which may be NULL. */
int folder_undo_plan(const struct runtime *rt, const struct folder *f,
        const struct runtime_state *state, struct err *err);

/* --- state.c ---------------------------------------------------------------------------------- */

int state_load_at(int folder_fd, const char *id, struct runtime_state **ret, struct err *err);
int state_save_at(int folder_fd, const struct runtime_state *state, struct err *err);
/* The live process of the state as a pidfd, or -ESRCH. */
int state_pidfd(const struct runtime_state *state);
/* Whether the init waits at the gate. */
bool state_is_waiting(int folder_fd);

/* --- bundle.c --------------------------------------------------------------------------------- */

struct bundle {
	char *dir;    /* absolute */
	char *rootfs; /* absolute */
	struct oci_spec *spec;
};
#define _bundle_done_ _cleanup_(bundle_done)
void bundle_done(struct bundle *b);
/* Reads config.json. listen_fds: descriptors that the caller passes by the LISTEN_FDS protocol;
 * their variables are added to the environment of the program. */
int bundle_open(const struct runtime_create *args, unsigned int listen_fds, struct bundle *ret,
        struct err *err);
/* The number of descriptors passed to us by the LISTEN_FDS protocol (sd_listen_fds(3)). */
unsigned int bundle_listen_fds(void);
/* Compiles. The runtime's choices that are no part of the config are made here. */
int bundle_compile(const struct runtime_create *args, const struct bundle *b,
        const struct facts *facts, bool wait_for_start, struct plan_writer *w,
        struct compile_notes *notes, struct err *err);

/* --- console.c -------------------------------------------------------------------------------- */

/* Connects to the caller's Unix socket. */
int console_connect(const char *path, int *ret_fd, struct err *err);
/* Sends a terminal's master: one message, its name inside the container and one descriptor. */
int console_send(int socket, int terminal, struct err *err);

/* --- create.c --------------------------------------------------------------------------------- */

/* A container under construction. */
struct making {
	struct runtime *rt;
	const struct runtime_create *args;
	struct bundle bundle;
	struct plan_writer writer;
	struct plan *plan;
	struct folder folder;
	struct sandbox_child child;
	int start_fifo, result_fifo;
	int console; /* the caller's socket for the terminal */
	int *keep_fds;
	size_t n_keep_fds;
};
#define _making_done_ _cleanup_(making_done)
void making_init(struct making *m, struct runtime *rt, const struct runtime_create *args);
void making_done(struct making *m);
/* Everything up to READY; wait: behind the gate. The state is written, and the pid file. On failure
 * nothing is left. */
int making_apply(struct making *m, bool wait, struct compile_notes *notes, struct err *err);
/* Kills the child, undoes the plan and removes the folder; err is not touched. */
void making_undo(struct making *m);

/* --- kill.c ----------------------------------------------------------------------------------- */

/* SIGKILL by pidfd and wait for the end (bounded). */
int kill_and_wait(int pidfd, struct err *err);
