/*
 * disk.h - edge/disk with a counter that fails or kills at the nth effect.
 *
 * Effects are counted from 1 each time disk_fault is set: making a file or
 * folder, writing, syncing, cutting, erasing, renaming.  At the nth:
 *
 *   FAULT_BEFORE  the call fails with .error, nothing done
 *   FAULT_HALF    a write writes half of its bytes, then fails
 *   FAULT_AFTER   the effect is done, and the call says .error
 *   DIE_BEFORE, DIE_HALF, DIE_AFTER   the process ends there, with status 86
 */
#ifndef TEST_EDGE_DISK_H
#define TEST_EDGE_DISK_H

enum fault { FAULT_NONE, FAULT_BEFORE, FAULT_HALF, FAULT_AFTER, DIE_BEFORE, DIE_HALF, DIE_AFTER };
#define DIED 86

struct disk_fault {
	enum fault how;
	long nth;   /* 0: never */
	int error;  /* errno    */
	long count; /* effects so far */
};
extern struct disk_fault disk_fault;

#endif
