/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* NULL-terminated lists of texts in an arena, while they grow. */
#include "base/arena.h"

#include <stdbool.h>

struct texts {
	struct arena *arena;
	const char **items; /* NULL-terminated; never NULL after texts_init */
	size_t n, size;
};
void texts_init(struct texts *t, struct arena *arena);
/* The text is borrowed. */
void texts_add(struct texts *t, const char *text);
void texts_add_all(struct texts *t, const char *const *list);
/* Sets NAME=VALUE of an environment where the variable stands, or at the end. */
void texts_set_env(struct texts *t, const char *entry);
/* Takes the variable away. */
void texts_unset_env(struct texts *t, const char *name);

/* A list may be NULL in both. */
size_t texts_len(const char *const *list);
bool texts_have(const char *const *list, const char *text);
