/*
 * ustar.h - headers of ustar members, POSIX.1-1988 (IEEE Std 1003.1 pax, "ustar
 *           Interchange Format"), as evidence packs have them.
 *
 * Depends on: base.  Pure.
 *
 * A member is a header of 512 bytes, the content, and zeros up to the next
 * multiple of 512.  Packs have no end blocks, so that they can grow; `tar -t`
 * reads them (and says nothing).
 *
 * One form is written and only that one is read, byte for byte: name of 64
 * lower-case hexadecimal digits, mode 0000444, uid, gid and mtime 0 (a pack's
 * bytes depend on what it holds, not on when), size in octal, type '0', magic
 * "ustar" version "00", no names, no prefix.
 */
#ifndef BASE_USTAR_H
#define BASE_USTAR_H

#include "base/base.h"

#define USTAR_BLOCK 512
#define USTAR_NAME 64
#define USTAR_SIZE_MAX UINT32_MAX /* bytes of a member; eleven octal digits could say 8 GiB */

/* Appends the header; `name` is 32 bytes, written in hex. */
void ustar_put(struct buf *b, const uint8_t name[32], uint32_t size);
/* `header` is USTAR_BLOCK bytes.  ERR_INPUT ustar: anything but what ustar_put writes. */
err ustar_get(slice header, uint8_t name[32], uint32_t *size) CHECKED;
/* Content and padding. */
uint64_t ustar_padded(uint32_t size);

#endif
