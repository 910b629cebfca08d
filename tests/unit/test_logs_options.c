/* SPDX-License-Identifier: Apache-2.0 */
/* Options of docker's --log-opt, the encoded configuration, and messages to the journal. */
#include "base/buf.h"
#include "base/arena.h"
#include "base/fd.h"
#include "base/str.h"
#include "logkit.h"
#include "logs/options.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct log_label labels[] = {
	{ "role", "web\nfront\"end" },
	{ "team.name", "blue" },
	{ "container-name", "forged" },
	{ "_secret", "s" },
	{ "9lives", "n" },
};
static const char *const env[] = { "A=1", "PATH=/bin", "role=from env", "A=2", "B", NULL };
static const struct log_subject subject = {
	.id = ID,
	.name = "web",
	.image = "docker.io/library/nginx:1",
	.image_id = "sha256:fedcba9876543210",
	.labels = labels,
	.n_labels = ARRAY_SIZE(labels),
	.env = env,
};
static struct err err;

/* Parses driver and up to three options. */
static int parse(
        struct arena *a, const char *driver, const char *const opts[3], struct log_config *ret)
{
	const char *const list[] = { opts[0], opts[0] ? opts[1] : NULL,
		opts[0] && opts[1] ? opts[2] : NULL, NULL };

	return log_options_parse(driver, list, &subject, a, ret, &err);
}

static void numbers_are_read_and_defaults_are_safe(void **state)
{
	static const struct {
		const char *driver, *opts[3];
		struct log_config want;
	} table[] = {
		{ NULL, { NULL }, { LOG_DRIVER_JSON_FILE, 16 << 20, 4, 0, 0, NULL, 0 } },
		{ "", { "compress=false" }, { LOG_DRIVER_JSON_FILE, 16 << 20, 4, 0, 0, NULL, 0 } },
		{ "json-file", { "max-size=10m", "max-file=3", "mode=blocking" },
		        { LOG_DRIVER_JSON_FILE, 10 << 20, 3, 0, 0, NULL, 0 } },
		{ "json-file", { "max-size=1", "max-size=-1" },
		        { LOG_DRIVER_JSON_FILE, 0, 4, 0, 0, NULL, 0 } },
		{ "json-file", { "max-rate=1k" },
		        { LOG_DRIVER_JSON_FILE, 16 << 20, 4, 1024, 65536, NULL, 0 } },
		{ "json-file", { "max-rate=1m" },
		        { LOG_DRIVER_JSON_FILE, 16 << 20, 4, 1 << 20, 1 << 20, NULL, 0 } },
		{ "json-file", { "max-burst=5", "max-rate=1m" },
		        { LOG_DRIVER_JSON_FILE, 16 << 20, 4, 1 << 20, 5, NULL, 0 } },
		{ "none", { NULL }, { LOG_DRIVER_NONE, 0, 0, 0, 0, NULL, 0 } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		_arena_done_ struct arena a = { 0 };
		struct log_config c;

		assert_int_equal(parse(&a, table[i].driver, table[i].opts, &c), 0);
		assert_int_equal(c.driver, table[i].want.driver);
		assert_int_equal(c.max_size, table[i].want.max_size);
		assert_int_equal(c.max_files, table[i].want.max_files);
		assert_int_equal(c.max_rate, table[i].want.max_rate);
		assert_int_equal(c.max_burst, table[i].want.max_burst);
		assert_int_equal(c.extra_len, 0);
		assert_int_equal(log_config_check(&c), 0);
	}
}

static void wrong_options_say_what_is_wrong(void **state)
{
	static const struct {
		const char *driver, *opt, *text;
	} table[] = {
		{ "syslog", NULL,
		        "no log driver named 'syslog' is registered; there are json-file, journald and none" },
		{ "json\033", NULL,
		        "no log driver named 'json\\x1b' is registered; there are json-file, journald and none" },
		{ "json-file", "x=1", "unknown log opt 'x' for json-file log driver" },
		{ "json-file", "=", "unknown log opt '' for json-file log driver" },
		{ "journald", "max-size=1m", "unknown log opt 'max-size' for journald log driver" },
		{ "none", "tag=x", "unknown log opt 'tag' for none log driver" },
		{ "json-file", "tag", "the log option 'tag' needs a value: KEY=VALUE" },
		{ "json-file", "max-size=0", "max-size must be a positive number" },
		{ "json-file", "max-size=-2",
		        "the log option 'max-size' needs a size such as 10m, not '-2'" },
		{ "json-file", "max-size=9999t",
		        "the log option 'max-size' needs a size such as 10m, not '9999t'" },
		{ "json-file", "max-file=0", "max-file cannot be less than 1" },
		{ "json-file", "max-file=1001",
		        "the log option 'max-file' needs a number from 1 to 1000" },
		{ "json-file", "max-file=many",
		        "the log option 'max-file' needs a number from 1 to 1000" },
		{ "json-file", "max-burst=1k",
		        "the log option 'max-burst' is only supported with 'max-rate'" },
		{ "json-file", "compress=true",
		        "the log option 'compress' can only be false: rotated files are not compressed; max-size and max-file bound them" },
		{ "json-file", "compress=yes", "the log option 'compress' must be true or false" },
		{ "json-file", "mode=non-blocking",
		        "the log option 'mode' can only be blocking: a container never waits for a full disk here, so no buffer is needed" },
		{ "json-file", "mode=x", "the log option 'mode' must be blocking" },
		{ "json-file", "max-buffer-size=4m",
		        "the log option 'max-buffer-size' is only supported with 'mode=non-blocking', which does not exist here" },
		{ "json-file", "labels-regex=^a",
		        "the log options 'labels-regex' and 'env-regex' are not supported: name what is wanted by 'labels' and 'env'" },
		{ "journald", "env-regex=^a",
		        "the log options 'labels-regex' and 'env-regex' are not supported: name what is wanted by 'labels' and 'env'" },
		{ "json-file", "tag={{.Nmae}}",
		        "the log tag '{{.Nmae}}' has a template that is not known; there are {{.ID}}, {{.FullID}}, {{.Name}}, {{.ImageID}}, {{.ImageFullID}}, {{.ImageName}} and {{.DaemonName}}" },
		{ "json-file", "tag={{.Name",
		        "the log tag '{{.Name' has a template that is not known; there are {{.ID}}, {{.FullID}}, {{.Name}}, {{.ImageID}}, {{.ImageFullID}}, {{.ImageName}} and {{.DaemonName}}" },
		{ "journald", "labels=container-name",
		        "'container-name' would take the place of the journal field 'CONTAINER_NAME'" },
		{ "journald", "labels=9lives",
		        "'9lives' cannot be the name of a journal field (a letter first, 64 at most)" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		_arena_done_ struct arena a = { 0 };
		const char *const opts[3] = { table[i].opt };
		struct log_config c;

		assert_int_equal(parse(&a, table[i].driver, opts, &c), -EINVAL);
		assert_string_equal(err.text, table[i].text);
	}
}

static void labels_variables_and_tag_become_attributes(void **state)
{
	static const struct {
		const char *opts[3], *attrs;
	} table[] = {
		{ { "labels=role,,none" }, "{\"role\":\"web\\nfront\\\"end\"}" },
		{ { "labels=team.name,role", "env=role,A,B,PATH" },
		        "{\"A\":\"2\",\"PATH\":\"/bin\",\"role\":\"from env\",\"team.name\":\"blue\"}" },
		{ { "tag={{.Name}}/{{ .ID }}" }, "{\"tag\":\"web/0123456789ab\"}" },
		{ { "tag={{.ImageName}} {{.ImageID}} {{.ImageFullID}}" },
		        "{\"tag\":\"docker.io/library/nginx:1 fedcba987654 sha256:fedcba9876543210\"}" },
		{ { "tag={x}{{.DaemonName}}{", "labels=container-name" },
		        "{\"container-name\":\"forged\",\"tag\":\"{x}bulkhead{\"}" },
		{ { "tag=", "labels=", "env=" }, "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		_arena_done_ struct arena a = { 0 };
		_free_ char *attrs = NULL;
		struct log_config c;

		assert_int_equal(parse(&a, "json-file", table[i].opts, &c), 0);
		attrs = xstrndup(c.extra ? c.extra : "", c.extra_len);
		assert_string_equal(attrs, table[i].attrs);
		assert_int_equal(log_config_check(&c), 0);
	}
}

static void too_much_for_each_line_is_refused(void **state)
{
	_arena_done_ struct arena a = { 0 };
	_free_ char *value = xcalloc(1, LOG_EXTRA_MAX + 1), *tag = NULL;
	const struct log_label big = { "big", memset(value, 'x', LOG_EXTRA_MAX) };
	const char *opts[] = { "labels=big", NULL };
	struct log_subject s = subject;
	struct log_config c;

	s.labels = &big;
	s.n_labels = 1;
	assert_int_equal(log_options_parse("json-file", opts, &s, &a, &c, &err), -EMSGSIZE);
	assert_contains(err.text, "more than 16384 bytes");
	value[LOG_EXTRA_MAX - 100] = '\0';
	assert_int_equal(log_options_parse("json-file", opts, &s, &a, &c, &err), 0);
	tag = xprintf("tag=%s", value);
	opts[0] = tag;
	assert_int_equal(log_options_parse("json-file", opts, &s, &a, &c, &err), -EMSGSIZE);
}

/* --- the encoded configuration --- */

static void a_configuration_comes_back(void **state)
{
	static const char *const opts[][3] = {
		{ "labels=role", "max-rate=5m", "max-file=7" },
		{ NULL },
	};
	static const char *const drivers[] = { "json-file", "none" };

	for (size_t i = 0; i < 2; i++) {
		_arena_done_ struct arena a = { 0 };
		_buf_done_ struct buf bytes = BUF_INIT(LOG_CONFIG_MAX),
		                      again = BUF_INIT(LOG_CONFIG_MAX);
		struct log_config c, back;

		assert_int_equal(parse(&a, drivers[i], opts[i], &c), 0);
		log_config_encode(&c, &bytes);
		assert_true(buf_ok(&bytes));
		assert_int_equal(log_config_decode(bytes.data, bytes.len, &back, &err), 0);
		log_config_encode(&back, &again);
		assert_int_equal(bytes.len, again.len);
		assert_memory_equal(bytes.data, again.data, bytes.len);
		assert_int_equal(back.max_files, c.max_files);
		for (size_t len = 0; len < bytes.len; len++)
			assert_int_equal(log_config_decode(bytes.data, len, &back, &err), -EINVAL);
		(void) buf_addc(&bytes, 0);
		assert_int_equal(log_config_decode(bytes.data, bytes.len, &back, &err), -EINVAL);
	}
}

static void bad_configurations_are_refused(void **state)
{
	static const char nul[] = "{\"a\":\"\0\"}";
	static const struct {
		struct log_config c;
		bool fine;
	} table[] = {
#define FILE_C(...)  { .driver = LOG_DRIVER_JSON_FILE, .max_files = 1, __VA_ARGS__ }
#define FILE_X(text) FILE_C(.extra = text, .extra_len = sizeof(text) - 1)
#define JOURNAL_X(text)                                                                            \
	{                                                                                          \
		.driver = LOG_DRIVER_JOURNALD, .extra = text, .extra_len = sizeof(text) - 1        \
	}
		{ FILE_C(.max_size = 1), true },
		{ { .driver = LOG_DRIVER_JSON_FILE }, false },
		{ { .driver = LOG_DRIVER_N }, false },
		{ FILE_C(.max_size = LOG_NUMBER_MAX + 1), false },
		{ FILE_C(.max_rate = 1), false },
		{ FILE_C(.max_burst = 1), false },
		{ FILE_C(.max_burst = 1, .max_rate = 1), true },
		{ { .driver = LOG_DRIVER_JSON_FILE, .max_files = 1001 }, false },
		{ { .driver = LOG_DRIVER_NONE, .max_files = 1 }, false },
		{ { .driver = LOG_DRIVER_NONE, .extra = "x", .extra_len = 1 }, false },
		{ { .driver = LOG_DRIVER_JOURNALD, .max_size = 1 }, false },
		{ FILE_X("{\"a\":\"b\"}"), true },
		{ FILE_X("{\"a\":\"b\\u00e4\xc3\xa4\",\"c\":\"\"}"), true },
		{ FILE_X("{}"), false },
		{ FILE_X("{\"a\":1}"), false },
		{ FILE_X("{\"a\":\"b\",}"), false },
		{ FILE_X("{\"a\":\"b\"},\"x\":{\"a\":\"b\"}"), false },
		{ FILE_X("{\"a\":\"b\n\"}"), false },
		{ FILE_X("{\"a\":\"b\\x\"}"), false },
		{ FILE_X("{\"a\":\"\\ud800\"}"), false },
		{ FILE_X("{\"a\":\"\xff\"}"), false },
		{ FILE_X("{\"a\":\"b\\\"}"), false },
		{ FILE_C(.extra = nul, .extra_len = sizeof(nul) - 1), false },
		{ JOURNAL_X("A=b\nB_2=\n"), true },
		{ JOURNAL_X("A\n\3\0\0\0\0\0\0\0x\ny\n"), true },
		{ JOURNAL_X("A\n\4\0\0\0\0\0\0\0x\ny\n"), false },
		{ JOURNAL_X("A\n\3\0\0\0\0\0\0\1x\ny\n"), false },
		{ JOURNAL_X("A\n\0\0\0\0\0\0\0\0"), false },
		{ JOURNAL_X("A=b"), false },
		{ JOURNAL_X("A"), false },
		{ JOURNAL_X("=b\n"), false },
		{ JOURNAL_X("a=b\n"), false },
		{ JOURNAL_X("_A=b\n"), false },
		{ JOURNAL_X("A=b\n\n"), false },
		{ JOURNAL_X("MESSAGE=b\n"), false },
		{ JOURNAL_X("PRIORITY=0\n"), false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		_buf_done_ struct buf bytes = BUF_INIT(LOG_CONFIG_MAX);
		struct log_config back;

		if (log_config_check(&table[i].c) != (table[i].fine ? 0 : -EINVAL))
			fail_msg("number %zu", i);
		log_config_encode(&table[i].c, &bytes);
		assert_int_equal(log_config_decode(bytes.data, bytes.len, &back, &err),
		        table[i].fine ? 0 : -EINVAL);
	}
}

/* --- the journal --- */

/* A datagram socket in the scratch folder that plays the journal. */
static int journal(char path[108])
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	(void) snprintf(path, 108, "%s/socket", testkit_scratch());
	memcpy(a.sun_path, path, strlen(path) + 1);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *) &a, sizeof(a)), 0);
	return fd;
}

static int connect_to(const char *path)
{
	int fd = -EBADF;

	if (log_journal_connect(path, &fd, &err) < 0)
		fail_msg("%s", err.text);
	return fd;
}

#define FIELDS                                                                                     \
	"CONTAINER_ID=0123456789ab\nCONTAINER_ID_FULL=" ID                                         \
	"\nCONTAINER_NAME=web\nCONTAINER_TAG=0123456789ab\n"                                       \
	"IMAGE_NAME=docker.io/library/nginx:1\nSYSLOG_IDENTIFIER=0123456789ab\n"

static void expect_datagram(int fd, const char *head, const char *text, size_t len)
{
	_buf_done_ struct buf want = BUF_INIT(1 << 20);
	char got[65536];
	ssize_t n = recv(fd, got, sizeof(got), 0);

	(void) buf_addf(&want, "%s%sMESSAGE\n", head, FIELDS);
	for (size_t i = 0; i < 8; i++)
		(void) buf_addc(&want, (char) (len >> (8 * i)));
	(void) buf_add(&want, text, len);
	(void) buf_addc(&want, '\n');
	assert_int_equal(n, want.len);
	assert_memory_equal(got, want.data, want.len);
}

static void the_journal_gets_one_message_a_line(void **state)
{
	static const char hostile[] = "a=b\x1b[0m\0\xff\tX\n";
	_arena_done_ struct arena a = { 0 };
	const char *const none[3] = { NULL };
	struct log_config c;
	struct log_writer w;
	char path[108], big[40000];
	int fd = journal(path), out = connect_to(path);

	assert_int_equal(parse(&a, "journald", none, &c), 0);
	assert_int_equal(log_writer_open(&w, &c, -EBADF, out, &err), 0);
	log_writer_write(&w, LOG_STDOUT, "out\n", 4);
	log_writer_write(&w, LOG_STDERR, "err\n\n", 5);
	log_writer_write(&w, LOG_STDOUT, hostile, sizeof(hostile) - 1);
	expect_datagram(fd, "PRIORITY=6\n", "out", 3);
	expect_datagram(fd, "PRIORITY=3\n", "err", 3);
	expect_datagram(fd, "PRIORITY=3\n", "", 0);
	expect_datagram(fd, "PRIORITY=6\n", hostile, sizeof(hostile) - 2);
	memset(big, 'z', sizeof(big));
	big[20000] = '\n';
	log_writer_write(&w, LOG_STDOUT, big, 20006);
	expect_datagram(fd, "PRIORITY=6\nCONTAINER_PARTIAL_MESSAGE=true\n", big, 16384);
	expect_datagram(fd, "PRIORITY=6\n", big, 20000 - 16384);
	log_writer_close(&w);
	expect_datagram(fd, "PRIORITY=6\nCONTAINER_PARTIAL_MESSAGE=true\n", "zzzzz", 5);
	assert_int_equal(log_writer_dropped(&w), 0);
	(void) close(fd);
	(void) close(out);
}

static void labels_become_fields_of_the_journal(void **state)
{
	static const char *const opts[3] = { "labels=role,team.name,_secret", "env=A",
		"tag={{.Name}}" };
	static const char want[] =
	        "CONTAINER_ID=0123456789ab\nCONTAINER_ID_FULL=" ID
	        "\nCONTAINER_NAME=web\nCONTAINER_TAG=web\nIMAGE_NAME=docker.io/library/nginx:1\n"
	        "SYSLOG_IDENTIFIER=web\nA=2\nROLE\n\x0d\0\0\0\0\0\0\0web\nfront\"end\n"
	        "SECRET=s\nTEAM_NAME=blue\n";
	_arena_done_ struct arena a = { 0 };
	struct log_config c;

	assert_int_equal(parse(&a, "journald", opts, &c), 0);
	assert_int_equal(c.extra_len, sizeof(want) - 1);
	assert_memory_equal(c.extra, want, sizeof(want) - 1);
	assert_int_equal(log_config_check(&c), 0);
}

/* Puts the messages together that come within ten seconds; 0 when they are this text in parts. */
static int read_parts(int fd, const char *text, size_t len)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char datagram[65536];
	size_t got = 0, parts = 0;

	while (got < len && poll(&p, 1, 10000) > 0) {
		ssize_t n = recv(fd, datagram, sizeof(datagram), 0);
		const char *m = n > 0 ? memmem(datagram, (size_t) n, "MESSAGE\n", 8) : NULL;
		bool partial = n > 0 && memmem(datagram, (size_t) n, "PARTIAL", 7);
		size_t part = m ? (size_t) (datagram + n - 1 - (m + 16)) : 0;

		if (part == 0 || got + part > len || memcmp(m + 16, text + got, part) != 0)
			return 1;
		got += part;
		parts++;
		if (partial != (got < len))
			return 2;
	}
	return got == len && parts > 1 ? 0 : 3;
}

static void a_small_socket_gets_smaller_messages(void **state)
{
	static const struct timeval patient = { .tv_sec = 10 };
	_arena_done_ struct arena a = { 0 };
	const char *const none[3] = { NULL };
	struct log_config c;
	struct log_writer w;
	char path[108], line[12001];
	int fd = journal(path), out = connect_to(path), size = 4608, status;
	pid_t pid;

	assert_int_equal(setsockopt(out, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	assert_int_equal(setsockopt(out, SOL_SOCKET, SO_SNDTIMEO, &patient, sizeof(patient)), 0);
	assert_int_equal(parse(&a, "journald", none, &c), 0);
	assert_int_equal(log_writer_open(&w, &c, -EBADF, out, &err), 0);
	for (size_t i = 0; i < 12000; i++)
		line[i] = (char) ('a' + i % 26);
	line[12000] = '\n';
	pid = fork();
	if (pid == 0)
		_exit(read_parts(fd, line, 12000));
	log_writer_write(&w, LOG_STDOUT, line, sizeof(line));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(log_writer_dropped(&w), 0);
	log_writer_close(&w);
	(void) close(fd);
	(void) close(out);
}

static void a_journal_that_stands_still_does_not_stop_the_container(void **state)
{
	_arena_done_ struct arena a = { 0 };
	const char *const none[3] = { NULL };
	struct timespec start, end;
	struct log_config c;
	struct log_writer w;
	char path[108], datagram[65536], line[1000];
	int fd = journal(path), out = connect_to(path);
	bool told = false;
	ssize_t n;

	memset(line, 'l', sizeof(line));
	line[999] = '\n';
	assert_int_equal(parse(&a, "journald", none, &c), 0);
	assert_int_equal(log_writer_open(&w, &c, -EBADF, out, &err), 0);
	(void) clock_gettime(CLOCK_MONOTONIC, &start);
	for (int i = 0; i < 2000; i++)
		log_writer_write(&w, LOG_STDOUT, line, sizeof(line));
	(void) clock_gettime(CLOCK_MONOTONIC, &end);
	assert_true(end.tv_sec - start.tv_sec < 10);
	assert_true(log_writer_dropped(&w) > 0);
	assert_int_equal(log_writer_dropped(&w) % 1000, 0);
	while (recv(fd, datagram, sizeof(datagram), 0) > 0)
		;
	log_writer_close(&w);
	while ((n = recv(fd, datagram, sizeof(datagram), 0)) > 0)
		told = told ||
		       memmem(datagram, (size_t) n,
		               " bytes of output were dropped: the journal did not take them", 60);
	assert_true(told);
	(void) close(fd);
	(void) close(out);
}

static void a_missing_journal_is_an_error(void **state)
{
	char path[256];
	int fd = -EBADF;

	(void) snprintf(path, sizeof(path), "%s/nothing", testkit_scratch());
	assert_int_equal(log_journal_connect(path, &fd, &err), -ENOENT);
	assert_contains(err.text, "cannot reach the journal at '");
	memset(path, 'x', 200);
	path[200] = '\0';
	assert_int_equal(log_journal_connect(path, &fd, &err), -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(numbers_are_read_and_defaults_are_safe),
		testkit_case(wrong_options_say_what_is_wrong),
		testkit_case(labels_variables_and_tag_become_attributes),
		testkit_case(too_much_for_each_line_is_refused),
		testkit_case(a_configuration_comes_back),
		testkit_case(bad_configurations_are_refused),
		testkit_case(the_journal_gets_one_message_a_line),
		testkit_case(labels_become_fields_of_the_journal),
		testkit_case(a_small_socket_gets_smaller_messages),
		testkit_case(a_journal_that_stands_still_does_not_stop_the_container),
		testkit_case(a_missing_journal_is_an_error),
	};

	return testkit_run(tests);
}
