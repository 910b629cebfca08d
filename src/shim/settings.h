/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What a shim is told beside the plan: how to keep the container.
 *
 * Theory of operation: the engine encodes this as a flat list "key\0value\0..." behind a line with
 * the version, at most SETTINGS_SIZE_MAX bytes, in a sealed memfd. The shim decodes it by one table
 * and refuses what it does not know: engine and shim of one start are of one installation. Nothing
 * here is the container's own; texts come from the command line and the image's configuration.
 */
#include "base/err.h"

#include <stdbool.h>

enum {
	SETTINGS_VERSION = 1,
	SETTINGS_SIZE_MAX = 128 << 10,
};

/* The descriptors that a shim is started with. */
enum shim_fd {
	SHIM_FD_PLAN = 3, /* sealed memfd */
	SHIM_FD_SETTINGS, /* sealed memfd */
	SHIM_FD_LOG,      /* sealed memfd: logs/config.h */
	SHIM_FD_DIR,      /* containers/ID */
	SHIM_FD_LOGS,     /* containers/ID/logs */
	SHIM_FD_SOCK,     /* the socket of the start */
	SHIM_FD_EVENTS,   /* the file of events, O_APPEND */
	SHIM_FD_HEALTH,   /* sealed memfd: the plan of a health probe; only with settings.health */
};

/* What 'update' writes into the container's folder for the next run. */
#define SHIM_NEXT_PLAN     "plan.next"
#define SHIM_NEXT_SETTINGS "settings.next"

enum settings_restart {
	SETTINGS_RESTART_NO,
	SETTINGS_RESTART_ON_FAILURE,
	SETTINGS_RESTART_ALWAYS,
	SETTINGS_RESTART_UNLESS_STOPPED,
};

struct shim_settings {
	const char *id;    /* the container's, 64 digits */
	const char *name;  /* for the journal */
	bool terminal;     /* the plan has a terminal */
	bool open_stdin;   /* -i: stdin is a pipe; else /dev/null */
	bool stdin_once;   /* the end of the first attached stdin is the end of the container's */
	bool await_attach; /* an ATTACH comes on the socket of the start: no output before it */
	bool auto_remove;  /* --rm: run 'reaper' when it has ended */
	uint32_t restart;  /* enum settings_restart */
	uint32_t restart_max; /* on-failure: at most so many times; 0: no bound */
	uint32_t restarts;    /* so many restarts were counted before (a start after a crash) */
	const char *reaper;   /* absolute path of the bulkhead program; "" none */
	const char *root;     /* state folder, for the reaper */
	bool health;          /* a plan of a health probe comes along; times in nanoseconds */
	uint64_t health_interval, health_timeout, health_start_period, health_start_interval;
	uint32_t health_retries;
};

/* Appends the encoding; -EMSGSIZE. */
struct buf;
int settings_encode(const struct shim_settings *s, struct buf *out, struct err *err);
/* Decodes; texts point into 'bytes' and live as long. */
int settings_decode(const char *bytes, size_t len, struct shim_settings *ret, struct err *err);
