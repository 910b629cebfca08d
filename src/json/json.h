/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Bounded JSON documents from outside, and tables that turn them into C structures.
 *
 * Theory of operation: json-c builds the tree, but it keeps the last of two equal keys in silence,
 * turns a lone surrogate into U+FFFD, saturates large integers, and knows no bound on lists. Two
 * readers that disagree about one document are a hole (CVE-2021-41190 is of that family), so
 * json_check() first walks the bytes once, without building anything, and accepts only RFC 8259
 * text that every reader understands the same way. What it accepts json-c accepts too; a fuzz
 * target holds us to that.
 *
 * A document is then read by json_read(): one static table of struct json_field for each kind of
 * object names the keys, who reads the value, and where it goes. Errors carry the dotted path of
 * the value ("config.json: 'linux.resources.memory.limit' must be an integer, not a string"). A
 * null value is the same as an absent key, as Go writes it. Nothing here looks at the machine.
 */
#include "base/arena.h"
#include "base/err.h"

#include <json-c/json_object.h>
#include <stdbool.h>

/* Bounds of one document; all must be set. */
struct json_limits {
	size_t max_bytes;
	size_t max_depth;  /* nested objects and arrays, at most JSON_DEPTH_MAX */
	size_t max_list;   /* members of any one object or array */
	size_t max_string; /* bytes of any one string or key as written in the document */
};
enum { JSON_DEPTH_MAX = 64 };

/* Checks len bytes: UTF-8 without surrogates, one object or array and nothing behind it, strict
 * grammar, no key twice in one object (compared after unescaping), no NUL in a string or key,
 * integers between -2^63 and 2^64-1, and the limits. Errors: -EINVAL (line and column are in the
 * text), -EMSGSIZE (a limit). 'document' names the document in texts. Time is linear but for
 * objects with many keys (n log n). */
int json_check(const char *document, const char *bytes, size_t len,
        const struct json_limits *limits, struct err *err);
/* Checks and parses. *ret is a new reference for json_object_put() or _json_put_. */
int json_parse_bounded(const char *document, const char *bytes, size_t len,
        const struct json_limits *limits, struct json_object **ret, struct err *err);

#define _json_put_ _cleanup_(json_putp)
void json_putp(struct json_object **object);

/* A list of dotted names that grows in the arena of the document; at most JSON_NAMES_MAX are kept,
 * then one member "..." stands for the rest. */
enum { JSON_NAMES_MAX = 256, JSON_PATH_MAX = 256 };
struct json_names {
	const char **names; /* NULL-terminated; NULL when empty */
	size_t n, size;
};

/* One reading of one document. */
struct json_read {
	const char *document; /* names it in texts: "config.json" */
	struct arena *arena;  /* where all results live */
	struct err *err;
	struct json_names unknown;     /* keys that no table has */
	struct json_names unsupported; /* keys read by json_get_unsupported that say something */
	struct json_names notes;       /* sentences by json_note() */
	/* private: the way to the value at hand, rendered only for texts */
	struct {
		const char *name; /* NULL: the index of a list; borrowed until the pop */
		size_t index;
	} path[JSON_DEPTH_MAX + 8];
	size_t path_len;
};

enum json_field_flags {
	JSON_REQUIRED = 1, /* the key must be there and not null */
	JSON_HAS = 2,      /* aux is the offset of a bool that is set when the key is there */
};

struct json_field {
	const char *name;
	/* Reads value (never null) and writes to base + offset. Returns 0 or the error. */
	int (*get)(struct json_read *r, const struct json_field *field, struct json_object *value,
	        void *base);
	size_t offset;
	size_t aux; /* lists: offset of the size_t count; JSON_HAS: offset of the bool */
	unsigned flags;
	const void *arg; /* what the reader wants: struct json_table, json_enum, json_range */
};

/* A kind of object: its fields (the last has no name), the size of the C structure, and an optional
 * check of the finished structure. */
struct json_table {
	const struct json_field *fields;
	size_t size;
	int (*check)(struct json_read *r, void *object);
};

struct json_enum {
	const char *name; /* NULL ends the table */
	int value;
};

/* Inclusive. For json_get_i64 as they are, for json_get_u32 and json_get_u64 both are >= 0. */
struct json_range {
	int64_t min, max;
};

/* Reads an object by its table into base, which the caller has set to its defaults. */
int json_read_object(
        struct json_read *r, const struct json_table *type, struct json_object *object, void *base);

/* Readers for tables. The comment gives the C type of the member. Texts are copied to the arena. */
#define JSON_GET(name)                                                                             \
	int json_get_##name(struct json_read *r, const struct json_field *field,                   \
	        struct json_object *value, void *base)
JSON_GET(text);        /* const char *: "" stays as absent (NULL) */
JSON_GET(string);      /* const char *: "" is a value */
JSON_GET(bool);        /* bool */
JSON_GET(u32);         /* uint32_t; arg: NULL or struct json_range */
JSON_GET(u64);         /* uint64_t; arg: NULL or struct json_range */
JSON_GET(i64);         /* int64_t; arg: NULL or struct json_range */
JSON_GET(enum);        /* int; arg: struct json_enum; the value is a text of the table */
JSON_GET(strv);        /* const char *const *: NULL-terminated; an empty list is not NULL */
JSON_GET(u32_list);    /* const uint32_t *, aux: count; arg: NULL or struct json_range */
JSON_GET(object);      /* a structure in place; arg: struct json_table */
JSON_GET(new_object);  /* const struct *: new zeroed structure; arg: struct json_table */
JSON_GET(list);        /* const struct *: array of structures, aux: count; arg: struct json_table */
JSON_GET(ignored);     /* nothing: known, and without effect here by purpose */
JSON_GET(unsupported); /* nothing: noted in r->unsupported when the value says something */
#undef JSON_GET

/* For readers of other modules. */

/* Fails with "DOCUMENT: 'PATH' " and the text; returns -EINVAL. */
int json_fail(struct json_read *r, const char *fmt, ...) _printf_(2, 3);
/* Fails with "must be WANT, not TYPE". */
int json_fail_type(struct json_read *r, const char *want, struct json_object *value);
/* Makes the path longer by ".name" (borrowed until the pop) or "[index]"; returns what json_pop()
 * wants. */
size_t json_push(struct json_read *r, const char *name);
size_t json_push_index(struct json_read *r, size_t index);
void json_pop(struct json_read *r, size_t mark);
/* Adds the current path to r->unsupported. */
void json_mark_unsupported(struct json_read *r);
/* Adds "'PATH' " and the sentence to r->notes: what was accepted and has no effect. */
void json_note(struct json_read *r, const char *fmt, ...) _printf_(2, 3);
/* The member of base at a field's offset. */
static inline void *json_at(void *base, size_t offset)
{
	return (char *) base + offset;
}
/* An integer value of any width: *ret_negative tells whether *ret_value is to be read as int64_t.
 * -EINVAL (with text) for anything but an integer: "1", 1.0 and 1e3 are none, as in Go. */
int json_integer(
        struct json_read *r, struct json_object *value, uint64_t *ret_value, bool *ret_negative);
/* A string value, copied to the arena. */
int json_string(struct json_read *r, struct json_object *value, const char **ret);
/* True for what a Go writer means by absent: null, {}, [], "", and objects and lists of such. */
bool json_is_empty(struct json_object *value);
/* The list, never NULL. */
const char *const *json_names_list(const struct json_names *names);
