/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Lock files: the proof that the owner of a container lives.
 *
 * They are record locks (fcntl): a process holds them for itself, its children do not. A process
 * must have at most one of them open for each container.
 *
 * A lock that was got on a file which somebody has removed meanwhile proves nothing, so taking
 * compares the locked file with the one that now has the name.
 */
#include "base/base.h"

/* Makes 'ID.lock' in dirfd and locks it. Returns the fd (the lock lasts as long as it is open) or a
 * negative errno. */
int lock_make(int dirfd, const char *id);
/* Takes the lock of a container whose owner is gone. Returns the fd; -EWOULDBLOCK: the owner lives;
 * -ENOENT: there is no lock file (the machine was restarted: the owner is gone too). */
int lock_try(int dirfd, const char *id);
/* Removes the lock file. The caller holds the lock. */
int lock_remove(int dirfd, const char *id);
