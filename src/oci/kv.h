/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A key and its value, as in annotations, labels and sysctls. */
struct oci_kv {
	const char *key;
	const char *value;
};
