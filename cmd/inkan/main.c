/*
 * inkan - the subscriber's tool: apply, status, receive, revoke, verify, fingerprint.
 *
 * HOLDS   nothing between runs but the folder --dir; PINs and passphrases only
 *         while they are used.
 * HEARS   the person, the card, the service.
 * NEVER   sends a private key, tries a PIN twice by itself, signs what was not shown.
 */
#include <getopt.h>
#include <locale.h>
#include <signal.h>
#include <unistd.h>

#include "cmd/inkan/inkan.h"

enum {
	CMD_APPLY = 1 << 0,
	CMD_STATUS = 1 << 1,
	CMD_RECEIVE = 1 << 2,
	CMD_REVOKE = 1 << 3,
	CMD_VERIFY = 1 << 4,
	CMD_FINGERPRINT = 1 << 5,
	CMD_WITHDRAW = 1 << 6,
	CMD_ALL = 127
};

static const struct command {
	const char *name;
	unsigned bit;
	size_t args_max;
	enum done (*run)(struct inkan *);
	const char *line;
} COMMANDS[] = {
    {"apply", CMD_APPLY, 0, cmd_apply, "apply for a certificate with a My Number Card"},
    {"status", CMD_STATUS, 0, cmd_status, "say how the application stands"},
    {"receive", CMD_RECEIVE, 0, cmd_receive, "fetch the certificate, check it, sign the receipt"},
    {"revoke", CMD_REVOKE, 0, cmd_revoke, "have the certificate revoked"},
    {"withdraw", CMD_WITHDRAW, 0, cmd_withdraw, "take the application back"},
    {"verify", CMD_VERIFY, 1, cmd_verify, "check a certificate or a signed document, and what the books promised"},
    {"fingerprint", CMD_FINGERPRINT, 1, cmd_fingerprint, "print the SHA-256 of a certificate and of its public key"},
};

static const struct option_row {
	const char *name;
	unsigned commands;
	size_t text; /* offset of a const char * in struct options, or … */
	size_t flag; /* … of a bool                                       */
	const char *arg, *line;
} OPTIONS[] = {
#define TEXT(name, commands, field, arg, line)                                                                         \
	{                                                                                                                  \
		name, commands, offsetof(struct options, field) + 1, 0, arg, line                                              \
	}
#define FLAG(name, commands, field, arg, line)                                                                         \
	{                                                                                                                  \
		name, commands, 0, offsetof(struct options, field) + 1, arg, line                                              \
	}
    TEXT("dir", CMD_ALL, dir, "DIR", "folder that keeps key, certificate and proofs (~/.inkan)"),
    TEXT("url", CMD_ALL, url, "URL", "the service (http://127.0.0.1:8480, or as the folder says)"),
    TEXT("lang", CMD_ALL, lang, "ja|en", "language (by locale)"),
    FLAG("json", CMD_ALL, json, "", "one JSON object on standard output, texts on standard error"),
    TEXT("answers", CMD_ALL, answers, "FILE", "take answers from lines name = value, ask nothing"),
    FLAG("batch", CMD_ALL, batch, "", "ask nothing; what has no answer stops the command"),
    TEXT("profile", CMD_APPLY, profile, "NAME", "kind of certificate (person-signature)"),
    TEXT("module", CMD_APPLY | CMD_REVOKE | CMD_WITHDRAW, module, "PATH", "PKCS#11 module of the card (OpenSC's)"),
    TEXT("card-token", CMD_APPLY | CMD_REVOKE | CMD_WITHDRAW, card_label, "LABEL",
        "token of the signature certificate (JPKI (Digital Signature PIN))"),
    TEXT("card-id", CMD_APPLY | CMD_REVOKE | CMD_WITHDRAW, card_id, "HEX", "id of certificate and key on it (02)"),
    TEXT("key", CMD_APPLY, key, "KIND", "your key: p256 (default) p384 rsa2048 rsa3072 rsa4096"),
    TEXT("kdf", CMD_APPLY, kdf, "KDF", "of the key's file: scrypt (default) or pbkdf2"),
    TEXT("key-token", CMD_APPLY, key_label, "LABEL", "keep the key in this PKCS#11 token instead of a file"),
    TEXT("key-module", CMD_APPLY, key_module, "PATH", "its PKCS#11 module"),
    TEXT("name", CMD_APPLY, name, "NAME", "the true form of your name, where the card has a substitute"),
    TEXT("contact", CMD_APPLY, contact, "MAIL", "mail address for notices, or letter"),
    TEXT("validity", CMD_APPLY, validity, "YEARS", "1 to what the service offers"),
    TEXT("helped", CMD_APPLY, helped, "WHO", "who helped you, and relation; - for nobody"),
    TEXT("wait", CMD_APPLY, wait, "SECONDS", "for the decision (30)"),
    FLAG("new", CMD_APPLY, anew, "", "put what is in the folder aside and start afresh"),
    TEXT("fingerprint", CMD_RECEIVE, fingerprint, "HEX", "the issuer's SHA-256 as published; else it is asked"),
    TEXT("issuer", CMD_RECEIVE | CMD_VERIFY | CMD_REVOKE, issuer, "FILE",
        "the issuer's certificate, instead of the folder's or the service's"),
    TEXT("export", CMD_RECEIVE, export_to, "FILE", "also write key and certificate as PKCS#12"),
    TEXT("reason", CMD_REVOKE, reason, "REASON",
        "unspecified keyCompromise affiliationChanged superseded cessationOfOperation"),
    TEXT("serial", CMD_REVOKE, serial, "HEX", "another certificate than the folder's, with --card"),
    FLAG("card", CMD_REVOKE | CMD_WITHDRAW, by_card, "", "sign with the card that applied, not with the certificate's key"),
};
#undef TEXT
#undef FLAG

static void
usage(FILE *f, enum lang l, const struct command *c)
{
	if (c == NULL) {
		fprintf(f, "%s\n\n", words(l, "Usage: inkan COMMAND [OPTION]..."));
		for (size_t i = 0; i < COUNT(COMMANDS); i++)
			fprintf(f, "  %-12s %s\n", COMMANDS[i].name, words(l, COMMANDS[i].line));
		fprintf(f, "\n%s\n", words(l, "inkan COMMAND --help says more; the whole stands in inkan(1)."));
		return;
	}
	fprintf(f, "inkan %s - %s\n\n", c->name, words(l, c->line));
	for (size_t i = 0; i < COUNT(OPTIONS); i++)
		if ((OPTIONS[i].commands & c->bit) != 0)
			fprintf(f, "  --%s %s\n        %s\n", OPTIONS[i].name, OPTIONS[i].arg, words(l, OPTIONS[i].line));
	fprintf(f, "\n%s\n",
	    words(l, "exit: 0 done, 1 no, 2 usage, 3 malformed, 4 not there, 5 later, 6 waits, 7 stopped by you, 8 not "
	             "shown as revoked"));
}

/* --name value, --name=value or --name; anything else is an argument. */
static bool
parse(const struct command *c, int argc, char **argv, struct options *o, bool *help)
{
	for (int i = 2; i < argc; i++) {
		const struct option_row *row = NULL;
		const char *value;

		if (strncmp(argv[i], "--", 2) != 0 || argv[i][2] == '\0') {
			if (o->n_args == c->args_max)
				return false;
			o->args[o->n_args++] = argv[i];
			continue;
		}
		if (strcmp(argv[i], "--help") == 0) {
			*help = true;
			continue;
		}
		value = strchr(argv[i], '=');
		for (size_t j = 0; j < COUNT(OPTIONS); j++) {
			size_t n = strlen(OPTIONS[j].name);

			if ((OPTIONS[j].commands & c->bit) != 0 && strncmp(argv[i] + 2, OPTIONS[j].name, n) == 0 &&
			    (argv[i][2 + n] == '\0' || argv[i][2 + n] == '='))
				row = &OPTIONS[j];
		}
		if (row == NULL || (row->flag != 0 && value != NULL))
			return false;
		if (row->flag != 0) {
			*(bool *)(void *)((char *)o + row->flag - 1) = true;
			continue;
		}
		if (value == NULL && i + 1 == argc)
			return false;
		*(const char **)(void *)((char *)o + row->text - 1) = value != NULL ? value + 1 : argv[++i];
	}
	return true;
}

static enum done
run(struct inkan *k, const struct command *c)
{
	enum done done;
	err e = ask_open(k);

	if (e.kind != OK) {
		say_err(k, e);
		done = done_of(e);
	} else
		done = c->run(k);
	if (k->o.json) {
		json_put_named_number(&k->json, "exit", done);
		json_close(&k->json, '}');
		printf("%.*s\n", (int)k->json.n, (const char *)k->json.p);
	}
	return done;
}

int
main(int argc, char **argv)
{
	struct inkan k = {.dir = -1,
	    .json = BUF(1U << 20),
	    .url = BUF(NET_URL_MAX),
	    .refusal = {.code = BUF(128), .clause = BUF(1024), .text = BUF(4096)}};
	const struct command *c = NULL;
	bool help = false;
	enum done done;

	(void)signal(SIGPIPE, SIG_IGN);
	k.lang = lang_of_locale(getenv("LC_ALL"), getenv("LC_MESSAGES"), getenv("LANG"));
	for (size_t i = 0; argc > 1 && i < COUNT(COMMANDS); i++)
		if (strcmp(argv[1], COMMANDS[i].name) == 0)
			c = &COMMANDS[i];
	if (c == NULL) {
		bool asked = argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0);

		usage(asked ? stdout : stderr, k.lang, NULL);
		return asked ? DONE_OK : DONE_USAGE;
	}
	if (!parse(c, argc, argv, &k.o, &help)) {
		usage(stderr, k.lang, c);
		return DONE_USAGE;
	}
	if (k.o.lang != NULL)
		k.lang = strcmp(k.o.lang, "ja") == 0 ? LANG_JA : LANG_EN;
	if (help) {
		usage(stdout, k.lang, c);
		return DONE_OK;
	}
	k.out = k.o.json ? stderr : stdout;
	if (k.o.json)
		json_open(&k.json, '{');
	done = run(&k, c);
	ask_close(&k.ask);
	net_close(&k.net);
	if (k.dir >= 0)
		close(k.dir);
	buf_drop(&k.json);
	buf_drop(&k.url);
	buf_drop(&k.refusal.code);
	buf_drop(&k.refusal.clause);
	buf_drop(&k.refusal.text);
	return (int)done;
}
