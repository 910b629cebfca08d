/* SPDX-License-Identifier: Apache-2.0 */
#include "engine_facts.h"
#include "testkit.h"

#include "base/fd.h"
#include "base/str.h"
#include "engine/containers.h"
#include "engine/locks.h"
#include "engine/names.h"
#include "engine/security.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

static void names_follow_dockers_rule(void **state)
{
	static const char *const bad[] = { "", ".", "..", "a/b", "-a", "_a", ".a", "a b", "a\n",
		"\xc3\xa4" };
	char *longest = xcalloc(1, CONTAINER_NAME_MAX + 2);

	assert_true(container_name_is_valid("web-1.a_b"));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(container_name_is_valid(bad[i]));
	memset(longest, 'a', CONTAINER_NAME_MAX);
	assert_true(container_name_is_valid(longest));
	longest[CONTAINER_NAME_MAX] = 'a';
	assert_false(container_name_is_valid(longest));
	free(longest);
	for (int i = 0; i < 50; i++) {
		_free_ char *name = name_made_up();

		assert_true(container_name_is_valid(name));
	}
}

static void missing_protections_are_shouted(void **state)
{
	_buf_done_ struct buf table = BUF_INIT(1 << 16);
	struct plan empty = { 0 };

	security_table(&empty, &facts, &table);
	assert_contains(buf_str(&table), "user ids           SHARED");
	assert_contains(buf_str(&table), "system calls       OPEN");
	assert_contains(buf_str(&table), "no_new_privs       OFF");
	assert_contains(buf_str(&table), "limits             NONE");
	assert_contains(buf_str(&table), "/proc              OPEN");
	assert_contains(buf_str(&table), "nested namespaces  ALLOWED");
}

static void a_held_lock_is_the_proof_of_life(void **state)
{
	_close_ int dir = open(testkit_scratch(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_close_ int lock = lock_make(dir, "abc");
	_close_ int other = -EBADF;
	int status;
	pid_t pid;

	assert_true(lock >= 0);
	pid = fork();
	if (pid == 0)
		_exit(lock_try(dir, "abc") == -EWOULDBLOCK ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	lock = fd_close(lock);
	other = lock_try(dir, "abc");
	assert_true(other >= 0);
	assert_int_equal(lock_remove(dir, "abc"), 0);
	assert_int_equal(lock_try(dir, "abc"), -ENOENT);
	assert_int_equal(lock_remove(dir, "abc"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(names_follow_dockers_rule),
		testkit_case(missing_protections_are_shouted),
		testkit_case(a_held_lock_is_the_proof_of_life),
	};

	return testkit_run(tests);
}
