/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Removal of whole folders whose content nobody vouches for.
 *
 * Theory of operation: without recursion and with three descriptors at most, however deep the tree
 * is: a folder that is found two levels down is renamed up into the folder that is being removed,
 * so the work is never deeper than that. No symbolic link is ever followed and no mount point
 * crossed (an entry that is one stops the removal with -EBUSY). The tree must not be in use by
 * somebody who adds to it.
 */
#include "base/base.h"

/* Removes 'name' (one component) in dirfd, file or folder, with everything below. Returns 0, also
 * when it is not there, or a negative errno. */
int tree_remove(int dirfd, const char *name);
/* Removes everything in the folder, and keeps the folder. */
int tree_empty(int dirfd);
