/* SPDX-License-Identifier: Apache-2.0 */
#include "testkit.h"

#include "base/str.h"
#include "digest/digest.h"

/* FIPS 180-4 examples, and the empty message. */
static const struct {
	const char *text, *hex;
} vectors[] = {
	{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
};

static void standard_vectors_match(void **state)
{
	char hex[DIGEST_HEX_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		digest_sha256(vectors[i].text, strlen(vectors[i].text), hex);
		assert_string_equal(hex, vectors[i].hex);
	}
}

static void million_bytes_in_odd_pieces_match(void **state)
{
	enum { TOTAL = 1000000, PIECE = 997 };
	char hex[DIGEST_HEX_SIZE], piece[PIECE];
	struct digest d;

	memset(piece, 'a', sizeof(piece));
	digest_init(&d);
	for (size_t done = 0; done < TOTAL; done += PIECE)
		digest_add(&d, piece, MIN((size_t) PIECE, TOTAL - done));
	digest_end(&d, hex);
	assert_string_equal(
	        hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void text_form_has_the_algorithm(void **state)
{
	char text[DIGEST_TEXT_SIZE];

	digest_text("abc", 3, text);
	assert_true(digest_is_valid(text));
	assert_string_equal(text, "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f"
	                          "20015ad");
	assert_string_equal(digest_hex(text), text + 7);
}

#define HEX63 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a"

static void anything_else_is_not_a_digest(void **state)
{
	static const char *const bad[] = {
		"",
		"sha256:",
		"sha256:" HEX63,
		"sha256:" HEX63 "dd",
		"sha256:" HEX63 "D",
		"sha256:" HEX63 "g",
		"sha256:" HEX63 "/",
		"SHA256:" HEX63 "d",
		"sha512:" HEX63 "d",
		"sha256:../../" HEX63 "d",
		HEX63 "d",
		" sha256:" HEX63 "d",
		"sha256:" HEX63 "d\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(digest_is_valid(bad[i]));
	assert_true(digest_is_valid("sha256:" HEX63 "d"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(standard_vectors_match),
		testkit_case(million_bytes_in_odd_pieces_match),
		testkit_case(text_form_has_the_algorithm),
		testkit_case(anything_else_is_not_a_digest),
	};

	return testkit_run(tests);
}
