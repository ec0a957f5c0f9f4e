/*
 * monitor.h - inkanctl monitor: the outside monitor, on another machine than the house.
 *
 * Depends on: act/heartbeat, edge/http, edge/clock.  Touches: the address it listens at, the key file, the state file if
 * one is named, and the command it is told to run.
 *
 * It takes heartbeats (POST /heartbeat) and raises an alarm on silence, on a signature that is not the house's, on a
 * sequence that was there before, on a time far from its own, and on every alarm that a heartbeat carries.  An alarm is a
 * line on standard output and one run of the command; it is said once until it changes.  It holds no secret.
 */
#ifndef CMD_INKANCTL_MONITOR_H
#define CMD_INKANCTL_MONITOR_H

int monitor_main(int argc, char **argv);

#endif
