#include "act/numbers.h"
#include "base/der.h"
#include "base/json.h"

const uint64_t HISTOGRAM_US[HISTOGRAM_BOUNDS] = {100, 500, 1000, 5000, 10000, 50000, 100000, 500000, 1000000, 10000000};
static const char *const BOUND[HISTOGRAM_BOUNDS + 1] = {
    "0.0001", "0.0005", "0.001", "0.005", "0.01", "0.05", "0.1", "0.5", "1", "10", "+Inf"};
#define HISTOGRAM_N (HISTOGRAM_BOUNDS + 2) /* series of one: buckets, the sum in microseconds */

static const char *const ROLES[] = {"role=\"front\"", "role=\"registrar\"", "role=\"verifier\"", "role=\"issuer\"",
    "role=\"status\"", "role=\"publisher\"", "role=\"messenger\""};
static const char *const HELPERS[] = {
    "helper=\"verifier\"", "helper=\"issuer\"", "helper=\"status\"", "helper=\"publisher\"", "helper=\"messenger\""};
static const char *const DOSSIERS[] = {"state=\"received\"", "state=\"waiting\"", "state=\"review\"", "state=\"refused\"",
    "state=\"ordered\"", "state=\"issued\"", "state=\"delivered\"", "state=\"receipted\"", "state=\"revoked\"",
    "state=\"withdrawn\""};
static const char *const QUEUES[] = {"queue=\"verifiers\"", "queue=\"issuer\"", "queue=\"held\"", "queue=\"status\"",
    "queue=\"messenger\""};
static const char *const VERIFIERS[] = {"state=\"known\"", "state=\"ready\""};
static const char *const SIGNERS[] = {"signer=\"issuer\",state=\"away\"", "signer=\"issuer\",state=\"hello\"",
    "signer=\"issuer\",state=\"rules\"", "signer=\"issuer\",state=\"ready\"", "signer=\"issuer\",state=\"stopped\"",
    "signer=\"status\",state=\"away\"", "signer=\"status\",state=\"hello\"", "signer=\"status\",state=\"rules\"",
    "signer=\"status\",state=\"ready\"", "signer=\"status\",state=\"stopped\""};
static const char *const SIGNER[] = {"signer=\"issuer\"", "signer=\"status\""};
static const char *const LISTS[] = {"list=\"complete\"", "list=\"delta\"", "list=\"partition\""};
static const char *const CLASSES[] = {"class=\"2xx\"", "class=\"3xx\"", "class=\"4xx\"", "class=\"5xx\""};
static const char *const ROUTES[] = {"route=\"ocsp\"", "route=\"file\"", "route=\"application\"", "route=\"other\""};
static const char *const KINDS[] = {"kind=\"input\"", "kind=\"policy\"", "kind=\"absent\"", "kind=\"conflict\"",
    "kind=\"busy\"", "kind=\"world\"", "kind=\"corrupt\""};
static const char *const ANSWERS[] = {"answer=\"good\",method=\"get\"", "answer=\"revoked\",method=\"get\"",
    "answer=\"unauthorized\",method=\"get\"", "answer=\"later\",method=\"get\"", "answer=\"malformed\",method=\"get\"",
    "answer=\"good\",method=\"post\"", "answer=\"revoked\",method=\"post\"", "answer=\"unauthorized\",method=\"post\"",
    "answer=\"later\",method=\"post\"", "answer=\"malformed\",method=\"post\""};
static const char *const LIVE[] = {"answer=\"signed\"", "answer=\"ahead\""};
static const char *const FILES[] = {"file=\"recent\"", "file=\"base\""};

enum kind { GAUGE, COUNTER, HISTOGRAM };
enum unit { PLAIN, AGE /* now - value */, UNTIL /* value - now */, TIME /* seconds since 1970 */ };

#define OF(labels) labels, COUNT(labels)
static const struct family {
	const char *name, *help;
	enum kind kind;
	enum unit unit;
	const char *const *labels; /* NULL: one series without labels */
	size_t n;
	const char *of; /* the label of what tells it; NULL: told once */
} FAMILIES[N_END] = {
    [N_ROLE_UP] = {"inkan_role_up", "Processes of a role that are alive.", GAUGE, PLAIN, OF(ROLES), NULL},
    [N_ROLE_RESTARTS] = {"inkan_role_restarts_total", "How often a role was started anew after it died.", COUNTER, PLAIN,
        OF(ROLES), NULL},
    [N_ROLE_STOPPED] = {"inkan_role_stopped", "1 where a role stopped itself because what it holds is damaged.", GAUGE,
        PLAIN, OF(ROLES), NULL},
    [N_ROOM_CLOSED] = {"inkan_room_closed", "1 while the signers are paused by inkanctl room close.", GAUGE, PLAIN, NULL, 1,
        NULL},
    [N_DISK_FREE] = {"inkan_disk_free_bytes", "Free bytes where the house stands.", GAUGE, PLAIN, NULL, 1, NULL},
    [N_DISK_SIZE] = {"inkan_disk_size_bytes", "Bytes of the disk where the house stands.", GAUGE, PLAIN, NULL, 1, NULL},
    [N_NUMBERS_AT] = {"inkan_numbers_age_seconds", "Age of the registrar's numbers on this page.", GAUGE, AGE, NULL, 1,
        NULL},
    [N_BOOKS_OPEN] = {"inkan_books_open", "1 while the books are open and acts are taken.", GAUGE, PLAIN, NULL, 1, NULL},
    [N_CLOCK_OK] = {"inkan_clock_ok", "1 while the registrar believes its clock.", GAUGE, PLAIN, NULL, 1, NULL},
    [N_LINES] = {"inkan_books_lines", "Lines of the books.", GAUGE, PLAIN, NULL, 1, NULL},
    [N_LAST_ENTRY] = {"inkan_books_last_entry_age_seconds", "Age of the last line of the books.", GAUGE, AGE, NULL, 1, NULL},
    [N_DOSSIERS] = {"inkan_dossiers", "Dossiers by state.", GAUGE, PLAIN, OF(DOSSIERS), NULL},
    [N_FLIGHTS] = {"inkan_flights", "Applications and documents being judged.", GAUGE, PLAIN, NULL, 1, NULL},
    [N_QUEUE] = {"inkan_queue", "Orders that wait at a helper, or for one; of status the certificates whose answer is being made.", GAUGE, PLAIN, OF(QUEUES), NULL},
    [N_VERIFIERS] = {"inkan_verifiers", "Verifiers, and those that are ready.", GAUGE, PLAIN, OF(VERIFIERS), NULL},
    [N_SIGNER] = {"inkan_signer_state", "1 for the state a signer is in.", GAUGE, PLAIN, OF(SIGNERS), NULL},
    [N_JOURNAL] = {"inkan_journal_lines", "Lines of a signer's journal.", GAUGE, PLAIN, OF(SIGNER), NULL},
    [N_HELPER_REFUSALS] = {"inkan_helper_refusals_total", "Orders that a helper refused or could not do.", COUNTER, PLAIN,
        OF(HELPERS), NULL},
    [N_HSM_ERRORS] = {"inkan_hsm_errors_total", "Orders that a signer could not do because of its token or its hand.",
        COUNTER, PLAIN, OF(SIGNER), NULL},
    [N_ISSUANCE] = {"inkan_issuance_seconds", "From an application's entry in the books to its certificate's.", HISTOGRAM,
        PLAIN, NULL, HISTOGRAM_N, NULL},
    [N_AUTOMATION] = {"inkan_automation_stopped", "1 while decisions by rule are stopped by a responsible person.", GAUGE,
        PLAIN, NULL, 1, NULL},
    [N_APPROVAL] = {"inkan_ruleset_until_seconds", "Until the approval of the rule set ends.", GAUGE, UNTIL, NULL, 1, NULL},
    [N_RESPONDER] = {"inkan_responder_until_seconds", "Until the certificate ends that OCSP answers are signed by.", GAUGE,
        UNTIL, NULL, 1, NULL},
    [N_CHECKPOINT_AT] = {"inkan_checkpoint_age_seconds", "Age of the last signed checkpoint.", GAUGE, AGE, NULL, 1, NULL},
    [N_CHECKPOINT_SIZE] = {"inkan_checkpoint_lines", "Lines of the books under the last signed checkpoint.", GAUGE, PLAIN,
        NULL, 1, NULL},
    [N_OCSP_OLDEST] = {"inkan_ocsp_oldest_age_seconds", "Age of the oldest pre-signed OCSP answer in force.", GAUGE, AGE,
        NULL, 1, NULL},
    [N_OCSP_LAPSE] = {"inkan_ocsp_first_lapse_seconds", "Until the first pre-signed OCSP answer lapses.", GAUGE, UNTIL,
        NULL, 1, NULL},
    [N_CRL_AT] = {"inkan_crl_age_seconds", "Age of the published lists by kind.", GAUGE, AGE, OF(LISTS), NULL},
    [N_CRL_NEXT] = {"inkan_crl_next_update_seconds", "Until nextUpdate of the published lists by kind.", GAUGE, UNTIL,
        OF(LISTS), NULL},
    [N_CRL_NUMBER] = {"inkan_crl_number", "Number of the last list.", GAUGE, PLAIN, NULL, 1, NULL},
    [N_JLIS_AT] = {"inkan_jlis_list_age_seconds", "Age of the lists of J-LIS in use.", GAUGE, AGE, NULL, 1, "list"},
    [N_JLIS_NEXT] = {"inkan_jlis_list_next_update_seconds", "Until nextUpdate of the lists of J-LIS in use.", GAUGE, UNTIL,
        NULL, 1, "list"},
    [N_HEARTBEAT_AT] = {"inkan_heartbeat_age_seconds", "Since the outside monitor last took a heartbeat.", GAUGE, AGE, NULL,
        1, NULL},
    [N_HEARTBEAT_FAILURES] = {"inkan_heartbeat_failures_total", "Heartbeats that the outside monitor did not take.",
        COUNTER, PLAIN, NULL, 1, NULL},
    [N_MIRROR_AT] = {"inkan_mirror_age_seconds", "Since a mirror was last found or made equal to the repository.", GAUGE,
        AGE, NULL, 1, "mirror"},
    [N_MIRROR_MISSING] = {"inkan_mirror_missing_files", "Files that a mirror has yet to take or to lose.", GAUGE, PLAIN,
        NULL, 1, "mirror"},
    [N_MIRROR_REFUSED] = {"inkan_mirror_refused_files", "Files that a mirror does not take while it takes others.", GAUGE,
        PLAIN, NULL, 1, "mirror"},
    [N_MIRROR_FAILURES] = {"inkan_mirror_failures_total", "Transfers to a mirror that failed.", COUNTER, PLAIN, NULL, 1,
        "mirror"},
    [N_CHECK_AT] = {"inkan_check_status_age_seconds", "Since the last check by the clock ended, however it ended.", GAUGE,
        AGE, NULL, 1, NULL},
    [N_CHECK_DIFFERENCES] = {"inkan_check_status_differences", "Differences that the last check by the clock found.", GAUGE,
        PLAIN, NULL, 1, NULL},
    [N_CHECK_COULD_NOT] = {"inkan_check_status_could_not", "Reasons why the last check by the clock did not see everything.",
        GAUGE, PLAIN, NULL, 1, NULL},
    [N_CHECK_ALARM] = {"inkan_check_status_alarm", "1 where the last check by the clock did not find all as the books say.",
        GAUGE, PLAIN, NULL, 1, NULL},
    [N_CHECK_ANSWERS] = {"inkan_check_status_answers", "OCSP answers that the last check by the clock verified.", GAUGE,
        PLAIN, NULL, 1, NULL},
    [N_CHECK_SECONDS] = {"inkan_check_status_duration_seconds", "How long the last check by the clock took.", GAUGE, PLAIN,
        NULL, 1, NULL},
    [N_HTTP_ANSWERS] = {"inkan_http_answers_total", "HTTP answers by class.", COUNTER, PLAIN, OF(CLASSES), "front"},
    [N_HTTP_SECONDS] = {"inkan_http_request_seconds", "From a whole request to its answer, by route class.", HISTOGRAM,
        PLAIN, ROUTES, COUNT(ROUTES) * HISTOGRAM_N, "front"},
    [N_REFUSALS] = {"inkan_refusals_total", "Refusals by class of their code.", COUNTER, PLAIN, OF(KINDS), "front"},
    [N_OCSP_ANSWERS] = {"inkan_ocsp_answers_total", "OCSP answers by kind and method.", COUNTER, PLAIN, OF(ANSWERS),
        "front"},
    [N_OCSP_LIVE] = {"inkan_ocsp_live_total",
        "Requests handed to the status signer: signed by it, or not (made ahead, tryLater, unauthorized).", COUNTER,
        PLAIN, OF(LIVE), "front"},
    [N_HTTP_CONNECTIONS] = {"inkan_http_connections_total", "Connections taken.", COUNTER, PLAIN, NULL, 1, "front"},
    [N_HTTP_REFUSED] = {"inkan_http_refused_total", "Requests refused before they were whole.", COUNTER, PLAIN, NULL, 1,
        "front"},
    [N_HTTP_LATE] = {"inkan_http_late_total", "Connections ended because a request came too slowly.", COUNTER, PLAIN, NULL,
        1, "front"},
    [N_HTTP_WAITING] = {"inkan_http_waiting", "Requests that wait for the registrar.", GAUGE, PLAIN, NULL, 1, "front"},
    [N_STATUS_FILE_GOOD] = {"inkan_status_file_good", "1 where a published status file is whole.", GAUGE, PLAIN, OF(FILES),
        "front"},
    [N_STATUS_FILE_ANSWERS] = {"inkan_status_file_answers", "Answers in a published status file.", GAUGE, PLAIN, OF(FILES),
        "front"},
    [N_STATUS_FILE_MADE] = {"inkan_status_file_made_seconds", "When a published status file was made, since 1970.", GAUGE,
        TIME, OF(FILES), "front"},
    [N_STATUS_FILES_DAMAGED] = {"inkan_status_files_damaged_total", "Status files found damaged.", COUNTER, PLAIN, NULL, 1,
        "front"},
    [N_STATUS_BLOCKS_DAMAGED] = {"inkan_status_blocks_damaged_total", "Blocks of status files found damaged.", COUNTER,
        PLAIN, NULL, 1, "front"},
};

void
histogram_add(struct histogram *h, int64_t us)
{
	uint64_t v = us < 0 ? 0 : (uint64_t)us;
	size_t i = 0;

	while (i < HISTOGRAM_BOUNDS && v > HISTOGRAM_US[i])
		i++;
	h->count[i]++;
	h->sum_us += v;
}

bool
numbers_is_front(unsigned family)
{
	return family >= N_HTTP_ANSWERS && family < N_END;
}

void
numbers_tell(struct numbers *n, enum number family, unsigned series, unsigned of, uint64_t value)
{
	assert(n->n < NUMBERS_MAX && family > 0 && family < N_END && series < FAMILIES[family].n && of <= UINT16_MAX);
	n->at[n->n].family = (uint8_t)family;
	n->at[n->n].series = (uint16_t)series;
	n->at[n->n].of = (uint16_t)of;
	n->at[n->n++].value = value > INT64_MAX ? INT64_MAX : value;
}

void
numbers_tell_time(struct numbers *n, enum number family, unsigned series, unsigned of, instant t)
{
	if (t.ms > 0)
		numbers_tell(n, family, series, of, (uint64_t)t.ms);
}

void
numbers_tell_histogram(struct numbers *n, enum number family, unsigned which, unsigned of, const struct histogram *h)
{
	for (unsigned i = 0; i <= HISTOGRAM_BOUNDS; i++)
		numbers_tell(n, family, which * HISTOGRAM_N + i, of, h->count[i]);
	numbers_tell(n, family, which * HISTOGRAM_N + HISTOGRAM_BOUNDS + 1, of, h->sum_us);
}

void
numbers_join(struct numbers *n, const struct numbers *from)
{
	for (size_t i = 0; i < from->n && n->n < NUMBERS_MAX; i++)
		n->at[n->n++] = from->at[i];
}

bool
numbers_find(const struct numbers *n, enum number family, unsigned series, unsigned of, uint64_t *value)
{
	for (size_t i = 0; i < n->n; i++)
		if (n->at[i].family == family && n->at[i].series == series && n->at[i].of == of) {
			*value = n->at[i].value;
			return true;
		}
	return false;
}

/*
 * Numbers ::= SEQUENCE OF SEQUENCE { family INTEGER, series INTEGER, of INTEGER, value INTEGER (0..2^63-1) }
 */
err
numbers_get(slice body, struct numbers *out)
{
	struct numbers *n = out; /* too large for the stack; emptied where it is refused */
	slice s;
	err e = body_open(body, &s);

	n->n = 0;
	while (e.kind == OK && s.n > 0) {
		uint64_t family = 0, series = 0, of = 0, value = 0;
		slice one = {NULL, 0};

		e = n->n == NUMBERS_MAX ? body_malformed() : der_get(&s, DER_SEQUENCE, &one);
		if (e.kind == OK)
			e = body_get_count(&one, &family);
		if (e.kind == OK)
			e = body_get_count(&one, &series);
		if (e.kind == OK)
			e = body_get_count(&one, &of);
		if (e.kind == OK)
			e = body_get_count(&one, &value);
		if (e.kind == OK)
			e = der_end(one);
		if (e.kind == OK && (family == 0 || family >= N_END || series >= FAMILIES[family].n || of > UINT16_MAX))
			e = body_malformed();
		if (e.kind == OK)
			numbers_tell(n, (enum number)family, (unsigned)series, (unsigned)of, value);
	}
	if (e.kind != OK)
		n->n = 0;
	return e;
}

void
numbers_put(struct buf *b, const struct numbers *n)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	for (size_t i = 0; i < n->n; i++) {
		size_t one = der_open(b, DER_SEQUENCE);

		der_put_u64(b, n->at[i].family);
		der_put_u64(b, n->at[i].series);
		der_put_u64(b, n->at[i].of);
		der_put_u64(b, n->at[i].value);
		der_close(b, one);
	}
	der_close(b, seq);
}

/* --- shown ------------------------------------------------------------------------------ */
static void
put_thousandths(struct buf *b, int64_t v, unsigned digits)
{
	uint64_t scale = digits == 3 ? 1000 : 1000000, a = v < 0 ? (uint64_t)-v : (uint64_t)v, rest = a % scale;

	if (v < 0)
		buf_put_u8(b, '-');
	buf_put_decimal(b, a / scale);
	buf_put_u8(b, '.');
	for (scale /= 10; scale > 0; scale /= 10)
		buf_put_u8(b, (uint8_t)('0' + rest / scale % 10));
}

static void
put_value(struct buf *b, const struct family *f, uint64_t value, instant now)
{
	switch (f->unit) {
	case PLAIN:
		buf_put_decimal(b, value);
		break;
	case AGE:
		put_thousandths(b, now.ms - (int64_t)value, 3);
		break;
	case UNTIL:
		put_thousandths(b, (int64_t)value - now.ms, 3);
		break;
	case TIME:
		buf_put_decimal(b, value / 1000);
		break;
	}
}

static void
put_labels(struct buf *b, const struct family *f, const char *text, unsigned of, const char *bound)
{
	bool any = false;

	if (text == NULL && f->of == NULL && bound == NULL)
		return;
	buf_put_u8(b, '{');
	if (text != NULL) {
		buf_put_str(b, text);
		any = true;
	}
	if (f->of != NULL) {
		buf_put_str(b, any ? "," : "");
		buf_put_str(b, f->of);
		buf_put_str(b, "=\"");
		buf_put_decimal(b, of);
		buf_put_u8(b, '"');
		any = true;
	}
	if (bound != NULL) {
		buf_put_str(b, any ? ",le=\"" : "le=\"");
		buf_put_str(b, bound);
		buf_put_u8(b, '"');
	}
	buf_put_u8(b, '}');
}

/* A histogram's samples stand behind each other, as numbers_tell_histogram put them: buckets add up. */
static void
put_histogram(struct buf *b, const struct family *f, const struct numbers *n, size_t first)
{
	const char *text = f->labels == NULL ? NULL : f->labels[n->at[first].series / HISTOGRAM_N];
	unsigned of = n->at[first].of;
	uint64_t sum = 0;

	if (n->n - first < HISTOGRAM_N)
		return;
	for (size_t i = 0; i <= HISTOGRAM_BOUNDS; i++) {
		sum += n->at[first + i].value;
		buf_put_str(b, f->name);
		buf_put_str(b, "_bucket");
		put_labels(b, f, text, of, BOUND[i]);
		buf_put_u8(b, ' ');
		buf_put_decimal(b, sum);
		buf_put_u8(b, '\n');
	}
	buf_put_str(b, f->name);
	buf_put_str(b, "_sum");
	put_labels(b, f, text, of, NULL);
	buf_put_u8(b, ' ');
	put_thousandths(b, (int64_t)n->at[first + HISTOGRAM_BOUNDS + 1].value, 6);
	buf_put_u8(b, '\n');
	buf_put_str(b, f->name);
	buf_put_str(b, "_count");
	put_labels(b, f, text, of, NULL);
	buf_put_u8(b, ' ');
	buf_put_decimal(b, sum);
	buf_put_u8(b, '\n');
}

void
numbers_put_metrics(struct buf *b, const struct numbers *n, instant now)
{
	static const char *const kinds[] = {[GAUGE] = " gauge\n", [COUNTER] = " counter\n", [HISTOGRAM] = " histogram\n"};

	for (unsigned family = 1; family < N_END; family++) {
		const struct family *f = &FAMILIES[family];
		bool told = false;

		for (size_t i = 0; i < n->n; i++) {
			if (n->at[i].family != family)
				continue;
			if (!told) {
				buf_put_str(b, "# HELP ");
				buf_put_str(b, f->name);
				buf_put_u8(b, ' ');
				buf_put_str(b, f->help);
				buf_put_str(b, "\n# TYPE ");
				buf_put_str(b, f->name);
				buf_put_str(b, kinds[f->kind]);
				told = true;
			}
			if (f->kind == HISTOGRAM) {
				if (n->at[i].series % HISTOGRAM_N == 0)
					put_histogram(b, f, n, i);
				continue;
			}
			buf_put_str(b, f->name);
			put_labels(b, f, f->labels == NULL ? NULL : f->labels[n->at[i].series], n->at[i].of, NULL);
			buf_put_u8(b, ' ');
			put_value(b, f, n->at[i].value, now);
			buf_put_u8(b, '\n');
		}
	}
}

void
numbers_put_json(struct buf *b, const struct numbers *n, instant now)
{
	json_open(b, '{');
	for (size_t i = 0; i < n->n; i++) {
		const struct family *f = &FAMILIES[n->at[i].family];
		struct buf name OWNED(buf_drop) = BUF(256), value OWNED(buf_drop) = BUF(64);

		if (f->kind == HISTOGRAM)
			continue;
		buf_put_str(&name, f->name);
		put_labels(&name, f, f->labels == NULL ? NULL : f->labels[n->at[i].series], n->at[i].of, NULL);
		buf_put_u8(&name, '\0');
		put_value(&value, f, n->at[i].value, now);
		json_put_name(b, (const char *)name.p);
		json_put_raw(b, buf_slice(&value));
	}
	json_close(b, '}');
}

/* --- judged ------------------------------------------------------------------------------- */
#define ANY UINT16_MAX
enum when { EQUAL, ABOVE, BELOW, OLDER /* ms */, SOONER /* ms */ };
static const struct judged {
	enum number family;
	unsigned series;
	enum when when;
	uint64_t than;
	bool warning;
	const char *what;
} JUDGED[] = {
    {N_BOOKS_OPEN, ANY, EQUAL, 0, false, "books-closed: design 3: the books are closed; nothing is taken"},
    {N_CLOCK_OK, ANY, EQUAL, 0, false,
        "clock-held: design law 9: the registrar does not believe its clock; look, and confirm it"},
    {N_ROLE_UP, ANY, EQUAL, 0, false, "role-down: house: a role has no process that is alive"},
    {N_ROLE_STOPPED, ANY, ABOVE, 0, false,
        "role-stopped: house: a role stopped because what it holds is damaged; look before you start it"},
    {N_ROOM_CLOSED, ANY, ABOVE, 0, true, "room-closed: house: the signers are paused; nothing new is signed"},
    {N_SIGNER, 3, EQUAL, 0, true, "issuer-away: house: the issuer is not ready; no certificate is signed"},
    {N_SIGNER, 8, EQUAL, 0, true, "status-away: house: the status signer is not ready; answers grow old"},
    {N_SIGNER, 4, ABOVE, 0, false, "signer-held: design 3: a signer stopped because of what books or journal say"},
    {N_SIGNER, 9, ABOVE, 0, false, "signer-held: design 3: a signer stopped because of what books or journal say"},
    {N_VERIFIERS, 1, EQUAL, 0, false, "verifier-none: house: no verifier is ready; nobody is judged"},
    {N_OCSP_LAPSE, ANY, SOONER, 12 * HOUR_MS, false,
        "answers-lapse: Rule 6(xi): the first OCSP answer lapses within twelve hours"},
    {N_CRL_NEXT, ANY, SOONER, 6 * HOUR_MS, false, "list-lapse: Rule 6(xi): a revocation list lapses within six hours"},
    {N_STATUS_FILES_DAMAGED, ANY, ABOVE, 0, false, "status-damaged: Rule 6(xi): a published status file was found damaged"},
    {N_STATUS_BLOCKS_DAMAGED, ANY, ABOVE, 0, false,
        "status-damaged: Rule 6(xi): a published status file was found damaged"},
    {N_JLIS_NEXT, ANY, SOONER, 0, false, "jlis-lapsed: Rule 5(1): the list of J-LIS in use has lapsed"},
    {N_DISK_FREE, ANY, BELOW, UINT64_C(256) << 20, false, "disk-full: house: less than 256 MiB are free on the house's disk"},
    {N_APPROVAL, ANY, SOONER, 7 * DAY_MS, true,
        "approval-lapse: Rule 12(1)(i)ニ: the approval of the rule set ends within a week"},
    {N_RESPONDER, ANY, SOONER, 60 * DAY_MS, true,
        "responder-lapse: RFC 6960 4.2.2.2: the OCSP responder's certificate ends within sixty days; change it"},
    {N_RESPONDER, ANY, SOONER, 7 * DAY_MS, false,
        "responder-ends: RFC 6960 4.2.2.2: the OCSP responder's certificate ends within a week; then no answer is valid"},
    {N_HEARTBEAT_AT, ANY, OLDER, 10 * 60 * SECOND_MS, true,
        "heartbeat-late: house: the outside monitor has taken no heartbeat for ten minutes"},
    {N_MIRROR_AT, ANY, OLDER, HOUR_MS, true, "mirror-late: Rule 6(xi): a mirror has not followed for an hour"},
    {N_CHECK_DIFFERENCES, ANY, ABOVE, 0, false,
        "check-differs: Rule 6(xi): inkanctl check-status found differences between the books and what is served"},
    {N_CHECK_COULD_NOT, ANY, ABOVE, 0, false,
        "check-unchecked: design law 5: what is served could not be held against the books; that is not a yes"},
    {N_MIRROR_REFUSED, ANY, ABOVE, 0, true,
        "mirror-refuses: Rule 6(xi): a mirror does not take a file; inkanctl status names it"},
};
#define SILENT_MS (10 * SECOND_MS) /* numbers come once a second */
static const char SILENT[] = "registrar-away: house: the registrar has said nothing for ten seconds";

static bool
is_so(const struct judged *j, uint64_t value, instant now)
{
	switch (j->when) {
	case EQUAL:
		return value == j->than;
	case ABOVE:
		return value > j->than;
	case BELOW:
		return value < j->than;
	case OLDER:
		return now.ms - (int64_t)value > (int64_t)j->than;
	case SOONER:
		return (int64_t)value - now.ms < (int64_t)j->than;
	}
	return false;
}

static void
raise(struct alarms *a, bool warning, const char *what)
{
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->at[i].what, what) == 0)
			return;
	assert(a->n < ALARMS_MAX);
	a->at[a->n].warning = warning;
	a->at[a->n++].what = what;
	a->any = a->any || !warning;
}

void
numbers_judge(const struct numbers *n, instant now, struct alarms *out)
{
	uint64_t at = 0;

	*out = (struct alarms){.n = 0};
	if (!numbers_find(n, N_NUMBERS_AT, 0, 0, &at) || now.ms - (int64_t)at > SILENT_MS)
		raise(out, false, SILENT);
	for (size_t j = 0; j < COUNT(JUDGED); j++)
		for (size_t i = 0; i < n->n; i++)
			if (n->at[i].family == JUDGED[j].family && (JUDGED[j].series == ANY || JUDGED[j].series == n->at[i].series) &&
			    is_so(&JUDGED[j], n->at[i].value, now))
				raise(out, JUDGED[j].warning, JUDGED[j].what);
}
