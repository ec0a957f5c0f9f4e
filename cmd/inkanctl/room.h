/*
 * room.h - inkanctl room: the signers are paused and started again by a person.
 *
 * Depends on: edge/clock.  Touches: HOME/run/room-closed, whose being there is the whole state; inkand, which is told by
 * SIGUSR2 to look at it.
 */
#ifndef CMD_INKANCTL_ROOM_H
#define CMD_INKANCTL_ROOM_H

int room_main(int argc, char **argv);

#endif
