/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/etc_files.h"

#include "base/fd.h"
#include "base/str.h"
#include "engine/flag.h"
#include "engine/request.h"
#include "kernel/sys.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOST_RESOLV_CONF "/etc/resolv.conf"
#define REAL_RESOLV_CONF "/run/systemd/resolve/resolv.conf"
#define STUB_ADDRESS     "127.0.0.53"

enum {
	WORD_MAX = 255,
	LABEL_MAX = 63,
	WORDS_MAX = 32, /* of each kind, from the host's file */
};

/* --- words ------------------------------------------------------------------------------------ */

/* Nothing that could end the word or the line, or begin a comment. */
static bool is_word(const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || len > WORD_MAX || *text == '#' || *text == ';')
		return false;
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return true;
}

static bool is_address(const char *text)
{
	unsigned char address[16];

	return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

static bool is_loopback(const char *text)
{
	static const unsigned char one[16] = { [15] = 1 };
	unsigned char address[16];

	if (inet_pton(AF_INET, text, address) == 1)
		return address[0] == 127;
	return inet_pton(AF_INET6, text, address) == 1 && memcmp(address, one, sizeof(one)) == 0;
}

static bool is_label(const char *text, size_t len)
{
	if (len == 0 || len > LABEL_MAX || text[0] == '-' || text[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		        c != '-')
			return false;
	}
	return true;
}

/* "." alone means: no search list. */
static bool is_domain(const char *text)
{
	if (streq(text, "."))
		return true;
	if (!is_word(text))
		return false;
	while (*text) {
		size_t len = strcspn(text, ".");

		if (!is_label(text, len))
			return false;
		text += len;
		text += *text == '.';
	}
	return true;
}

/* --- options ---------------------------------------------------------------------------------- */

static int bad_host(const char *text, const char *address, struct err *err)
{
	_free_ char *quoted = flag_quoted(address ? address : text);

	return err_set(err, -EINVAL, "%s add-host: %s",
	        address ? "invalid IP address in" : "bad format for", quoted);
}

static int parse_host(struct arena *a, const char *text, const char **ret, struct err *err)
{
	size_t len = strcspn(text, text[strcspn(text, "=:")] == '=' ? "=" : ":");
	_free_ char *name = xstrndup(text, len), *address = NULL;
	const char *rest = text + len;

	if (!*rest || !is_word(name))
		return bad_host(text, NULL, err);
	rest++;
	if (streq(rest, "host-gateway"))
		return err_set(err, -EINVAL,
		        "host-gateway is not possible: the container has no way to the host");
	len = strlen(rest);
	address = *rest == '[' && rest[len - 1] == ']' ? xstrndup(rest + 1, len - 2)
	                                               : xstrdup(rest);
	if (!is_address(address))
		return bad_host(text, rest, err);
	*ret = arena_printf(a, "%s:%s", name, address);
	return 0;
}

int etc_files_parse_host(struct arena *a, const char *text, const char **ret, struct err *err)
{
	int r = parse_host(a, text, ret, err);

	return r < 0 ? flag_invalid("add-host", text, r, err) : 0;
}

int etc_files_check_dns(const char *text, struct err *err)
{
	_free_ char *shown = str_escaped(text);

	if (is_address(text))
		return 0;
	(void) err_set(err, -EINVAL, "IP address is not correctly formatted: %s", shown);
	return flag_invalid("dns", text, -EINVAL, err);
}

int etc_files_check_search(const char *text, struct err *err)
{
	_free_ char *shown = str_escaped(text);

	if (is_domain(text))
		return 0;
	(void) err_set(err, -EINVAL, "%s is not a valid domain", shown);
	return flag_invalid("dns-search", text, -EINVAL, err);
}

int etc_files_check_option(const char *text, struct err *err)
{
	if (is_word(text))
		return 0;
	(void) err_set(err, -EINVAL, "an option of resolv.conf is one word");
	return flag_invalid("dns-option", text, -EINVAL, err);
}

/* --- hosts and hostname ----------------------------------------------------------------------- */

static int check_names(const struct config *c, struct err *err)
{
	_free_ char *shown = str_escaped(c->hostname), *domain = str_escaped(c->domainname);

	if (!is_word(c->hostname))
		return err_set(err, -EINVAL, "'%s' is not a host name", shown);
	if (*c->domainname && !is_word(c->domainname))
		return err_set(err, -EINVAL, "'%s' is not a domain name", domain);
	return 0;
}

static int add_extra_hosts(const struct config *c, struct buf *out, struct err *err)
{
	for (size_t i = 0; c->extra_hosts && c->extra_hosts[i]; i++) {
		const char *colon = strchr(c->extra_hosts[i], ':');
		_free_ char *name = NULL;

		if (!colon || !is_address(colon + 1))
			return bad_host(c->extra_hosts[i], NULL, err);
		name = xstrndup(c->extra_hosts[i], (size_t) (colon - c->extra_hosts[i]));
		if (!is_word(name))
			return bad_host(c->extra_hosts[i], NULL, err);
		(void) buf_addf(out, "%s\t%s\n", colon + 1, name);
	}
	return 0;
}

int etc_files_hosts(const struct config *config, struct buf *out, struct err *err)
{
	int r = check_names(config, err);

	if (r < 0)
		return r;
	(void) buf_adds(out, "127.0.0.1\tlocalhost\n"
	                     "::1\tlocalhost ip6-localhost ip6-loopback\n"
	                     "fe00::\tip6-localnet\n"
	                     "ff00::\tip6-mcastprefix\n"
	                     "ff02::1\tip6-allnodes\n"
	                     "ff02::2\tip6-allrouters\n");
	r = add_extra_hosts(config, out, err);
	if (r < 0)
		return r;
	(void) buf_adds(out, "127.0.0.1\t");
	if (*config->domainname)
		(void) buf_addf(out, "%s.%s ", config->hostname, config->domainname);
	(void) buf_addf(out, "%s\n", config->hostname);
	return 0;
}

int etc_files_hostname(const struct config *config, struct buf *out, struct err *err)
{
	int r = check_names(config, err);

	return r < 0 ? r : buf_addf(out, "%s\n", config->hostname);
}

/* --- resolv.conf ------------------------------------------------------------------------------ */

struct resolv {
	char **servers, **search, **options; /* strv */
};

static void resolv_done(struct resolv *r)
{
	r->servers = strv_free(r->servers);
	r->search = strv_free(r->search);
	r->options = strv_free(r->options);
}

static void add_words(char ***list, char *words, bool (*is_good)(const char *text))
{
	for (char *word; (word = strsep(&words, " \t"));)
		if (*word && is_good(word) && strv_len(*list) < WORDS_MAX)
			strv_add(list, word);
}

/* The last search list counts, as it does for the C library. */
static void read_line(struct resolv *r, char *line)
{
	char *words = line + strspn(line, " \t");
	const char *key = strsep(&words, " \t");

	if (!words)
		return;
	if (streq(key, "nameserver"))
		add_words(&r->servers, words, is_address);
	if (streq(key, "options"))
		add_words(&r->options, words, is_word);
	if (streq(key, "search") || streq(key, "domain")) {
		r->search = strv_free(r->search);
		add_words(&r->search, words, is_domain);
	}
}

static void read_resolv_conf(struct resolv *r, const char *text)
{
	_free_ char *copy = xstrdup(text);
	char *rest = copy;

	for (char *line; (line = strsep(&rest, "\n"));) {
		line[strcspn(line, "\r#;")] = '\0';
		read_line(r, line);
	}
}

bool etc_files_is_stub(const char *host)
{
	_cleanup_(resolv_done) struct resolv r = { 0 };

	read_resolv_conf(&r, host);
	return strv_len(r.servers) == 1 && streq(r.servers[0], STUB_ADDRESS);
}

/* What the configuration gives, or else what the host has. */
static const char *const *choose(const char *const *given, char *const *host)
{
	static const char *const none[] = { NULL };

	if (given && *given)
		return given;
	return host ? (const char *const *) host : none;
}

static int add_list(const char *key, const char *const *words, bool (*is_good)(const char *text),
        struct buf *out, struct err *err)
{
	for (size_t i = 0; words[i]; i++) {
		_free_ char *shown = str_escaped(words[i]);

		if (!is_good(words[i]))
			return err_set(err, -EINVAL, "'%s' cannot stand behind '%s' in resolv.conf",
			        shown, key);
		(void) buf_addf(out, "%s %s", i == 0 ? key : "", words[i]);
	}
	if (words[0])
		(void) buf_addc(out, '\n');
	return 0;
}

int etc_files_resolv_conf(
        const struct config *config, const char *host, struct buf *out, struct err *err)
{
	_cleanup_(resolv_done) struct resolv h = { 0 };
	const char *const *servers, *const *search;
	int r = 0;

	read_resolv_conf(&h, host);
	servers = choose(config->dns, h.servers);
	search = choose(config->dns_search, h.search);
	for (size_t i = 0; r == 0 && servers[i]; i++) {
		const char *const one[] = { servers[i], NULL };

		/* A loopback address that was asked for may be a server in the container. */
		if (servers == config->dns || !is_loopback(servers[i]))
			r = add_list("nameserver", one, is_address, out, err);
	}
	if (r == 0 && !(search[0] && streq(search[0], ".")))
		r = add_list("search", search, is_domain, out, err);
	if (r == 0)
		r = add_list("options", choose(config->dns_options, h.options), is_word, out, err);
	return r;
}

/* --- writing ---------------------------------------------------------------------------------- */

/* A file that is missing, or no text of a sensible size, is a host without name servers. */
static void read_host_file(const char *path, struct buf *out)
{
	_close_ int fd = sys_openat2(AT_FDCWD, path, O_RDONLY | O_NONBLOCK, 0, 0);
	struct stat st;

	buf_clear(out);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || buf_read_fd(out, fd) < 0)
		buf_clear(out);
}

int etc_files_make(
        const struct config *config, struct arena *arena, struct etc_files *ret, struct err *err)
{
	_buf_done_ struct buf hosts = BUF_INIT(ETC_FILES_SIZE_MAX);
	_buf_done_ struct buf hostname = BUF_INIT(ETC_FILES_SIZE_MAX);
	_buf_done_ struct buf resolv = BUF_INIT(ETC_FILES_SIZE_MAX);
	_buf_done_ struct buf host = BUF_INIT(ETC_FILES_HOST_MAX);
	int r = etc_files_hosts(config, &hosts, err);

	read_host_file(HOST_RESOLV_CONF, &host);
	if (etc_files_is_stub(buf_str(&host)))
		read_host_file(REAL_RESOLV_CONF, &host);
	if (r == 0)
		r = etc_files_hostname(config, &hostname, err);
	if (r == 0)
		r = etc_files_resolv_conf(config, buf_str(&host), &resolv, err);
	if (r < 0)
		return r;
	if (!buf_ok(&hosts) || !buf_ok(&hostname) || !buf_ok(&resolv))
		return err_set(err, -EMSGSIZE,
		        "the files in /etc of the container would be longer than %d bytes: name fewer hosts",
		        ETC_FILES_SIZE_MAX);
	*ret = (struct etc_files){
		.hosts = arena_strdup(arena, buf_str(&hosts)),
		.hostname = arena_strdup(arena, buf_str(&hostname)),
		.resolv_conf = arena_strdup(arena, buf_str(&resolv)),
	};
	return 0;
}
