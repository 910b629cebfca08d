/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The three files that every container gets over /etc/hosts, /etc/hostname and /etc/resolv.conf.
 *
 * Theory of operation. They are made anew at each start and travel in the plan (compile_file), so
 * they exist in the container's memory alone and show no path of the host. The own name of the
 * container is 127.0.0.1, so that a server that listens on its host name is reached as localhost:
 * there is no other interface. --add-host stands before it and can give the name another address.
 *
 * resolv.conf is the host's, taken apart and put together again: name servers on a loopback address
 * are left out (they are the host's own), what --dns, --dns-search and --dns-option give takes the
 * place of its part, and comments and lines that are not known are dropped. Where the host's only
 * server is systemd-resolved's stub, the file with its real servers is read instead.
 *
 * Every word is checked when it is written, not only when the option was read: a line break in it
 * could forge a line.
 */
#include "base/buf.h"
#include "engine/config.h"

enum {
	ETC_FILES_SIZE_MAX =
	        256 << 10,             /* of each file; what a configuration can hold may not fit */
	ETC_FILES_HOST_MAX = 64 << 10, /* of the host's resolv.conf; a longer one counts as empty */
};

struct etc_files {
	const char *hosts, *hostname, *resolv_conf;
};
/* The contents, in the arena. -EINVAL: a word that the configuration should not hold; -EMSGSIZE. */
int etc_files_make(
        const struct config *config, struct arena *arena, struct etc_files *ret, struct err *err);

/* --- options, with docker's sentences ('invalid argument ...') -------------------------------- */

/* --add-host: NAME:IP or NAME=IP, IPv6 with or without brackets. *ret, in the arena, is NAME:IP as
 * the configuration wants it. */
int etc_files_parse_host(struct arena *a, const char *text, const char **ret, struct err *err);
/* --dns, --dns-search, --dns-option. */
int etc_files_check_dns(const char *text, struct err *err);
int etc_files_check_search(const char *text, struct err *err);
int etc_files_check_option(const char *text, struct err *err);

/* --- the pure parts --------------------------------------------------------------------------- */

int etc_files_hosts(const struct config *config, struct buf *out, struct err *err);
int etc_files_hostname(const struct config *config, struct buf *out, struct err *err);
/* host: the text of the host's resolv.conf. */
int etc_files_resolv_conf(
        const struct config *config, const char *host, struct buf *out, struct err *err);
/* True when the text's only name server is systemd-resolved's own. */
bool etc_files_is_stub(const char *host);
