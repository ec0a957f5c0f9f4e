#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cmd/inkand/pin.h"
#include "edge/file.h"
#include "edge/log.h"

err
pin_room(struct secret **out)
{
	struct secret *pin = mmap(NULL, 2 * sizeof *pin, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (pin == MAP_FAILED || mlock(pin, 2 * sizeof *pin) != 0)
		return fail_why(ERR_WORLD, "inkand-mlock: house: the system gives no locked memory for the PIN", errno);
	(void)madvise(pin, 2 * sizeof *pin, MADV_DONTDUMP);
	*out = pin;
	return ok;
}

/* A PIN that came by a descriptor of our own is let go with it: the memory behind it is not locked. */
static void
close_inherited(const char *path)
{
	slice s = slice_str(path), folder = LIT("/proc/self/fd/"), rest = {NULL, 0};
	uint64_t fd;

	if (slice_has_prefix(s, folder))
		rest = slice_of(s.p + folder.n, s.n - folder.n);
	if (rest.n > 0 && decimal_get(rest, INT32_MAX, &fd).kind == OK && fd > 2)
		close((int)fd);
}

/* A test's way: the file that the configuration names for one token. */
static err
take_configured(const char *home, const struct conf *c, slice section, struct secret *out)
{
	char path[512];
	slice s;

	if (out->n > 0 || conf_text(c, section, "pin_file", &s).kind != OK || s.n == 0)
		return ok;
	snprintf(path, sizeof path, "%s%s%.*s", s.p[0] == '/' ? "" : home, s.p[0] == '/' ? "" : "/", (int)s.n,
	    (const char *)s.p);
	log_text(LOG_WARN,
	    "inkand-pin-file: house: the token PIN is read from a file; in production inkanctl start asks for it");
	return file_load_pin(path, out);
}

/* A file given at the start has two lines where there are two tokens: the issuer's PIN, the status signer's. */
static err
split_pin(struct secret *pin)
{
	struct secret both OWNED(secret_drop) = {.n = 0};
	slice rest, first;

	TRY(secret_set(&both, secret_slice(&pin[0])));
	rest = secret_slice(&both);
	if (!slice_cut(&rest, '\n', &first))
		return ok;
	secret_drop(&pin[0]);
	if (first.n > 0)
		TRY(secret_set(&pin[0], first));
	return secret_set(&pin[1], rest);
}

err
pin_take(const char *home, const struct conf *c, const char *file, bool one_token, struct secret pin[2])
{
	if (file != NULL) {
		err e = file_load_pin(file, &pin[0]);

		close_inherited(file);
		TRY(e);
		TRY(split_pin(pin));
	}
	TRY(take_configured(home, c, LIT("token"), &pin[0]));
	TRY(take_configured(home, c, LIT("status_token"), &pin[1]));
	if (one_token && pin[0].n > 0)
		return secret_set(&pin[1], secret_slice(&pin[0]));
	return ok;
}
