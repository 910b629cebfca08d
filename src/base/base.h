/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What every module uses: cleanup attributes, allocation, small macros.
 *
 * Allocation failure aborts the program (a container engine that cannot get a few hundred bytes
 * cannot do anything useful about it). The counterpart of that rule: a size that somebody outside
 * chose is compared with its named limit before it is allocated.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define _cleanup_(f)   __attribute__((cleanup(f), unused)) /* released is use enough */
#define _free_         _cleanup_(free_ptrp)
#define _close_        _cleanup_(fd_closep)
#define _printf_(a, b) __attribute__((format(printf, a, b)))
#define _must_check_   __attribute__((warn_unused_result))
#define _noreturn_     __attribute__((noreturn))
#define _unused_       __attribute__((unused))

/* Gives an owned pointer or fd away: yields the value and leaves the empty value behind. */
#define TAKE_PTR(p)                                                                                \
	({                                                                                         \
		typeof(p) *_p = &(p);                                                              \
		typeof(p) _v = *_p;                                                                \
		*_p = NULL;                                                                        \
		_v;                                                                                \
	})
#define TAKE_FD(fd)                                                                                \
	({                                                                                         \
		int *_f = &(fd);                                                                   \
		int _v = *_f;                                                                      \
		*_f = -EBADF;                                                                      \
		_v;                                                                                \
	})

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)     ((a) < (b) ? (a) : (b))
#define MAX(a, b)     ((a) > (b) ? (a) : (b))

/* Allocation that aborts when memory is exhausted. xnew and xnew_n return zeroed memory. */
#define xnew(type)      ((type *) xcalloc(1, sizeof(type)))
#define xnew_n(type, n) ((type *) xcalloc((n), sizeof(type)))
void *xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
/* Grows (or makes, with NULL) an array to n members of the given size; aborts on overflow. New
 * members are not zeroed.
 */
void *xrealloc_n(void *p, size_t n, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));
char *xstrndup(const char *s, size_t n) __attribute__((malloc, returns_nonnull));
/* sprintf into new memory. */
char *xprintf(const char *fmt, ...) _printf_(1, 2) __attribute__((malloc, returns_nonnull));

/* Destructors for _free_ and _close_; both accept empty values. */
void free_ptrp(void *p);
void fd_closep(int *fd);

/* Frees a NULL-terminated list of strings and its members; accepts NULL; returns NULL. */
char **strv_free(char **v);
void strv_freep(char ***v);
size_t strv_len(char *const *v);
/* Appends a copy of s to the NULL-terminated list *v (NULL is an empty list). */
void strv_add(char ***v, const char *s);
