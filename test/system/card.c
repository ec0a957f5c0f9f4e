/* LINK: test/jpki/make.c test/system/parts/http.c */
/*
 * card.c - one application by one card of the world, written to a file; a script sends it when it likes.
 *
 *	card WORLD PORT CARD FILE [CLOCK|- [KEY]]
 *
 * CARD is NAME, or NAME=PERSON where the card is a bad one and another person's attributes stand in the application.
 * Terms and a fresh challenge come from the house at PORT; CLOCK is its test clock's file.  The subscriber's key is lost,
 * for nobody needs it again, but where a file is named for it (PKCS#8, PEM).
 */
#include "edge/clock.h"
#include "test/system/parts/http.h"

int
main(int argc, char **argv)
{
	struct buf cms OWNED(buf_drop) = BUF(128U << 10);
	struct signer *card OWNED(signer_drop) = NULL, *own OWNED(signer_drop) = NULL;
	struct make_application a;
	struct terms terms;
	struct room room;
	char name[64], *person;
	int port;

	if (argc < 5 || argc > 7) {
		fputs("usage: card WORLD PORT CARD FILE [CLOCK|- [KEY]]\n", stderr);
		return 2;
	}
	if (argc >= 6 && strcmp(argv[5], "-") != 0 && clock_use_test(argv[5]).kind != OK)
		return 3;
	port = (int)strtol(argv[2], NULL, 10);
	snprintf(name, sizeof name, "%s", argv[3]);
	person = strchr(name, '=');
	if (person != NULL)
		*person++ = '\0';
	terms_get(port, &terms);
	card = signer_load(argv[1], name);
	own = signer_new(KEY_P256, 256);
	applicant_for(argv[1], person == NULL ? name : person, &terms, clock_now(), &room, &a);
	a.nonce = challenge_new(port);
	make_application(&cms, card, own, &a);
	if (argc == 7)
		signer_to_pem(own, argv[6]);
	file_put(argv[4], buf_slice(&cms));
	return 0;
}
