/*
 * start.h - `inkanctl start | stop | status | confirm-clock`: the house as a whole.
 *
 * Touches: HOME/run, the terminal (the token PIN, without echo), the inkand beside
 * this program.
 */
#ifndef CMD_INKANCTL_START_H
#define CMD_INKANCTL_START_H

#include <sys/types.h>

#include "base/base.h"

#define OFFICE_WAIT_MS 10000 /* for the registrar's word over run/office */

/* Arguments after the command's name; exit codes 0 done, 1 not as asked, 2 usage, 3 could not. */
/* The inkand that runs this house; 0: none does. */
pid_t start_running(const char *home);
/* A PIN from the terminal, without echo; false: there is none. */
bool start_ask_pin(const char *prompt, struct secret *pin);
int start_main(int argc, char **argv);
int stop_main(int argc, char **argv);
int status_main(int argc, char **argv);
int confirm_main(int argc, char **argv);

#endif
