/*
 * init_house.h - a house in the making: what was asked for, what was made of it so far, and the steps.
 *
 * Depends on: cmd/inkanctl/ceremony, act/trust.  Private to the init files; touches the new home.
 *
 * init.c takes the options and puts the steps in order; init_files.c reads what is given and writes what lies in the house
 * (tokens, keys, repository, texts); init_words.c writes what the house is told (profile, rule set, trust file, inkan.conf)
 * and has the first documents signed.  What stands in HOME afterwards: init.h.
 */
#ifndef CMD_INKANCTL_INIT_HOUSE_H
#define CMD_INKANCTL_INIT_HOUSE_H

#include <sys/types.h>

#include "act/trust.h"
#include "base/base.h"
#include "pki/crl.h"
#include "base/time.h"
#include "cmd/inkanctl/ceremony.h"

#define PATH_BYTES 1024
#define PROFILE "person-signature"

struct init {
	const char *home_given;
	char home[PATH_BYTES];
	const char *module, *token_uri, *pin_file, *environment;
	const char *status_module, *status_uri, *status_pin_file, *status_environment;
	const char *person_module, *person_uri, *person_pin_file, *person_environment;
	const char *url, *listen, *private;
	const char *hierarchy, *state, *service, *organisation, *responsible, *label;
	const char *policy, *arrangement, *jlis_ocsp, *web, *user_base, *verifiers, *fronts;
	const char *status, *per_hour, *partitions;
	const struct ceremony_algorithm *algorithm;
	size_t n_anchors, n_crls;
	const char *anchor[TRUST_ANCHORS_MAX], *crl[TRUST_ANCHORS_MAX];
	bool address, birth, delta, expired, test_clock, weak, keep_pin_file;
	instant now;
	struct secret pin, status_pin, person_pin;
	char token_environment[PATH_BYTES], status_room[PATH_BYTES], office_environment[PATH_BYTES];
	struct ceremony_made made;
	struct buf trust, profile, ruleset, approval, baseline, cps, making;
	struct buf terms[2], explanation[2]; /* ja, en */
	struct buf anchor_der[TRUST_ANCHORS_MAX];
	char web_found[PATH_BYTES];
};

extern const char *const INIT_LANGS[2]; /* ja, en: as terms[] and explanation[] */

/* Says the path and errno on stderr, then ERR_WORLD with that text. */
err init_world(const char *what, const char *path) CHECKED;
/* Below the home, new: neither touches what is there. */
err init_folder(const struct init *i, const char *name, mode_t mode) CHECKED;
err init_file(const struct init *i, const char *name, slice bytes, mode_t mode) CHECKED;

/* Everything that is given as a file is read before anything is made. */
err init_read_given(struct init *i) CHECKED;
/* A SoftHSM token for each that no module was named for: a test's way. */
err init_tokens(struct init *i) CHECKED;
err init_repository(struct init *i) CHECKED;
err init_texts(struct init *i) CHECKED;
err init_keys(struct init *i) CHECKED;

/* Into .profile, .ruleset, .trust; the trust file names the digests of the first two and what the ceremony made. */
void init_profile(struct init *i);
void init_ruleset(struct init *i);
err init_trust(struct init *i) CHECKED;
/* HOME/inkan.conf. */
err init_conf(struct init *i) CHECKED;
/* P-1 and B-1, signed with the responsible person's key, into .approval and .baseline. */
err init_approval(struct init *i) CHECKED;
err init_baseline(struct init *i) CHECKED;
/* K-1 into .making: one person stands for plural ones, which it says. */
err init_making(struct init *i) CHECKED;

#endif
