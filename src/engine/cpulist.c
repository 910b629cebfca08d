/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/cpulist.h"

#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

enum {
	MEMBERS_MAX = 8192, /* CONFIG_NR_CPUS of the largest kernels */
	FIELD_MAX = 24,
	NODES = 4096, /* bytes of the kernel's list */
};

struct members {
	bool has[MEMBERS_MAX];
};

/* "a" or "a-b". */
static int add_range(struct members *m, const char *text, size_t len)
{
	char field[FIELD_MAX];
	uint32_t low, high;
	char *dash;

	if (len >= sizeof(field))
		return -EINVAL;
	memcpy(field, text, len);
	field[len] = '\0';
	dash = strchr(field, '-');
	if (dash)
		*dash = '\0';
	if (num_parse_u32(field, &low) < 0 || num_parse_u32(dash ? dash + 1 : field, &high) < 0)
		return -EINVAL;
	if (low > high || high >= MEMBERS_MAX)
		return -EINVAL;
	for (uint32_t i = low; i <= high; i++)
		m->has[i] = true;
	return 0;
}

static int parse(const char *list, struct members *ret)
{
	*ret = (struct members){ .has = { false } };
	for (;;) {
		size_t len = strcspn(list, ",");
		int r = add_range(ret, list, len);

		if (r < 0 || !list[len])
			return r;
		list += len + 1;
	}
}

bool cpulist_is_valid(const char *list)
{
	struct members m;

	return parse(list, &m) == 0;
}

bool cpulist_has(const char *all, const char *wanted)
{
	struct members a, w;

	if (!wanted || !*wanted)
		return true;
	if (parse(all, &a) < 0 || parse(wanted, &w) < 0)
		return false;
	for (size_t i = 0; i < MEMBERS_MAX; i++)
		if (w.has[i] && !a.has[i])
			return false;
	return true;
}

void cpulist_format(const cpu_set_t *set, char *out, size_t size)
{
	_buf_done_ struct buf text = BUF_INIT(size - 1);
	size_t whole = 0;

	for (int i = 0; i < CPU_SETSIZE; i++) {
		int first = i;

		if (!CPU_ISSET(i, set))
			continue;
		while (i + 1 < CPU_SETSIZE && CPU_ISSET(i + 1, set))
			i++;
		(void) buf_addf(&text, "%s%d", text.len ? "," : "", first);
		if (i > first)
			(void) buf_addf(&text, "-%d", i);
		if (buf_ok(&text))
			whole = text.len;
	}
	(void) snprintf(out, size, "%.*s", (int) whole, buf_str(&text));
}

void cpulist_nodes(char *out, size_t size)
{
	_buf_done_ struct buf text = BUF_INIT(NODES);

	if (buf_read_file(&text, AT_FDCWD, "/sys/devices/system/node/online") < 0 || text.len == 0)
		(void) buf_adds(&text, "0");
	(void) snprintf(out, size, "%.*s", (int) strcspn(buf_str(&text), "\n"), buf_str(&text));
}
