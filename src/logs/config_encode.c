/* SPDX-License-Identifier: Apache-2.0 */
#include "logs/config.h"

#include <string.h>

#include "base/buf.h"
#include "logs/config_layout.h"

static void put_le(uint8_t *at, uint64_t value, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		at[i] = (uint8_t) (value >> (8 * i));
}

void log_config_encode(const struct log_config *c, struct buf *out)
{
	uint8_t head[LOG_CONFIG_HEADER] = LOG_CONFIG_MAGIC;

	put_le(head + LOG_AT_DRIVER, c->driver, 4);
	put_le(head + LOG_AT_FILES, c->max_files, 4);
	put_le(head + LOG_AT_SIZE, c->max_size, 8);
	put_le(head + LOG_AT_RATE, c->max_rate, 8);
	put_le(head + LOG_AT_BURST, c->max_burst, 8);
	put_le(head + LOG_AT_LEN, c->extra_len, 4);
	(void) buf_add(out, head, sizeof(head));
	(void) buf_add(out, c->extra_len ? c->extra : "", c->extra_len);
}
