#include <unistd.h>

#include "base/time.h"
#include "edge/clock.h"
#include "edge/log.h"

static const char *who = "inkan"; /* set once by log_open */

static void
begin(struct buf *b, enum log_level l)
{
	static const char *const name[] = {[LOG_NOTE] = " note ", [LOG_WARN] = " warn ", [LOG_ALARM] = " ALARM "};

	instant_put(b, clock_now());
	buf_put_u8(b, ' ');
	buf_put_str(b, who);
	buf_put_str(b, name[l]);
}

/* One write: lines of several processes never mix.  A log that cannot be written stops nobody. */
static void
end(struct buf *b)
{
	ssize_t n;

	buf_put_u8(b, '\n');
	n = write(2, b->p, b->n);
	(void)n;
}

void
log_open(const char *role)
{
	who = role;
}

void
log_text(enum log_level l, const char *what)
{
	struct buf b OWNED(buf_drop) = BUF(1024);

	begin(&b, l);
	buf_put_str(&b, what);
	end(&b);
}

void
log_number(enum log_level l, const char *what, const char *name, uint64_t v)
{
	struct buf b OWNED(buf_drop) = BUF(1024);

	begin(&b, l);
	buf_put_str(&b, what);
	buf_put_u8(&b, ' ');
	buf_put_str(&b, name);
	buf_put_u8(&b, '=');
	buf_put_decimal(&b, v);
	end(&b);
}

void
log_id(enum log_level l, const char *what, const char *name, slice id)
{
	struct buf b OWNED(buf_drop) = BUF(1024);

	begin(&b, l);
	buf_put_str(&b, what);
	buf_put_u8(&b, ' ');
	buf_put_str(&b, name);
	buf_put_u8(&b, '=');
	buf_put_hex(&b, (slice){id.p, id.n > 32 ? 32 : id.n});
	end(&b);
}

void
log_err(enum log_level l, err e)
{
	log_number(l, e.what == NULL ? "ok" : e.what, "why", (uint64_t)e.why);
}

void
log_what(enum log_level l, const char *from, slice what)
{
	struct buf b OWNED(buf_drop) = BUF(1024);

	begin(&b, l);
	buf_put_str(&b, from);
	buf_put_str(&b, ": ");
	for (size_t i = 0; i < what.n && i < 256; i++)
		buf_put_u8(&b, what.p[i] >= ' ' && what.p[i] < 0x7F ? what.p[i] : '?');
	end(&b);
}
