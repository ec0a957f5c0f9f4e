/*
 * inkanctl.h - what the commands that read share.
 *
 * Depends on: base, edge/hsm for the names of CK_RV.  Touches: the terminal, the environment's locale, files it is told to read.
 *
 * A command is a function and a line in main.c's table.  It gets the arguments
 * after its own name and answers with an exit code:
 *
 *   0  done, or what was asked is so
 *   1  refused, or what was asked is not so (a book that does not verify, a decision that comes out otherwise)
 *   2  the command line is not understood
 *   3  something outside failed: no such folder, a file that cannot be read
 *
 * Common flags: --home DIR (else demo/house when a house stands there, else
 * /var/lib/inkan), --json (one object on standard output), --help.  People are
 * spoken to in the locale's language, Japanese or English (base/words).
 */
#ifndef CMD_INKANCTL_INKANCTL_H
#define CMD_INKANCTL_INKANCTL_H

#include <getopt.h>

#include "base/base.h"
#include "base/words.h"

enum done { DONE_OK = 0, DONE_NO = 1, DONE_USAGE = 2, DONE_WORLD = 3 };

struct ctl {
	const char *home;
	bool json;
	bool progress; /* standard error is a terminal */
	enum lang lang;
};

/*
 * Takes the common flags; argv[0] is the command's name.  False: it ends here with
 * *done (help was printed, or the usage on standard error).  *rest is the index
 * of the first word that is no flag.
 */
bool ctl_get(struct ctl *c, int argc, char **argv, const char *usage, enum done *done, int *rest);
/* A text in the reader's language. */
const char *ctl_words(const struct ctl *c, const char *english);
/* Says what failed on standard error; the exit code for its kind. */
enum done ctl_fail(const struct ctl *c, err e);
/* The same for a command that has no struct ctl: by LC_ALL, LC_MESSAGES, LANG. */
enum lang ctl_locale(void);
const char *ctl_say(const char *english);
/* The house when nobody says which: demo/house when one stands there, else /var/lib/inkan. */
const char *ctl_house(void);
/* house-none when no inkan.conf stands in the folder; the folder is named on standard error. */
CHECKED err ctl_check_house(const char *home);
/* The sentence on standard error, and what the system or the PKCS#11 module said (err.why). */
void ctl_explain(err e);
/* The word that getopt_long has just refused, on standard error. */
void ctl_refuse_option(char *const *argv);
/* A whole file into *out, which the caller made with its limit; one that cannot be read is named on standard error. */
CHECKED err ctl_read(const char *path, struct buf *out);
/* A PIN is a file's text without the ends of lines; the copy on the way is wiped. */
CHECKED err ctl_read_pin(const char *path, struct secret *out);
/* HOME/name; the caller frees it. */
char *ctl_path(const struct ctl *c, const char *name);

#endif
