/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Filling an empty volume with what an image has at the target. Internal to volumes.
 *
 * Theory of operation. A child copies into volumes/.fill-NAME; whole, that becomes .full-NAME by
 * one rename; then its entries are renamed into _data one by one, never over one that is there
 * (another container may be using the empty volume already, so _data keeps its identity). A kill at
 * any point leaves either a .fill- that is thrown away or a .full- that the next one moves on. All
 * of it happens under a flock on volumes/NAME.
 *
 * The image is hostile. The child has the image, read-only and with its target resolved inside, as
 * its whole file system, one descriptor of a mount that begins at the folder to fill, five
 * capabilities, and a short list of system calls (volume_child.c); volume_copy.c makes no devices,
 * follows no link and opens nothing that could block.
 */
#include "base/err.h"

#include <stdbool.h>

struct engine;
struct store_image;

/* Fills the volume when it is empty. sync: what was copied is on disk before it shows. A target
 * that the image does not have, or that is no folder, is no error. */
int volume_fill(struct engine *e, const struct store_image *image, int volumes, const char *name,
        const char *target, bool sync, struct err *err);
/* Moves on or throws away what a killed owner left for the volume, unless its owner lives. */
void volume_fill_repair(int volumes, const char *name);

/* --- volume_child.c --------------------------------------------------------------------------- */

/* Opens the folder at 'target' of the image, links on the way followed inside. -ENOENT: there is
 * none. */
int volume_child_open(int root, const char *target);
/* Copies what the image whose root is 'root' (a detached mount) has at 'target' into the empty
 * folder 'to'; 'links' is a second empty folder for its own use. Both below 'fill'. In a confined
 * child. Returns 1 when something was copied (the folder itself at least), 0 when there is nothing.
 */
int volume_child_copy(int root, const char *target, int fill, struct err *err);

/* --- volume_copy.c: pure copying, in the child ------------------------------------------------ */

enum {
	VOLUME_COPY_DEPTH_MAX = 256,
	VOLUME_COPY_ENTRIES_MAX = 4000000, /* as an archive that is imported */
};
/* Copies the folder 'from' with everything in it over the empty folder 'to': contents, owners,
 * modes, times, extended attributes that mean something in a container, holes and hard links. Not:
 * devices and sockets. 'links' is an empty folder on the file system of 'to', which is left with
 * one entry for each file that has several names. */
int volume_copy(int from, int to, int links, struct err *err);
/* Gives 'to' the owner, mode, extended attributes and times of 'from'; both are open folders or
 * regular files. */
int volume_copy_attrs(int from, int to, struct err *err);
