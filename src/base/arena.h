/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Memory that is freed all at once: for documents whose many small parts live and die together (an
 * OCI config, a plan under construction). Zeroed, aligned to 16 bytes. The caller has bounded every
 * outside size before it asks.
 */
#include "base/base.h"

struct arena_block;
struct arena {
	struct arena_block *blocks;
};

#define _arena_done_ _cleanup_(arena_done)
void arena_done(struct arena *a);
void *arena_alloc(struct arena *a, size_t size);
#define arena_new(a, type) ((type *) arena_alloc((a), sizeof(type)))
/* An array of n zeroed members; aborts on overflow. */
#define arena_new_n(a, type, n) ((type *) arena_alloc_n((a), (n), sizeof(type)))
void *arena_alloc_n(struct arena *a, size_t n, size_t size);
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) _printf_(2, 3);
