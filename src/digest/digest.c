/* SPDX-License-Identifier: Apache-2.0 */
#include "digest/digest.h"

#include "base/str.h"

static const char prefix[] = "sha256:";
enum { PREFIX_LEN = sizeof(prefix) - 1 };

void digest_init(struct digest *d)
{
	SHA256Init(&d->ctx);
}

void digest_add(struct digest *d, const void *data, size_t len)
{
	SHA256Update(&d->ctx, data, len);
}

void digest_end(struct digest *d, char ret_hex[DIGEST_HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t raw[SHA256_DIGEST_LENGTH];

	SHA256Final(raw, &d->ctx);
	for (size_t i = 0; i < sizeof(raw); i++) {
		ret_hex[2 * i] = digits[raw[i] >> 4];
		ret_hex[2 * i + 1] = digits[raw[i] & 15];
	}
	ret_hex[DIGEST_HEX_SIZE - 1] = '\0';
}

void digest_sha256(const void *data, size_t len, char ret_hex[DIGEST_HEX_SIZE])
{
	struct digest d;

	digest_init(&d);
	digest_add(&d, data, len);
	digest_end(&d, ret_hex);
}

void digest_text(const void *data, size_t len, char ret_text[DIGEST_TEXT_SIZE])
{
	memcpy(ret_text, prefix, PREFIX_LEN);
	digest_sha256(data, len, ret_text + PREFIX_LEN);
}

const char *digest_hex(const char *text)
{
	const char *hex = text + PREFIX_LEN;

	if (!str_has_prefix(text, prefix))
		return NULL;
	if (strspn(hex, "0123456789abcdef") != DIGEST_HEX_SIZE - 1 || hex[DIGEST_HEX_SIZE - 1])
		return NULL;
	return hex;
}

bool digest_is_valid(const char *text)
{
	return digest_hex(text) != NULL;
}
