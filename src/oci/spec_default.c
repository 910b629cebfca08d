/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The config.json that 'spec' writes for people to start from: the one that other runtimes write,
 * so that guides for them hold.
 */
#include "base/str.h"
#include "oci/spec.h"

enum { DEFAULT_MAX = 16384 };

static const char head[] = "{\n"
                           "\t\"ociVersion\": \"1.3.0\",\n"
                           "\t\"process\": {\n"
                           "\t\t\"terminal\": false,\n"
                           "\t\t\"user\": {\n"
                           "\t\t\t\"uid\": 0,\n"
                           "\t\t\t\"gid\": 0\n"
                           "\t\t},\n"
                           "\t\t\"args\": [\n"
                           "\t\t\t\"sh\"\n"
                           "\t\t],\n"
                           "\t\t\"env\": [\n"
                           "\t\t\t\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"
                           ":/sbin:/bin\",\n"
                           "\t\t\t\"TERM=xterm\"\n"
                           "\t\t],\n"
                           "\t\t\"cwd\": \"/\",\n"
                           "\t\t\"capabilities\": {\n";

static const char *const cap_sets[] = { "bounding", "effective", "permitted" };
static const char cap_set[] = "\t\t\t\"%s\": [\n"
                              "\t\t\t\t\"CAP_AUDIT_WRITE\",\n"
                              "\t\t\t\t\"CAP_KILL\",\n"
                              "\t\t\t\t\"CAP_NET_BIND_SERVICE\"\n"
                              "\t\t\t]%s\n";

static const char limits_and_root[] = "\t\t},\n"
                                      "\t\t\"rlimits\": [\n"
                                      "\t\t\t{\n"
                                      "\t\t\t\t\"type\": \"RLIMIT_NOFILE\",\n"
                                      "\t\t\t\t\"hard\": 1024,\n"
                                      "\t\t\t\t\"soft\": 1024\n"
                                      "\t\t\t}\n"
                                      "\t\t],\n"
                                      "\t\t\"noNewPrivileges\": true\n"
                                      "\t},\n"
                                      "\t\"root\": {\n"
                                      "\t\t\"path\": \"rootfs\",\n"
                                      "\t\t\"readonly\": true\n"
                                      "\t},\n"
                                      "\t\"hostname\": \"bulkhead\",\n";

struct default_mount {
	const char *destination, *type, *source;
	const char *options[8];
};

static const struct default_mount mounts[] = {
	{ "/proc", "proc", "proc", { NULL } },
	{ "/dev", "tmpfs", "tmpfs", { "nosuid", "strictatime", "mode=755", "size=65536k" } },
	{ "/dev/pts", "devpts", "devpts",
	        { "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5" } },
	{ "/dev/shm", "tmpfs", "shm", { "nosuid", "noexec", "nodev", "mode=1777", "size=65536k" } },
	{ "/dev/mqueue", "mqueue", "mqueue", { "nosuid", "noexec", "nodev" } },
	{ "/sys", "sysfs", "sysfs", { "nosuid", "noexec", "nodev", "ro" } },
	{ "/sys/fs/cgroup", "cgroup", "cgroup", { "nosuid", "noexec", "nodev", "relatime", "ro" } },
};

/* A user namespace with one id has no group 5, and owns no network namespace whose sysfs it could
 * mount, so the host's /sys is bound. */
static const struct default_mount rootless_mounts[] = {
	{ "/dev/pts", "devpts", "devpts",
	        { "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620" } },
	{ "/sys", "none", "/sys", { "rbind", "nosuid", "noexec", "nodev", "ro" } },
};

static const char *const namespaces[] = { "pid", "network", "ipc", "uts", "mount", "cgroup" };
static const char *const rootless_namespaces[] = { "pid", "ipc", "uts", "mount", "user", "cgroup" };
static const char *const masked[] = { "/proc/acpi", "/proc/asound", "/proc/interrupts",
	"/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/scsi", "/proc/sched_debug",
	"/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware" };
static const char *const readonly[] = { "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
	"/proc/sysrq-trigger" };

static void add_mount(struct buf *b, const struct default_mount *m)
{
	(void) buf_addf(b,
	        "\t\t{\n"
	        "\t\t\t\"destination\": \"%s\",\n"
	        "\t\t\t\"type\": \"%s\",\n"
	        "\t\t\t\"source\": \"%s\"",
	        m->destination, m->type, m->source);
	if (m->options[0])
		(void) buf_adds(b, ",\n\t\t\t\"options\": [");
	for (size_t i = 0; i < ARRAY_SIZE(m->options) && m->options[i]; i++)
		(void) buf_addf(b, "%s\n\t\t\t\t\"%s\"", i ? "," : "", m->options[i]);
	if (m->options[0])
		(void) buf_adds(b, "\n\t\t\t]");
	(void) buf_adds(b, "\n\t\t}");
}

static void add_mounts(struct buf *b, bool rootless)
{
	(void) buf_adds(b, "\t\"mounts\": [\n");
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		const struct default_mount *m = &mounts[i];

		for (size_t k = 0; rootless && k < ARRAY_SIZE(rootless_mounts); k++)
			if (streq(rootless_mounts[k].destination, m->destination))
				m = &rootless_mounts[k];
		if (i > 0)
			(void) buf_adds(b, ",\n");
		add_mount(b, m);
	}
	(void) buf_adds(b, "\n\t],\n");
}

/* A list of texts, each on its own line, or wrapped in {"type": ...}. */
static void add_list(struct buf *b, const char *key, const char *const *list, size_t n, bool typed)
{
	(void) buf_addf(b, "\t\t\"%s\": [", key);
	for (size_t i = 0; i < n; i++) {
		(void) buf_adds(b, i > 0 ? ",\n" : "\n");
		(void) buf_addf(b,
		        typed ? "\t\t\t{\n\t\t\t\t\"type\": \"%s\"\n\t\t\t}" : "\t\t\t\"%s\"",
		        list[i]);
	}
	(void) buf_adds(b, "\n\t\t]");
}

static void add_idmap(struct buf *b, const char *key, uint32_t host_id)
{
	(void) buf_addf(b,
	        "\t\t\"%s\": [\n"
	        "\t\t\t{\n"
	        "\t\t\t\t\"containerID\": 0,\n"
	        "\t\t\t\t\"hostID\": %u,\n"
	        "\t\t\t\t\"size\": 1\n"
	        "\t\t\t}\n"
	        "\t\t],\n",
	        key, host_id);
}

char *oci_spec_default_json(bool rootless, uid_t uid, gid_t gid)
{
	_buf_done_ struct buf b = BUF_INIT(DEFAULT_MAX);

	(void) buf_adds(&b, head);
	for (size_t i = 0; i < ARRAY_SIZE(cap_sets); i++)
		(void) buf_addf(&b, cap_set, cap_sets[i], i + 1 < ARRAY_SIZE(cap_sets) ? "," : "");
	(void) buf_adds(&b, limits_and_root);
	add_mounts(&b, rootless);
	(void) buf_adds(&b, "\t\"linux\": {\n");
	if (rootless) {
		add_idmap(&b, "uidMappings", uid);
		add_idmap(&b, "gidMappings", gid);
		add_list(&b, "namespaces", rootless_namespaces, ARRAY_SIZE(rootless_namespaces),
		        true);
	} else {
		(void) buf_adds(&b, "\t\t\"resources\": {\n"
		                    "\t\t\t\"devices\": [\n"
		                    "\t\t\t\t{\n"
		                    "\t\t\t\t\t\"allow\": false,\n"
		                    "\t\t\t\t\t\"access\": \"rwm\"\n"
		                    "\t\t\t\t}\n"
		                    "\t\t\t]\n"
		                    "\t\t},\n");
		add_list(&b, "namespaces", namespaces, ARRAY_SIZE(namespaces), true);
	}
	(void) buf_adds(&b, ",\n");
	add_list(&b, "maskedPaths", masked, ARRAY_SIZE(masked), false);
	(void) buf_adds(&b, ",\n");
	add_list(&b, "readonlyPaths", readonly, ARRAY_SIZE(readonly), false);
	(void) buf_adds(&b, "\n\t}\n}\n");
	return buf_take(&b);
}
