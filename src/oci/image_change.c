/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 'image import --change': one Dockerfile instruction that changes the configuration only.
 *
 * Each handler gets the text behind the keyword and writes to a copy of the structure; the copy
 * replaces the image when all went well. Old values stay in the arena until the image goes.
 */
#include "oci/change.h"

#include "base/path.h"
#include "base/str.h"
#include "json/json.h"

#include <errno.h>
#include <strings.h>

enum { PORT_MAX = 65535, NAME_SHOWN_MAX = 32, WORDS_MAX = 256, ARGS_MAX = 4096, SET_MAX = 1024 };

int oci_change_refuse(const struct oci_change *c, const char *why)
{
	return err_set(c->err, -EINVAL, "cannot apply %s: %s", c->keyword, why);
}

bool oci_is_blank(char b)
{
	return b == ' ' || b == '\t';
}

const char *oci_skip_blanks(const char *p)
{
	while (oci_is_blank(*p))
		p++;
	return p;
}

/* -- lists in the arena -- */

static size_t texts_len(const char *const *list)
{
	size_t n = 0;

	while (list[n])
		n++;
	return n;
}

/* A copy of the list with one more member, which is copied too. */
static const char *const *texts_with(struct arena *a, const char *const *list, const char *text)
{
	size_t n = texts_len(list);
	const char **copy = arena_new_n(a, const char *, n + 2);

	memcpy(copy, list, n * sizeof(*copy));
	copy[n] = arena_strdup(a, text);
	return copy;
}

/* The same for a set: a member that is there already changes nothing. */
static const char *const *set_with(struct arena *a, const char *const *list, const char *text)
{
	for (const char *const *p = list; *p; p++)
		if (streq(*p, text))
			return list;
	return texts_with(a, list, text);
}

/* -- words: quotes, backslashes, $NAME -- */

static const char *env_value(const struct oci_image *img, const char *name, size_t len)
{
	for (const char *const *e = img->env; *e; e++)
		if (strncmp(*e, name, len) == 0 && (*e)[len] == '=')
			return *e + len + 1;
	return "";
}

/* Appends the value of the variable at *p (on the '$') and steps over it. */
static int expand(const struct oci_change *c, const char **p, struct buf *out)
{
	static const char letters[] =
	        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
	bool braces = (*p)[1] == '{';
	const char *name = *p + (braces ? 2 : 1);
	size_t len = strspn(name, letters);

	if (braces && (len == 0 || name[len] != '}'))
		return oci_change_refuse(c, "of variables only $NAME and ${NAME} are known");
	if (len == 0) {
		(*p)++;
		return buf_addc(out, '$');
	}
	*p = name + len + braces;
	return buf_adds(out, env_value(c->img, name, len));
}

/* Appends what stands in quotes at *p and steps over it. */
static int quoted(const struct oci_change *c, const char **p, struct buf *out)
{
	char quote = *(*p)++;
	int r = 0;

	while (r == 0 && **p && **p != quote) {
		if (quote == '"' && **p == '\\' && (*p)[1] && strchr("\"\\$", (*p)[1])) {
			r = buf_addc(out, (*p)[1]);
			*p += 2;
		} else if (quote == '"' && **p == '$') {
			r = expand(c, p, out);
		} else {
			r = buf_addc(out, *(*p)++);
		}
	}
	if (r < 0)
		return r;
	if (!**p)
		return oci_change_refuse(c, "a quote is not closed");
	(*p)++;
	return 0;
}

/* Appends one word at *p (or, with 'whole', all of the rest) with quotes and variables resolved. */
static int word(const struct oci_change *c, const char **p, bool whole, struct buf *out)
{
	int r = 0;

	while (r == 0 && **p && (whole || !oci_is_blank(**p))) {
		if (**p == '"' || **p == '\'') {
			r = quoted(c, p, out);
		} else if (**p == '$') {
			r = expand(c, p, out);
		} else if (**p == '\\' && (*p)[1]) {
			r = buf_addc(out, (*p)[1]);
			*p += 2;
		} else {
			r = buf_addc(out, *(*p)++);
		}
	}
	return r == -EMSGSIZE ? oci_change_refuse(c, "it is too long") : r;
}

/* The rest as one word; the caller frees *ret. */
static int one_word(const struct oci_change *c, const char *rest, char **ret)
{
	_buf_done_ struct buf b = BUF_INIT(OCI_CHANGE_MAX);
	int r = word(c, &rest, false, &b);

	if (r < 0)
		return r;
	if (*oci_skip_blanks(rest))
		return oci_change_refuse(c, "it takes one argument");
	if (b.len == 0)
		return oci_change_refuse(c, "its argument is empty");
	*ret = buf_take(&b);
	return 0;
}

/* -- JSON form and shell form -- */

/* The list of a JSON form; NULL when the text is none (then it is the shell's). */
const char *const *oci_change_json_form(const struct oci_change *c, const char *rest)
{
	static const struct json_limits limits = {
		.max_bytes = OCI_CHANGE_MAX,
		.max_depth = 1,
		.max_list = ARGS_MAX,
		.max_string = OCI_CHANGE_MAX,
	};
	_json_put_ struct json_object *array = NULL;
	const struct json_field field = { .offset = 0 };
	struct json_read r = { .document = c->keyword, .arena = c->arena };
	const char *const *list = NULL;

	if (*rest != '[')
		return NULL;
	if (json_parse_bounded(c->keyword, rest, strlen(rest), &limits, &array, NULL) < 0)
		return NULL;
	return json_get_strv(&r, &field, array, &list) < 0 ? NULL : list;
}

/* A command: the JSON form as it is, else the shell with the text as its last argument. */
static const char *const *command(const struct oci_change *c, const char *rest)
{
	static const char *const shell[] = { "/bin/sh", "-c", NULL };
	const char *const *list = oci_change_json_form(c, rest);

	if (list)
		return list;
	return texts_with(c->arena, c->img->shell[0] ? c->img->shell : shell, rest);
}

/* -- handlers -- */

static int change_cmd(struct oci_change *c, const char *rest)
{
	c->img->cmd = command(c, rest);
	return 0;
}

static int change_entrypoint(struct oci_change *c, const char *rest)
{
	c->img->entrypoint = command(c, rest);
	return 0;
}

static void set_env(struct oci_change *c, const char *name, const char *value)
{
	const char *entry = arena_printf(c->arena, "%s=%s", name, value);
	size_t len = strlen(name), n = texts_len(c->img->env);
	const char **copy;

	for (size_t i = 0; i < n; i++) {
		if (strncmp(c->img->env[i], entry, len + 1) != 0)
			continue;
		copy = arena_new_n(c->arena, const char *, n + 1);
		memcpy(copy, c->img->env, n * sizeof(*copy));
		copy[i] = entry;
		c->img->env = copy;
		return;
	}
	c->img->env = texts_with(c->arena, c->img->env, entry);
}

static void set_label(struct oci_change *c, const char *name, const char *value)
{
	size_t n = c->img->n_labels, i = 0;
	struct oci_kv *copy = arena_new_n(c->arena, struct oci_kv, n + 1);

	if (n > 0)
		memcpy(copy, c->img->labels, n * sizeof(*copy));
	while (i < n && !streq(copy[i].key, name))
		i++;
	copy[i] = (struct oci_kv){ arena_strdup(c->arena, name), arena_strdup(c->arena, value) };
	c->img->n_labels = MAX(n, i + 1);
	c->img->labels = copy;
}

/* One NAME=VALUE word at *p, or in the old form "NAME the rest". */
static int one_pair(struct oci_change *c, const char **p, bool old,
        void (*set)(struct oci_change *, const char *, const char *))
{
	_buf_done_ struct buf b = BUF_INIT(OCI_CHANGE_MAX);
	char *value;
	int r = word(c, p, false, &b);

	if (r < 0)
		return r;
	if (old) {
		*p = oci_skip_blanks(*p);
		if (!**p)
			return oci_change_refuse(c, "it takes NAME=VALUE");
		(void) buf_addc(&b, '=');
		r = word(c, p, true, &b);
	}
	if (r < 0 || !buf_ok(&b))
		return oci_change_refuse(c, "it is too long");
	value = b.data ? strchr(b.data, '=') : NULL;
	if (!value || value == b.data)
		return oci_change_refuse(c, "it takes NAME=VALUE");
	*value++ = '\0';
	set(c, b.data, value);
	return 0;
}

static int pairs(struct oci_change *c, const char *rest,
        void (*set)(struct oci_change *, const char *, const char *))
{
	/* As with docker, the first word tells the form for all. */
	bool old = rest[strcspn(rest, "= \t")] != '=';
	size_t n = 0;
	int r = 0;

	for (const char *p = rest; r == 0 && *p; p = oci_skip_blanks(p)) {
		if (n++ >= WORDS_MAX)
			return oci_change_refuse(c, "it is too long");
		r = one_pair(c, &p, old, set);
	}
	return r;
}

static int change_env(struct oci_change *c, const char *rest)
{
	return pairs(c, rest, set_env);
}

static int change_label(struct oci_change *c, const char *rest)
{
	return pairs(c, rest, set_label);
}

static int parse_port(const char *text, size_t len, uint32_t *ret)
{
	_free_ char *copy = xstrndup(text, len);

	return num_parse_u32(copy, ret) < 0 || *ret == 0 || *ret > PORT_MAX ? -EINVAL : 0;
}

/* PORT[-PORT][/PROTOCOL] */
static int expose_one(struct oci_change *c, const char *text)
{
	static const char *const protocols[] = { "tcp", "udp", "sctp" };
	size_t len = strcspn(text, "/"), first_len = strcspn(text, "-/");
	const char *protocol = text[len] ? text + len + 1 : "tcp";
	uint32_t first, last;
	bool known = false;

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		known |= streq(protocols[i], protocol);
	if (!known || parse_port(text, first_len, &first) < 0)
		return oci_change_refuse(c, "it takes PORT or PORT/tcp, /udp, /sctp");
	last = first;
	if (text[first_len] == '-' &&
	        parse_port(text + first_len + 1, len - first_len - 1, &last) < 0)
		return oci_change_refuse(c, "it takes PORT or PORT/tcp, /udp, /sctp");
	if (last < first || last - first + texts_len(c->img->exposed_ports) >= SET_MAX)
		return oci_change_refuse(c, "the range of ports is empty or too large");
	for (uint32_t port = first; port <= last; port++) {
		_free_ char *name = xprintf("%u/%s", port, protocol);

		c->img->exposed_ports = set_with(c->arena, c->img->exposed_ports, name);
	}
	return 0;
}

static int volume_one(struct oci_change *c, const char *text)
{
	if (*text != '/')
		return oci_change_refuse(c, "a volume is an absolute path");
	if (texts_len(c->img->volumes) >= SET_MAX)
		return oci_change_refuse(c, "there are too many volumes");
	c->img->volumes = set_with(c->arena, c->img->volumes, text);
	return 0;
}

static int each_word(
        struct oci_change *c, const char *rest, int (*one)(struct oci_change *, const char *))
{
	size_t n = 0;
	int r = 0;

	for (const char *p = rest; r == 0 && *p; p = oci_skip_blanks(p)) {
		_buf_done_ struct buf b = BUF_INIT(OCI_CHANGE_MAX);

		if (n++ >= WORDS_MAX)
			return oci_change_refuse(c, "it is too long");
		r = word(c, &p, false, &b);
		if (r == 0)
			r = one(c, buf_str(&b));
	}
	return r;
}

static int change_expose(struct oci_change *c, const char *rest)
{
	return each_word(c, rest, expose_one);
}

static int change_volume(struct oci_change *c, const char *rest)
{
	const char *const *list = oci_change_json_form(c, rest);
	int r = 0;

	if (!list)
		return each_word(c, rest, volume_one);
	for (; *list && r == 0; list++)
		r = volume_one(c, *list);
	return r;
}

static int change_user(struct oci_change *c, const char *rest)
{
	_free_ char *text = NULL;
	int r = one_word(c, rest, &text);

	if (r == 0)
		c->img->user = arena_strdup(c->arena, text);
	return r;
}

static int change_workdir(struct oci_change *c, const char *rest)
{
	_free_ char *text = NULL, *whole = NULL, *clean = NULL;
	int r = one_word(c, rest, &text);

	if (r < 0)
		return r;
	/* A relative one starts from the one before. */
	whole = xprintf(
	        "%s/%s", *text == '/' || !c->img->working_dir ? "" : c->img->working_dir, text);
	clean = path_clean(whole);
	c->img->working_dir = arena_strdup(c->arena, clean);
	return 0;
}

static int change_stopsignal(struct oci_change *c, const char *rest)
{
	_free_ char *text = NULL;
	int r = one_word(c, rest, &text);

	if (r < 0)
		return r;
	if (text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-")])
		return oci_change_refuse(c, "it takes a signal's name or number");
	c->img->stop_signal = arena_strdup(c->arena, text);
	return 0;
}

static int change_onbuild(struct oci_change *c, const char *rest)
{
	static const char *const never[] = { "ONBUILD", "FROM", "MAINTAINER" };

	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		if (strncasecmp(rest, never[i], strlen(never[i])) == 0 &&
		        (oci_is_blank(rest[strlen(never[i])]) || !rest[strlen(never[i])]))
			return oci_change_refuse(
			        c, "ONBUILD, FROM and MAINTAINER cannot stand there");
	c->img->on_build = texts_with(c->arena, c->img->on_build, rest);
	return 0;
}

/* -- the table -- */

static const struct {
	const char *keyword;
	int (*apply)(struct oci_change *c, const char *rest);
} instructions[] = {
	{ "CMD", change_cmd },
	{ "ENTRYPOINT", change_entrypoint },
	{ "ENV", change_env },
	{ "EXPOSE", change_expose },
	{ "HEALTHCHECK", oci_change_healthcheck },
	{ "LABEL", change_label },
	{ "ONBUILD", change_onbuild },
	{ "STOPSIGNAL", change_stopsignal },
	{ "USER", change_user },
	{ "VOLUME", change_volume },
	{ "WORKDIR", change_workdir },
};

/* A control character would end up in the output of other commands; JSON needs UTF-8. */
static bool text_is_clean(const char *text)
{
	static const struct json_limits limits = { (size_t) OCI_CHANGE_MAX * 8, 1, 1,
		(size_t) OCI_CHANGE_MAX * 8 };
	_buf_done_ struct buf b = BUF_INIT(OCI_CHANGE_MAX * 2 + 8);
	int r = buf_adds(&b, "[\"");

	for (const char *p = text; *p && r == 0; p++) {
		if ((unsigned char) *p < 0x20 && *p != '\t')
			return false;
		/* Only the bytes above ASCII are in question. */
		r = buf_addc(&b, (unsigned char) *p >= 0x80 ? *p : 'a');
	}
	return r == 0 && buf_adds(&b, "\"]") == 0 &&
	       json_check("text", b.data, b.len, &limits, NULL) == 0;
}

int oci_image_change(struct oci_image *img, const char *instruction, struct err *err)
{
	const char *text = oci_skip_blanks(instruction);
	size_t len = strcspn(text, " \t");
	_free_ char *rest = NULL, *shown = NULL;
	struct oci_image copy = *img;
	struct oci_change c = { .img = &copy, .arena = &img->arena, .err = err };
	int r;

	if (strlen(instruction) > OCI_CHANGE_MAX)
		return err_set(
		        err, -EINVAL, "the instruction is longer than %d bytes", OCI_CHANGE_MAX);
	if (!text_is_clean(text))
		return err_set(
		        err, -EINVAL, "the instruction has a control character or is not UTF-8");
	for (size_t i = 0; i < ARRAY_SIZE(instructions); i++) {
		if (strlen(instructions[i].keyword) != len ||
		        strncasecmp(instructions[i].keyword, text, len) != 0)
			continue;
		c.keyword = instructions[i].keyword;
		rest = xstrdup(oci_skip_blanks(text + len));
		for (size_t n = strlen(rest); n > 0 && oci_is_blank(rest[n - 1]); n--)
			rest[n - 1] = '\0';
		r = *rest ? instructions[i].apply(&c, rest)
		          : oci_change_refuse(&c, "it has no argument");
		if (r < 0)
			return r;
		copy.arena = img->arena;
		*img = copy;
		return 0;
	}
	shown = xstrndup(text, MIN(len, (size_t) NAME_SHOWN_MAX));
	return err_set(err, -EINVAL,
	        "unknown instruction '%s': known are CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, "
	        "LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME and WORKDIR",
	        shown);
}
