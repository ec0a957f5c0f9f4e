/* LINK: test/jpki/make.c */
/*
 * prepare - what is made before the clock starts: challenges fetched, applications signed by cards, requests written out
 *           for bench/load.
 *
 *   prepare inkan WORLD FIRST COUNT URL FILE      COUNT applications by leaves many-FIRST …, each with a fresh P-256 key
 *   prepare cfssl COUNT FILE                      COUNT POST /api/v1/cfssl/sign with a fresh P-256 request each
 */
#include <curl/curl.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>

#include "base/json.h"
#include "edge/clock.h"
#include "pki/cms.h"
#include "test/jpki/make.h"

static size_t
on_bytes(char *p, size_t size, size_t n, void *cls)
{
	buf_put(cls, slice_of(p, size * n));
	return size * n;
}

static CURL *curl;

/* GET, or POST with an empty body; ends the process when it does not work. */
static struct json *
call(const char *base, const char *path, bool post)
{
	struct buf body OWNED(buf_drop) = BUF(1U << 20);
	struct json *j;
	char url[512];
	long status = 0;

	snprintf(url, sizeof url, "%s%s", base, path);
	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
	if (post)
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "");
	if (curl_easy_perform(curl) != CURLE_OK || curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK ||
	    status / 100 != 2 || json_get(buf_slice(&body), &j).kind != OK) {
		fprintf(stderr, "prepare: %s answered %ld: %.*s\n", url, status, (int)body.n, (const char *)body.p);
		exit(1);
	}
	return j;
}

static char *
text_of(json j, const char *name)
{
	slice s;
	char *out;

	if (json_text(j, name, &s).kind != OK) {
		fprintf(stderr, "prepare: no %s in the answer\n", name);
		exit(1);
	}
	out = mem_new(s.n + 1, 1);
	memcpy(out, s.p, s.n);
	return out;
}

static void
write_request(FILE *f, const char *head, slice body)
{
	char top[512];
	int n = snprintf(top, sizeof top, "POST %s\r\nHost: bench\r\nContent-Length: %zu\r\n\r\n", head, body.n);
	size_t all = (size_t)n + body.n;
	uint8_t l[4] = {(uint8_t)(all >> 24), (uint8_t)(all >> 16), (uint8_t)(all >> 8), (uint8_t)all};

	if (fwrite(l, 1, 4, f) != 4 || fwrite(top, 1, (size_t)n, f) != (size_t)n ||
	    fwrite(body.p, 1, body.n, f) != body.n) {
		perror("prepare: write");
		exit(1);
	}
}

static void
inkan(const char *world, unsigned first, unsigned count, const char *url, FILE *f)
{
	struct json *terms = call(url, "/terms/person-signature?lang=ja", false);
	json t, x;
	instant at = clock_now();

	if (json_member(json_root(terms), "terms", &t).kind != OK ||
	    json_member(json_root(terms), "explanation", &x).kind != OK)
		exit(1);
	for (unsigned i = 0; i < count; i++) {
		struct json *challenge OWNED(json_drop) = call(url, "/challenges", true);
		struct buf cms OWNED(buf_drop) = BUF(CMS_MAX);
		struct signer *card OWNED(signer_drop) = NULL, *own OWNED(signer_drop) = signer_new(KEY_P256, 256);
		struct world_person p;
		struct make_application a = {0};
		char name[32], birth[16];

		snprintf(name, sizeof name, "many-%05u", first + i);
		card = signer_load(world, name);
		world_person(world, name, &p);
		snprintf(birth, sizeof birth, "%.4s-%.2s-%.2s", p.birth + 1, p.birth + 5, p.birth + 7);
		a.service = text_of(json_root(terms), "service");
		a.profile = "person-signature";
		a.name = p.name;
		a.address = p.address;
		a.birth = birth;
		a.sex = p.sex[0] == '1' ? "male" : p.sex[0] == '2' ? "female" : "unknown";
		a.terms = text_of(t, "sha256");
		a.explanation = text_of(x, "sha256");
		a.nonce = text_of(json_root(challenge), "nonce");
		a.at = at;
		make_application(&cms, card, own, &a);
		write_request(f, "/applications HTTP/1.1\r\nContent-Type: application/cms\r\nPrefer: wait=60", buf_slice(&cms));
	}
	json_drop(&terms);
}

static void
cfssl(unsigned count, FILE *f)
{
	for (unsigned i = 0; i < count; i++) {
		EVP_PKEY *k = EVP_EC_gen("P-256");
		X509_REQ *r = X509_REQ_new();
		X509_NAME *n = X509_NAME_new();
		BIO *b = BIO_new(BIO_s_mem());
		struct buf body OWNED(buf_drop) = BUF(16384);
		char cn[64], *pem;
		long pem_n;

		snprintf(cn, sizeof cn, "person %u", i);
		X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_UTF8, (unsigned char *)cn, -1, -1, 0);
		X509_REQ_set_subject_name(r, n);
		X509_REQ_set_pubkey(r, k);
		X509_REQ_sign(r, k, EVP_sha256());
		PEM_write_bio_X509_REQ(b, r);
		pem_n = BIO_get_mem_data(b, &pem);
		json_open(&body, '{');
		json_put_named(&body, "certificate_request", slice_of(pem, (size_t)pem_n));
		json_close(&body, '}');
		write_request(f, "/api/v1/cfssl/sign HTTP/1.1\r\nContent-Type: application/json", buf_slice(&body));
		BIO_free(b);
		X509_NAME_free(n);
		X509_REQ_free(r);
		EVP_PKEY_free(k);
	}
}

int
main(int argc, char **argv)
{
	FILE *f;

	if (!(argc == 7 && strcmp(argv[1], "inkan") == 0) && !(argc == 4 && strcmp(argv[1], "cfssl") == 0)) {
		fprintf(stderr, "usage: prepare inkan WORLD FIRST COUNT URL FILE | prepare cfssl COUNT FILE\n");
		return 2;
	}
	f = fopen(argv[argc - 1], "wb");
	curl = curl_easy_init();
	if (f == NULL || curl == NULL)
		return 1;
	if (argc == 7)
		inkan(argv[2], (unsigned)strtoul(argv[3], NULL, 10), (unsigned)strtoul(argv[4], NULL, 10), argv[5], f);
	else
		cfssl((unsigned)strtoul(argv[2], NULL, 10), f);
	return fclose(f) != 0;
}
