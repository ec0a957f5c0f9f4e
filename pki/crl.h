/*
 * crl.h - certificate revocation lists, RFC 5280 5: read (J-LIS's and ours) and
 *         write (ours).
 *
 * Depends on: base, time, der, hash, key, name, cert.  Pure.
 *
 * Version 2 with nextUpdate.  Refused: a delta CRL (crl_get), a critical extension other
 * than issuingDistributionPoint, a critical entry extension, and a list that an
 * issuingDistributionPoint restricts to CA or attribute certificates, to some
 * reasons, or makes indirect: "not in the list" would then mean less than it
 * seems.  Whether its distribution point is the right one is the caller's to
 * judge.  Entries are walked in place; none is shorter than 20 bytes, so CRL_MAX
 * bounds every walk.
 */
#ifndef PKI_CRL_H
#define PKI_CRL_H

#include "base/base.h"
#include "base/key.h"
#include "base/time.h"
#include "pki/cert.h"

#define CRL_MAX (512U << 20)      /* bytes: 10 million entries of ours are 400 MB */
#define CRL_ENTRIES_MAX 10000000U /* in a list that we write                       */

enum crl_reason {
	REASON_UNSPECIFIED = 0,
	REASON_KEY_COMPROMISE = 1,
	REASON_CA_COMPROMISE = 2,
	REASON_AFFILIATION_CHANGED = 3,
	REASON_SUPERSEDED = 4,
	REASON_CESSATION = 5,
	/* The rest is only read, in strangers' lists. */
	REASON_HOLD = 6,
	REASON_REMOVE = 8, /* of delta CRLs: refused */
	REASON_PRIVILEGE_WITHDRAWN = 9,
	REASON_AA_COMPROMISE = 10,
};

struct crl {
	slice whole, tbs;
	enum sig_alg alg;
	slice signature;
	slice issuer; /* whole Name */
	instant this_update, next_update;
	slice entries; /* content of revokedCertificates, may be empty */
	slice number;  /* magnitude of cRLNumber, may be empty */
	slice aki;
	bool has_idp;
	slice idp;   /* content of IssuingDistributionPoint       */
	slice point; /* its one URI, where it has one: a partition */
	bool is_delta;
	slice base; /* of a delta: magnitude of BaseCRLNumber */
};

struct crl_entry {
	serial serial;
	instant revoked;
	enum crl_reason reason; /* unspecified writes no extension */
	bool has_invalidity;
	instant invalidity;
};

/* A whole CertificateList, nothing after it; the entries are read by crl_next.  Slices borrow from `in`. */
err crl_get(slice in, struct crl *out) CHECKED;
/* The same, a delta CRL too (is_delta): for who knows its base. */
err crl_get_any(slice in, struct crl *out) CHECKED;
/* Takes the next entry off *entries (a copy of crl.entries); the list ends when nothing is left. */
err crl_next(slice *entries, struct crl_entry *out) CHECKED;
err crl_check_signed_by(const struct crl *c, const struct key *issuer) CHECKED;

#define CRL_PARTITIONS_MAX 1024U
/* Which of n partial lists, 1 to n, tells of this serial: fixed when the certificate is made, since its CRLDP names the list. */
unsigned crl_partition_of(serial s, unsigned n);
/* Parts are stretches of serials in rising order: the last serial that may stand before those of this part; of part 1 none (empty). */
serial crl_partition_before(unsigned partition, unsigned n);

/* --- writing (crl_put.c) ------------------------------------------------------- */

struct crl_plan {
	enum sig_alg alg;
	slice issuer;
	instant this_update, next_update;
	uint64_t number;
	slice aki;
	uint64_t base;    /* number of the complete list that a delta adds to; 0: a complete list       */
	slice point;      /* URI of a partition's issuingDistributionPoint; empty: all certificates     */
	slice freshest;   /* URI of the delta list, empty: none                                         */
	bool has_expired; /* revoked certificates stay after their end, from this day on (X.509 9.5.2.7) */
	instant expired;
	const struct crl_entry *entry; /* of crl_put_tbs: sorted by serial, each once (asserted) */
	size_t n;
};

/* TBSCertList with AKI, cRLNumber and what the plan says; cert_join makes the whole. */
void crl_put_tbs(struct buf *b, const struct crl_plan *p);

/*
 * A great list is never whole in memory: its entries are walked twice, once for crl_entry_bytes, once for the bytes.
 *
 *	CertificateList = outer ‖ tbs ‖ end
 *	tbs             = head ‖ entries ‖ tail      what is signed
 */
#define CRL_AROUND_MAX 4096 /* bytes of head or tail: a Name of ours, two URIs */
struct crl_frame {
	enum sig_alg alg;
	struct buf outer, head, tail, end; /* owned; outer and end after crl_frame_sign */
	size_t tbs, whole;                 /* bytes                                     */
};
/* `entries`: the sum of crl_entry_bytes; plan->entry is not looked at. */
void crl_frame_make(struct crl_frame *f, const struct crl_plan *p, size_t entries);
void crl_frame_sign(struct crl_frame *f, slice signature);
void crl_frame_drop(struct crl_frame *f);
void crl_put_entry(struct buf *b, const struct crl_entry *e);
size_t crl_entry_bytes(const struct crl_entry *e);

/* A sorted table of the serials of one CRL, for many look-ups: owned. */
struct crl_table;
/* Walks the whole list once (what crl_next refuses refuses it all); the CRL's signature must have been checked. */
err crl_table_new(const struct crl *c, struct crl_table **out) CHECKED;
void crl_table_drop(struct crl_table **t);
bool crl_table_has(const struct crl_table *t, serial s);
size_t crl_table_count(const struct crl_table *t);
/* SHA-256 of the CRL's bytes: what orders cite. */
digest crl_table_digest(const struct crl_table *t);
/* The key identifier of the CA that signed it; empty where the list has none, or one of over 64 bytes. */
slice crl_table_aki(const struct crl_table *t);
instant crl_table_this_update(const struct crl_table *t);
instant crl_table_next_update(const struct crl_table *t);

#endif
