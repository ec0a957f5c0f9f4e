/*
 * pin.h - `inkanctl pin`: what a signer noted when its token refused the PIN, and
 *         the word of a person that it may be tried again.
 *
 * Touches: HOME/journal-issuer/pin-refused, HOME/journal-status/pin-refused,
 * HOME/log/inkan.log, the terminal.
 *
 * A PIN refused once is not tried again by itself, for a token locks after a few.
 * Whoever clears the note says that the PIN given at start is right, or that the
 * house is closed and will be started with another.
 */
#ifndef CMD_INKANCTL_PIN_H
#define CMD_INKANCTL_PIN_H

/* Arguments after the command's name; exit codes 0 done (or no note), 1 a note stands, 2 usage, 3 could not. */
int pin_main(int argc, char **argv);

#endif
