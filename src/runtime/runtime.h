/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The OCI life cycle: create, start, run, state, kill, delete.
 *
 * Theory of operation. A container is one folder ROOT/ID (0700) that holds
 *
 *   state.json    who it is: version, boot id, pid with its start time, bundle, control group ...
 *   plan          the encoded plan (0600), kept so that delete undoes exactly what create did
 *   start.fifo    the gate: the init of a created container reads one byte from it
 *   result.fifo   carries what went wrong behind the gate; closed by a successful exec
 *
 * create    makes the folder, writes the plan, applies it up to its READY step, writes the state
 *           with the pid, writes the pid file, and goes away. The init holds start.fifo open for
 *           reading and writing (so that it never sees an end of file) and blocks in read;
 *           result.fifo is open in it with close-on-exec.
 * start     opens start.fifo for writing without blocking: ENXIO says that nobody waits there. It
 *           opens result.fifo for reading, writes the byte, and reads: an end of file means that
 *           exec happened, text is the reason why it did not. Both fifos are then removed.
 * run       applies a plan without gate and waits for the exec in one process.
 * state     derives the status from the live process: the pid counts only if boot id and start time
 *           match; 'created' means that somebody reads start.fifo. Nothing has to be kept
 *           up to date.
 * delete    kills what is left, undoes the plan (control groups), removes the folder.
 *
 * Every change is made under an exclusive flock of the folder; a lock got on a folder that has been
 * removed meanwhile does not count. state.json is replaced by rename, without fsync (it means
 * nothing after a reboot: the boot id differs), so readers need no lock. A create that was killed
 * half-way leaves a folder that nobody locks and that has no state.json: the next create with the
 * same ID cleans it by its plan and goes on, and so does delete --force.
 *
 * Nothing here prints or exits; warnings come back as notes.
 */
#include "base/arena.h"
#include "base/err.h"
#include "compile/compile.h"
#include "sandbox/sandbox.h"

enum {
	RUNTIME_STATE_VERSION = 1,
	RUNTIME_STATE_MAX = 8 << 20, /* bytes of a state.json: it echoes the annotations */
	RUNTIME_KILL_WAIT_MS = 10000,
};

#define RUNTIME_SPEC_VERSION "1.3.0"

enum runtime_status {
	RUNTIME_CREATED,
	RUNTIME_RUNNING,
	RUNTIME_STOPPED,
};
/* "created", "running", "stopped" */
const char *runtime_status_name(enum runtime_status status);

/* The state folder of all containers. */
struct runtime {
	char *root;
	int root_fd; /* -EBADF when the folder does not exist and was not to be made */
};
void runtime_init(struct runtime *rt);
void runtime_done(struct runtime *rt);
/* The default state folder: /run/bulkhead-runtime for root, $XDG_RUNTIME_DIR/bulkhead-runtime
 * otherwise. Returns new memory, or NULL with err when a plain user has no XDG_RUNTIME_DIR. */
char *runtime_default_root(struct err *err);
/* Opens the state folder (make: makes it, 0700). A folder that is "/", or belongs to somebody else,
 * is refused. Without make, a missing folder is an empty one. */
int runtime_open(struct runtime *rt, const char *root, bool make, struct err *err);

/* What is recorded about one container. All memory is in the arena; free with runtime_state_free.
 */
struct runtime_state {
	struct arena arena;
	const char *id, *oci_version, *bundle, *rootfs, *created, *owner, *boot_id;
	const char *cgroup_path; /* "" when there is none */
	uint32_t cgroup_mode;
	pid_t pid; /* 0: none yet */
	uint64_t start_time;
	bool auto_remove; /* made by 'run' without --keep: a stopped one may be cleaned */
	const struct oci_kv *annotations;
	size_t n_annotations;
};
/* Reads the state of a container. -ENOENT: "container 'ID' does not exist". -EINPROGRESS: another
 * process is making it. A folder without a readable state gives -EBADMSG (only delete --force takes
 * such a one). */
int runtime_state_load(
        const struct runtime *rt, const char *id, struct runtime_state **ret, struct err *err);
struct runtime_state *runtime_state_free(struct runtime_state *state);
void runtime_state_freep(struct runtime_state **state);
/* The status now. *ret_pid (may be NULL) is the pid, 0 when stopped. */
enum runtime_status runtime_state_status(
        const struct runtime *rt, const struct runtime_state *state, pid_t *ret_pid);
/* The state document of the specification with rootfs, created and owner beside it; pretty:
 * indented by 2, with a newline. -EMSGSIZE when it does not fit. */
int runtime_state_print(
        const struct runtime *rt, const struct runtime_state *state, bool pretty, struct buf *out);
/* The file form, both ways (pure): state.json and what is read from it. */
int runtime_state_encode(const struct runtime_state *state, struct buf *out);
int runtime_state_decode(const char *json, size_t len, struct runtime_state **ret, struct err *err);

struct runtime_create {
	const char *id;
	const char *bundle;   /* folder */
	const char *config;   /* NULL: BUNDLE/config.json */
	const char *pid_file; /* NULL: none */
	bool no_pivot, no_new_keyring;
	bool no_cgroups;            /* --cgroup-manager disabled */
	bool keep;                  /* run: leave the stopped container */
	bool detach;                /* run: do not wait for its end */
	const char *console_socket; /* receives the terminal of a config that has one; NULL: none */
	uint32_t preserve_fds;      /* descriptors 3 .. 2+N go to the container */
};

/* Makes a container and leaves it waiting for start. On failure nothing is left behind. notes
 * (initialised, may be NULL) gets the compiler's warnings. */
int runtime_create(struct runtime *rt, const struct runtime_create *args,
        struct compile_notes *notes, struct err *err);
/* Lets a created container run its program. */
int runtime_start(struct runtime *rt, const char *id, struct err *err);
/* Creates and starts; without detach waits for the end, forwards signals, and removes the container
 * unless args->keep. *ret_code: the program's exit code, 128 + signal. Errors are of the runtime
 * itself. */
int runtime_run(struct runtime *rt, const struct runtime_create *args, struct compile_notes *notes,
        int *ret_code, struct err *err);
/* Sends a signal to the container's init, or with all to everything in its control groups. Error
 * -ESRCH: "container not running" (not with all). */
int runtime_kill(struct runtime *rt, const char *id, int sig, bool all, struct err *err);
/* Removes a stopped or created container. force: kills a running one, takes half-made folders, and
 * an unknown ID is no error. */
int runtime_delete(struct runtime *rt, const char *id, bool force, struct err *err);
/* The IDs below the state folder, sorted, as a strv. */
int runtime_list(const struct runtime *rt, char ***ret, struct err *err);

/* Compiles the plan of a bundle without doing anything. facts may be NULL: this machine's. The
 * caller decodes w->bytes (plan_decode) to print it. */
int runtime_plan(const struct runtime_create *args, const struct facts *facts,
        struct plan_writer *w, struct compile_notes *notes, struct err *err);
