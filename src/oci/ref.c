/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/ref.h"

#include "base/str.h"

#include <errno.h>
#include <stdio.h>

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static const char default_domain[] = "docker.io", library[] = "library/";
enum { LIBRARY_LEN = sizeof(library) - 1, HEX_ID_LEN = 64, PORT_DIGITS_MAX = 5 };

static int refuse(struct err *err, const char *text, const char *why)
{
	_free_ char *shown = str_escaped(text);

	return err_set(err, -EINVAL, "'%s' is not the name of an image: %s", shown, why);
}

/* The length of a separator of path components at p: '.', '_', "__" or any number of '-'. */
static size_t separator_length(const char *p)
{
	if (*p == '-')
		return strspn(p, "-");
	if (*p == '_')
		return p[1] == '_' ? 2 : 1;
	return *p == '.';
}

/* [a-z0-9]+(separator [a-z0-9]+)*, components joined by '/'. */
static bool path_is_valid(const char *p)
{
	for (;;) {
		size_t len = strspn(p, LOWER DIGITS);

		if (len == 0)
			return false;
		p += len;
		if (!*p)
			return true;
		len = *p == '/' ? 1 : separator_length(p);
		if (len == 0)
			return false;
		p += len;
	}
}

/* The end of a host name or bracketed IPv6 address at p, NULL when there is none. */
static const char *host_end(const char *p)
{
	if (*p == '[') {
		size_t len = strspn(p + 1, "abcdefABCDEF" DIGITS ":");

		return len > 0 && p[1 + len] == ']' ? p + len + 2 : NULL;
	}
	for (;;) {
		size_t len = strspn(p, LOWER UPPER DIGITS "-");

		if (len == 0 || *p == '-' || p[len - 1] == '-')
			return NULL;
		p += len;
		if (*p != '.')
			return p;
		p++;
	}
}

static bool domain_is_valid(const char *domain)
{
	const char *p = host_end(domain);
	size_t len;

	if (!p || !*p)
		return p;
	if (*p != ':')
		return false;
	len = strspn(p + 1, DIGITS);
	return len > 0 && len <= PORT_DIGITS_MAX && !p[1 + len];
}

static bool tag_is_valid(const char *tag)
{
	size_t len = strspn(tag, LOWER UPPER DIGITS "_.-");

	return len > 0 && len <= OCI_REF_TAG_MAX && !tag[len] && *tag != '.' && *tag != '-';
}

/* Whether the first len bytes, before the first '/', name a host. */
static bool is_domain(const char *text, size_t len)
{
	if (len == strlen("localhost") && strncmp(text, "localhost", len) == 0)
		return true;
	return strcspn(text, ".:[" UPPER) < len;
}

/* Splits "[domain/]path" into ref; name holds no tag. */
static bool split_name(const char *name, struct oci_ref *ref)
{
	size_t first = strcspn(name, "/");
	const char *path = name, *prefix = "";

	(void) snprintf(ref->domain, sizeof(ref->domain), "%s", default_domain);
	if (name[first] == '/' && is_domain(name, first)) {
		(void) snprintf(ref->domain, sizeof(ref->domain), "%.*s", (int) first, name);
		path = name + first + 1;
	}
	if (streq(ref->domain, "index.docker.io"))
		(void) snprintf(ref->domain, sizeof(ref->domain), "%s", default_domain);
	if (streq(ref->domain, default_domain) && !strchr(path, '/'))
		prefix = library;
	(void) snprintf(ref->path, sizeof(ref->path), "%s%s", prefix, path ? path : "");
	return strlen(ref->domain) + 1 + strlen(prefix) + strlen(path) <= OCI_REF_NAME_MAX;
}

/* Cuts "@digest" and ":tag" off name, which is a copy of text. */
static int cut_tail(const char *text, char *name, struct oci_ref *ref, struct err *err)
{
	char *at = strchr(name, '@'), *colon;

	if (at) {
		*at++ = '\0';
		if (!digest_is_valid(at))
			return refuse(err, text, "what follows '@' must be sha256: and 64 digits");
		(void) snprintf(ref->digest, sizeof(ref->digest), "%s", at);
	}
	colon = strrchr(name, ':');
	if (!colon || strchr(colon, '/') || strchr(colon, ']'))
		return 0;
	*colon++ = '\0';
	if (!tag_is_valid(colon))
		return refuse(err, text, "what follows ':' is not a tag");
	(void) snprintf(ref->tag, sizeof(ref->tag), "%s", colon);
	return 0;
}

int oci_ref_parse(const char *text, struct oci_ref *ret, struct err *err)
{
	_free_ char *name = NULL;
	struct oci_ref ref = { 0 };
	int r;

	if (strlen(text) > OCI_REF_NAME_MAX + OCI_REF_TAG_MAX + DIGEST_TEXT_SIZE)
		return refuse(err, text, "it is too long");
	name = xstrdup(text);
	r = cut_tail(text, name, &ref, err);
	if (r < 0)
		return r;
	if (strlen(name) == HEX_ID_LEN && strspn(name, DIGITS "abcdef") == HEX_ID_LEN)
		return refuse(err, text, "64 hexadecimal digits are an image ID");
	if (!split_name(name, &ref))
		return refuse(err, text, "it is longer than 255 bytes");
	if (!domain_is_valid(ref.domain))
		return refuse(err, text, "the part before the first '/' is not a host");
	if (!path_is_valid(ref.path))
		return refuse(err, text,
		        "it must be made of lower-case letters and digits, with '.', '_', '-' and "
		        "'/' between them");
	if (!ref.tag[0] && !ref.digest[0])
		(void) snprintf(ref.tag, sizeof(ref.tag), "latest");
	*ret = ref;
	return 0;
}

/* The path as people write it, when the domain is left out. */
static const char *short_path(const struct oci_ref *ref)
{
	const char *path = ref->path;

	if (str_has_prefix(path, library) && !strchr(path + LIBRARY_LEN, '/'))
		return path + LIBRARY_LEN;
	/* Without its host a path whose first part looks like one would be read as a host. */
	return is_domain(path, strcspn(path, "/")) ? NULL : path;
}

static char *with_tail(const char *domain, const char *path, const struct oci_ref *ref)
{
	return xprintf("%s%s%s%s%s%s%s", domain, *domain ? "/" : "", path, ref->tag[0] ? ":" : "",
	        ref->tag, ref->digest[0] ? "@" : "", ref->digest);
}

char *oci_ref_full(const struct oci_ref *ref)
{
	return with_tail(ref->domain, ref->path, ref);
}

char *oci_ref_familiar(const struct oci_ref *ref)
{
	_free_ char *name = oci_ref_familiar_name(ref);

	return with_tail("", name, ref);
}

char *oci_ref_familiar_name(const struct oci_ref *ref)
{
	const char *path = streq(ref->domain, default_domain) ? short_path(ref) : NULL;

	return path ? xstrdup(path) : xprintf("%s/%s", ref->domain, ref->path);
}
