/* SPDX-License-Identifier: Apache-2.0 */
#include "testkit.h"

#include "base/str.h"
#include "oci/image.h"
#include "oci/ref.h"

#include <errno.h>

#define HEX_A    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define DIGEST_A "sha256:" HEX_A
#define DIGEST_B "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ROOTFS   "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" DIGEST_A "\"]}"
#define HEAD     "\"architecture\":\"amd64\",\"os\":\"linux\","

static const char image_text[] =
        "{\"created\":\"2026-01-31T12:00:00Z\",\"author\":\"me\",\"architecture\":\"arm64\","
        "\"variant\":\"v8\",\"os\":\"linux\",\"config\":{\"User\":\"www:33\","
        "\"ExposedPorts\":{\"80/tcp\":{},\"443/tcp\":{}},\"Env\":[\"PATH=/bin\",\"A=b=c\"],"
        "\"Entrypoint\":[\"/e\"],\"Cmd\":[\"a\",\"\"],\"Volumes\":{\"/data\":{}},"
        "\"WorkingDir\":\"/srv\",\"Labels\":{\"k\":\"v\"},\"StopSignal\":\"SIGQUIT\","
        "\"StopTimeout\":5,\"ArgsEscaped\":true,"
        "\"Healthcheck\":{\"Test\":[\"CMD\",\"/x\"],\"Interval\":30000000000},"
        "\"OnBuild\":[\"RUN x\"],\"Shell\":[\"/bin/bash\",\"-c\"],\"Hostname\":\"x\"},"
        "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" DIGEST_A "\",\"" DIGEST_B "\"]},"
        "\"history\":[{\"created\":\"2026-01-31T12:00:00Z\",\"created_by\":\"x\","
        "\"comment\":\"c\"},{\"empty_layer\":true}]}";

/* What writing gives: fixed order, maps sorted, nothing unknown. */
static const char image_canonical[] =
        "{\"created\":\"2026-01-31T12:00:00Z\",\"author\":\"me\",\"architecture\":\"arm64\","
        "\"variant\":\"v8\",\"os\":\"linux\",\"config\":{\"User\":\"www:33\","
        "\"ExposedPorts\":{\"443/tcp\":{},\"80/tcp\":{}},\"Env\":[\"PATH=/bin\",\"A=b=c\"],"
        "\"Entrypoint\":[\"/e\"],\"Cmd\":[\"a\",\"\"],\"Volumes\":{\"/data\":{}},"
        "\"WorkingDir\":\"/srv\",\"Labels\":{\"k\":\"v\"},\"StopSignal\":\"SIGQUIT\","
        "\"StopTimeout\":5,\"ArgsEscaped\":true,"
        "\"Healthcheck\":{\"Test\":[\"CMD\",\"/x\"],\"Interval\":30000000000},"
        "\"OnBuild\":[\"RUN x\"],\"Shell\":[\"/bin/bash\",\"-c\"]},"
        "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" DIGEST_A "\",\"" DIGEST_B "\"]},"
        "\"history\":[{\"created\":\"2026-01-31T12:00:00Z\",\"created_by\":\"x\","
        "\"comment\":\"c\"},{\"empty_layer\":true}]}";

static int parse_image(const char *text, struct oci_image **ret, struct err *err)
{
	return oci_image_parse(text, strlen(text), ret, err);
}

static void image_config_is_read(void **state)
{
	_cleanup_(oci_image_freep) struct oci_image *img = NULL;
	struct err err;

	assert_int_equal(parse_image(image_text, &img, &err), 0);
	assert_string_equal(img->architecture, "arm64");
	assert_string_equal(img->variant, "v8");
	assert_string_equal(img->user, "www:33");
	assert_string_equal(img->env[1], "A=b=c");
	assert_string_equal(img->cmd[1], "");
	assert_null(img->cmd[2]);
	assert_string_equal(img->exposed_ports[0], "80/tcp");
	assert_string_equal(img->volumes[0], "/data");
	assert_string_equal(img->labels[0].value, "v");
	assert_true(img->has_stop_timeout && img->stop_timeout == 5);
	assert_string_equal(
	        img->healthcheck, "{\"Test\":[\"CMD\",\"/x\"],\"Interval\":30000000000}");
	assert_string_equal(img->diff_ids[1], DIGEST_B);
	assert_null(img->diff_ids[2]);
	assert_int_equal(img->n_history, 2);
	assert_true(img->history[1].empty_layer);
}

static void writing_is_canonical_and_stable(void **state)
{
	_cleanup_(oci_image_freep) struct oci_image *img = NULL, *again = NULL;
	_free_ char *first = NULL, *second = NULL;
	struct err err;

	assert_int_equal(parse_image(image_text, &img, &err), 0);
	first = oci_image_to_json(img);
	assert_string_equal(first, image_canonical);
	assert_int_equal(parse_image(first, &again, &err), 0);
	second = oci_image_to_json(again);
	assert_string_equal(first, second);
}

static void smallest_image_config_is_read(void **state)
{
	_cleanup_(oci_image_freep) struct oci_image *img = NULL;
	struct err err;

	assert_int_equal(parse_image("{" HEAD "\"config\":{\"Cmd\":null,\"Env\":null,"
	                             "\"Volumes\":null,\"Healthcheck\":null}," ROOTFS "}",
	                         &img, &err),
	        0);
	assert_null(img->env[0]);
	assert_null(img->cmd[0]);
	assert_null(img->volumes[0]);
	assert_null(img->healthcheck);
}

static void bad_image_configs_are_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "[]", "must be an object" },
		{ "{" HEAD "\"config\":{}}", "'rootfs' is missing" },
		{ "{\"os\":\"linux\"," ROOTFS "}", "'architecture' is missing" },
		{ "{" HEAD "\"rootfs\":{\"type\":\"x\",\"diff_ids\":[]}}", "'rootfs.type' has" },
		{ "{" HEAD "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" HEX_A "\"]}}",
		        "'rootfs.diff_ids[0]' must be sha256:" },
		{ "{" HEAD "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:../x\"]}}",
		        "'rootfs.diff_ids[0]' must be sha256:" },
		{ "{" HEAD ROOTFS ",\"config\":{\"User\":0}}", "'config.User' must be a string" },
		{ "{" HEAD ROOTFS ",\"config\":{\"Cmd\":\"sh\"}}", "'config.Cmd' must be a list" },
		{ "{" HEAD ROOTFS ",\"config\":{\"Volumes\":[\"/x\"]}}", "'config.Volumes' must" },
		{ "{" HEAD ROOTFS ",\"config\":{\"Volumes\":{\"/x\":{\"a\":1}}}}",
		        "must be an empty object" },
		{ "{" HEAD ROOTFS ",\"config\":{\"Labels\":{\"a\":1}}}", "'config.Labels.a' must" },
		{ "{" HEAD ROOTFS ",\"config\":{\"Healthcheck\":\"x\"}}", "must be an object" },
		{ "{" HEAD ROOTFS ",\"os\":\"linux\"}", "stands twice" },
		{ "{" HEAD ROOTFS ",\"layers\":[]}", "'layers' makes the document ambiguous" },
		{ "{" HEAD ROOTFS ",\"manifests\":null}", "'manifests' makes the document" },
	};
	struct oci_image *img = NULL;
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(parse_image(bad[i].text, &img, &err), -EINVAL);
		assert_contains(err.text, bad[i].why);
	}
	assert_null(img);
}

static void env_without_value_is_left_out(void **state)
{
	_cleanup_(oci_image_freep) struct oci_image *img = NULL;
	struct err err;

	assert_int_equal(parse_image("{" HEAD ROOTFS ",\"config\":{\"Env\":[\"HOME\",\"A=1\","
	                             "\"=x\"]}}",
	                         &img, &err),
	        0);
	assert_string_equal(img->env[0], "A=1");
	assert_null(img->env[1]);
}

static void layers_and_history_are_added(void **state)
{
	_cleanup_(oci_image_freep) struct oci_image *img = oci_image_new();
	_free_ char *text = NULL;

	assert_int_equal(oci_image_add_layer(img, "sha256:x"), -EINVAL);
	assert_int_equal(oci_image_add_layer(img, DIGEST_A), 0);
	oci_image_add_history(img, &(const struct oci_history){ .comment = "imported" });
	text = oci_image_to_json(img);
	assert_contains(text, "\"diff_ids\":[\"" DIGEST_A "\"]");
	assert_contains(text, "\"history\":[{\"comment\":\"imported\"}]");
	for (int i = 1; i < OCI_LAYERS_MAX; i++)
		assert_int_equal(oci_image_add_layer(img, DIGEST_B), 0);
	assert_int_equal(oci_image_add_layer(img, DIGEST_B), -EMSGSIZE);
}

/* -- manifests -- */

#define DESCRIPTOR(type, digest) "{\"mediaType\":\"" type "\",\"digest\":\"" digest "\",\"size\":7}"
#define CONFIG                   "\"config\":" DESCRIPTOR(OCI_MEDIA_CONFIG, DIGEST_A)
#define LAYERS                   "\"layers\":[" DESCRIPTOR(OCI_MEDIA_LAYER "+gzip", DIGEST_B) "]"
#define TYPE                     "\"mediaType\":\"" OCI_MEDIA_MANIFEST "\""

static void manifest_is_read_and_written(void **state)
{
	static const char text[] = "{\"schemaVersion\":2," TYPE "," CONFIG "," LAYERS
	                           ",\"annotations\":{\"a\":\"b\"}}";
	_cleanup_(oci_manifest_freep) struct oci_manifest *m = NULL, *docker = NULL;
	_free_ char *again = NULL;
	struct err err;

	assert_int_equal(oci_manifest_parse(text, strlen(text), &m, &err), 0);
	assert_string_equal(m->config.digest, DIGEST_A);
	assert_int_equal(m->n_layers, 1);
	assert_string_equal(m->layers[0].digest, DIGEST_B);
	assert_int_equal(m->layers[0].size, 7);
	again = oci_manifest_to_json(m);
	assert_string_equal(again, text);
}

static void manifest_of_docker_and_without_type_is_read(void **state)
{
	static const char *const good[] = {
		"{\"schemaVersion\":2," CONFIG "," LAYERS "}",
		"{\"schemaVersion\":2,\"mediaType\":\"" OCI_MEDIA_DOCKER_MANIFEST "\"," CONFIG
		"," LAYERS "}",
		"{\"schemaVersion\":2," CONFIG ",\"layers\":[]}",
	};
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		_cleanup_(oci_manifest_freep) struct oci_manifest *m = NULL;

		assert_int_equal(oci_manifest_parse(good[i], strlen(good[i]), &m, &err), 0);
	}
}

static void bad_manifests_are_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "{\"schemaVersion\":2," CONFIG "," LAYERS ",\"manifests\":[]}", "ambiguous" },
		{ "{\"schemaVersion\":2," CONFIG "," LAYERS ",\"fsLayers\":[]}", "ambiguous" },
		{ "{\"schemaVersion\":1," CONFIG "," LAYERS "}", "'schemaVersion' must be" },
		{ "{" CONFIG "," LAYERS "}", "'schemaVersion' is missing" },
		{ "{\"schemaVersion\":2," LAYERS "}", "'config' is missing" },
		{ "{\"schemaVersion\":2," CONFIG "}", "'layers' is missing" },
		{ "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\"," CONFIG
		  "," LAYERS "}",
		        "'mediaType' is not that of an image manifest" },
		{ "{\"schemaVersion\":2," CONFIG ",\"layers\":[{\"mediaType\":\"x\",\"digest\":"
		  "\"sha256:..\",\"size\":1}]}",
		        "'layers[0].digest' must be sha256:" },
		{ "{\"schemaVersion\":2," CONFIG
		  ",\"layers\":[{\"mediaType\":\"x\",\"digest\":\"" DIGEST_A "\",\"size\":-1}]}",
		        "'layers[0].size' must be between" },
		{ "{\"schemaVersion\":2," CONFIG
		  ",\"layers\":[{\"mediaType\":\"\",\"digest\":\"" DIGEST_A "\",\"size\":1}]}",
		        "'layers[0].mediaType' must not be empty" },
	};
	struct oci_manifest *m = NULL;
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(
		        oci_manifest_parse(bad[i].text, strlen(bad[i].text), &m, &err), -EINVAL);
		assert_contains(err.text, bad[i].why);
	}
	assert_null(m);
}

/* -- changes -- */

static void changes_give_the_expected_config(void **state)
{
	static const struct {
		const char *change, *part; /* of the written config */
	} cases[] = {
		{ "CMD [\"a\",\"b c\"]", "\"Cmd\":[\"a\",\"b c\"]" },
		{ "CMD echo  'x' $y", "\"Cmd\":[\"/bin/sh\",\"-c\",\"echo  'x' $y\"]" },
		{ "cmd\t[ -f /x ] && y ", "\"Cmd\":[\"/bin/sh\",\"-c\",\"[ -f /x ] && y\"]" },
		{ "CMD [\"a\",'b']", "\"Cmd\":[\"/bin/sh\",\"-c\",\"[\\\"a\\\",'b']\"]" },
		{ "ENTRYPOINT [\"/e\"]", "\"Entrypoint\":[\"/e\"]" },
		{ "ENTRYPOINT /e x", "\"Entrypoint\":[\"/bin/sh\",\"-c\",\"/e x\"]" },
		{ "ENV a=b", "\"Env\":[\"P=/bin\",\"a=b\"]" },
		{ "ENV a=b c=\"d e\" f='g $P' h=i\\ j", "\"a=b\",\"c=d e\",\"f=g $P\",\"h=i j\"]" },
		{ "ENV a b  c", "\"Env\":[\"P=/bin\",\"a=b  c\"]" },
		{ "ENV a \"b c\"", "\"a=b c\"" },
		{ "ENV P=/x:$P:${P}/y", "\"Env\":[\"P=/x:/bin:/bin/y\"]" },
		{ "ENV a=$none.$ b=\"\\$P\"", "\"a=.$\",\"b=$P\"" },
		{ "ENV a=", "\"Env\":[\"P=/bin\",\"a=\"]" },
		{ "EXPOSE 80 53/udp 80/tcp", "\"ExposedPorts\":{\"53/udp\":{},\"80/tcp\":{}}" },
		{ "EXPOSE 8000-8002/sctp", "{\"8000/sctp\":{},\"8001/sctp\":{},\"8002/sctp\":{}}" },
		{ "LABEL a=b \"c d\"=\"e f\"", "\"Labels\":{\"a\":\"b\",\"c d\":\"e f\"}" },
		{ "LABEL a b c", "\"Labels\":{\"a\":\"b c\"}" },
		{ "ONBUILD RUN make", "\"OnBuild\":[\"RUN make\"]" },
		{ "STOPSIGNAL SIGRTMIN+3", "\"StopSignal\":\"SIGRTMIN+3\"" },
		{ "STOPSIGNAL 9", "\"StopSignal\":\"9\"" },
		{ "USER app:app", "\"User\":\"app:app\"" },
		{ "VOLUME /a /b", "\"Volumes\":{\"/a\":{},\"/b\":{}}" },
		{ "VOLUME [\"/a b\"]", "\"Volumes\":{\"/a b\":{}}" },
		{ "WORKDIR /a/../b/", "\"WorkingDir\":\"/b\"" },
		{ "WORKDIR sub", "\"WorkingDir\":\"/w/sub\"" },
		{ "WORKDIR ../../..", "\"WorkingDir\":\"/\"" },
		{ "HEALTHCHECK NONE", "\"Healthcheck\":{\"Test\":[\"NONE\"]}" },
		{ "HEALTHCHECK CMD curl x", "{\"Test\":[\"CMD-SHELL\",\"curl x\"]}" },
		{ "HEALTHCHECK --interval=1m30s --retries=3 --timeout=1.5s CMD [\"/h\"]",
		        "{\"Test\":[\"CMD\",\"/h\"],\"Interval\":90000000000,\"Retries\":3,"
		        "\"Timeout\":1500000000}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(oci_image_freep) struct oci_image *img = oci_image_new();
		_free_ char *text = NULL;
		struct err err;
		int r;

		assert_int_equal(oci_image_change(img, "ENV P=/bin", &err), 0);
		assert_int_equal(oci_image_change(img, "WORKDIR /w", &err), 0);
		r = oci_image_change(img, cases[i].change, &err);
		if (r < 0)
			print_error("%s: %s\n", cases[i].change, err.text);
		assert_int_equal(r, 0);
		text = oci_image_to_json(img);
		assert_contains(text, cases[i].part);
	}
}

static void shell_of_the_image_is_used(void **state)
{
	_cleanup_(oci_image_freep) struct oci_image *img = NULL;
	struct err err;

	assert_int_equal(parse_image(image_text, &img, &err), 0);
	assert_int_equal(oci_image_change(img, "CMD x", &err), 0);
	assert_string_equal(img->cmd[0], "/bin/bash");
	assert_string_equal(img->cmd[2], "x");
}

static void bad_changes_are_refused_and_change_nothing(void **state)
{
	static const struct {
		const char *change, *why;
	} bad[] = {
		{ "", "unknown instruction ''" },
		{ "RUN x", "unknown instruction 'RUN'" },
		{ "FROM x", "unknown instruction 'FROM'" },
		{ "CMDX x", "unknown instruction 'CMDX'" },
		{ "CMD", "cannot apply CMD: it has no argument" },
		{ "ENV a", "it takes NAME=VALUE" },
		{ "ENV a=1 b", "it takes NAME=VALUE" },
		{ "ENV =x", "it takes NAME=VALUE" },
		{ "ENV a=\"b", "a quote is not closed" },
		{ "ENV a=${b:-c}", "only $NAME and ${NAME}" },
		{ "LABEL a", "it takes NAME=VALUE" },
		{ "EXPOSE 0", "cannot apply EXPOSE" },
		{ "EXPOSE 65536", "cannot apply EXPOSE" },
		{ "EXPOSE 80/icmp", "cannot apply EXPOSE" },
		{ "EXPOSE 90-80", "range of ports" },
		{ "EXPOSE 1-65535", "range of ports" },
		{ "EXPOSE 80 x", "cannot apply EXPOSE" },
		{ "VOLUME data", "a volume is an absolute path" },
		{ "VOLUME [\"\"]", "a volume is an absolute path" },
		{ "USER a b", "it takes one argument" },
		{ "USER \"\"", "its argument is empty" },
		{ "STOPSIGNAL kill;x", "a signal's name or number" },
		{ "ONBUILD ONBUILD RUN x", "cannot stand there" },
		{ "ONBUILD from x", "cannot stand there" },
		{ "HEALTHCHECK x", "it takes NONE or CMD" },
		{ "HEALTHCHECK CMD", "it takes NONE or CMD" },
		{ "HEALTHCHECK --interval=3 CMD x", "a number with its unit" },
		{ "HEALTHCHECK --interval=9999999999h CMD x", "a number with its unit" },
		{ "HEALTHCHECK --what=3 CMD x", "its options are" },
		{ "ENV a=b\nUSER root", "a control character" },
		{ "ENV a=\x1b[31m", "a control character" },
		{ "ENV a=\xff", "not UTF-8" },
	};
	_cleanup_(oci_image_freep) struct oci_image *img = oci_image_new();
	_free_ char *before = oci_image_to_json(img);

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_free_ char *after = NULL;
		struct err err;

		assert_int_equal(oci_image_change(img, bad[i].change, &err), -EINVAL);
		assert_contains(err.text, bad[i].why);
		after = oci_image_to_json(img);
		assert_string_equal(after, before);
	}
}

/* -- references -- */

static void references_are_normalised(void **state)
{
	static const struct {
		const char *text, *full, *familiar;
	} cases[] = {
		{ "debian", "docker.io/library/debian:latest", "debian:latest" },
		{ "debian:12", "docker.io/library/debian:12", "debian:12" },
		{ "docker.io/debian", "docker.io/library/debian:latest", "debian:latest" },
		{ "index.docker.io/debian", "docker.io/library/debian:latest", "debian:latest" },
		{ "library/debian", "docker.io/library/debian:latest", "debian:latest" },
		{ "me/app:v1", "docker.io/me/app:v1", "me/app:v1" },
		{ "a/b/c", "docker.io/a/b/c:latest", "a/b/c:latest" },
		{ "library/a/b", "docker.io/library/a/b:latest", "library/a/b:latest" },
		{ "localhost/app", "localhost/app:latest", "localhost/app:latest" },
		{ "localhost:5000/app:x", "localhost:5000/app:x", "localhost:5000/app:x" },
		{ "quay.io/a/b", "quay.io/a/b:latest", "quay.io/a/b:latest" },
		{ "HOST/app", "HOST/app:latest", "HOST/app:latest" },
		{ "[fd00::1]:5000/app", "[fd00::1]:5000/app:latest", "[fd00::1]:5000/app:latest" },
		{ "app@" DIGEST_A, "docker.io/library/app@" DIGEST_A, "app@" DIGEST_A },
		{ "app:1@" DIGEST_A, "docker.io/library/app:1@" DIGEST_A, "app:1@" DIGEST_A },
		{ "a__b/c---d/e.f_g", "docker.io/a__b/c---d/e.f_g:latest",
		        "a__b/c---d/e.f_g:latest" },
		{ "docker.io/quay.io/x", "docker.io/quay.io/x:latest",
		        "docker.io/quay.io/x:latest" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_free_ char *full = NULL, *familiar = NULL, *round = NULL;
		struct oci_ref ref, again;
		struct err err;
		int r = oci_ref_parse(cases[i].text, &ref, &err);

		if (r < 0)
			print_error("%s: %s\n", cases[i].text, err.text);
		assert_int_equal(r, 0);
		full = oci_ref_full(&ref);
		familiar = oci_ref_familiar(&ref);
		assert_string_equal(full, cases[i].full);
		assert_string_equal(familiar, cases[i].familiar);
		assert_int_equal(oci_ref_parse(familiar, &again, &err), 0);
		round = oci_ref_full(&again);
		assert_string_equal(round, full);
	}
}

static void bad_references_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		":",
		":tag",
		"@" DIGEST_A,
		"/",
		"/a",
		"a/",
		"a//b",
		"A",
		"debian/App",
		"-a",
		"a-",
		"a..b",
		"a___b",
		"a_-b",
		"a.",
		".a",
		"a:",
		"a:b:c",
		"a:-x",
		"a:.x",
		"a:x/y",
		"a b",
		"a@sha256:12",
		"a@sha512:12",
		"a@md5:" HEX_A,
		"a@" DIGEST_A "@" DIGEST_A,
		HEX_A,
		"../a",
		"a/../b",
		"host:port/a",
		"host:/a",
		"host:123456/a",
		"-h.x/a",
		"h-.x/a",
		"h..x/a",
		"[::1/a",
		"[]/a",
		"[x]/a",
		"a\n",
		"a\xc3\xa4",
		"a%2e",
		"http://a/b",
		"a:\x1b",
	};
	char text[2 * OCI_REF_NAME_MAX];
	struct oci_ref ref;
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		int r = oci_ref_parse(bad[i], &ref, &err);

		if (r != -EINVAL)
			print_error("'%s' is not refused\n", bad[i]);
		assert_int_equal(r, -EINVAL);
		assert_contains(err.text, "is not the name of an image");
	}
	memset(text, 'a', sizeof(text));
	text[OCI_REF_NAME_MAX + 1 - strlen("docker.io/library/")] = '\0';
	assert_int_equal(oci_ref_parse(text, &ref, &err), -EINVAL);
	text[OCI_REF_NAME_MAX - strlen("docker.io/library/")] = '\0';
	assert_int_equal(oci_ref_parse(text, &ref, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(image_config_is_read),
		testkit_case(writing_is_canonical_and_stable),
		testkit_case(smallest_image_config_is_read),
		testkit_case(bad_image_configs_are_refused),
		testkit_case(env_without_value_is_left_out),
		testkit_case(layers_and_history_are_added),
		testkit_case(manifest_is_read_and_written),
		testkit_case(manifest_of_docker_and_without_type_is_read),
		testkit_case(bad_manifests_are_refused),
		testkit_case(changes_give_the_expected_config),
		testkit_case(shell_of_the_image_is_used),
		testkit_case(bad_changes_are_refused_and_change_nothing),
		testkit_case(references_are_normalised),
		testkit_case(bad_references_are_refused),
	};

	return testkit_run(tests);
}
