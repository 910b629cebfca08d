/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that decode are printed, encode again to the same bytes, and as the plan of a container
 * give one for a process in it that decodes as well. */
#include "compile/compile.h"
#include "plan/plan.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void enter(const struct plan *container)
{
	static const char *const words[] = { "sh", "-c", "A=1", "A=2", NULL };
	const struct compile_exec request = {
		.args = words,
		.env = words + 2,
		.has_terminal = true,
		.user = "web",
	};
	struct plan *plan = NULL;
	struct plan_writer w;

	plan_writer_init(&w);
	if (compile_exec_plan(container, &request, &w, NULL) == 0) {
		if (plan_decode(w.bytes.data, w.bytes.len, &plan, NULL) < 0 ||
		        !plan_find(plan, PLAN_ENTER) || plan_find(plan, PLAN_MOUNT))
			abort();
		plan_free(plan);
	}
	plan_writer_done(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct plan *plan = NULL;
	struct plan_writer w;
	struct buf out = BUF_INIT(16 << 20);

	if (plan_decode(data, size, &plan, NULL) < 0)
		return 0;
	plan_print(plan, true, &out);
	enter(plan);
	plan_writer_init(&w);
	for (size_t i = 0; i < plan->n_steps; i++)
		plan_write(&w, &plan->steps[i]);
	if (plan_writer_finish(&w, NULL) < 0 || w.bytes.len != size ||
	        memcmp(w.bytes.data, data, size) != 0)
		abort();
	plan_writer_done(&w);
	buf_done(&out);
	plan_free(plan);
	return 0;
}
