/*
 * mirror_inside.h - what the files of mirror.h share; nobody else includes it.
 *
 *   mirror.c       follows the log of changes, begins what is due, says how each copy stands
 *   mirror_own.c   what is remembered in HOME/mirror: place, list of what was put, what was refused
 *   mirror_tree.c  the repository: a file by its path
 *   mirror_look.c  a look over all of its files, in steps
 *   mirror_send.c  one file on its way
 *   mirror_conf.c  inkan.conf and the jail
 */
#ifndef ROLE_MESSENGER_MIRROR_INSIDE_H
#define ROLE_MESSENGER_MIRROR_INSIDE_H

#include "role/messenger/mirror.h"

/* --- mirror_own.c --- */
void mirror_own_name(char out[96], const struct mirror *m, const char *ending);
/* NAME.place; nothing where there is none, or none that can be read. */
void mirror_load_place(const struct mirrors *all, struct mirror *m);
/* Where it moved, or the time it was whole is old by MIRROR_WHOLE_MS; once in MIRROR_PLACE_MS at most. */
void mirror_save_place(const struct mirrors *all, struct mirror *m, int64_t now);
void mirror_lines_start(struct mirror_lines *l);
/*
 * The next line of NAME.have, .walk or .refused: a sign and a path, borrowed until the next call; *have false where none is
 * whole yet.  What cannot be a line of ours is passed over.
 */
err mirror_next_line(int fd, struct mirror_lines *l, bool *have, slice *line) CHECKED;
/* Opens NAME.have; what stands in it is read in steps: MIRROR_KNOWS. */
err mirror_open_have(const struct mirrors *all, struct mirror *m) CHECKED;
/* True where it was not known. */
bool mirror_know(struct mirror *m, slice path);
/* NAME.have is read: half a line at its end goes. */
err mirror_end_have(struct mirror *m) CHECKED;
/* Before it is put: nothing is there that NAME.have does not name. */
err mirror_note_have(struct mirror *m, const char *path) CHECKED;
void mirror_load_refused(const struct mirrors *all, struct mirror *m);
void mirror_save_refused(const struct mirrors *all, const struct mirror *m);
/* A file the copy does not take: remembered, said once, tried again by its own clock. */
void mirror_put_aside(const struct mirrors *all, struct mirror *m, const char *path, err e);
/* It took this one: nothing is held against it any more. */
void mirror_taken(const struct mirrors *all, struct mirror *m, const char *path);
/* The next wait after this one. */
int64_t mirror_longer(int64_t backoff) CHECKED;

/* --- mirror_tree.c --- */
/*
 * The folder a path ends in, below `top`, step by step without following links; made on the way where `make`.  ERR_ABSENT
 * disk-absent; ERR_WORLD mirror-write.
 */
err mirror_enter(int top, const char *path, bool make, int *out, const char **name) CHECKED;
err mirror_open_published(const struct mirrors *all, const char *path, int *out) CHECKED;
bool mirror_is_there(const struct mirrors *all, const char *path) CHECKED;
bool mirror_path_ends(const char *s, const char *ending) CHECKED;
/* Speaks for other files: goes when they are there. */
bool mirror_is_last(const char *path) CHECKED;

/* --- mirror_look.c --- */
/* Begins a look, from nothing: steps list what must go and what must be put into NAME.walk. */
err mirror_walk_start(const struct mirrors *all, struct mirror *m) CHECKED;
/* One step of what m->look says.  After an error it has stopped: the log is opened anew, and what it was begun anew. */
err mirror_look_step(const struct mirrors *all, struct mirror *m) CHECKED;
/* All of NAME.walk is there: it becomes NAME.have, which is then read anew. */
err mirror_walk_end(const struct mirrors *all, struct mirror *m) CHECKED;
/* Between two steps nothing is held any more; where m->walking, the look begins anew when the log is opened. */
void mirror_look_stop(struct mirror *m);

/* --- mirror_send.c --- */
/*
 * Begins one; x is flying, or done where nothing is to do, or *landed: a folder has it at once.  An error is about this
 * file or about the whole copy: the caller tells them apart.
 */
err mirror_carry(struct mirrors *all, struct mirror *m, struct mirror_item *x, bool *landed) CHECKED;

#endif
