/*
 * disk.h - files, as the house uses them: opened below a folder, appended to,
 *          synced, replaced whole, cut, erased in place.
 *
 * Depends on: base; touches the file system below the folders it is given.
 *
 * A folder is a descriptor; every name is relative to one and never leaves it
 * ("..", an absolute name and a symbolic link at the last step are refused by
 * O_NOFOLLOW and by an assertion: names are made by us).  All descriptors are
 * close-on-exec.
 *
 * Errors are ERR_WORLD disk-… with errno in .why, ERR_ABSENT disk-absent where a
 * file to be read is not there.  A write that wrote less than all has failed.
 * After a failed sync nothing is known of what was written since the last one
 * that succeeded: the caller opens anew and looks.
 *
 * The twin test/edge/disk.c is this same code with a counter that fails or kills
 * at the nth effect, before it, in its middle or after it.
 */
#ifndef EDGE_DISK_H
#define EDGE_DISK_H

#include "base/base.h"

/* The process's own folder, for the first disk_folder. */
#define DISK_HERE (-100)

/* FOLDER_PASS: to open what it holds by name; it is not listed or synced, and need not be readable. */
enum disk_folder_mode { FOLDER_THERE, FOLDER_MAKE, FOLDER_PASS };
/* Opens a folder; FOLDER_MAKE makes the last step of `name` (0750) and syncs the folder above. */
err disk_folder(int above, const char *name, enum disk_folder_mode mode, int *out) CHECKED;

enum disk_mode {
	DISK_READ,   /* must be there                                                   */
	DISK_APPEND, /* must be there; writes go to the end                             */
	DISK_MAKE,   /* made when absent (0640) and the folder synced; as DISK_APPEND   */
	DISK_EDIT,   /* must be there; for disk_erase and disk_renew                    */
	DISK_SCRATCH /* made or emptied, nothing synced: what can be made anew          */
};
err disk_open(int folder, const char *name, enum disk_mode mode, int *out) CHECKED;
/* Sets *fd to -1; closing -1 is nothing. */
void disk_close(int *fd);

err disk_size(int fd, uint64_t *out) CHECKED;
/* ERR_ABSENT where there is no such file. */
err disk_size_of(int folder, const char *name, uint64_t *out) CHECKED;
/* All n bytes at `offset`; ERR_CORRUPT disk-short where the file ends before. */
err disk_read(int fd, uint64_t offset, void *p, size_t n) CHECKED;
/* Up to n bytes; *got is less only at the end of the file. */
err disk_read_some(int fd, uint64_t offset, void *p, size_t n, size_t *got) CHECKED;
/* A whole file of at most out->max bytes; ERR_ABSENT. */
err disk_load(int folder, const char *name, struct buf *out) CHECKED;

/* One write of everything; durable only after disk_sync. */
err disk_append(int fd, slice s) CHECKED;
err disk_sync(int fd) CHECKED;
err disk_sync_folder(int folder) CHECKED;
/* Cuts the file to `size` bytes and syncs. */
err disk_cut(int fd, uint64_t size) CHECKED;
/*
 * Writes a range again as it stands, and syncs: what is read back after a failed sync, or after its writer was killed,
 * may be in memory only, and the system takes such pages for written.
 */
err disk_renew(int fd, uint64_t from, uint64_t to) CHECKED;
/* Overwrites a range with nothing (a hole where the file system can, zeros where not) and syncs; the rest stays. */
err disk_erase(int fd, uint64_t offset, uint64_t n) CHECKED;
/* The file is either the old or the new one, whole, whatever happens: temporary file, fsync, rename, folder fsync. */
err disk_replace(int folder, const char *name, slice bytes) CHECKED;
/* For what is written in parts: `from`, synced by the caller, becomes `to`; then the folder is synced. */
err disk_rename(int folder, const char *from, const char *to) CHECKED;
/* The name is gone, durably; ERR_ABSENT where there is none. */
err disk_remove(int folder, const char *name) CHECKED;
/* An advisory lock for as long as fd is open; ERR_BUSY disk-locked where another has it. */
err disk_lock(int fd) CHECKED;

#endif
