/* hand.h - what the twin of a hand is told; see hand.c. */
#ifndef TEST_EDGE_HAND_H
#define TEST_EDGE_HAND_H

#include "role/signer/hand.h"

enum hand_fault { HAND_LOST_BEFORE = 1, HAND_LOST_AFTER, HAND_WRONG };

struct test_hand {
	struct signer *signer; /* of test/jpki/make.h: the key */
	uint64_t at;           /* the nth signature fails …; 0: none */
	bool from_there_on;    /* … and all after it                 */
	enum hand_fault how;
	bool absent, up;
	uint64_t calls, signatures, started, ended;
};
extern struct test_hand test_hands[STARTER_KEYS_MAX];

#endif
