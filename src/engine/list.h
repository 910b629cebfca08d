/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Lists of containers as 'ps' shows them: which ones, and in what words.
 *
 * Theory of operation: rows and records say enough for the usual table, so that hundreds of
 * containers cost milliseconds. The configuration of a container is read when a filter or a column
 * needs it, and once only. One that cannot be read is one without labels and mounts: a list must
 * not fail because of one container.
 */
#include "engine/containers.h"

struct list_item {
	struct container *c;
	struct config *config; /* list_item_config; NULL: not read, or not readable */
	bool tried;
};

struct list {
	struct container_list containers; /* all of them */
	struct list_item *items;          /* those that the query wants, newest first */
	size_t n;
};
void list_done(struct list *list);
#define _list_done_ _cleanup_(list_done)

struct list_query {
	bool all;     /* not only those that run */
	int64_t last; /* so many of the newest, whatever they do; 0 or less: no bound */
	/* "KEY=VALUE": ancestor, before, exited, expose, health, id, is-task, isolation, label,
	 * name, network, publish, since, status, volume. */
	char *const *filters;
};
enum { LIST_FILTERS_MAX = 256 };

/* -EINVAL with the sentence: a wrong filter; -ENOENT: before or since name nothing. */
int list_containers(
        struct engine *e, const struct list_query *query, struct list *ret, struct err *err);
/* Reads the configuration unless it was; NULL: it cannot be read. */
const struct config *list_item_config(struct engine *e, struct list_item *item);

/* --- the pure parts: docker's words ----------------------------------------------------------- */

/* -EINVAL: not KEY=VALUE, an unknown key, or a value that the key cannot have. */
int list_check_filters(char *const *filters, struct err *err);
/* What needs neither engine nor other containers: exited, health, id, is-task, name, status, and
 * with the configuration (NULL: none) expose, isolation, label, network, publish, volume. */
bool list_matches(char *const *filters, const struct container *c, const struct config *config);
/* True when it has the label: filter is "KEY" or "KEY=VALUE". config NULL: it has none. */
bool list_has_label(const struct config *config, const char *filter);
/* "Up 5 minutes (healthy)", "Exited (0) 3 seconds ago", "Created", ... now in seconds. New memory.
 */
char *list_status(const struct container *c, int64_t now);
/* At most 'width' columns, the last one an ellipsis when something was cut. New memory. */
char *list_cut(const char *text, size_t width);
/* In double quotes as Go quotes: what is not printable is escaped. New memory. */
char *list_quoted(const char *text);
