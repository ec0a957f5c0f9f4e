/* What each reader of base/der accepts, its writer writes back byte for byte, and OpenSSL reads it too. */
#include <openssl/asn1.h>

#include "base/der.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

#define DEPTH_MAX 12

/* The reader took `whole` off the front: is that what the writer wrote? */
static void
same(const struct buf *b, slice before, slice after)
{
	if (!slice_eq(buf_slice(b), (slice){before.p, before.n - after.n}))
		abort();
}

static void
numbers(slice in)
{
	struct buf b OWNED(buf_drop) = BUF(1 << 20);
	const unsigned char *p = in.p;
	uint64_t v = 0;
	unsigned e = 0;
	slice s = in, m;

	if (der_get_integer(&s, &m).kind == OK) {
		ASN1_INTEGER *i = d2i_ASN1_INTEGER(NULL, &p, (long)in.n);

		if (i == NULL)
			abort();
		ASN1_INTEGER_free(i);
		der_put_integer(&b, m);
		same(&b, in, s);
	}
	s = in;
	buf_clear(&b);
	if (der_get_u64(&s, UINT64_MAX, &v).kind == OK) {
		der_put_u64(&b, v);
		same(&b, in, s);
	}
	s = in;
	buf_clear(&b);
	if (der_get_enum(&s, 1000, &e).kind == OK) {
		if (e > 1000)
			abort();
		der_put_enum(&b, e);
		same(&b, in, s);
	}
}

static void
bits(slice in)
{
	struct buf b OWNED(buf_drop) = BUF(1 << 20);
	const unsigned char *p = in.p;
	uint32_t named = 0;
	bool v = false;
	slice s = in, m;

	if (der_get_bits(&s, &m).kind == OK) {
		ASN1_BIT_STRING *i = d2i_ASN1_BIT_STRING(NULL, &p, (long)in.n);

		if (i == NULL || !slice_eq(m, slice_of(ASN1_STRING_get0_data(i), (size_t)ASN1_STRING_length(i))))
			abort();
		ASN1_BIT_STRING_free(i);
		der_put_bits(&b, m);
		same(&b, in, s);
	}
	s = in;
	buf_clear(&b);
	if (der_get_named_bits(&s, &named).kind == OK) {
		der_put_named_bits(&b, named);
		same(&b, in, s);
	}
	s = in;
	buf_clear(&b);
	if (der_get_bool(&s, &v).kind == OK) {
		der_put_bool(&b, v);
		same(&b, in, s);
	}
	s = in;
	buf_clear(&b);
	if (der_get_null(&s).kind == OK) {
		der_put_null(&b);
		same(&b, in, s);
	}
}

static void
times(slice in)
{
	struct buf b OWNED(buf_drop) = BUF(100);
	const unsigned char *p = in.p;
	instant t = {0};
	slice s = in;

	if (der_get_time(&s, &t).kind == OK) {
		ASN1_TIME *i = d2i_ASN1_TIME(NULL, &p, (long)in.n), *u = ASN1_TIME_set(NULL, (time_t)(t.ms / 1000));
		int days = 1, seconds = 1;

		if (i == NULL || u == NULL || ASN1_TIME_diff(&days, &seconds, i, u) != 1 || days != 0 || seconds != 0)
			abort();
		ASN1_TIME_free(i);
		ASN1_TIME_free(u);
		der_put_time(&b, t);
		same(&b, in, s);
	}
	s = in;
	buf_clear(&b);
	if (der_get_gentime(&s, &t).kind == OK) {
		der_put_gentime(&b, t);
		same(&b, in, s);
	}
}

static void
oids(slice in)
{
	struct buf b OWNED(buf_drop) = BUF(1 << 20), dotted OWNED(buf_drop) = BUF(1 << 20), back OWNED(buf_drop) = BUF(64);
	const unsigned char *p = in.p;
	slice s = in, m;

	if (der_get_oid(&s, &m).kind == OK) {
		ASN1_OBJECT *i = d2i_ASN1_OBJECT(NULL, &p, (long)in.n);

		if (i == NULL)
			abort();
		ASN1_OBJECT_free(i);
		der_put_oid(&b, m);
		same(&b, in, s);
		oid_put_dotted(&dotted, m);
		if (buf_check(&dotted).kind != OK)
			abort();
		if (oid_get_dotted(buf_slice(&dotted), &back).kind == OK && !slice_eq(buf_slice(&back), m))
			abort();
	}
}

/* Every element, with those inside it. */
static void
walk(slice in, unsigned depth)
{
	while (in.n > 0) {
		slice before = in, content, whole;
		struct buf b OWNED(buf_drop) = BUF(1 << 21);
		uint8_t tag;

		numbers(in);
		bits(in);
		times(in);
		oids(in);
		if (der_get_any(&in, &tag, &content, &whole).kind != OK) {
			if (in.p != before.p || in.n != before.n)
				abort();
			return;
		}
		if (!der_next_is(before, tag))
			abort();
		der_put(&b, tag, content);
		same(&b, before, in);
		if (!slice_eq(buf_slice(&b), whole))
			abort();
		if ((tag & 0x20) != 0 && depth < DEPTH_MAX)
			walk(content, depth + 1);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	walk(slice_of(p, n), 0);
	return 0;
}
