/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that decode are printed, and encode again to the same bytes. */
#include "plan/plan.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct plan *plan = NULL;
	struct plan_writer w;
	struct buf out = BUF_INIT(16 << 20);

	if (plan_decode(data, size, &plan, NULL) < 0)
		return 0;
	plan_print(plan, true, &out);
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
