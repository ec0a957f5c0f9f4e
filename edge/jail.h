/*
 * jail.h - what a role may still do once it has started: user, no_new_privs,
 *          Landlock, seccomp.
 *
 * Touches: this process, for good.
 *
 * Order of locking: warm libraries up (libcrypto without its configuration file,
 * jansson's seed), drop to the role's user, no_new_privs, Landlock on the paths
 * named, then the seccomp allow-list.  What is not named is refused with
 * KILL_PROCESS, for hands with EPERM (vendor modules probe).  No set has fork or
 * exec, and a signal reaches the process itself alone (abort).  Landlock rights
 * are masked by the ABI the kernel reports; where the kernel has none,
 * ERR_WORLD jail-landlock unless the configuration says so (jail.weak).
 */
#ifndef EDGE_JAIL_H
#define EDGE_JAIL_H

#include "base/base.h"

enum jail_set {
	JAIL_PURE = 1 << 0,    /* read write poll on open descriptors, memory, clock, random, exit: every role has it   */
	JAIL_FILES = 1 << 1,   /* open, fsync, rename, truncate … within the paths                                   */
	JAIL_READ = 1 << 6,    /* of it what reads alone: open, stat, list                                           */
	JAIL_ACCEPT = 1 << 2,  /* accept on a listener that was handed over                                          */
	JAIL_CONNECT = 1 << 3, /* socket (of IPv4 and IPv6), connect: messenger, checker                             */
	JAIL_THREADS = 1 << 4, /* threads, never processes: libcurl's resolver, PKCS#11 modules                       */
	JAIL_EPERM = 1 << 5,   /* refuse with EPERM instead of ending the process                                     */
};

#define JAIL_PATHS_MAX 16

struct jail {
	const char *role;
	unsigned sets;
	uint32_t uid;   /* 0: stay as we are (tests) */
	uint32_t group; /* one more group, whose files it may read; 0: none */
	bool weak;      /* a kernel without Landlock is accepted */
	size_t n_read, n_write;
	const char *read[JAIL_PATHS_MAX];  /* folders or files: read (and execute for JAIL_THREADS) */
	const char *write[JAIL_PATHS_MAX]; /* folders: everything below */
};

/* Loads what libraries would open later. */
void jail_warm_up(void);
err jail_enter(const struct jail *j) CHECKED;
/*
 * The beginning of it, for who loads foreign code before its jail can be closed: the role's user (0: stays), no core
 * file, no new privileges.  jail_enter does it too.
 */
err jail_leave_root(uint32_t uid) CHECKED;
/*
 * Of the capabilities of root only those named stay, here and in every child, whatever it executes; and no new privileges.
 * Nothing where the process is not root.  ERR_WORLD jail-capabilities.
 */
err jail_keep_capabilities(const int *keep, size_t n) CHECKED;

#endif
