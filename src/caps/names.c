/* SPDX-License-Identifier: Apache-2.0 */
#include "caps/caps.h"

#include "base/str.h"

#include <errno.h>
#include <strings.h>

/* The member is the number: linux/capability.h never renumbers. */
static const char *const names[CAPS_COUNT] = {
	"CAP_CHOWN",
	"CAP_DAC_OVERRIDE",
	"CAP_DAC_READ_SEARCH",
	"CAP_FOWNER",
	"CAP_FSETID",
	"CAP_KILL",
	"CAP_SETGID",
	"CAP_SETUID",
	"CAP_SETPCAP",
	"CAP_LINUX_IMMUTABLE",
	"CAP_NET_BIND_SERVICE",
	"CAP_NET_BROADCAST",
	"CAP_NET_ADMIN",
	"CAP_NET_RAW",
	"CAP_IPC_LOCK",
	"CAP_IPC_OWNER",
	"CAP_SYS_MODULE",
	"CAP_SYS_RAWIO",
	"CAP_SYS_CHROOT",
	"CAP_SYS_PTRACE",
	"CAP_SYS_PACCT",
	"CAP_SYS_ADMIN",
	"CAP_SYS_BOOT",
	"CAP_SYS_NICE",
	"CAP_SYS_RESOURCE",
	"CAP_SYS_TIME",
	"CAP_SYS_TTY_CONFIG",
	"CAP_MKNOD",
	"CAP_LEASE",
	"CAP_AUDIT_WRITE",
	"CAP_AUDIT_CONTROL",
	"CAP_SETFCAP",
	"CAP_MAC_OVERRIDE",
	"CAP_MAC_ADMIN",
	"CAP_SYSLOG",
	"CAP_WAKE_ALARM",
	"CAP_BLOCK_SUSPEND",
	"CAP_AUDIT_READ",
	"CAP_PERFMON",
	"CAP_BPF",
	"CAP_CHECKPOINT_RESTORE",
};

enum { PREFIX_LEN = 4 }; /* "CAP_" */

int caps_number(const char *name)
{
	if (strncasecmp(name, "CAP_", PREFIX_LEN) == 0)
		name += PREFIX_LEN;
	for (int i = 0; i < CAPS_COUNT; i++)
		if (strcasecmp(names[i] + PREFIX_LEN, name) == 0)
			return i;
	return -ENOENT;
}

const char *caps_name(int cap)
{
	return cap < 0 || cap >= CAPS_COUNT ? NULL : names[cap];
}

int caps_format(uint64_t set, const char *sep, struct buf *out)
{
	bool first = true;
	int r = 0;

	for (int i = 0; i < 64 && r == 0; i++) {
		if (!(set & CAPS_BIT(i)))
			continue;
		if (!first)
			r = buf_adds(out, sep);
		first = false;
		if (r == 0)
			r = i < CAPS_COUNT ? buf_adds(out, names[i]) : buf_addf(out, "%d", i);
	}
	return r;
}

int caps_format_short(uint64_t set, struct buf *out)
{
	bool first = true;
	int r = 0;

	for (int i = 0; i < 64 && r == 0; i++) {
		if (!(set & CAPS_BIT(i)))
			continue;
		if (!first)
			r = buf_addc(out, ',');
		first = false;
		if (r == 0 && i >= CAPS_COUNT)
			r = buf_addf(out, "%d", i);
		/* The table is ASCII capitals and '_': no locale needed. */
		for (const char *p = i < CAPS_COUNT ? names[i] + PREFIX_LEN : ""; *p && r == 0; p++)
			r = buf_addc(out, *p >= 'A' && *p <= 'Z' ? (char) (*p - 'A' + 'a') : *p);
	}
	return r;
}
