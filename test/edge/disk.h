/*
 * disk.h - edge/disk with a counter that fails or kills at the nth effect.
 *
 * Effects are counted from 1 each time disk_fault is set: making a file or
 * folder, writing, syncing, cutting, erasing, renaming, removing.  At the nth:
 *
 *   FAULT_BEFORE  the call fails with .error, nothing done
 *   FAULT_HALF    a write writes half of its bytes, then fails
 *   FAULT_AFTER   the effect is done, and the call says .error
 *   FAULT_LOST    a sync fails, and the bytes it was for are lost for good, as ext4 loses blocks whose first writing
 *                 failed: written again and synced they are there until disk_forget(), which is the next mount.
 *                 Only cutting them off frees their place.  Counts syncs of files alone.
 *   DIE_BEFORE, DIE_HALF, DIE_AFTER   the process ends there, with status 86
 *
 * Power lost: the process ends before the effect, and with it goes what was
 * written and not synced, as a disk without power forgets it:
 *
 *   POWER_ALL    every unsynced byte
 *   POWER_ODD    those of every other file (writes reach a disk in any order)
 *   POWER_EVEN   those of the others
 *   POWER_HALF   the latter half of each file's
 */
#ifndef TEST_EDGE_DISK_H
#define TEST_EDGE_DISK_H

enum fault {
	FAULT_NONE,
	FAULT_BEFORE,
	FAULT_HALF,
	FAULT_AFTER,
	FAULT_LOST,
	DIE_BEFORE,
	DIE_HALF,
	DIE_AFTER,
	POWER_ALL,
	POWER_ODD,
	POWER_EVEN,
	POWER_HALF
};
#define DIED 86

struct disk_fault {
	enum fault how;
	long nth;   /* 0: never */
	int error;  /* errno    */
	long count; /* effects so far */
};
extern struct disk_fault disk_fault;
void disk_forget(void);

#endif
