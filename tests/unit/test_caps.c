/* SPDX-License-Identifier: Apache-2.0 */
#include "testkit.h"

#include "base/str.h"
#include "caps/caps.h"

#include <errno.h>
#include <linux/capability.h>

static void names_and_numbers_agree(void **state)
{
	for (int i = 0; i < CAPS_COUNT; i++)
		assert_int_equal(caps_number(caps_name(i)), i);
	assert_null(caps_name(CAPS_COUNT));
	assert_null(caps_name(-1));
}

static void numbers_are_those_of_the_kernel(void **state)
{
	static const struct {
		const char *name;
		int number;
	} known[] = {
		{ "CAP_CHOWN", CAP_CHOWN },
		{ "CAP_SETPCAP", CAP_SETPCAP },
		{ "CAP_NET_RAW", CAP_NET_RAW },
		{ "CAP_SYS_ADMIN", CAP_SYS_ADMIN },
		{ "CAP_MKNOD", CAP_MKNOD },
		{ "CAP_SETFCAP", CAP_SETFCAP },
		{ "CAP_AUDIT_READ", CAP_AUDIT_READ },
		{ "CAP_BPF", CAP_BPF },
		{ "CAP_CHECKPOINT_RESTORE", CAP_CHECKPOINT_RESTORE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		assert_int_equal(caps_number(known[i].name), known[i].number);
}

static void name_is_found_in_any_case_with_or_without_prefix(void **state)
{
	assert_int_equal(caps_number("net_raw"), CAP_NET_RAW);
	assert_int_equal(caps_number("cap_net_raw"), CAP_NET_RAW);
	assert_int_equal(caps_number("Cap_Net_Raw"), CAP_NET_RAW);
}

static void unknown_name_is_refused(void **state)
{
	static const char *const bad[] = { "", "CAP_", "CAP_CAP_CHOWN", "CHOWN ", "CAP_NOTHING",
		"ALL", "0" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(caps_number(bad[i]), -ENOENT);
}

static void sets_are_printed(void **state)
{
	_buf_done_ struct buf b = BUF_INIT(4096);
	uint64_t set = CAPS_BIT(CAP_CHOWN) | CAPS_BIT(CAP_NET_BIND_SERVICE) | CAPS_BIT(63);

	assert_int_equal(caps_format(set, " ", &b), 0);
	assert_string_equal(buf_str(&b), "CAP_CHOWN CAP_NET_BIND_SERVICE 63");
	buf_clear(&b);
	assert_int_equal(caps_format_short(set, &b), 0);
	assert_string_equal(buf_str(&b), "chown,net_bind_service,63");
	buf_clear(&b);
	assert_int_equal(caps_format_short(0, &b), 0);
	assert_string_equal(buf_str(&b), "");
}

static void full_buffer_is_reported(void **state)
{
	_buf_done_ struct buf b = BUF_INIT(20);

	assert_int_equal(caps_format(CAPS_ALL, ",", &b), -EMSGSIZE);
	buf_clear(&b);
	assert_int_equal(caps_format_short(CAPS_ALL, &b), -EMSGSIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(names_and_numbers_agree),
		testkit_case(numbers_are_those_of_the_kernel),
		testkit_case(name_is_found_in_any_case_with_or_without_prefix),
		testkit_case(unknown_name_is_refused),
		testkit_case(sets_are_printed),
		testkit_case(full_buffer_is_reported),
	};

	return testkit_run(tests);
}
