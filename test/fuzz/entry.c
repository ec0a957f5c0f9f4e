/* What entry_get accepts, entry_put writes in its one form, which reads and writes as itself; no line upsets the folds. */
#include "act/dossier.h"
#include "act/entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Everything but the personal fields, whose openings stand elsewhere. */
static void
put(const struct entry *e, struct buf *out)
{
	struct buf openings OWNED(buf_drop) = BUF(64);
	struct entry copy = *e;

	entry_put(out, &openings, &copy);
	if (openings.n > 0 || buf_check(out).kind != OK)
		abort();
}

/* A line of every act follows the one read: the table answers, and a refusal changes nothing. */
static void
fold(const struct entry *e)
{
	struct ledger h = {0};
	struct dossier d = {0}, before;

	if (ledger_apply(&h, e).kind == OK)
		(void)ledger_owes_checkpoint(&h);
	for (enum act a = ACT_BASELINE_SET; a < ACT_INTENT; a++) {
		struct entry step = *e;

		step.line.act = a;
		before = d;
		if (dossier_apply(&d, &step).kind != OK && memcmp(&d, &before, sizeof d) != 0)
			abort();
		if (d.state != 0 && d.owes >= OWES_COUNT)
			abort();
		(void)dossier_plan(&d, a).kind;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf one OWNED(buf_drop) = BUF(LINE_MAX), two OWNED(buf_drop) = BUF(LINE_MAX);
	struct entry e OWNED(entry_drop) = {0}, again OWNED(entry_drop) = {0};

	if (entry_get(slice_of(p, n), &e).kind != OK || e.line.act >= ACT_INTENT)
		return 0;
	put(&e, &one);
	if (entry_get(buf_slice(&one), &again).kind != OK)
		abort();
	put(&again, &two);
	if (!slice_eq(buf_slice(&one), buf_slice(&two)))
		abort();
	fold(&e);
	return 0;
}
