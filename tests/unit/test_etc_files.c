/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/etc_files.h"

#include "testkit.h"

#include "base/buf.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXTS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static struct err err;

static const struct config plain = { .hostname = "web", .domainname = "" };

static void the_own_name_is_known(void **state)
{
	const struct config c = {
		.hostname = "web",
		.domainname = "example.org",
		.extra_hosts = TEXTS("db:10.0.0.7", "six:fd00::1"),
	};
	_buf_done_ struct buf out = BUF_INIT(4096), name = BUF_INIT(100);

	assert_int_equal(etc_files_hosts(&c, &out, &err), 0);
	assert_string_equal(buf_str(&out), "127.0.0.1\tlocalhost\n"
	                                   "::1\tlocalhost ip6-localhost ip6-loopback\n"
	                                   "fe00::\tip6-localnet\n"
	                                   "ff00::\tip6-mcastprefix\n"
	                                   "ff02::1\tip6-allnodes\n"
	                                   "ff02::2\tip6-allrouters\n"
	                                   "10.0.0.7\tdb\n"
	                                   "fd00::1\tsix\n"
	                                   "127.0.0.1\tweb.example.org web\n");
	assert_int_equal(etc_files_hostname(&c, &name, &err), 0);
	assert_string_equal(buf_str(&name), "web\n");
}

static void attack_line_breaks_forge_no_lines(void **state)
{
	static const char *const words[] = { "a\n1.2.3.4 google.com", "a b", "a\tb", "#", "", "\r",
		"a\x7f", "\xc3\xa4" };
	_buf_done_ struct buf out = BUF_INIT(4096);

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const char *const list[] = { words[i], NULL };
		_free_ char *host = xprintf("%s:1.2.3.4", words[i]);
		const char *const hosts[] = { host, NULL };
		struct config c = plain;

		c.hostname = words[i];
		assert_int_equal(etc_files_hosts(&c, &out, &err), -EINVAL);
		assert_int_equal(etc_files_hostname(&c, &out, &err), -EINVAL);
		c = plain;
		c.domainname = words[i];
		assert_int_equal(etc_files_hosts(&c, &out, &err), *words[i] ? -EINVAL : 0);
		c = plain;
		c.extra_hosts = hosts;
		assert_int_equal(etc_files_hosts(&c, &out, &err), -EINVAL);
		c = plain;
		c.dns = list;
		assert_int_equal(etc_files_resolv_conf(&c, "", &out, &err), -EINVAL);
		c = plain;
		c.dns_search = list;
		assert_int_equal(etc_files_resolv_conf(&c, "", &out, &err), -EINVAL);
		c = plain;
		c.dns_options = list;
		assert_int_equal(etc_files_resolv_conf(&c, "", &out, &err), -EINVAL);
		assert_null(strchr(err.text, '\n'));
	}
}

static void expect_resolv(const struct config *c, const char *host, const char *want)
{
	_buf_done_ struct buf out = BUF_INIT(65536);

	assert_int_equal(etc_files_resolv_conf(c, host, &out, &err), 0);
	assert_string_equal(buf_str(&out), want);
}

static void name_servers_on_loopback_are_the_host_s(void **state)
{
	static const char host[] = "# made by hand\n"
	                           "nameserver 127.0.0.1\n"
	                           " nameserver\t10.0.0.2 # first\r\n"
	                           "nameserver ::1\n"
	                           "nameserver 127.3.2.1\n"
	                           "nameserver fd00::53\n"
	                           "nameserver fe80::1%eth0\n"
	                           "nameserver not-an-address\n"
	                           "sortlist 1.2.3.4\n"
	                           "domain old.example\n"
	                           "search one.example two.example bad_one\n"
	                           "options ndots:2 edns0; comment\n";

	expect_resolv(&plain, host,
	        "nameserver 10.0.0.2\n"
	        "nameserver fd00::53\n"
	        "search one.example two.example\n"
	        "options ndots:2 edns0\n");
	expect_resolv(&plain, "nameserver 127.0.0.53\n", "");
	expect_resolv(&plain, "", "");
	expect_resolv(&plain, "nameserver", "");
}

static void options_take_the_place_of_the_host_s(void **state)
{
	static const char host[] = "nameserver 10.0.0.2\nsearch one.example\noptions ndots:2\n";
	struct config c = plain;

	c.dns = TEXTS("127.0.0.1", "9.9.9.9");
	expect_resolv(&c, host,
	        "nameserver 127.0.0.1\nnameserver 9.9.9.9\nsearch one.example\n"
	        "options ndots:2\n");
	c = plain;
	c.dns_search = TEXTS("a.b", "c");
	c.dns_options = TEXTS("timeout:1", "rotate");
	expect_resolv(&c, host, "nameserver 10.0.0.2\nsearch a.b c\noptions timeout:1 rotate\n");
	c = plain;
	c.dns_search = TEXTS(".");
	expect_resolv(&c, host, "nameserver 10.0.0.2\noptions ndots:2\n");
}

static void attack_a_resolv_conf_without_end(void **state)
{
	_buf_done_ struct buf host = BUF_INIT(1 << 20), out = BUF_INIT(65536);

	for (int i = 0; i < 3000; i++)
		(void) buf_addf(&host, "nameserver 10.0.%d.%d\noptions a%d\n", i / 256, i % 256, i);
	assert_int_equal(etc_files_resolv_conf(&plain, buf_str(&host), &out, &err), 0);
	assert_true(out.len < 2000);
}

static void the_stub_of_systemd_is_known(void **state)
{
	assert_true(etc_files_is_stub("# x\nnameserver 127.0.0.53\noptions edns0\n"));
	assert_false(etc_files_is_stub("nameserver 127.0.0.53\nnameserver 1.1.1.1\n"));
	assert_false(etc_files_is_stub("nameserver 127.0.0.1\n"));
	assert_false(etc_files_is_stub(""));
}

#define BAD(flag, value, text) "invalid argument \"" value "\" for \"--" flag "\" flag: " text

static void add_host_is_read_as_dockers(void **state)
{
	static const struct {
		const char *text, *want, *error;
	} examples[] = {
		{ "foo:1.2.3.4", "foo:1.2.3.4", NULL },
		{ "foo=1.2.3.4", "foo:1.2.3.4", NULL },
		{ "foo:::1", "foo:::1", NULL },
		{ "foo=::1", "foo:::1", NULL },
		{ "foo:[fd00::1]", "foo:fd00::1", NULL },
		{ "foo", NULL, BAD("add-host", "foo", "bad format for add-host: \"foo\"") },
		{ "foo:", NULL, BAD("add-host", "foo:", "invalid IP address in add-host: \"\"") },
		{ "foo:bar", NULL,
		        BAD("add-host", "foo:bar", "invalid IP address in add-host: \"bar\"") },
		{ "foo:[]", NULL,
		        BAD("add-host", "foo:[]", "invalid IP address in add-host: \"[]\"") },
		{ "foo:[", NULL,
		        BAD("add-host", "foo:[", "invalid IP address in add-host: \"[\"") },
		{ "foo:fe80::1%eth0", NULL,
		        BAD("add-host", "foo:fe80::1%eth0",
		                "invalid IP address in add-host: \"fe80::1%eth0\"") },
		{ ":1.2.3.4", NULL,
		        BAD("add-host", ":1.2.3.4", "bad format for add-host: \":1.2.3.4\"") },
		{ "a b:1.2.3.4", NULL,
		        BAD("add-host", "a b:1.2.3.4",
		                "bad format for add-host: \"a b:1.2.3.4\"") },
		{ "x:host-gateway", NULL,
		        BAD("add-host", "x:host-gateway",
		                "host-gateway is not possible: the container has no way to the "
		                "host") },
	};
	_arena_done_ struct arena a = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		const char *got = NULL;
		int r = etc_files_parse_host(&a, examples[i].text, &got, &err);

		assert_int_equal(r, examples[i].want ? 0 : -EINVAL);
		assert_string_equal(r ? err.text : got,
		        examples[i].want ? examples[i].want : examples[i].error);
	}
}

static void dns_options_are_checked_as_dockers(void **state)
{
	static const char *const good[] = { ".", "a", "a.b-c.d", "example.org.", "1a" };
	static const char *const bad[] = { "", "..", "a..b", "-a", "a-.b", "aa_b", "a b", ".a" };

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(etc_files_check_search(good[i], &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(etc_files_check_search(bad[i], &err), -EINVAL);
	assert_int_equal(etc_files_check_search("a b", &err), -EINVAL);
	assert_string_equal(err.text, BAD("dns-search", "a b", "a b is not a valid domain"));
	assert_int_equal(etc_files_check_dns("::1", &err), 0);
	assert_int_equal(etc_files_check_dns("x", &err), -EINVAL);
	assert_string_equal(err.text, BAD("dns", "x", "IP address is not correctly formatted: x"));
	assert_int_equal(etc_files_check_option("ndots:1", &err), 0);
	assert_int_equal(etc_files_check_option("a\nb", &err), -EINVAL);
}

static void all_three_are_made(void **state)
{
	_arena_done_ struct arena arena = { 0 };
	struct etc_files files;

	assert_int_equal(etc_files_make(&plain, &arena, &files, &err), 0);
	assert_contains(files.hosts, "127.0.0.1\tweb\n");
	assert_string_equal(files.hostname, "web\n");
	assert_non_null(files.resolv_conf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(the_own_name_is_known),
		testkit_case(attack_line_breaks_forge_no_lines),
		testkit_case(name_servers_on_loopback_are_the_host_s),
		testkit_case(options_take_the_place_of_the_host_s),
		testkit_case(attack_a_resolv_conf_without_end),
		testkit_case(the_stub_of_systemd_is_known),
		testkit_case(add_host_is_read_as_dockers),
		testkit_case(dns_options_are_checked_as_dockers),
		testkit_case(all_three_are_made),
	};

	return testkit_run(tests);
}
