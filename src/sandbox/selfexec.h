/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Keeping our own binary out of a container's reach (CVE-2019-5736; rule R4).
 *
 * Theory of operation: until it calls exec, the first process of a container runs our binary, and
 * /proc/PID/exe of that process is a door to the file which no path check guards. A program that
 * starts containers therefore runs itself again from a copy that cannot be written: a detached,
 * read-only clone of the mount of its own binary, and where that is refused (no privileges) a
 * sealed memory file. Whoever opens /proc/PID/exe then gets EROFS or ETXTBSY, and the host's file
 * has another mount.
 *
 * Whether the program is protected already is read from the running binary itself, so that no
 * variable of the environment can pretend it, and a second run is impossible: the check that
 * started the first one holds in it.
 *
 * /proc/self/exe of the protected program does not lead back to the installed file. A program that
 * finds its helpers beside itself must look them up before it calls this and hand them on (for
 * example as an argument), or must not need them: the OCI runtime needs none, and 'bulkhead' calls
 * this in the commands that start containers only.
 */
#include "base/err.h"

/* How the running binary is kept from being written. */
enum sandbox_self {
	SANDBOX_SELF_OPEN,   /* it is not */
	SANDBOX_SELF_MOUNT,  /* it is on a read-only mount */
	SANDBOX_SELF_SEALED, /* it is a sealed memory file */
};

/* Looks at the running binary. Negative errno when that is impossible (no /proc). */
int sandbox_self_state(struct err *err);
/* Returns 0 when the program is protected already; otherwise runs it again with argv and the
 * environment and does not return, or returns a negative errno. Open descriptors that are not
 * close-on-exec, limits, the working folder and so on stay. To be called early in main(). */
int sandbox_protect_self(char *const argv[], struct err *err);
/* The second way alone (tests, and measurements). */
int sandbox_protect_self_sealed(char *const argv[], struct err *err);
