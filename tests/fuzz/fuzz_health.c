/* SPDX-License-Identifier: Apache-2.0 */
/* The log of health checks: never more entries than are kept, each with its four members. */
#include "engine/inspect.h"
#include "json/json.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_json_put_ struct json_object *log = inspect_health_log((const char *) data, size);
	size_t n = json_object_array_length(log);

	if (n > INSPECT_HEALTH_LOG_MAX)
		abort();
	for (size_t i = 0; i < n; i++)
		if (json_object_object_length(json_object_array_get_idx(log, i)) != 4)
			abort();
	return 0;
}
