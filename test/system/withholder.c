/* LINK: test/jpki/make.c test/system/parts/attempt.c test/system/parts/signers.c */
/*
 * withholder - has the registrar's code too, and wants what is published to be false: revocations invented or held back,
 * answers and lists of other days, another tree; or a signer that hears what no registrar says.  Prints TAP.
 *
 *	withholder LIBEXEC HOME WORLD
 */
#include "edge/clock.h"
#include "pki/crl.h"
#include "pki/ocsp.h"
#include "test/system/parts/attempt.h"

/* --- frames that nobody should hear ------------------------------------------------------------------------ */

static void
bad_frames(const char *mode)
{
	static const uint8_t garbage[] = "GET / HTTP/1.1\r\n\r\n", huge[] = {0x30, 0x84, 0x7F, 0xFF, 0xFF, 0xFF},
	                     ber[] = {0x30, 0x80, 0x02, 0x01, 0x2A};
	static const struct {
		const char *name;
		uint8_t kind;
		size_t body;
		slice raw;
	} rows[] = {
	    {"raw bytes to sign, as a signer asks its hand", ORDER_SIGN, 40, {NULL, 0}},
	    {"the question which key the hand has", ORDER_KEY, 0, {NULL, 0}},
	    {"a PIN, as inkand gives it", ORDER_PIN, 8, {NULL, 0}},
	    {"a wire, as inkand gives it", ORDER_WIRE, 8, {NULL, 0}},
	    {"the clock's confirmation, as inkand gives it", ORDER_CONFIRM, 0, {NULL, 0}},
	    {"a kind nobody knows", 250, 0, {NULL, 0}},
	    {"a front's order", ORDER_APPLY, 40, {NULL, 0}},
	    {"an officer's document", ORDER_OFFICE, 40, {NULL, 0}},
	    {"an order longer than its kind", ORDER_CRL_OUT, 300, {NULL, 0}},
	    {"no frame at all", 0, 0, {garbage, sizeof garbage - 1}},
	    {"a frame of two gigabytes", 0, 0, {huge, sizeof huge}},
	    {"a frame in BER", 0, 0, {ber, sizeof ber}},
	};
	static const uint8_t zero[512];
	bool issuer = strcmp(mode, "issuer") == 0;
	char name[160];

	for (size_t i = 0; i < COUNT(rows) + 2; i++) {
		struct buf b OWNED(buf_drop) = BUF(FRAME_MAX);
		unsigned lines;
		int code;

		start(mode);
		need(greet(&w.p, 30, NULL), "hello");
		lines = journal_count(w.home, mode, "\"n\":", NULL, NULL);
		if (i < COUNT(rows) && rows[i].raw.n > 0)
			buf_put(&b, rows[i].raw);
		else {
			uint8_t kind = i < COUNT(rows) ? rows[i].kind : issuer == (i & 1) ? ORDER_ANSWERS : ORDER_CHECKPOINT;

			if (!issuer && i >= COUNT(rows))
				kind = i & 1 ? ORDER_ISSUE : ORDER_CRL_OUT;
			frame_put(&b, &(struct frame){.kind = kind, .id = 7, .body = {zero, i < COUNT(rows) ? rows[i].body : 0}});
		}
		say(&w.p, buf_slice(&b));
		code = process_wait(&w.p);
		snprintf(name, sizeof name, "%s: %s ends the process, signs nothing", mode,
		    i < COUNT(rows) ? rows[i].name
		    : i & 1         ? "one order of the other signer"
		                    : "another order of the other signer");
		is(code == 1 && journal_count(w.home, mode, "\"n\":", NULL, NULL) == lines, name);
	}
	start(mode);
	need(greet(&w.p, 30, NULL), "hello");
	for (uint8_t k = ORDER_HELLO; k <= ORDER_CRL_PART; k++) {
		const struct reply *r;

		if (issuer && (k == ORDER_ANSWERS || k == ORDER_CHECKPOINT))
			continue;
		if (!issuer && (k == ORDER_ISSUE || k == ORDER_VOID || k == ORDER_CRL_OUT || k == ORDER_CRL_PART))
			continue;
		if (!issuer && k == ORDER_RULES)
			continue; /* status has no use for them and passes them over */
		r = ask(&w.p, k, LIT("\x30\x03\x02\x01\x05"));
		snprintf(name, sizeof name, "%s: order %u with a body that is none is refused", mode, k);
		is(r->there && r->fail == ERR_INPUT, name);
	}
	process_stop(&w.p);
}

/* --- revocations, lists, answers -------------------------------------------------------------------------- */

static void
request_revocation(
    struct buf *out, const struct signer *who, const char *service, slice certificate, const char *reason)
{
	char date[RFC3339_LEN + 1];
	struct cert c;
	instant now = clock_now();

	need(cert_get(certificate, &c).kind == OK, "a certificate");
	time_text(now, date);
	const char *const v[V_COUNT] = {service, hex_of(c.serial), reason, date, REVOCATION_SENTENCE};
	buf_clear(out);
	make_document(out, who, FORM_REVOCATION, v, (slice){NULL, 0}, now);
}

static void
officer_revocation(struct buf *out, const struct signer *who, const char *label, slice certificate)
{
	char date[RFC3339_LEN + 1];
	struct cert c;
	instant now = clock_now();

	need(cert_get(certificate, &c).kind == OK, "a certificate");
	time_text(now, date);
	const char *const v[W_COUNT] = {SERVICE, hex_of(c.serial), "cessationOfOperation", NULL, "本人の届出", label, date};
	buf_clear(out);
	make_document(out, who, FORM_OFFICE_REVOCATION, v, (slice){NULL, 0}, now);
}

static const struct reply *
tell_revoked(slice certificate, slice cms, slice application)
{
	struct buf b OWNED(buf_drop) = BUF(FRAME_MAX);
	instant now = clock_now();

	revoked_order_put(&b, &(struct revoked_order){.certificate = certificate,
	                          .cms = cms,
	                          .application = application,
	                          .method = STATUS_CRL,
	                          .crl = w.crl_digest,
	                          .judged = now,
	                          .revoked = now,
	                          .reason = REASON_KEY_COMPROMISE});
	return ask(&w.p, ORDER_REVOKED, buf_slice(&b));
}

static void
revocation_refused(const char *mode, const char *name, const struct reply *r, const char *code)
{
	char line[200];

	snprintf(line, sizeof line, "%s: %s", mode, name);
	is(says(r, code) && journal_count(w.home, mode, "\"act\":\"revoked\"", NULL, NULL) == 0, line);
}

static void
invented_revocations(const char *mode, const struct subject *s, const struct subject *other)
{
	struct buf cms OWNED(buf_drop) = BUF(CMS_MAX), stolen OWNED(buf_drop) = BUF(CMS_MAX),
	               forged OWNED(buf_drop) = BUF(CERT_MAX), list_now OWNED(buf_drop) = BUF(PART_BYTES);
	struct signer *card OWNED(signer_drop) = signer_load(w.world, "takahashi"),
	                    *tanaka OWNED(signer_drop) = signer_load(w.world, "tanaka"),
	                    *suzuki OWNED(signer_drop) = signer_load(w.world, "suzuki"),
	                    *thief OWNED(signer_drop) = signer_new(KEY_P256, 256);
	slice ours = buf_slice(&s->certificate), application = buf_slice(&s->cms);
	struct make_application says;

	/* s was certified by tanaka's card, which was revoked since */
	revocation_refused(
	    mode, "a revocation without any document", tell_revoked(ours, LIT("-"), application), "der-short");
	signer_set_certificate(s->own, ours);
	request_revocation(&cms, s->own, SERVICE, buf_slice(&other->certificate), "keyCompromise");
	revocation_refused(mode, "a true request, for another certificate",
	    tell_revoked(ours, buf_slice(&cms), application), "revocation-serial");
	request_revocation(&cms, s->own, "Another CA", ours, "keyCompromise");
	revocation_refused(mode, "a true request, to another service", tell_revoked(ours, buf_slice(&cms), application),
	    "revocation-service");
	signer_set_certificate(other->own, buf_slice(&other->certificate));
	request_revocation(&cms, other->own, SERVICE, ours, "keyCompromise");
	revocation_refused(
	    mode, "a request by another subscriber", tell_revoked(ours, buf_slice(&cms), application), "revocation-card");
	revocation_refused(
	    mode, "… without an application", tell_revoked(ours, buf_slice(&cms), (slice){NULL, 0}), "revocation-signer");
	signer_set_certificate(thief, ours);
	request_revocation(&cms, thief, SERVICE, ours, "keyCompromise");
	revocation_refused(mode, "a request with the certificate, signed by another key",
	    tell_revoked(ours, buf_slice(&cms), application), "signature");
	request_revocation(&cms, card, SERVICE, ours, "keyCompromise");
	revocation_refused(
	    mode, "a request by another card", tell_revoked(ours, buf_slice(&cms), application), "revocation-card");
	application_for(w.house, w.world, "takahashi", clock_now(), &says);
	make_application(&stolen, card, s->own, &says);
	revocation_refused(mode, "a request by another card, with an application that carries the subscriber's PKCS#10",
	    tell_revoked(ours, buf_slice(&cms), buf_slice(&stolen)), "revocation-application");
	request_revocation(&cms, suzuki, SERVICE, ours, "keyCompromise");
	revocation_refused(
	    mode, "a request by a revoked card", tell_revoked(ours, buf_slice(&cms), application), "revocation-card");
	world_file("signca03.crl", &list_now);
	need(list(buf_slice(&list_now))->fail == OK, "the list of now");
	w.crl_digest = sha256(buf_slice(&list_now));
	request_revocation(&cms, tanaka, SERVICE, ours, "keyCompromise");
	revocation_refused(mode, "a request by the applicant's own card, revoked since",
	    tell_revoked(ours, buf_slice(&cms), application), "jpki-revoked");
	w.crl_digest = sha256(buf_slice(&w.crl));
	officer_revocation(&cms, w.house->jiro, "jiro", ours);
	revocation_refused(mode, "a decision by an officer without that duty",
	    tell_revoked(ours, buf_slice(&cms), application), "person-duty");
	officer_revocation(&cms, w.house->saburo, "hanako", ours);
	revocation_refused(
	    mode, "a decision in another's name", tell_revoked(ours, buf_slice(&cms), application), "revocation-officer");
	officer_revocation(&cms, thief, "saburo", ours);
	revocation_refused(mode, "a decision by a key with a certificate", tell_revoked(ours, buf_slice(&cms), application),
	    "person-certificate");
	officer_revocation(&cms, w.house->saburo, "saburo", buf_slice(&other->certificate));
	revocation_refused(
	    mode, "a true decision about another", tell_revoked(ours, buf_slice(&cms), application), "revocation-serial");
	buf_put(&forged, ours);
	forged.p[forged.n - 1] ^= 1;
	officer_revocation(&cms, w.house->saburo, "saburo", ours);
	revocation_refused(mode, "a certificate that is not ours",
	    tell_revoked(buf_slice(&forged), buf_slice(&cms), application), "revocation-certificate");
}

/* What one answer says of a certificate; 0 where none came. */
static enum ocsp_status
answered(slice certificate, struct ocsp_answer *out)
{
	static struct buf kept = {.max = FRAME_MAX};
	struct buf b OWNED(buf_drop) = BUF(FRAME_MAX);
	instant now = clock_now();
	struct answers_reply r;

	answers_order_put(
	    &b, &(struct answers_order){
	            .now = now, .next_update = {now.ms + 40 * HOUR_MS}, .n = 1, .certificate = {certificate}});
	if (ask(&w.p, ORDER_ANSWERS, buf_slice(&b))->fail != OK)
		return 0;
	buf_clear(&kept);
	buf_put(&kept, buf_slice(&w.p.reply.body));
	need(answers_reply_get(buf_slice(&kept), &r).kind == OK && r.n == 1 && ocsp_answer_get(r.answer[0], out).kind == OK,
	    "an answer that can be read");
	return out->status;
}

static const struct reply *
answers(slice certificate, int64_t from_ms, int64_t life_ms)
{
	struct buf b OWNED(buf_drop) = BUF(FRAME_MAX);
	instant at = {clock_now().ms + from_ms};

	answers_order_put(
	    &b, &(struct answers_order){.now = at, .next_update = {at.ms + life_ms}, .n = 1, .certificate = {certificate}});
	return ask(&w.p, ORDER_ANSWERS, buf_slice(&b));
}

static const struct reply *
our_list(uint64_t number, int64_t from_ms, int64_t life_ms)
{
	struct buf b OWNED(buf_drop) = BUF(256);
	instant at = {clock_now().ms + from_ms};

	crl_order_put(&b, &(struct crl_order){.number = number, .now = at, .next_update = {at.ms + life_ms}});
	return ask(&w.p, ORDER_CRL_OUT, buf_slice(&b));
}

static bool
list_has(const struct reply *r, slice certificate)
{
	struct buf b OWNED(buf_drop) = BUF(256);
	struct list_reply signed_as;
	struct crl_entry e;
	struct part p;
	struct cert c;
	struct crl l;

	need(r->fail == OK && list_reply_get(buf_slice(&r->body), &signed_as).kind == OK, "a list is signed");
	list_part_order_put(&b, &(struct list_part_order){.number = signed_as.number});
	r = ask(&w.p, ORDER_CRL_PART, buf_slice(&b));
	need(r->fail == OK && part_get(buf_slice(&r->body), &p).kind == OK && p.last && crl_get(p.bytes, &l).kind == OK &&
	         crl_check_signed_by(&l, w.trust->issuer_key).kind == OK && cert_get(certificate, &c).kind == OK,
	    "a list");
	while (l.entries.n > 0) {
		need(crl_next(&l.entries, &e).kind == OK, "an entry");
		if (serial_eq(e.serial, c.serial))
			return true;
	}
	return false;
}

static void
suppressed_in_lists(const struct subject *s)
{
	struct buf cms OWNED(buf_drop) = BUF(CMS_MAX);
	slice ours = buf_slice(&s->certificate);

	is(says(our_list(100, -10 * 60 * SECOND_MS, 36 * HOUR_MS), "status-clock"), "issuer: a list dated ten minutes ago");
	is(says(our_list(100, 0, 3650 * DAY_MS), "status-next"), "issuer: a list for ten years");
	is(!list_has(our_list(100, 0, 36 * HOUR_MS), ours), "issuer: a list before the revocation");
	request_revocation(&cms, s->own, SERVICE, ours, "keyCompromise");
	is(tell_revoked(ours, buf_slice(&cms), (slice){NULL, 0})->fail == OK,
	    "issuer: the subscriber's true request is taken");
	is(list_has(our_list(101, 0, 36 * HOUR_MS), ours), "issuer: a list after it names the serial");
	is(says(our_list(101, 0, 36 * HOUR_MS), "list-number"), "issuer: another list under the same number");
	is(says(our_list(99, 0, 36 * HOUR_MS), "list-number"), "issuer: a list under an older number");
	process_stop(&w.p);
	open_issuer(9);
	need(true_rules()->fail == OK, "rules");
	is(says(our_list(101, 0, 36 * HOUR_MS), "list-number"), "issuer: numbers outlive the process");
	is(list_has(our_list(102, 0, 36 * HOUR_MS), ours), "issuer: no list without the serial after a new start");
}

static void
status_signer(const struct subject *s, const struct subject *other)
{
	struct buf cms OWNED(buf_drop) = BUF(CMS_MAX), forged OWNED(buf_drop) = BUF(CERT_MAX),
	               responder OWNED(buf_drop) = BUF(CERT_MAX);
	struct signer *thief OWNED(signer_drop) = signer_new(KEY_P256, 256);
	slice ours = buf_slice(&s->certificate);
	struct ocsp_answer a;
	struct cert c;

	start("status");
	is(says(answers(ours, 0, HOUR_MS), "signer-hello"), "status: an answer before hello");
	need(greet(&w.p, 9, NULL) && list(buf_slice(&w.crl))->fail == OK, "hello");
	invented_revocations("status", s, other);
	is(answered(ours, &a) == OCSP_GOOD, "status: good, as long as nobody truly asked for revocation");
	is(says(answers(ours, -10 * 60 * SECOND_MS, HOUR_MS), "status-clock"), "status: an answer dated ten minutes ago");
	is(says(answers(ours, 10 * 60 * SECOND_MS, HOUR_MS), "status-clock"), "status: an answer dated in ten minutes");
	is(says(answers(ours, 0, 30 * DAY_MS), "status-next"), "status: good for a month");
	need(cert_get(ours, &c).kind == OK, "certificate");
	{
		struct cert_plan p = {.serial = {16, {0x42, 1}},
		    .issuer = w.trust->issuer.subject,
		    .subject = c.subject,
		    .spki = signer_spki(thief),
		    .not_before = c.not_before,
		    .not_after = c.not_after,
		    .key_usage = USAGE_DIGITAL_SIGNATURE,
		    .aki = w.trust->issuer.ski};

		make_certificate(&forged, thief, &p);
	}
	is(says(answers(buf_slice(&forged), 0, HOUR_MS), "revocation-certificate"),
	    "status: good for a certificate that was never issued");
	buf_clear(&forged);
	buf_put(&forged, ours);
	memcpy((uint8_t *)memmem(forged.p, forged.n, c.serial.b, c.serial.n), "\x43", 1);
	is(says(answers(buf_slice(&forged), 0, HOUR_MS), "revocation-certificate"), "status: good for another serial");
	is(says(answers(w.trust->issuer.whole, 0, HOUR_MS), "revocation-certificate"), "status: good for the CA itself");
	home_file("repository/ca/ocsp.cer", &responder);
	is(says(answers(buf_slice(&responder), 0, HOUR_MS), "revocation-certificate"),
	    "status: good for its own certificate");
	request_revocation(&cms, s->own, SERVICE, ours, "keyCompromise");
	is(tell_revoked(ours, buf_slice(&cms), (slice){NULL, 0})->fail == OK,
	    "status: the subscriber's true request is taken");
	is(answered(ours, &a) == OCSP_REVOKED && a.reason == REASON_KEY_COMPROMISE,
	    "status: asked for good after it: revoked");
	process_wire(&w.p);
	need(greet(&w.p, 9, NULL), "hello");
	is(answered(ours, &a) == OCSP_REVOKED, "status: asked over a new wire: revoked");
	officer_revocation(&cms, w.house->saburo, "saburo", ours);
	is(tell_revoked(ours, buf_slice(&cms), (slice){NULL, 0})->fail == OK && answered(ours, &a) == OCSP_REVOKED &&
	        a.reason == REASON_KEY_COMPROMISE,
	    "status: a later document changes neither reason nor time");
	is(process_stop(&w.p) == 0, "status: it is stopped");
	start("status");
	need(greet(&w.p, 9, NULL), "hello");
	is(answered(ours, &a) == OCSP_REVOKED, "status: asked after a new start: revoked");
	is(answered(buf_slice(&other->certificate), &a) == OCSP_GOOD, "status: and good for the other");
}

/* --- checkpoints -------------------------------------------------------------------------------------------- */

static const struct reply *
checkpoint(struct head books, uint64_t from, uint64_t fork)
{
	struct buf b OWNED(buf_drop) = BUF(16U << 10);
	struct checkpoint_order o = {.books = books, .from = from};

	o.n_proof = books_proof(from, books.size, fork, o.proof);
	checkpoint_order_put(&b, &o);
	return ask(&w.p, ORDER_CHECKPOINT, buf_slice(&b));
}

static bool
is_checkpoint(const struct reply *r, uint64_t size)
{
	struct checkpoint c;
	slice note;

	return r->fail == OK && octets_get(buf_slice(&r->body), &note).kind == OK && checkpoint_get(note, &c).kind == OK &&
	       checkpoint_check(&c, w.trust->origin, w.trust->status_key).kind == OK && c.size == size;
}

static void
checkpoints(void)
{
	is(is_checkpoint(checkpoint(books_head(12, BOOKS_MAX), 0, BOOKS_MAX), 12), "status: a first checkpoint");
	is(says(checkpoint(books_head(11, BOOKS_MAX), 0, BOOKS_MAX), "books-smaller"),
	    "status: a checkpoint of fewer lines");
	is(says(checkpoint(books_head(12, 5), 0, 5), "books-root"), "status: other lines of the same number");
	is(says(checkpoint(books_head(20, 5), 12, 5), "tree-consistency"),
	    "status: a forked tree, with the fork's own proof");
	is(says(checkpoint(books_head(20, 11), 12, BOOKS_MAX), "tree-consistency"),
	    "status: a forked tree, with the true tree's proof");
	is(says(checkpoint(books_head(20, BOOKS_MAX), 9, BOOKS_MAX), "books-from"), "status: a proof from elsewhere");
	is(says(checkpoint(books_head(20, BOOKS_MAX), 0, BOOKS_MAX), "books-from"), "status: no proof");
	is(is_checkpoint(checkpoint(books_head(20, BOOKS_MAX), 12, BOOKS_MAX), 20), "status: a true extension is signed");
	process_stop(&w.p);
	start("status");
	/* books of a day between the last hello (9) and the last checkpoint (20) */
	is(says(hello(&w.p, books_head(15, BOOKS_MAX), (struct head){0}, 9, BOOKS_MAX), "signer-books-rollback"),
	    "status: books restored from before the last checkpoint");
	is(log_says(w.home, "status", "ALARM signer-books-rollback"), "status: … and its log says so");
	is(says(checkpoint(books_head(21, BOOKS_MAX), 20, BOOKS_MAX), "signer-books-rollback"),
	    "status: … and nothing is signed from then on");
	process_stop(&w.p);
	start("status");
	is(says(hello(&w.p, books_head(25, 14), (struct head){0}, 20, 14), "signer-books-other"),
	    "status: longer books that fork before the last checkpoint");
	process_stop(&w.p);
	start("status");
	is(greet(&w.p, 30, NULL), "status: the true books, longer: taken");
	process_stop(&w.p);
}

int
main(int argc, char **argv)
{
	struct subject s OWNED(subject_drop) = {0}, other OWNED(subject_drop) = {0};

	if (argc != 4)
		return 2;
	prepare(argv);
	open_issuer(9);
	certify(&s, "tanaka", "a certificate to be revoked");
	certify(&other, "yamada", "a certificate to stay");
	invented_revocations("issuer", &s, &other);
	suppressed_in_lists(&s);
	process_stop(&w.p);
	status_signer(&s, &other);
	checkpoints();
	bad_frames("issuer");
	bad_frames("status");
	printf("1..%d\n", w.tests);
	return w.failures > 0;
}
