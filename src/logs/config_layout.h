/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Where the values of an encoded log configuration stand; all are little endian. */
#define LOG_CONFIG_MAGIC "BHLOGS\0\1"
enum {
	LOG_AT_DRIVER = 8,
	LOG_AT_FILES = 12,
	LOG_AT_SIZE = 16,
	LOG_AT_RATE = 24,
	LOG_AT_BURST = 32,
	LOG_AT_LEN = 40,
	LOG_AT_ZERO = 44,
	LOG_CONFIG_HEADER = 48,
};
