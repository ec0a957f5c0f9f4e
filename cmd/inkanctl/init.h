/*
 * init.h - `inkanctl init`: a new house, ready for its first `inkanctl start`.
 *
 * Depends on: cmd/inkanctl/ceremony, act, edge/{clock,hsm,random}.  Touches: the
 * new home folder, the tokens.
 *
 * What stands in HOME afterwards:
 *	inkan.conf               how the processes are started; every section is explained in it
 *	trust.conf               what this house believes (act/trust): pinned in the baseline
 *	person-signature.conf    the profile        ruleset.conf   the rule set
 *	approval.cms             P-1: the rule set approved by the responsible person
 *	baseline.cms             B-1: what was accredited (or, for a test, would be)
 *	keys.cms                 K-1: how the keys were made, by whom
 *	keys/token.key jlis.key  32 random bytes each: bearer tokens, sealing of J-LIS data
 *	keys/heartbeat.key       32 bytes: what messenger signs heartbeats with; repository/heartbeat.pub its public half
 *	repository/ca/           issuer.cer ocsp.cer
 *	repository/index.html    web/index.html with the service, its state and the fingerprints filled in
 *	repository/cps/          the practice statement
 *	repository/terms/        terms and explanation as the front gives them out
 *	texts/                   the same texts for the books: kept as evidence with the baseline
 *	tokens/                  only without --module: SoftHSM with the CA's token, its PIN in tokens/pin (a test's way)
 *	office/                  the same for the responsible person's token
 *
 * A home that is there already is never touched.
 */
#ifndef CMD_INKANCTL_INIT_H
#define CMD_INKANCTL_INIT_H

/* Arguments after "init".  Exit code: 0 done, 2 usage, 3 could not. */
int init_main(int argc, char **argv);

#endif
