/*
 * listen.h - the sockets that others come to, bound before anything of root is given up.
 *
 * Depends on: base.  Touches: the network, run/office.
 */
#ifndef CMD_INKAND_LISTEN_H
#define CMD_INKAND_LISTEN_H

#include "base/base.h"

/* "127.0.0.1:8480": numbers only.  ERR_INPUT inkand-listen; ERR_WORLD inkand-bind. */
err listen_tcp(slice where, int *out) CHECKED;
/* HOME/run/office, for its owner alone; one that a crash left gives way.  ERR_INPUT link-path; ERR_WORLD inkand-office. */
err listen_office(const char *home, int *out) CHECKED;

#endif
