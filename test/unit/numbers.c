/* How the house stands, in numbers: their body, their page, what of them is an alarm; the heartbeat around them. */
#include "test/unit/test.h"

#include "act/heartbeat.h"
#include "edge/ed25519.h"

#define NOW ((instant){INT64_C(1795309200000)})

static struct numbers *
healthy(void)
{
	struct numbers *n = mem_new(1, sizeof *n);

	numbers_tell_time(n, N_NUMBERS_AT, 0, 0, NOW);
	return n;
}

static void
test_body(void **state)
{
	struct numbers *n = healthy(), *back = mem_new(1, sizeof *back);
	struct buf b OWNED(buf_drop) = BUF(NUMBERS_BYTES), again OWNED(buf_drop) = BUF(NUMBERS_BYTES);
	struct histogram h = {.count = {0}};
	uint64_t v = 0;

	(void)state;
	numbers_tell(n, N_DOSSIERS, 9, 0, 7);
	numbers_tell(n, N_LINES, 0, 0, UINT64_MAX); /* kept below what DER counts to */
	histogram_add(&h, 100);
	numbers_tell_histogram(n, N_HTTP_SECONDS, ROUTE_CLASS_OTHER, 7, &h);
	numbers_put(&b, n);
	assert_int_equal(numbers_get(buf_slice(&b), back).kind, OK);
	numbers_put(&again, back);
	assert_true(slice_eq(buf_slice(&b), buf_slice(&again)));
	assert_true(numbers_find(back, N_DOSSIERS, 9, 0, &v) && v == 7);
	assert_true(numbers_find(back, N_LINES, 0, 0, &v) && v == INT64_MAX);
	assert_false(numbers_find(back, N_DOSSIERS, 8, 0, &v));
	free(n);
	free(back);
}

static void
test_malformed(void **state)
{
	const struct {
		const char *name;
		slice body;
	} rows[] = {
	    {"empty", LIT("")},
	    {"not a sequence", LIT("\x02\x01\x01")},
	    {"no such family", LIT("\x30\x0E\x30\x0C\x02\x01\x7F\x02\x01\x00\x02\x01\x00\x02\x01\x00")},
	    {"family 0", LIT("\x30\x0E\x30\x0C\x02\x01\x00\x02\x01\x00\x02\x01\x00\x02\x01\x00")},
	    {"no such series", LIT("\x30\x0E\x30\x0C\x02\x01\x01\x02\x01\x07\x02\x01\x00\x02\x01\x00")},
	    {"of is too much", LIT("\x30\x10\x30\x0E\x02\x01\x01\x02\x01\x00\x02\x03\x01\x00\x00\x02\x01\x00")},
	    {"too few members", LIT("\x30\x0B\x30\x09\x02\x01\x01\x02\x01\x00\x02\x01\x00")},
	    {"too many members", LIT("\x30\x11\x30\x0F\x02\x01\x01\x02\x01\x00\x02\x01\x00\x02\x01\x00\x02\x01\x00")},
	    {"something behind", LIT("\x30\x00\x00")},
	    {"negative", LIT("\x30\x0E\x30\x0C\x02\x01\x01\x02\x01\x00\x02\x01\x00\x02\x01\xFF")},
	};
	struct numbers *n = mem_new(1, sizeof *n);
	struct buf many OWNED(buf_drop) = BUF(1 << 20);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		n->n = 1;
		if (numbers_get(rows[i].body, n).kind != ERR_INPUT || n->n != 0)
			fail_msg("%s", rows[i].name);
	}
	n->n = 0;
	for (size_t i = 0; i < NUMBERS_MAX; i++)
		numbers_tell(n, N_LINES, 0, 0, 1);
	numbers_put(&many, n);
	assert_int_equal(numbers_get(buf_slice(&many), n).kind, OK);
	{ /* one more: a second sequence with its length written anew */
		struct buf more OWNED(buf_drop) = BUF(1 << 20);
		size_t content = many.n - 4 + 14;

		buf_put(&more, LIT("\x30\x82"));
		buf_put_u8(&more, (uint8_t)(content >> 8));
		buf_put_u8(&more, (uint8_t)content);
		buf_put(&more, (slice){many.p + 4, many.n - 4});
		buf_put(&more, LIT("\x30\x0C\x02\x01\x0A\x02\x01\x00\x02\x01\x00\x02\x01\x01"));
		assert_int_equal(numbers_get(buf_slice(&more), n).kind, ERR_INPUT);
	}
	free(n);
}

/* Ages and countdowns are the reader's: by his clock. */
static void
test_page(void **state)
{
	struct numbers *n = healthy();
	struct buf b OWNED(buf_drop) = BUF(NUMBERS_TEXT), j OWNED(buf_drop) = BUF(NUMBERS_TEXT);
	struct histogram h = {.count = {0}};

	(void)state;
	histogram_add(&h, -5);
	histogram_add(&h, 101);
	histogram_add(&h, 20000000);
	numbers_tell(n, N_ROLE_UP, ROLE_FRONT, 0, 2);
	numbers_tell_time(n, N_OCSP_LAPSE, 0, 0, (instant){NOW.ms + 1500});
	numbers_tell_time(n, N_CRL_NEXT, LIST_DELTA, 0, (instant){NOW.ms - 250});
	numbers_tell_time(n, N_CRL_AT, LIST_DELTA, 0, (instant){-1});
	numbers_tell_time(n, N_STATUS_FILE_MADE, 1, 3, (instant){5999});
	numbers_tell_histogram(n, N_ISSUANCE, 0, 0, &h);
	numbers_put_metrics(&b, n, (instant){NOW.ms + 1000});
	buf_put_u8(&b, '\0');
	assert_string_equal((const char *)b.p,
	    "# HELP inkan_role_up Processes of a role that are alive.\n# TYPE inkan_role_up gauge\n"
	    "inkan_role_up{role=\"front\"} 2\n"
	    "# HELP inkan_numbers_age_seconds Age of the registrar's numbers on this page.\n"
	    "# TYPE inkan_numbers_age_seconds gauge\ninkan_numbers_age_seconds 1.000\n"
	    "# HELP inkan_issuance_seconds From an application's entry in the books to its certificate's.\n"
	    "# TYPE inkan_issuance_seconds histogram\n"
	    "inkan_issuance_seconds_bucket{le=\"0.0001\"} 1\ninkan_issuance_seconds_bucket{le=\"0.0005\"} 2\n"
	    "inkan_issuance_seconds_bucket{le=\"0.001\"} 2\ninkan_issuance_seconds_bucket{le=\"0.005\"} 2\n"
	    "inkan_issuance_seconds_bucket{le=\"0.01\"} 2\ninkan_issuance_seconds_bucket{le=\"0.05\"} 2\n"
	    "inkan_issuance_seconds_bucket{le=\"0.1\"} 2\ninkan_issuance_seconds_bucket{le=\"0.5\"} 2\n"
	    "inkan_issuance_seconds_bucket{le=\"1\"} 2\ninkan_issuance_seconds_bucket{le=\"10\"} 2\n"
	    "inkan_issuance_seconds_bucket{le=\"+Inf\"} 3\ninkan_issuance_seconds_sum 20.000101\n"
	    "inkan_issuance_seconds_count 3\n"
	    "# HELP inkan_ocsp_first_lapse_seconds Until the first pre-signed OCSP answer lapses.\n"
	    "# TYPE inkan_ocsp_first_lapse_seconds gauge\ninkan_ocsp_first_lapse_seconds 0.500\n"
	    "# HELP inkan_crl_next_update_seconds Until nextUpdate of the published lists by kind.\n"
	    "# TYPE inkan_crl_next_update_seconds gauge\ninkan_crl_next_update_seconds{list=\"delta\"} -1.250\n"
	    "# HELP inkan_status_file_made_seconds When a published status file was made, since 1970.\n"
	    "# TYPE inkan_status_file_made_seconds gauge\n"
	    "inkan_status_file_made_seconds{file=\"base\",front=\"3\"} 5\n");
	numbers_put_json(&j, n, NOW);
	buf_put_u8(&j, '\0');
	assert_non_null(strstr((const char *)j.p, "\"inkan_role_up{role=\\\"front\\\"}\":2,"));
	assert_null(strstr((const char *)j.p, "issuance"));
	free(n);
}

static void
test_alarms(void **state)
{
	static const struct {
		enum number family;
		unsigned series;
		uint64_t well;
		int64_t ill; /* of times: from NOW */
		bool warning;
		const char *what;
	} rows[] = {
	    {N_BOOKS_OPEN, 0, 1, 0, false, "books-closed: design 3: the books are closed; nothing is taken"},
	    {N_CLOCK_OK, 0, 1, 0, false,
	        "clock-held: design law 9: the registrar does not believe its clock; look, and confirm it"},
	    {N_ROLE_UP, ROLE_STATUS, 1, 0, false, "role-down: house: a role has no process that is alive"},
	    {N_ROLE_STOPPED, ROLE_STATUS, 0, 1, false,
	        "role-stopped: house: a role stopped because what it holds is damaged; look before you start it"},
	    {N_ROOM_CLOSED, 0, 0, 1, true, "room-closed: house: the signers are paused; nothing new is signed"},
	    {N_SIGNER, 3, 1, 0, true, "issuer-away: house: the issuer is not ready; no certificate is signed"},
	    {N_SIGNER, 8, 1, 0, true, "status-away: house: the status signer is not ready; answers grow old"},
	    {N_SIGNER, 4, 0, 1, false, "signer-held: design 3: a signer stopped because of what books or journal say"},
	    {N_SIGNER, 9, 0, 1, false, "signer-held: design 3: a signer stopped because of what books or journal say"},
	    {N_VERIFIERS, 1, 1, 0, false, "verifier-none: house: no verifier is ready; nobody is judged"},
	    {N_OCSP_LAPSE, 0, 12 * HOUR_MS, 12 * HOUR_MS - 1, false,
	        "answers-lapse: Rule 6(xi): the first OCSP answer lapses within twelve hours"},
	    {N_CRL_NEXT, LIST_PARTITION, 6 * HOUR_MS, 6 * HOUR_MS - 1, false,
	        "list-lapse: Rule 6(xi): a revocation list lapses within six hours"},
	    {N_STATUS_FILES_DAMAGED, 0, 0, 1, false, "status-damaged: Rule 6(xi): a published status file was found damaged"},
	    {N_STATUS_BLOCKS_DAMAGED, 0, 0, 1, false, "status-damaged: Rule 6(xi): a published status file was found damaged"},
	    {N_JLIS_NEXT, 0, 0, -1, false, "jlis-lapsed: Rule 5(1): the list of J-LIS in use has lapsed"},
	    {N_DISK_FREE, 0, 268435456, 268435455, false,
	        "disk-full: house: less than 256 MiB are free on the house's disk"},
	    {N_APPROVAL, 0, 7 * DAY_MS, 7 * DAY_MS - 1, true,
	        "approval-lapse: Rule 12(1)(i)ニ: the approval of the rule set ends within a week"},
	    {N_RESPONDER, 0, 60 * DAY_MS, 60 * DAY_MS - 1, true,
	        "responder-lapse: RFC 6960 4.2.2.2: the OCSP responder's certificate ends within sixty days; change it"},
	    {N_HEARTBEAT_AT, 0, 0, -600001, true,
	        "heartbeat-late: house: the outside monitor has taken no heartbeat for ten minutes"},
	    {N_MIRROR_AT, 0, 0, -HOUR_MS - 1, true, "mirror-late: Rule 6(xi): a mirror has not followed for an hour"},
	    {N_CHECK_DIFFERENCES, 0, 0, 1, false,
	        "check-differs: Rule 6(xi): inkanctl check-status found differences between the books and what is served"},
	    {N_CHECK_COULD_NOT, 0, 0, 1, false,
	        "check-unchecked: design law 5: what is served could not be held against the books; that is not a yes"},
	    {N_MIRROR_REFUSED, 0, 0, 1, true,
	        "mirror-refuses: Rule 6(xi): a mirror does not take a file; inkanctl status names it"},
	    {N_NUMBERS_AT, 0, 0, -10001, false, "registrar-away: house: the registrar has said nothing for ten seconds"},
	};
	struct alarms a;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool time = rows[i].family == N_OCSP_LAPSE || rows[i].family == N_CRL_NEXT || rows[i].family == N_JLIS_NEXT ||
		            rows[i].family == N_APPROVAL || rows[i].family == N_RESPONDER ||
		            rows[i].family == N_HEARTBEAT_AT || rows[i].family == N_MIRROR_AT ||
		            rows[i].family == N_NUMBERS_AT;
		struct numbers *n = mem_new(1, sizeof *n);

		if (rows[i].family != N_NUMBERS_AT)
			numbers_tell_time(n, N_NUMBERS_AT, 0, 0, NOW);
		numbers_tell(n, rows[i].family, rows[i].series, 0, rows[i].well + (uint64_t)(time ? NOW.ms : 0));
		numbers_judge(n, NOW, &a);
		if (a.n != 0)
			fail_msg("row %zu is well and raises %s", i, a.at[0].what);
		n->at[n->n - 1].value = (uint64_t)(rows[i].ill + (time ? NOW.ms : 0));
		numbers_judge(n, NOW, &a);
		if (a.n != 1 || a.at[0].warning != rows[i].warning || a.any == rows[i].warning)
			fail_msg("row %zu raises %zu", i, a.n);
		assert_string_equal(a.at[0].what, rows[i].what);
		free(n);
	}
	{ /* a second word about the responder when it is late */
		struct numbers *n = mem_new(1, sizeof *n);

		numbers_tell_time(n, N_NUMBERS_AT, 0, 0, NOW);
		numbers_tell_time(n, N_RESPONDER, 0, 0, (instant){NOW.ms + 7 * DAY_MS - 1});
		numbers_judge(n, NOW, &a);
		assert_true(a.n == 2 && a.any && a.at[0].warning && !a.at[1].warning);
		assert_string_equal(a.at[1].what,
		    "responder-ends: RFC 6960 4.2.2.2: the OCSP responder's certificate ends within a week; then no answer is valid");
		free(n);
	}
	{ /* no number of the registrar's at all */
		struct numbers *n = mem_new(1, sizeof *n);

		numbers_judge(n, NOW, &a);
		assert_true(a.n == 1 && a.any);
		free(n);
	}
}

static void
test_heartbeat(void **state)
{
	static const uint8_t seed[ED25519_SEED] = {1, 2, 3}, other[ED25519_SEED] = {9};
	struct numbers *n = healthy();
	struct heartbeat h = {.house = LIT("inkan"), .sequence = 42, .every_s = 60, .time = NOW}, back;
	struct buf b OWNED(buf_drop) = BUF(HEARTBEAT_MAX), spki OWNED(buf_drop) = BUF(SPKI_MAX);
	struct key *k OWNED(key_drop) = NULL;
	struct json *doc OWNED(json_drop) = NULL;
	uint8_t public[ED25519_PUBLIC], signature[ED25519_SIGNATURE];
	size_t text;
	err e;

	(void)state;
	assert_int_equal(ed25519_public(ARR(seed), public).kind, OK);
	key_put_spki(&spki, KEY_ED25519, ARR(public));
	assert_int_equal(key_get_spki(buf_slice(&spki), &k).kind, OK);
	numbers_tell(n, N_BOOKS_OPEN, 0, 0, 0);
	heartbeat_put_text(&b, &h, n);
	text = b.n;
	assert_int_equal(ed25519_sign(ARR(seed), buf_slice(&b), signature).kind, OK);
	heartbeat_put_signature(&b, ARR(signature));
	assert_int_equal(heartbeat_get(buf_slice(&b), k, &doc, &back).kind, OK);
	assert_true(back.sequence == 42 && back.every_s == 60 && back.time.ms == NOW.ms && json_count(back.alarms) == 1);
	b.p[20] ^= 1; /* one letter of the house's name */
	e = heartbeat_get(buf_slice(&b), k, &doc, &back);
	assert_string_equal(e.what, "heartbeat-signature: house: this heartbeat is not signed by the key of that house");
	b.p[20] ^= 1;
	b.n = text;
	assert_int_equal(ed25519_sign(ARR(other), buf_slice(&b), signature).kind, OK);
	heartbeat_put_signature(&b, ARR(signature));
	e = heartbeat_get(buf_slice(&b), k, &doc, &back);
	assert_string_equal(e.what, "heartbeat-signature: house: this heartbeat is not signed by the key of that house");
	buf_put_u8(&b, '\n'); /* a third line */
	e = heartbeat_get(buf_slice(&b), k, &doc, &back);
	assert_string_equal(e.what, "heartbeat-form: house: this is no heartbeat");
	e = heartbeat_get(LIT(""), k, &doc, &back);
	assert_string_equal(e.what, "heartbeat-form: house: this is no heartbeat");
	{ /* well signed, and of another version */
		static const char *const texts[] = {"{}\n", "{\"heartbeat\":2}\n", "[]\n", "no json\n",
		    "{\"heartbeat\":1,\"house\":\"a\",\"sequence\":-1,\"every_s\":1,\"time\":\"2026-11-22T01:02:03.004Z\",\"alarms\":[]}\n"};

		for (size_t i = 0; i < COUNT(texts); i++) {
			buf_clear(&b);
			buf_put_str(&b, texts[i]);
			assert_int_equal(ed25519_sign(ARR(seed), buf_slice(&b), signature).kind, OK);
			heartbeat_put_signature(&b, ARR(signature));
			e = heartbeat_get(buf_slice(&b), k, &doc, &back);
			assert_string_equal(e.what, "heartbeat-form: house: this is no heartbeat");
		}
	}
	e = ed25519_public(LIT("short"), public);
	assert_string_equal(e.what, "ed25519: RFC 8032: libcrypto does not take this key");
	free(n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_body),
	    cmocka_unit_test(test_malformed),
	    cmocka_unit_test(test_page),
	    cmocka_unit_test(test_alarms),
	    cmocka_unit_test(test_heartbeat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
