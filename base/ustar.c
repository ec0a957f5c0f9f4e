#include "base/ustar.h"

/* A field of n-1 octal digits and a NUL. */
static void
put_octal(uint8_t *at, size_t n, uint64_t v)
{
	at[--n] = 0;
	while (n-- > 0) {
		at[n] = (uint8_t)('0' + (v & 7));
		v >>= 3;
	}
}

/*
 * name 0..99 · mode 100 (8) · uid 108 (8) · gid 116 (8) · size 124 (12) · mtime 136 (12) ·
 * chksum 148 (8: six digits, NUL, blank) · typeflag 156 · linkname 157 (100) · magic 257 "ustar\0" ·
 * version 263 "00" · uname 265 (32) · gname 297 (32) · devmajor 329 (8) · devminor 337 (8) · prefix 345 (155)
 */
static void
fill(uint8_t h[USTAR_BLOCK], slice name, uint32_t size)
{
	unsigned sum = 0;

	memset(h, 0, USTAR_BLOCK);
	memcpy(h, name.p, name.n);
	put_octal(h + 100, 8, 0444);
	put_octal(h + 108, 8, 0);
	put_octal(h + 116, 8, 0);
	put_octal(h + 124, 12, size);
	put_octal(h + 136, 12, 0);
	memset(h + 148, ' ', 8);
	h[156] = '0';
	memcpy(h + 257, "ustar\00000", 8);
	put_octal(h + 329, 8, 0);
	put_octal(h + 337, 8, 0);
	for (size_t i = 0; i < USTAR_BLOCK; i++)
		sum += h[i];
	put_octal(h + 148, 7, sum);
}

void
ustar_put(struct buf *b, const uint8_t name[32], uint32_t size)
{
	struct buf hex OWNED(buf_drop) = BUF(USTAR_NAME);
	uint8_t *at = buf_space(b, USTAR_BLOCK);

	if (at == NULL)
		return;
	buf_put_hex(&hex, slice_of(name, 32));
	fill(at, buf_slice(&hex), size);
}

err
ustar_get(slice header, uint8_t name[32], uint32_t *size)
{
	const err bad = fail(ERR_INPUT, "ustar: POSIX ustar: not a member's header as evidence packs have it");
	uint8_t again[USTAR_BLOCK], id[32];
	uint64_t v = 0;

	if (header.n != USTAR_BLOCK || hex_get((slice){header.p, USTAR_NAME}, id, sizeof id).kind != OK)
		return bad;
	for (size_t i = 124; i < 124 + 11; i++) {
		if (header.p[i] < '0' || header.p[i] > '7')
			return bad;
		v = v << 3 | (uint64_t)(header.p[i] - '0');
	}
	if (v > USTAR_SIZE_MAX)
		return bad;
	/* One spelling: what would be written is what must stand there. */
	fill(again, (slice){header.p, USTAR_NAME}, (uint32_t)v);
	if (memcmp(again, header.p, USTAR_BLOCK) != 0)
		return bad;
	memcpy(name, id, sizeof id);
	*size = (uint32_t)v;
	return ok;
}

uint64_t
ustar_padded(uint32_t size)
{
	return ((uint64_t)size + USTAR_BLOCK - 1) / USTAR_BLOCK * USTAR_BLOCK;
}
