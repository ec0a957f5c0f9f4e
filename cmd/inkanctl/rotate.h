/*
 * rotate.h - `inkanctl rotate-responder`: another key and certificate for OCSP answers, in a house that runs: Rule 6(xvii),
 *            12(1)1チ, RFC 6960 4.2.2.2.
 *
 * Depends on: cmd/inkanctl/{ceremony,paper,start}, edge/disk.  Touches: HOME/rotation, HOME/responder.conf, both tokens,
 * HOME/run/office, the terminal; signals inkand.
 *
 * What is done, in this order; each step leaves its result in HOME/rotation, durable, before the next, so that the command
 * after a crash goes on where the last one ended and never has two certificates signed under one serial:
 *
 *	object      the new key's label in the status signer's token; then the key is made there, if it is not there
 *	tbs         what the CA's key is to sign of it, with its serial: written before the key moves
 *	ocsp.cer    the certificate
 *	…           K-1 by the person who runs this, over run/office, with the certificate beside: key.generated.  In an
 *	            accredited house another person present does the same; until then the command says that it waits
 *	…           HOME/responder.conf names key and certificate; inkand starts the status signer anew
 *	…           the books say key.activated; HOME/rotation is taken away
 *
 * Answers given before stay as they are until each is made anew; each carries the certificate of its signer.
 */
#ifndef CMD_INKANCTL_ROTATE_H
#define CMD_INKANCTL_ROTATE_H

/* Arguments after the command's name.  Exit code: 0 done, 1 refused or another person is wanted, 2 usage, 3 could not. */
int rotate_main(int argc, char **argv);

#endif
