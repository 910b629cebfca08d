/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Containers as things: rows, folders, records; finding, making, removing. See engine.h. */
#include "engine/config.h"
#include "engine/engine.h"
#include "shim/record.h"
#include "store/store.h"

enum {
	CONTAINER_NAME_MAX = 128,
	CONTAINER_SHORT_ID = 12,
	CONTAINER_CODE_LOST =
	        137, /* exit code of one whose shim was killed: SIGKILL ended it too */
};

struct container {
	char id[STORE_ID_SIZE];
	char *name;
	char image_id[STORE_ID_SIZE];
	char *image;      /* as the user named it */
	char *command;    /* for ps */
	char *cgroup;     /* absolute path of its group below each hierarchy */
	uint32_t host_id; /* first of its 65536 ids on the host */
	int64_t created;  /* nanoseconds since 1970 */
	bool auto_remove;
	bool stopped;   /* a person stopped it: not started again at boot (unless-stopped) */
	int64_t paused; /* record.started of the run that was paused; 0: not paused */
	/* Read from the folder by container_look: */
	int dir; /* containers/ID, O_PATH-less folder descriptor; -EBADF until it is opened */
	struct record record;
	bool alive; /* somebody holds the lock */
	bool lost;  /* nobody does, and the record says that somebody should: engine_repair() is due
	             */
};
#define CONTAINER_INIT                                                                             \
	{                                                                                          \
		.dir = -EBADF                                                                      \
	}
#define _container_done_ _cleanup_(container_done)
/* Frees the memory; does not remove anything. */
void container_done(struct container *c);

struct container_list {
	struct container *items;
	size_t n;
};
void container_list_done(struct container_list *list);
#define _container_list_done_ _cleanup_(container_list_done)

/* What the user's text means: a whole id, a name, or a prefix of an id that fits one only (docker's
 * order). Looks at folder and record too. -ENOENT: "No such container: TEXT"; -ENOTUNIQ. */
int container_find(struct engine *e, const char *text, struct container *ret, struct err *err);
/* All containers, newest first, with their records; the folders are not kept open. */
int container_list(struct engine *e, struct container_list *ret, struct err *err);
/* Opens the folder and reads the record again. A shim that was killed, or a machine that went down,
 * shows as RECORD_EXITED here, before anybody has repaired it. */
int container_look(struct engine *e, struct container *c, struct err *err);
/* docker's State.Status: created, running, paused, restarting, exited, dead. */
const char *container_status(const struct container *c);
bool container_is_running(const struct container *c); /* running or paused */

/* The configuration: reads and parses config.json. */
int container_config(
        struct engine *e, const struct container *c, struct config **ret, struct err *err);
/* Replaces config.json (update). */
int container_write_config(const struct container *c, const struct config *config, struct err *err);

/* Makes a container: fills the configuration's gaps from the image (config_resolve), takes the name
 * (NULL: one is made up) and a range of ids, makes folders, record, config.json, volumes
 * (volumes.h) and last the row. -EEXIST: the name is in use, in docker's words. */
int container_create(struct engine *e, const struct store_image *image, struct config *config,
        bool has_entrypoint, const char *name, struct container *ret, struct err *err);

/* Names of folders in 'containers' that are being made, by somebody who holds a shared flock on
 * 'containers': whoever gets it alone may remove them all. */
#define CONTAINER_HALF_PREFIX "new-"

enum container_remove_flags {
	CONTAINER_REMOVE_FORCE = 1,   /* kills it when it runs */
	CONTAINER_REMOVE_VOLUMES = 2, /* anonymous volumes too */
};
/* Removes folders, groups, row. -EBUSY: it runs and FORCE is not set. */
int container_remove(struct engine *e, struct container *c, unsigned int flags, struct err *err);
/* Removes an auto-remove container after its end (the shim's reaper, or the foreground command).
 * Waits for the shim to let go; one that is gone is no error. */
int container_reap(struct engine *e, struct container *c, struct err *err);
/* Groups, writable folder, row, folder; in this order. The caller holds the lock, or nobody does.
 */
int container_remove_traces(struct engine *e, const char *id, const char *cgroup, struct err *err);
int container_rename(struct engine *e, struct container *c, const char *name, struct err *err);
/* Sets columns of the row. */
int container_set_stopped(struct engine *e, struct container *c, bool stopped, struct err *err);
int container_set_paused(struct engine *e, struct container *c, int64_t started, struct err *err);

/* [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most CONTAINER_NAME_MAX bytes: docker's rule. */
bool container_name_is_valid(const char *name);
