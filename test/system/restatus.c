/*
 * restatus - a status file written again by the real writer, one slot otherwise: what a captured publisher could put there.
 *
 *   restatus FILE SERIAL signature|good|revoked|reason|time|late|future|gone|withdrawn|serial
 *   restatus FILE SERIAL responder CERTIFICATE     every answer by another responder
 */
#include <stdio.h>

#include "act/slots.h"
#include "edge/file.h"

static void
need(bool good, const char *what)
{
	if (!good) {
		fprintf(stderr, "restatus: %s\n", what);
		exit(1);
	}
}

/* False: the slot is left out. */
static bool
change(struct slot *s, slice how)
{
	if (slice_eq(how, LIT("gone")))
		return false;
	if (slice_eq(how, LIT("signature")))
		s->signature[s->signature_n - 1] ^= 1;
	else if (slice_eq(how, LIT("good")))
		*s = (struct slot){.serial = s->serial,
		    .state = SLOT_GOOD,
		    .responder = s->responder,
		    .produced = s->produced,
		    .this_update = s->this_update,
		    .next_update = s->next_update,
		    .signature_n = s->signature_n};
	else if (slice_eq(how, LIT("revoked"))) {
		s->state = SLOT_REVOKED;
		s->revoked = s->this_update;
	} else if (slice_eq(how, LIT("reason")))
		s->reason = REASON_SUPERSEDED;
	else if (slice_eq(how, LIT("time")))
		s->revoked.ms -= DAY_MS;
	else if (slice_eq(how, LIT("late"))) {
		s->this_update.ms -= 100 * HOUR_MS;
		s->next_update.ms -= 100 * HOUR_MS;
	} else if (slice_eq(how, LIT("future"))) {
		s->this_update.ms += HOUR_MS;
		s->next_update.ms += HOUR_MS;
	} else if (slice_eq(how, LIT("withdrawn")))
		s->state = SLOT_WITHDRAWN;
	else if (slice_eq(how, LIT("serial")))
		s->serial.b[s->serial.n - 1] ^= 1; /* its place in the order stays: nobody else's is so near */
	else
		need(slice_eq(how, LIT("responder")), "no such change");
	return true;
}

int
main(int argc, char **argv)
{
	struct buf file OWNED(buf_drop) = BUF(512U << 20), out OWNED(buf_drop) = BUF(512U << 20),
	                other OWNED(buf_drop) = BUF(CERT_MAX);
	struct slots_writer w OWNED(slots_writer_drop) = {0};
	struct slots s OWNED(slots_drop) = {0};
	struct slots_common common;
	bool found = false;
	serial number;
	slice piece;
	FILE *f;

	need(argc == 4 || argc == 5, "FILE SERIAL CHANGE [CERTIFICATE]");
	need(file_load(argv[1], &file).kind == OK && slots_get(buf_slice(&file), &s).kind == OK, "the file");
	need(serial_get_hex(slice_str(argv[2]), &number).kind == OK, "the serial");
	common = s.common;
	if (argc == 5) {
		need(file_load(argv[4], &other).kind == OK, "the certificate");
		common.responder[0].cert = buf_slice(&other);
	}
	slots_write_start(&w, &common, s.made);
	for (uint64_t i = 0; i < s.n; i++) {
		struct slot slot;

		need(slots_at(&s, i, &slot).kind == OK, "a block");
		if (serial_eq(slot.serial, number)) {
			found = true;
			if (!change(&slot, slice_str(argv[3])))
				continue;
		}
		slots_write(&w, &slot);
		while (slots_write_out(&w, &piece))
			buf_put(&out, piece);
	}
	slots_write_end(&w);
	while (slots_write_out(&w, &piece))
		buf_put(&out, piece);
	need(found, "no such serial");
	f = fopen(argv[1], "w");
	need(f != NULL && fwrite(out.p, out.n, 1, f) == 1 && fclose(f) == 0, "the disk");
	return 0;
}
