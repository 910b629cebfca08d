/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/names.h"

#include "kernel/sys.h"

#include <errno.h>
#include <string.h>

static const char *const adjectives[] = {
	"able",
	"brave",
	"brisk",
	"calm",
	"clear",
	"deft",
	"eager",
	"fair",
	"fleet",
	"frank",
	"grand",
	"hardy",
	"keen",
	"kind",
	"lively",
	"loyal",
	"merry",
	"mild",
	"neat",
	"noble",
	"plucky",
	"polite",
	"proud",
	"quick",
	"quiet",
	"ready",
	"sound",
	"steady",
	"stout",
	"sturdy",
	"sunny",
	"swift",
	"tidy",
	"trim",
	"trusty",
	"upright",
	"vivid",
	"wary",
	"willing",
	"wise",
};
static const char *const nouns[] = {
	"anchor",
	"barge",
	"beacon",
	"bosun",
	"bow",
	"brig",
	"buoy",
	"cabin",
	"canoe",
	"clipper",
	"cutter",
	"deck",
	"dinghy",
	"dory",
	"ferry",
	"frigate",
	"galley",
	"gunwale",
	"halyard",
	"harbor",
	"helm",
	"hull",
	"jetty",
	"kayak",
	"keel",
	"ketch",
	"lugger",
	"mast",
	"oar",
	"pilot",
	"punt",
	"quay",
	"rudder",
	"schooner",
	"skiff",
	"sloop",
	"spar",
	"tender",
	"tiller",
	"yawl",
};

int name_random_hex(char *out, size_t digits)
{
	static const char hex[] = "0123456789abcdef";
	unsigned char bytes[64];
	int r;

	if (digits > sizeof(bytes) * 2)
		return -EINVAL;
	r = sys_getrandom(bytes, sizeof(bytes));
	if (r < 0)
		return r;
	for (size_t i = 0; i < digits; i++)
		out[i] = hex[(bytes[i / 2] >> (i % 2 ? 0 : 4)) & 15];
	out[digits] = '\0';
	return 0;
}

char *name_made_up(void)
{
	uint16_t n[3] = { 0 };

	if (sys_getrandom(n, sizeof(n)) < 0)
		return xstrdup("steady_hull_0");
	return xprintf("%s_%s_%u", adjectives[n[0] % ARRAY_SIZE(adjectives)],
	        nouns[n[1] % ARRAY_SIZE(nouns)], n[2] % 1000u);
}
