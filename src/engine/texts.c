/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/texts.h"

#include "base/str.h"

enum { FIRST_SIZE = 16 };

void texts_init(struct texts *t, struct arena *arena)
{
	*t = (struct texts){ .arena = arena, .size = FIRST_SIZE };
	t->items = arena_new_n(arena, const char *, t->size);
}

void texts_add(struct texts *t, const char *text)
{
	if (t->n + 1 == t->size) {
		const char **larger = arena_new_n(t->arena, const char *, 2 * t->size);

		memcpy(larger, t->items, t->n * sizeof(*larger));
		t->items = larger;
		t->size *= 2;
	}
	t->items[t->n++] = text;
}

void texts_add_all(struct texts *t, const char *const *list)
{
	for (; list && *list; list++)
		texts_add(t, *list);
}

static size_t find_env(const struct texts *t, const char *name, size_t len)
{
	for (size_t i = 0; i < t->n; i++)
		if (strncmp(t->items[i], name, len) == 0 && t->items[i][len] == '=')
			return i;
	return t->n;
}

void texts_set_env(struct texts *t, const char *entry)
{
	size_t i = find_env(t, entry, strcspn(entry, "="));

	if (i < t->n)
		t->items[i] = entry;
	else
		texts_add(t, entry);
}

void texts_unset_env(struct texts *t, const char *name)
{
	size_t i = find_env(t, name, strlen(name));

	if (i == t->n)
		return;
	memmove(&t->items[i], &t->items[i + 1], (t->n - i) * sizeof(*t->items));
	t->n--;
}

size_t texts_len(const char *const *list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

bool texts_have(const char *const *list, const char *text)
{
	for (; list && *list; list++)
		if (streq(*list, text))
			return true;
	return false;
}
