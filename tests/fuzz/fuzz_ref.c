/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as the name of an image: both written forms read back as the same name. */
#include "base/str.h"
#include "oci/ref.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
	if (!truth)
		abort();
}

static void require_same(const char *text, const char *full)
{
	_free_ char *again = NULL;
	struct oci_ref ref;
	struct err err;

	require(oci_ref_parse(text, &ref, &err) == 0);
	again = oci_ref_full(&ref);
	require(streq(again, full));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_free_ char *text = xstrndup((const char *) data, size), *full = NULL, *familiar = NULL;
	struct oci_ref ref;
	struct err err;

	if (oci_ref_parse(text, &ref, &err) < 0)
		return 0;
	require(!strstr(ref.path, "..") && !strchr(ref.domain, '/') && *ref.path != '/');
	full = oci_ref_full(&ref);
	familiar = oci_ref_familiar(&ref);
	require_same(full, full);
	require_same(familiar, full);
	return 0;
}
