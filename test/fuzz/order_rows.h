/*
 * order_rows.h - every body between roles as one row: read it, write it again.
 *
 * Shared by the unit test and the fuzzer of act/order*.
 */
#ifndef TEST_FUZZ_ORDER_ROWS_H
#define TEST_FUZZ_ORDER_ROWS_H

#include "act/order.h"
#include "act/order_desk.h"
#include "act/order_judge.h"
#include "act/order_sign.h"
#include "act/order_send.h"

#define ORDER_ROW(T)                                                                                                   \
	static err again_##T(slice in, struct buf *out)                                                                    \
	{                                                                                                                  \
		static struct T v;                                                                                             \
                                                                                                                       \
		TRY(T##_get(in, &v));                                                                                          \
		T##_put(out, &v);                                                                                              \
		return ok;                                                                                                     \
	}

#define ORDER_TYPES(X)                                                                                                 \
	X(part)                                                                                                            \
	X(challenge_reply)                                                                                                 \
	X(apply_order)                                                                                                     \
	X(apply_reply)                                                                                                     \
	X(dossier_order)                                                                                                   \
	X(dossier_reply)                                                                                                   \
	X(entry_reply)                                                                                                     \
	X(serial_order)                                                                                                    \
	X(serial_reply)                                                                                                    \
	X(crl_reply)                                                                                                       \
	X(verify_order)                                                                                                    \
	X(facts)                                                                                                           \
	X(head_order)                                                                                                      \
	X(head_reply)                                                                                                      \
	X(rules_order)                                                                                                     \
	X(issue_order)                                                                                                     \
	X(issue_reply)                                                                                                     \
	X(void_order)                                                                                                      \
	X(revoked_order)                                                                                                   \
	X(crl_order)                                                                                                       \
	X(list_reply)                                                                                                      \
	X(list_part_order)                                                                                                 \
	X(answers_order)                                                                                                   \
	X(answers_reply)                                                                                                   \
	X(refresh_order)                                                                                                   \
	X(slots_part)                                                                                                      \
	X(renewed_reply)                                                                                                   \
	X(checkpoint_order)                                                                                                \
	X(call_order)                                                                                                      \
	X(mail_order)                                                                                                      \
	X(mirrors_reply)                                                                                                      \
	X(lapse_order)                                                                                                     \
	X(lapse_reply)                                                                                                     \
	X(list_times_order)                                                                                                \
	X(list_times)                                                                                                      \
	X(file_order)                                                                                                      \
	X(office_order)                                                                                                    \
	X(sign_order)                                                                                                      \
	X(sign_many_order)                                                                                                 \
	X(sign_many_reply)                                                                                                 \
	X(wire_order)

ORDER_TYPES(ORDER_ROW)

static err
again_octets(slice in, struct buf *out)
{
	slice v;

	TRY(octets_get(in, &v));
	octets_put(out, v);
	return ok;
}

#define ORDER_LIST(T) {#T, again_##T},
static const struct order_row {
	const char *name;
	err (*again)(slice in, struct buf *out);
} order_rows[] = {ORDER_TYPES(ORDER_LIST){"octets", again_octets}};

#endif
