/*
 * order.h - what the roles ask of each other: the one table of kinds, and who sits at the ends of a wire.
 *
 * Depends on: base, der, body.  Pure.
 *
 * All helpers speak order(id, kind, body) -> result(id, kind, fail, what, body) in frames (base/frame.h).  The kinds are
 * numbered once, here; the bodies stand by conversation:
 *
 *   order_desk.h    what the registrar is asked, by front and over run/office
 *   order_judge.h   what a verifier is asked, and the facts it answers with
 *   order_sign.h    what the signers and their hands are asked
 *   order_send.h    what messenger and publisher are asked
 *
 * The ASN.1 of a body stands above its reader in the .c file of the same name.  Slices in a body borrow from the frame.
 * A body written {} has no bytes at all; one that is a single OCTET STRING goes through octets_get and octets_put, a
 * struct part through part_get and part_put (body.h).  One value has one encoding, and what a reader takes its writer gives back
 * byte for byte.  Refused with ERR_INPUT: order-form, order-path, der-…, text-….
 */
#ifndef ACT_ORDER_H
#define ACT_ORDER_H

#include "base/base.h"

enum order_kind {
	/* front -> registrar */
	ORDER_CHALLENGE = 1, /* {} -> struct challenge_reply                                    */
	ORDER_APPLY = 2,     /* struct apply_order -> struct apply_reply                        */
	ORDER_DOSSIER = 3,   /* struct dossier_order -> struct dossier_reply                    */
	ORDER_FETCH = 4,     /* struct dossier_order -> one OCTET STRING: the certificate       */
	ORDER_RECEIPT = 5,   /* one OCTET STRING: CMS -> struct entry_reply                     */
	ORDER_REVOKE = 6,    /* one OCTET STRING: CMS -> struct entry_reply                     */
	ORDER_WITHDRAWN = 8, /* one OCTET STRING: CMS -> struct entry_reply                     */
	ORDER_SERIAL = 7,    /* struct serial_order -> struct serial_reply                      */
	/* front -> registrar, and registrar -> messenger: its own -> the other's (numbers.h) */
	ORDER_NUMBERS = 9,   /* struct numbers -> struct numbers                                */
	/* registrar -> verifier */
	ORDER_TRUST = 20,    /* struct part: the trust file -> one OCTET STRING: its digest     */
	ORDER_CRL_IN = 21,   /* struct part: a J-LIS CRL; after the last -> struct crl_reply    */
	ORDER_VERIFY = 22,   /* struct verify_order -> struct facts                             */
	/* registrar -> signers */
	ORDER_HELLO = 40,    /* struct head_order -> struct head_reply; first on every wire     */
	ORDER_RULES = 41,    /* struct rules_order -> {}: profile, rule set, approval, S-1       */
	ORDER_ISSUE = 42,    /* struct issue_order -> struct issue_reply                        */
	ORDER_VOID = 43,     /* struct void_order -> struct head_reply: that serial is never signed */
	ORDER_REVOKED = 44,  /* struct revoked_order -> struct head_reply: into the revoked set */
	ORDER_CRL_OUT = 45,  /* struct crl_order -> struct list_reply: a list of ours, signed   */
	ORDER_CRL_PART = 48, /* struct list_part_order -> struct part of it                     */
	ORDER_ANSWERS = 46,  /* struct answers_order -> struct answers_reply: OCSP, status only */
	ORDER_REFRESH = 49,  /* struct refresh_order -> several struct slots_part: answers anew, status only */
	ORDER_CHECKPOINT = 47, /* struct checkpoint_order -> one OCTET STRING: the signed note, status only */
	/* front -> status signer */
	ORDER_LIVE = 90,     /* one OCTET STRING: an OCSP request -> one OCTET STRING: the whole OCSPResponse */
	/* registrar -> messenger */
	ORDER_CALL = 60,     /* struct call_order -> several results, struct part: the answer's body */
	ORDER_MAIL = 61,     /* struct mail_order -> {}                                         */
	ORDER_MIRRORS = 62,  /* {} -> struct mirrors_reply: how the copies of the repository are   */
	/* registrar -> publisher */
	ORDER_FILE = 80,     /* struct file_order (parts) -> {} after the last                  */
	ORDER_SLOTS = 81,    /* struct answers_reply with serials: into the status file -> {}   */
	ORDER_RENEWED = 84,  /* struct slots_part: answers made anew; after the last -> struct renewed_reply */
	ORDER_WITHDRAW = 82, /* struct serial_order: no answer for it until a new one -> {}     */
	ORDER_LAPSE = 85,    /* struct lapse_order -> struct lapse_reply: which published answer lapses first */
	ORDER_LIST_TIMES = 86, /* struct list_times_order -> struct list_times: of a published list, as it lies there */
	ORDER_TILES = 83,    /* struct checkpoint_order's size and note: publish tiles and checkpoint -> {} */
	/* inkanctl -> registrar, over run/office */
	ORDER_OFFICE = 100,  /* struct office_order -> struct entry_reply                       */
	ORDER_STATE = 101,   /* {} -> one OCTET STRING: JSON for `inkanctl status`                */
	/* signer -> hand */
	ORDER_SIGN = 120,    /* struct sign_order -> one OCTET STRING: the signature            */
	ORDER_SIGN_MANY = 122, /* struct sign_many_order -> struct sign_many_reply                   */
	ORDER_KEY = 121,     /* {} -> one OCTET STRING: the SubjectPublicKeyInfo in the token   */
	/* inkand -> every role, on descriptor 3; a wire's descriptor travels as SCM_RIGHTS     */
	ORDER_WIRE = 200,    /* struct wire_order -> nothing; from a role: that wire went wrong, a new one  */
	ORDER_BEAT = 201,    /* {} or struct numbers -> {}: the heartbeat, and how the processes stand */
	ORDER_STOP = 202,    /* {} -> nothing: finish the turn and exit 0                       */
	ORDER_PIN = 203,     /* one OCTET STRING: the token PIN, to signers only, passed on to hands */
	ORDER_CONFIRM = 204, /* {} -> {}: an operator confirmed the clock                       */
};

/* Who is at the other end of a wire. */
enum peer { PEER_INKAND = 1, PEER_FRONT, PEER_REGISTRAR, PEER_VERIFIER, PEER_ISSUER, PEER_STATUS, PEER_HAND, PEER_PUBLISHER,
	PEER_MESSENGER, PEER_OFFICE, /* run/office: to the registrar a listening socket; its connections are links with this peer */
	PEER_PUBLIC, PEER_PRIVATE    /* to front: listening sockets of the HTTP faces */ };
struct wire_order {
	enum peer peer;
	uint64_t number; /* of several: front 0, 1, … */
};
err wire_order_get(slice body, struct wire_order *out) CHECKED;
void wire_order_put(struct buf *b, const struct wire_order *o);

#endif
