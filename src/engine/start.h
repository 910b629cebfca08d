/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Private to the engine: the parts of a start that 'update' needs too. */
#include "engine/life.h"
#include "facts/facts.h"
#include "plan/plan.h"

/* Everything that one start holds. */
struct start {
	struct engine *engine;
	struct container *container;
	const struct life_start *how;
	void (*warn)(const char *text);
	struct config *config;
	struct facts facts;
	struct plan *plan;
	int plan_fd, health_fd, settings_fd, log_fd, logs_fd, events_fd;
};
#define START_INIT(engine_, container_, how_, warn_)                                               \
	{                                                                                          \
		.engine = (engine_), .container = (container_), .how = (how_), .warn = (warn_),    \
		.plan_fd = -EBADF, .health_fd = -EBADF, .settings_fd = -EBADF, .log_fd = -EBADF,   \
		.logs_fd = -EBADF, .events_fd = -EBADF,                                            \
	}
#define _start_done_ _cleanup_(start_done)
void start_done(struct start *s);
/* Compiles s->config with s->facts: s->plan and s->plan_fd. */
int start_make_plan(struct start *s, struct err *err);
/* s->settings_fd. */
int start_write_settings(struct start *s, struct err *err);
