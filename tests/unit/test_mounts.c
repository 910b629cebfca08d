/* SPDX-License-Identifier: Apache-2.0 */
/* -v, --mount, --tmpfs, --volumes-from and VOLUME, against what docker's client and engine say. */
#include "engine/mounts.h"

#include "testkit.h"

#include "base/str.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXTS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define ARGS(...)  ((char *const *) (uintptr_t) TEXTS(__VA_ARGS__))

/* One line that says everything about a mount. */
static void add_mount(struct buf *out, const struct config_mount *m)
{
	static const char *const types[] = { "?", "bind", "volume", "tmpfs" };
	const struct {
		bool set;
		const char *name;
	} flags[] = {
		{ m->read_only, "ro" },
		{ m->read_only_shallow, "shallow" },
		{ m->non_recursive, "nonrec" },
		{ m->create_source, "create" },
		{ m->no_copy, "nocopy" },
		{ m->anonymous, "anon" },
		{ m->from_image, "image" },
		{ m->no_idmap, "noidmap" },
		{ m->exec, "exec" },
		{ m->dev, "dev" },
		{ m->suid, "suid" },
	};

	(void) buf_addf(out, "%s %s -> %s", types[m->type], m->source, m->target);
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (flags[i].set)
			(void) buf_addf(out, " %s", flags[i].name);
	if (*m->propagation && !streq(m->propagation, "rprivate"))
		(void) buf_addf(out, " %s", m->propagation);
	if (m->tmpfs_size)
		(void) buf_addf(out, " size=%llu", (unsigned long long) m->tmpfs_size);
	if (m->tmpfs_mode)
		(void) buf_addf(out, " mode=%o", m->tmpfs_mode);
	for (size_t i = 0; m->volume_labels && m->volume_labels[i]; i++)
		(void) buf_addf(out, " %s", m->volume_labels[i]);
}

enum option { VOLUME, MOUNT, TMPFS };

static int parse(struct arena *a, enum option option, const char *text, struct config_mount *m,
        struct err *err)
{
	if (option == VOLUME)
		return mounts_parse_volume(a, text, "/home/me", m, err);
	if (option == MOUNT)
		return mounts_parse_mount(a, text, "/home/me", m, err);
	return mounts_parse_tmpfs(a, text, m, err);
}

struct example {
	const char *text, *want;
};

static void expect(enum option option, const struct example *examples, size_t n, bool error)
{
	for (size_t i = 0; i < n; i++) {
		_arena_done_ struct arena a = { 0 };
		_buf_done_ struct buf out = BUF_INIT(4096);
		struct config_mount m = { 0 };
		struct err err = { 0 };
		int r = parse(&a, option, examples[i].text, &m, &err);

		if (r == 0)
			add_mount(&out, &m);
		if ((r < 0) != error)
			fail_msg("'%s': %d, '%s'", examples[i].text, r,
			        r < 0 ? err.text : buf_str(&out));
		if (error)
			assert_true(err.code < 0);
		assert_string_equal(error ? err.text : buf_str(&out), examples[i].want);
	}
}

#define EXPECT(option, examples, error) expect(option, examples, ARRAY_SIZE(examples), error)

static void v_takes_paths_names_and_words(void **state)
{
	static const struct example examples[] = {
		{ "/data", "volume  -> /data anon" },
		{ "/data//x/../y/", "volume  -> /data/y anon" },
		{ "db:/data", "volume db -> /data" },
		{ "db.1_x-y:/data:ro", "volume db.1_x-y -> /data ro" },
		{ "db:/data:rw,nocopy", "volume db -> /data nocopy" },
		{ "db:/data:z,cached", "volume db -> /data" },
		{ "/src:/dst", "bind /src -> /dst create" },
		{ "/src/../etc/:/dst/.", "bind /etc -> /dst create" },
		{ "/:/host:ro", "bind / -> /host ro create" },
		{ "/src:/dst:ro,Z,rslave", "bind /src -> /dst ro create rslave" },
		{ "/src:/dst:private", "bind /src -> /dst create private" },
		{ "/src:/dst:exec,suid,dev,no-idmap",
		        "bind /src -> /dst create noidmap exec dev suid" },
		{ "/src:/dst:nosuid,nodev", "bind /src -> /dst create" },
		{ ".:/dst", "bind /home/me -> /dst create" },
		{ "./a:/dst", "bind /home/me/a -> /dst create" },
		{ "../a:/dst:ro", "bind /home/a -> /dst ro create" },
		{ ".hidden:/dst", "bind /home/me/.hidden -> /dst create" },
	};

	EXPECT(VOLUME, examples, false);
}

static void v_refuses_in_dockers_words(void **state)
{
	static const struct example examples[] = {
		{ "", "invalid empty volume spec" },
		{ ":/x", "invalid spec: :/x: empty section between colons" },
		{ "a::/x", "invalid spec: a::/x: empty section between colons" },
		{ "/a:", "invalid spec: /a:: empty section between colons" },
		{ "/a:/b:ro:rw", "invalid volume specification: '/a:/b:ro:rw'" },
		{ "/a:ro", "invalid volume specification: '/a:ro'" },
		{ "/a:/b:rx", "invalid mode: rx" },
		{ "/a:/b:ro,rw", "invalid mode: ro,rw" },
		{ "/a:/b:ro,", "invalid mode: ro," },
		{ "/a:/b:rslave,private", "invalid mode: rslave,private" },
		{ "/a:/b:noexec", "invalid mode: noexec" },
		{ "/a:b", "invalid volume specification: '/a:b': invalid mount config for type "
		          "\"bind\": invalid mount path: 'b' mount path must be absolute" },
		{ "data", "invalid volume specification: 'data': invalid mount config for type "
		          "\"volume\": invalid mount path: 'data' mount path must be absolute" },
		{ "db:/..", "invalid volume specification: 'db:/..': invalid mount config for type "
		            "\"volume\": invalid specification: destination can't be '/'" },
		{ "/a:/b:nocopy", "invalid volume specification: '/a:/b:nocopy': invalid mount "
		                  "config for type \"bind\": field VolumeOptions must not be "
		                  "specified" },
		{ "db:/b:rslave", "invalid volume specification: 'db:/b:rslave': invalid mount "
		                  "config for type \"volume\": field BindOptions must not be "
		                  "specified" },
		{ "a:/b", "create a: volume name is too short, names should be at least two "
		          "alphanumeric characters" },
		{ "a/b:/c", "create a/b: \"a/b\" includes invalid characters for a local volume "
		            "name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended "
		            "to pass a host directory, use absolute path" },
		{ "~/x:/c", "create ~/x: \"~/x\" includes invalid characters for a local volume "
		            "name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended "
		            "to pass a host directory, use absolute path" },
	};

	EXPECT(VOLUME, examples, true);
}

static void v_with_shared_propagation_cannot_reach_the_host(void **state)
{
	_arena_done_ struct arena a = { 0 };
	struct config_mount m;
	struct err err;

	assert_int_equal(mounts_parse_volume(&a, "/a:/b:rshared", "/", &m, &err), -EINVAL);
	assert_contains(err.text, "'rshared' is refused");
	assert_int_equal(mounts_parse_mount(&a, "type=bind,src=/a,dst=/b,bind-propagation=shared",
	                         "/", &m, &err),
	        -EINVAL);
	assert_contains(err.text, "'shared' is refused");
	/* Without a folder to begin at, a relative path is no path. */
	assert_int_equal(mounts_parse_volume(&a, "./a:/b", NULL, &m, &err), -EINVAL);
	assert_contains(err.text, "includes invalid characters for a local volume name");
}

static void mount_takes_every_key(void **state)
{
	static const struct example examples[] = {
		{ "target=/x", "volume  -> /x anon" },
		{ "type=volume,src=db,dst=/x", "volume db -> /x" },
		{ "TYPE=Volume,SRC=db,Dst=/x,ReadOnly", "volume db -> /x ro" },
		{ "src=db,dst=/x,volume-nocopy", "volume db -> /x nocopy" },
		{ "src=db,dst=/x,volume-nocopy=0", "volume db -> /x" },
		{ "src=db,dst=/x,volume-driver=local,volume-label=a=b,volume-label=c",
		        "volume db -> /x a=b c=" },
		{ "dst=/x,volume-label=,volume-label==v", "volume  -> /x anon" },
		{ "type=bind,source=/s,destination=/d", "bind /s -> /d" },
		{ "type=bind,source=.,destination=/d", "bind /home/me -> /d" },
		{ "type=bind,source=./a,destination=/d", "bind /home/me/a -> /d" },
		{ "type=bind,src=/s,dst=/d,ro=1", "bind /s -> /d ro" },
		{ "type=bind,src=/s,dst=/d,ro=True,ro=f", "bind /s -> /d" },
		{ "type=bind,src=/s,dst=/d,bind-propagation=RSLAVE", "bind /s -> /d rslave" },
		{ "type=bind,src=/s,dst=/d,bind-propagation=", "bind /s -> /d" },
		{ "type=bind,src=/s,dst=/d,bind-nonrecursive", "bind /s -> /d nonrec" },
		{ "type=bind,src=/s,dst=/d,bind-recursive=disabled", "bind /s -> /d nonrec" },
		{ "type=bind,src=/s,dst=/d,bind-recursive=enabled", "bind /s -> /d" },
		{ "type=bind,src=/s,dst=/d,ro,bind-recursive=writable",
		        "bind /s -> /d ro shallow" },
		{ "type=bind,src=/s,dst=/d,ro,bind-propagation=rprivate,bind-recursive=readonly",
		        "bind /s -> /d ro" },
		{ "type=bind,src=/s,dst=/d,no-idmap,exec,suid,dev,consistency=cached",
		        "bind /s -> /d noidmap exec dev suid" },
		{ "type=tmpfs,dst=/x,tmpfs-size=1m,tmpfs-mode=1770,exec",
		        "tmpfs  -> /x exec size=1048576 mode=1770" },
		{ "type=tmpfs,dst=/x,src=", "tmpfs  -> /x" },
		{ "\"type=bind\",\"src=/a,b\",dst=/x", "bind /a,b -> /x" },
		{ "type=bind,\"src=/a\"\"b\",dst=/x", "bind /a\"b -> /x" },
		{ "\n\ntype=bind,src=/a,dst=/x\nrest", "bind /a -> /x" },
	};

	EXPECT(MOUNT, examples, false);
}

#define FLAG_ERROR(value, text) "invalid argument \"" value "\" for \"--mount\" flag: " text

static void mount_refuses_as_dockers_client(void **state)
{
	static const struct example examples[] = {
		{ "", FLAG_ERROR("", "EOF") },
		{ "\n", FLAG_ERROR("\\n", "EOF") },
		{ "type=bind,src=/x", FLAG_ERROR("type=bind,src=/x", "target is required") },
		{ "foo", FLAG_ERROR("foo", "invalid field 'foo' must be a key=value pair") },
		{ "dst=/x,", FLAG_ERROR("dst=/x,", "invalid field '' must be a key=value pair") },
		{ "dst=/x, ro",
		        FLAG_ERROR("dst=/x, ro", "invalid field ' ro' must be a key=value pair") },
		{ "dst=/x,=b", FLAG_ERROR("dst=/x,=b", "unexpected key '' in '=b'") },
		{ " dst=/x", FLAG_ERROR(" dst=/x", "unexpected key ' dst' in ' dst=/x'") },
		{ "dst=/x,foo=b\nx", FLAG_ERROR("dst=/x,foo=b\\nx", "unexpected key 'foo' in "
		                                                    "'foo=b'") },
		{ "dst=/x,ro=maybe", FLAG_ERROR("dst=/x,ro=maybe", "invalid value for ro: maybe") },
		{ "dst=/x,readonly=tRUE",
		        FLAG_ERROR("dst=/x,readonly=tRUE", "invalid value for readonly: tRUE") },
		{ "dst=/x,volume-nocopy=",
		        FLAG_ERROR("dst=/x,volume-nocopy=", "invalid value for volume-nocopy: ") },
		{ "dst=/x,volume-label",
		        FLAG_ERROR("dst=/x,volume-label", "invalid field 'volume-label' must be a "
		                                          "key=value pair") },
		{ "type=,dst=/x", FLAG_ERROR("type=,dst=/x", "type is required") },
		{ "type=tmpfs,dst=/x,volume-nocopy",
		        FLAG_ERROR("type=tmpfs,dst=/x,volume-nocopy",
		                "cannot mix 'volume-*' options with mount type 'tmpfs'") },
		{ "dst=/x,bind-nonrecursive",
		        FLAG_ERROR("dst=/x,bind-nonrecursive",
		                "cannot mix 'bind-*' options with mount type 'volume'") },
		{ "type=bind,dst=/x,tmpfs-size=1",
		        FLAG_ERROR("type=bind,dst=/x,tmpfs-size=1",
		                "cannot mix 'tmpfs-*' options with mount type 'bind'") },
		{ "dst=/x,suid", FLAG_ERROR("dst=/x,suid", "cannot mix 'bind-*' options with mount "
		                                           "type 'volume'") },
		{ "type=tmpfs,dst=/x,tmpfs-size=-1", FLAG_ERROR("type=tmpfs,dst=/x,tmpfs-size=-1",
		                                             "invalid value for tmpfs-size: -1") },
		{ "type=tmpfs,dst=/x,tmpfs-mode=9", FLAG_ERROR("type=tmpfs,dst=/x,tmpfs-mode=9",
		                                            "invalid value for tmpfs-mode: 9") },
		{ "dst=/x,bind-recursive=foo",
		        FLAG_ERROR("dst=/x,bind-recursive=foo",
		                "invalid value for bind-recursive: foo (must be \"enabled\", "
		                "\"disabled\", \"writable\", or \"readonly\")") },
		{ "type=bind,src=/a,dst=/x,bind-recursive=readonly",
		        FLAG_ERROR("type=bind,src=/a,dst=/x,bind-recursive=readonly",
		                "option 'bind-recursive=readonly' requires 'readonly' to be "
		                "specified in conjunction") },
		{ "a\"b", FLAG_ERROR("a\\\"b", "parse error on line 1, column 2: bare \" in "
		                               "non-quoted-field") },
		{ "type=bind,\"src=/x",
		        FLAG_ERROR("type=bind,\\\"src=/x",
		                "parse error on line 1, column 18: extraneous or missing \" in "
		                "quoted-field") },
		{ "\"a\"b,target=x", FLAG_ERROR("\\\"a\\\"b,target=x",
		                             "parse error on line 1, column 3: extraneous or "
		                             "missing \" in quoted-field") },
	};

	EXPECT(MOUNT, examples, true);
}

static void mount_refuses_as_dockers_engine(void **state)
{
	static const struct example examples[] = {
		{ "type=foo,dst=/x", "invalid mount config for type \"foo\": mount type unknown" },
		{ "type=bind,dst=/x",
		        "invalid mount config for type \"bind\": field Source must not be empty" },
		{ "type=bind,src=a,dst=/x", "invalid mount config for type \"bind\": invalid mount "
		                            "path: 'a' mount path must be absolute" },
		{ "type=bind,src=/a,dst=x", "invalid mount config for type \"bind\": invalid mount "
		                            "path: 'x' mount path must be absolute" },
		{ "type=bind,src=/a,dst=/x/..", "invalid mount config for type \"bind\": invalid "
		                                "specification: destination can't be '/'" },
		{ "type=bind,src=/a,dst=/x,bind-propagation=up",
		        "invalid mount config for type \"bind\": invalid propagation mode: up" },
		{ "dst=/x,ro", "invalid mount config for type \"volume\": must not set ReadOnly "
		               "mode when using anonymous volumes" },
		{ "type=tmpfs,src=a,dst=/x", "invalid mount config for type \"tmpfs\": field "
		                             "Source must not be specified" },
		{ "src=/a,dst=/x", "create /a: \"/a\" includes invalid characters for a local "
		                   "volume name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. "
		                   "If you intended to pass a host directory, use absolute path" },
	};

	EXPECT(MOUNT, examples, true);
}

static void tmpfs_takes_the_options_of_the_kernel_that_are_safe(void **state)
{
	static const struct example good[] = {
		{ "/x", "tmpfs  -> /x" },
		{ "/x:", "tmpfs  -> /x" },
		{ "/x:rw,size=64k,mode=0700,exec", "tmpfs  -> /x exec size=65536 mode=700" },
		{ "/x:ro,noexec,nosuid,nodev,noatime", "tmpfs  -> /x ro" },
	};
	static const struct example bad[] = {
		{ "/x:foo", "invalid tmpfs option \"foo\"" },
		{ "/x:size=", "invalid tmpfs option \"size=\"" },
		{ "/x:mode=8", "invalid tmpfs option \"mode=8\"" },
		{ "/x:ro,rw", "invalid tmpfs option \"rw\"" },
		{ "x", "invalid mount config for type \"tmpfs\": invalid mount path: 'x' mount path "
		       "must be absolute" },
		{ "/", "invalid mount config for type \"tmpfs\": invalid specification: destination "
		       "can't be '/'" },
		{ "", "invalid mount config for type \"tmpfs\": field Target must not be empty" },
	};

	EXPECT(TMPFS, good, false);
	EXPECT(TMPFS, bad, true);
}

static void a_terminal_is_not_driven_by_what_an_option_holds(void **state)
{
	_arena_done_ struct arena a = { 0 };
	struct config_mount m;
	struct err err;

	assert_int_equal(mounts_parse_mount(&a, "\033[2J=x", "/", &m, &err), -EINVAL);
	assert_string_equal(err.text, FLAG_ERROR("\\x1b[2J=x", "unexpected key '\\x1b[2J' in "
	                                                       "'\\x1b[2J=x'"));
	assert_int_equal(mounts_parse_volume(&a, "x\n\033:/y", "/", &m, &err), -EINVAL);
	assert_null(strchr(err.text, '\n'));
	assert_null(strchr(err.text, '\033'));
}

static void sizes_of_options_are_bounded(void **state)
{
	_arena_done_ struct arena a = { 0 };
	_buf_done_ struct buf text = BUF_INIT(1 << 20);
	struct config_mount m;
	struct err err;

	while (text.len <= MOUNTS_TEXT_MAX)
		(void) buf_adds(&text, "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	assert_int_equal(mounts_parse_volume(&a, buf_str(&text), "/", &m, &err), -EINVAL);
	assert_int_equal(mounts_parse_mount(&a, buf_str(&text), "/", &m, &err), -EINVAL);
	assert_true(mounts_parse_tmpfs(&a, buf_str(&text), &m, &err) < 0);
	text.data[MOUNTS_PATH_MAX + 1] = '\0';
	assert_int_equal(mounts_parse_volume(&a, text.data, "/", &m, &err), -ENAMETOOLONG);
	text.data[MOUNTS_PATH_MAX] = '\0';
	assert_int_equal(mounts_parse_volume(&a, text.data, "/", &m, &err), 0);
}

/* --- the list --------------------------------------------------------------------------------- */

static void list_mounts(const struct config *c, struct buf *out)
{
	for (size_t i = 0; i < c->n_mounts; i++) {
		add_mount(out, &c->mounts[i]);
		(void) buf_addc(out, '\n');
	}
}

static void expect_list(const struct config *c, const char *want)
{
	_buf_done_ struct buf out = BUF_INIT(65536);

	list_mounts(c, &out);
	assert_string_equal(buf_str(&out), want);
}

static void parents_come_before_children(void **state)
{
	struct config c = { 0 };
	const struct mounts_options o = {
		.volumes = ARGS("one:/a/b/c", "two:/z", "/s:/a", "/anon"),
		.mounts = ARGS("src=three,dst=/a/b"),
		.tmpfs = ARGS("/a/b/c/d"),
		.cwd = "/",
	};
	struct err err;

	assert_int_equal(mounts_resolve(&c, &o, &err), 0);
	expect_list(&c, "volume two -> /z\n"
	                "bind /s -> /a create\n"
	                "volume  -> /anon anon\n"
	                "volume three -> /a/b\n"
	                "volume one -> /a/b/c\n"
	                "tmpfs  -> /a/b/c/d\n");
	arena_done(&c.arena);
}

static void one_target_is_mounted_once(void **state)
{
	const struct mounts_options bad[] = {
		{ .volumes = ARGS("one:/x", "/s:/x/") },
		{ .volumes = ARGS("one:/x"), .mounts = ARGS("src=two,dst=/x") },
		{ .volumes = ARGS("one:/y/../x"), .tmpfs = ARGS("/x") },
		{ .mounts = ARGS("dst=/x", "dst=/x") },
	};
	const struct mounts_options weak = {
		.volumes = ARGS("/x", "/x", "one:/x", "/y", "/y"),
		.mounts = ARGS("src=two,dst=/y"),
	};
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct config c = { 0 };

		assert_int_equal(mounts_resolve(&c, &bad[i], &err), -EINVAL);
		assert_string_equal(err.text, "Duplicate mount point: /x");
		arena_done(&c.arena);
	}
	struct config c = { 0 };

	assert_int_equal(mounts_resolve(&c, &weak, &err), 0);
	expect_list(&c, "volume one -> /x\nvolume two -> /y\n");
	arena_done(&c.arena);
}

static void volumes_from_fill_what_is_free(void **state)
{
	const struct config_mount first[] = {
		{ CONFIG_VOLUME, .source = "aaaa", .target = "/one", .anonymous = true },
		{ CONFIG_BIND, .source = "/s", .target = "/two", .propagation = "rslave" },
		{ CONFIG_TMPFS, .source = "", .target = "/four", .propagation = "" },
		{ CONFIG_VOLUME, .source = "mine", .target = "/five", .read_only = true },
	};
	const struct config_mount second[] = {
		{ CONFIG_VOLUME, .source = "bbbb", .target = "/one" },
		{ CONFIG_VOLUME, .source = "cccc", .target = "/three" },
	};
	const struct config one = { .mounts = first, .n_mounts = ARRAY_SIZE(first) };
	const struct config two = { .mounts = second, .n_mounts = ARRAY_SIZE(second) };
	const struct mounts_from from[] = { { &one, false }, { &two, true } };
	const struct mounts_options o = {
		.volumes = ARGS("own:/three", "/two"),
		.from = from,
		.n_from = 2,
	};
	struct config c = { 0 };
	struct err err;

	assert_int_equal(mounts_resolve(&c, &o, &err), 0);
	expect_list(&c, "volume own -> /three\n"
	                "bind /s -> /two nocopy rslave\n"
	                "volume bbbb -> /one ro nocopy\n"
	                "volume mine -> /five ro nocopy\n");
	arena_done(&c.arena);
}

static void volumes_from_names_a_container_and_a_mode(void **state)
{
	static const struct {
		const char *text, *container; /* NULL: refused */
		bool read_only;
	} examples[] = {
		{ "web", "web", false },
		{ "web:", "web", false },
		{ "web:rw", "web", false },
		{ "web:ro", "web", true },
		{ "web:ro,z", "web", true },
		{ "", NULL, false },
		{ ":ro", NULL, false },
		{ "web:rx", NULL, false },
		{ "web:nocopy", NULL, false },
		{ "web:rslave", NULL, false },
		{ "web:suid", NULL, false },
	};
	_arena_done_ struct arena a = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		const char *container = NULL;
		bool read_only = false;
		struct err err;
		int r = mounts_parse_from(&a, examples[i].text, &container, &read_only, &err);

		assert_int_equal(r, examples[i].container ? 0 : -EINVAL);
		if (r < 0)
			continue;
		assert_string_equal(container, examples[i].container);
		assert_int_equal(read_only, examples[i].read_only);
	}
}

static void the_number_of_mounts_is_bounded(void **state)
{
	char **volumes = xnew_n(char *, CONFIG_LIST_MAX + 2);
	const struct mounts_options o = { .volumes = volumes };
	_arena_done_ struct arena a = { 0 };
	struct config c = { 0 };
	struct err err;

	for (size_t i = 0; i <= CONFIG_LIST_MAX; i++)
		volumes[i] = arena_printf(&a, "/v/%zu", i);
	assert_int_equal(mounts_resolve(&c, &o, &err), -E2BIG);
	volumes[CONFIG_LIST_MAX] = NULL;
	assert_int_equal(mounts_resolve(&c, &o, &err), 0);
	assert_int_equal(c.n_mounts, CONFIG_LIST_MAX);
	free(volumes);
	arena_done(&c.arena);
}

static void only_v_makes_a_missing_source(void **state)
{
	const char *scratch = testkit_scratch();
	_free_ char *there = xprintf("%s:/a", scratch);
	_free_ char *missing = xprintf("%s/new/deep:/b", scratch);
	_free_ char *made = xprintf("%s/new/deep", scratch);
	_free_ char *mount = xprintf("type=bind,src=%s/other,dst=/c", scratch);
	_free_ char *sentence = xprintf("invalid mount config for type \"bind\": bind source path "
	                                "does not exist: %s/other",
	        scratch);
	struct config c = { 0 };
	struct mounts_options o = { .volumes = ARGS(there, missing) };
	struct stat st;
	struct err err;

	assert_int_equal(mounts_resolve(&c, &o, &err), 0);
	assert_int_equal(mounts_check_sources(&c, false, &err), 0);
	assert_int_equal(stat(made, &st), -1);
	assert_int_equal(mounts_check_sources(&c, true, &err), 0);
	assert_int_equal(stat(made, &st), 0);
	assert_true(S_ISDIR(st.st_mode) && (st.st_mode & 07777) == 0755);
	o.mounts = ARGS(mount);
	assert_int_equal(mounts_resolve(&c, &o, &err), 0);
	assert_int_equal(mounts_check_sources(&c, true, &err), -ENOENT);
	assert_string_equal(err.text, sentence);
	arena_done(&c.arena);
}

static void a_file_in_the_way_of_a_source_is_told(void **state)
{
	_free_ char *file = xprintf("%s/file", testkit_scratch());
	_free_ char *below = xprintf("%s/x:/a", file);
	struct config c = { 0 };
	struct mounts_options o = { .volumes = ARGS(below) };
	struct err err;
	FILE *f = fopen(file, "w");

	assert_non_null(f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(mounts_resolve(&c, &o, &err), 0);
	assert_int_equal(mounts_check_sources(&c, true, &err), -ENOTDIR);
	arena_done(&c.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(v_takes_paths_names_and_words),
		testkit_case(v_refuses_in_dockers_words),
		testkit_case(v_with_shared_propagation_cannot_reach_the_host),
		testkit_case(mount_takes_every_key),
		testkit_case(mount_refuses_as_dockers_client),
		testkit_case(mount_refuses_as_dockers_engine),
		testkit_case(tmpfs_takes_the_options_of_the_kernel_that_are_safe),
		testkit_case(a_terminal_is_not_driven_by_what_an_option_holds),
		testkit_case(sizes_of_options_are_bounded),
		testkit_case(parents_come_before_children),
		testkit_case(one_target_is_mounted_once),
		testkit_case(volumes_from_fill_what_is_free),
		testkit_case(volumes_from_names_a_container_and_a_mode),
		testkit_case(the_number_of_mounts_is_bounded),
		testkit_case(only_v_makes_a_missing_source),
		testkit_case(a_file_in_the_way_of_a_source_is_told),
	};

	return testkit_run(tests);
}
