#include <sys/stat.h>
#include <unistd.h>

#include "base/conf.h"
#include "cmd/inkanctl/init.h"
#include "cmd/inkanctl/init_house.h"
#include "cmd/inkanctl/inkanctl.h"
#include "edge/clock.h"

#define ACCEPTED_PER_HOUR_MAX 1000000000 /* as the rule set's reader has it */

/* --- the whole --------------------------------------------------------------------- */

/* A step, in the reader's language. */
static void
tell(const char *english)
{
	puts(english);
	fflush(stdout);
}

static err
make_house(struct init *i)
{
	int64_t zero = 0;
	char *home;

	TRY(init_read_given(i));
	if (mkdir(i->home_given, 0755) != 0)
		return init_world("init-home: house: the new house's folder cannot be made; one that is there is never touched",
		    i->home_given);
	home = realpath(i->home_given, NULL);
	if (home == NULL || strlen(home) > PATH_BYTES - 224) {
		free(home);
		return fail(ERR_INPUT, "init-path: house: the path of the new house is too long");
	}
	snprintf(i->home, sizeof i->home, "%s", home);
	free(home);
	TRY(init_tokens(i));
	tell(ctl_say("Making the keys in their tokens (issuer, OCSP, checkpoint, responsible person)."));
	TRY(ceremony_make(
	    &(struct ceremony_options){
	        .ca = {i->module, i->environment, i->token_uri, secret_slice(&i->pin)},
	        .status = {i->status_module == NULL ? i->module : i->status_module,
	            i->status_module == NULL ? i->environment : i->status_environment,
	            i->status_module == NULL ? i->token_uri : i->status_uri, secret_slice(&i->status_pin)},
	        .person = {i->person_module, i->person_environment, i->person_uri, secret_slice(&i->person_pin)},
	        .algorithm = i->algorithm,
	        .organisation = slice_str(i->organisation),
	        .common_name = slice_str(i->service),
	        .now = i->now,
	    },
	    &i->made));
	init_profile(i);
	init_ruleset(i);
	TRY(init_trust(i));
	tell(ctl_say("Signing the approval of the rule set (P-1) and the baseline (B-1)."));
	TRY(init_approval(i));
	TRY(init_baseline(i));
	tell(ctl_say("Signing the record of the making of the keys (K-1): one person stands for plural persons, in a test only."));
	TRY(init_making(i));
	TRY(init_file(i, "trust.conf", buf_slice(&i->trust), 0644));
	TRY(init_file(i, PROFILE ".conf", buf_slice(&i->profile), 0644));
	TRY(init_file(i, "ruleset.conf", buf_slice(&i->ruleset), 0644));
	TRY(init_file(i, "approval.cms", buf_slice(&i->approval), 0644));
	TRY(init_file(i, "keys.cms", buf_slice(&i->making), 0644));
	TRY(init_file(i, "baseline.cms", buf_slice(&i->baseline), 0644));
	TRY(init_repository(i));
	TRY(init_keys(i));
	TRY(init_texts(i));
	if (i->test_clock)
		TRY(init_file(i, "clock", slice_of(&zero, sizeof zero), 0644));
	return init_conf(i);
}

static void
usage(FILE *f)
{
	fputs(
	    ctl_say("usage: inkanctl init --home DIR [options]\n"
	            "Makes a new house: keys in tokens, certificates, trust file, profile, rule set, first documents.\n"
	            "\n"
	            "  --anchor FILE           a J-LIS signature CA certificate (DER); several\n"
	            "  --hierarchy test|production   [test]\n"
	            "  --algorithm WORD        of the CA's key, one of those below [p256]\n"
	            "  --url URL               the address the certificates carry [http://127.0.0.1:8480]\n"
	            "  --listen ADDRESS:PORT   where front listens [taken from --url]\n"
	            "  --private ADDRESS:PORT  where /health and /metrics are\n"
	            "  --service NAME --organisation NAME    of the service and its DN\n"
	            "  --responsible NAME --person-label LABEL   the first responsible person\n"
	            "  --module FILE --token-uri URI --pin-file FILE [--token-environment NAME=VALUE] [--keep-pin-file]\n"
	            "                          the CA's token; without: a SoftHSM token in DIR/tokens (tests only)\n"
	            "  --status-module FILE --status-uri URI --status-pin-file FILE [--status-environment NAME=VALUE]\n"
	            "                          the status signer's token; without: with --module the CA's, else a SoftHSM\n"
	            "                          token in DIR/tokens-status\n"
	            "  --person-module FILE --person-uri URI --person-pin-file FILE [--person-environment NAME=VALUE]\n"
	            "                          the person's token; without: a SoftHSM token in DIR/office\n"
	            "  --status crl|ocsp       how J-LIS is asked [crl]\n"
	            "  --jlis-crl FILE|URL     several     --jlis-ocsp URL     --arrangement TEXT   date and reference\n"
	            "  --policy OID            of the certificates [2.999.1.1]\n"
	            "  --accepted-per-hour N   above: every application goes to a person [5000]\n"
	            "  --crl-partitions N      so many partial lists, 2 to 1024; a certificate names its own\n"
	            "  --crl-delta             after a revocation a delta list instead of the list of all\n"
	            "  --crl-expired           who was revoked stays on the lists after the certificate's end\n"
	            "  --address --birth       the certificate records them\n"
	            "  --web DIR               the texts people read [web, or where they were installed]\n"
	            "  --user-base N  --fronts N  --verifiers N  --test-clock  --weak-jail\n"
	            "exit: 0 done, 2 usage, 3 could not; what was made by then stays in DIR\n"),
	    f);
	fprintf(f, "--algorithm: %s\n", ceremony_words());
}

static const struct {
	const char *name;
	size_t at;
} TEXTS[] = {
    {"home", offsetof(struct init, home_given)},
    {"module", offsetof(struct init, module)},
    {"token-uri", offsetof(struct init, token_uri)},
    {"pin-file", offsetof(struct init, pin_file)},
    {"token-environment", offsetof(struct init, environment)},
    {"status-module", offsetof(struct init, status_module)},
    {"status-uri", offsetof(struct init, status_uri)},
    {"status-pin-file", offsetof(struct init, status_pin_file)},
    {"status-environment", offsetof(struct init, status_environment)},
    {"person-module", offsetof(struct init, person_module)},
    {"person-uri", offsetof(struct init, person_uri)},
    {"person-pin-file", offsetof(struct init, person_pin_file)},
    {"person-environment", offsetof(struct init, person_environment)},
    {"url", offsetof(struct init, url)},
    {"listen", offsetof(struct init, listen)},
    {"private", offsetof(struct init, private)},
    {"hierarchy", offsetof(struct init, hierarchy)},
    {"service", offsetof(struct init, service)},
    {"organisation", offsetof(struct init, organisation)},
    {"responsible", offsetof(struct init, responsible)},
    {"person-label", offsetof(struct init, label)},
    {"policy", offsetof(struct init, policy)},
    {"arrangement", offsetof(struct init, arrangement)},
    {"jlis-ocsp", offsetof(struct init, jlis_ocsp)},
    {"web", offsetof(struct init, web)},
    {"user-base", offsetof(struct init, user_base)},
    {"fronts", offsetof(struct init, fronts)},
    {"verifiers", offsetof(struct init, verifiers)},
    {"status", offsetof(struct init, status)},
    {"accepted-per-hour", offsetof(struct init, per_hour)},
    {"crl-partitions", offsetof(struct init, partitions)},
};
static const struct {
	const char *name;
	size_t at;
} FLAGS[] = {
    {"address", offsetof(struct init, address)},
    {"birth", offsetof(struct init, birth)},
    {"crl-delta", offsetof(struct init, delta)},
    {"crl-expired", offsetof(struct init, expired)},
    {"test-clock", offsetof(struct init, test_clock)},
    {"weak-jail", offsetof(struct init, weak)},
    {"keep-pin-file", offsetof(struct init, keep_pin_file)},
};
enum { OPT_TEXT = 1000, OPT_FLAG = 2000, OPT_ANCHOR = 3000, OPT_CRL, OPT_ALGORITHM, OPT_HELP };

static bool
take_option(struct init *i, int c)
{
	if (c >= OPT_TEXT && c < OPT_TEXT + (int)COUNT(TEXTS))
		memcpy((uint8_t *)i + TEXTS[c - OPT_TEXT].at, &optarg, sizeof optarg);
	else if (c >= OPT_FLAG && c < OPT_FLAG + (int)COUNT(FLAGS)) {
		bool yes = true;

		memcpy((uint8_t *)i + FLAGS[c - OPT_FLAG].at, &yes, sizeof yes);
	} else if (c == OPT_ANCHOR && i->n_anchors < TRUST_ANCHORS_MAX)
		i->anchor[i->n_anchors++] = optarg;
	else if (c == OPT_CRL && i->n_crls < TRUST_ANCHORS_MAX)
		i->crl[i->n_crls++] = optarg;
	else if (c == OPT_ALGORITHM)
		return (i->algorithm = ceremony_algorithm(optarg)) != NULL;
	else
		return false;
	return true;
}

/* The texts installed with us (…/bin/inkanctl, …/share/inkan/web), else those of the source folder we stand in. */
static void
find_web(struct init *i)
{
	char self[PATH_BYTES - 64];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	char *slash;

	if (i->web != NULL)
		return;
	i->web = "web";
	if (n <= 0)
		return;
	self[n] = '\0';
	slash = strrchr(self, '/');
	if (slash == NULL)
		return;
	*slash = '\0';
	snprintf(i->web_found, sizeof i->web_found, "%s/../share/inkan/web", self);
	if (access(i->web_found, X_OK) == 0)
		i->web = i->web_found;
}

/* What the options leave open, and whether they go together. */
static err
complete(struct init *i)
{
	const char *host = strstr(i->url, "://");
	uint64_t n;

	if (i->home_given == NULL)
		return fail(ERR_INPUT, "init-home: house: say where the house is to be made: --home DIR");
	if (i->n_anchors == 0)
		return fail(ERR_INPUT, "init-anchor: house: name the signature CA certificates of J-LIS: --anchor FILE");
	if (host == NULL)
		return fail(ERR_INPUT, "init-url: house: --url begins with https:// or http://");
	if (i->listen == NULL)
		i->listen = host + 3;
	if (i->module != NULL && (i->token_uri == NULL || i->pin_file == NULL))
		return fail(ERR_INPUT, "init-token: house: --module wants --token-uri and --pin-file too");
	if (i->status_module != NULL && (i->module == NULL || i->status_uri == NULL || i->status_pin_file == NULL))
		return fail(
		    ERR_INPUT, "init-status: house: --status-module wants --module, --status-uri and --status-pin-file too");
	if (i->person_module != NULL && (i->person_uri == NULL || i->person_pin_file == NULL))
		return fail(ERR_INPUT, "init-person: house: --person-module wants --person-uri and --person-pin-file too");
	if (strcmp(i->hierarchy, "test") != 0 && strcmp(i->hierarchy, "production") != 0)
		return fail(ERR_INPUT, "init-hierarchy: house: --hierarchy is test or production");
	if (decimal_get(slice_str(i->per_hour), ACCEPTED_PER_HOUR_MAX, &n).kind != OK)
		return fail(ERR_INPUT, "init-per-hour: house: --accepted-per-hour is a number of at most 1000000000");
	if (i->partitions != NULL && (decimal_get(slice_str(i->partitions), CRL_PARTITIONS_MAX, &n).kind != OK || n < 2))
		return fail(ERR_INPUT, "init-partitions: RFC 5280 5.2.5: --crl-partitions is a number from 2 to 1024");
	find_web(i);
	return ok;
}

static void
init_drop(struct init *i)
{
	secret_drop(&i->pin);
	secret_drop(&i->status_pin);
	secret_drop(&i->person_pin);
	ceremony_made_drop(&i->made);
	buf_drop(&i->trust);
	buf_drop(&i->profile);
	buf_drop(&i->ruleset);
	buf_drop(&i->approval);
	buf_drop(&i->baseline);
	buf_drop(&i->making);
	buf_drop(&i->cps);
	for (size_t k = 0; k < 2; k++) {
		buf_drop(&i->terms[k]);
		buf_drop(&i->explanation[k]);
	}
	for (size_t k = 0; k < TRUST_ANCHORS_MAX; k++)
		buf_drop(&i->anchor_der[k]);
}

int
init_main(int argc, char **argv)
{
	struct init i OWNED(init_drop) = {
	    .url = "http://127.0.0.1:8480",
	    .hierarchy = "test",
	    .state = "NONE", /* ACCREDITED is written by an accreditation, not by a ceremony */
	    .service = "Inkan Demonstration CA (test, not accredited)",
	    .organisation = "Inkan Demonstration",
	    .responsible = "岡田 花子",
	    .label = "okada",
	    .policy = "2.999.1.1", /* ITU-T X.660: the arc for examples */
	    .arrangement = "none",
	    .status = "crl",
	    .per_hour = "5000",
	    .fronts = "1",
	    .verifiers = "1",
	    .algorithm = ceremony_algorithm("p256"),
	};
	struct option options[COUNT(TEXTS) + COUNT(FLAGS) + 5] = {0};
	size_t n = 0;
	int c;
	err e;

	for (size_t k = 0; k < COUNT(TEXTS); k++)
		options[n++] = (struct option){TEXTS[k].name, required_argument, NULL, OPT_TEXT + (int)k};
	for (size_t k = 0; k < COUNT(FLAGS); k++)
		options[n++] = (struct option){FLAGS[k].name, no_argument, NULL, OPT_FLAG + (int)k};
	options[n++] = (struct option){"anchor", required_argument, NULL, OPT_ANCHOR};
	options[n++] = (struct option){"jlis-crl", required_argument, NULL, OPT_CRL};
	options[n++] = (struct option){"algorithm", required_argument, NULL, OPT_ALGORITHM};
	options[n++] = (struct option){"help", no_argument, NULL, OPT_HELP};
	opterr = 0;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == OPT_HELP) {
			usage(stdout);
			return DONE_OK;
		}
		if (!take_option(&i, c)) {
			ctl_refuse_option(argv);
			usage(stderr);
			return DONE_USAGE;
		}
	}
	if (optind != argc || argc == 1) {
		usage(stderr);
		return DONE_USAGE;
	}
	e = complete(&i);
	if (e.kind != OK) {
		ctl_explain(e);
		return DONE_USAGE;
	}
	i.now = clock_now();
	e = make_house(&i);
	if (e.kind == OK)
		return DONE_OK;
	ctl_explain(e);
	return DONE_WORLD;
}
