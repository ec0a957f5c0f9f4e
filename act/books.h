/*
 * books.h - the right to sign a checkpoint of the books: design 3, design law 9.
 *
 * Depends on: base, tree, body, order_sign, ticket.  Pure.
 *
 * A checkpoint says "these are all the lines there are".  A ticket for one is
 * made only for a tree that is shown to extend the last one signed, so that one
 * who holds the registrar can add lines and never take one back unseen.
 *
 * ERR_CONFLICT books-smaller (fewer lines than were signed), books-from (the
 * proof starts elsewhere: the answer names the last), books-root (another root
 * under the same size); ERR_POLICY tree-consistency.
 */
#ifndef ACT_BOOKS_H
#define ACT_BOOKS_H

#include "act/body.h"
#include "act/order_sign.h"
#include "act/ticket.h"
#include "act/tree.h"
#include "base/base.h"

/* One head extends another (or is it): from size 0 anything does. */
err books_check_extends(struct head old, struct head new, uint64_t from, const digest *proof, size_t n) CHECKED;

/* `last`: what was signed before, size 0: nothing. */
err books_plan_checkpoint(slice origin, const struct checkpoint_order *o, struct head last, struct ticket **out) CHECKED;
/* Verifies the signature and writes the signed note, named by its origin. */
err books_join_checkpoint(slice origin, const struct key *k, const struct ticket *t, slice signature, struct buf *out) CHECKED;

#endif
