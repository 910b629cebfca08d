/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What every unit test includes: cmocka with its prerequisites, and a fixture that fails a test
 * which leaks a file descriptor or a child process.
 *
 *   int main(void) { const struct CMUnitTest tests[] = { testkit_case(behaviour_is_so), ... };
 * return testkit_run(tests); }
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

int testkit_setup(void **state);
int testkit_teardown(void **state);

#define testkit_case(f) cmocka_unit_test_setup_teardown(f, testkit_setup, testkit_teardown)
#define testkit_run(tests)                                                                         \
	(testkit_select(), cmocka_run_group_tests_name(__FILE__, tests, NULL, NULL))

/* Runs only the cases that match the pattern in $CASE ('*' and '?'), when it is set. */
void testkit_select(void);

/* Asserts that the NUL-terminated text contains part; prints both when not. */
void assert_contains(const char *text, const char *part);
/* The folder of the sources ($BULKHEAD_SRC, else "."). */
const char *testkit_source_dir(void);
/* Makes an empty scratch folder and returns its path (static storage); removed by testkit_teardown.
 */
const char *testkit_scratch(void);
/* Compares text with the golden file tests/unit/golden/NAME; with UPDATE_GOLDEN=1 in the
 * environment rewrites it. */
void assert_golden(const char *name, const char *text);
