#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "edge/clock.h"
#include "test/system/parts/http.h"

#define ANSWER_MAX (1U << 20)

void
pause_ms(int ms)
{
	(void)poll(NULL, 0, ms);
}

void
answer_drop(struct answer *a)
{
	buf_drop(&a->body);
	a->status = 0;
}

static bool
send_all(int fd, slice s)
{
	while (s.n > 0) {
		ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		s = (slice){s.p + n, s.n - (size_t)n};
	}
	return true;
}

/* Until the server closes, or the time is over. */
static void
read_all(int fd, int64_t end, struct buf *out)
{
	uint8_t chunk[16384];

	for (;;) {
		int64_t left = end - clock_steady_ms();
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t n;

		if (left <= 0 || poll(&p, 1, (int)left) <= 0)
			return;
		n = read(fd, chunk, sizeof chunk);
		if (n <= 0)
			return;
		buf_put(out, slice_of(chunk, (size_t)n));
	}
}

/* Head, Content-Length, whole body; else nothing was answered. */
static void
take(const struct buf *all, struct answer *out)
{
	static const char length[] = "Content-Length: ";
	const uint8_t *end = all->n < 16 ? NULL : memmem(all->p, all->n, "\r\n\r\n", 4), *l;
	size_t n = 0, head;

	if (end == NULL)
		return;
	head = (size_t)(end - all->p) + 4;
	l = memmem(all->p, head, length, sizeof length - 1);
	for (const uint8_t *p = l == NULL ? end : l + sizeof length - 1; *p >= '0' && *p <= '9'; p++)
		n = n * 10 + (size_t)(*p - '0');
	if (all->n < head + n)
		return;
	buf_put(&out->body, slice_of(all->p + head, n));
	out->status = (all->p[9] - '0') * 100 + (all->p[10] - '0') * 10 + (all->p[11] - '0');
}

void
ask(int port, const char *method, const char *path, const char *headers, slice body, int late_ms, struct answer *out)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(0x7F000001)}};
	struct buf all OWNED(buf_drop) = BUF(ANSWER_MAX);
	int64_t end = clock_steady_ms() + late_ms;
	char head[2048];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), n;

	answer_drop(out);
	out->body = BUF(ANSWER_MAX);
	n = snprintf(head, sizeof head,
	    "%s %s HTTP/1.1\r\nHost: house\r\nConnection: close\r\nContent-Length: %zu\r\n%s\r\n", method, path, body.n,
	    headers);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0 && send_all(fd, slice_of(head, (size_t)n)))
		if (send_all(fd, body) || body.n > 1000) /* one refused by its length is answered before it is sent */
			read_all(fd, end, &all);
	if (fd >= 0)
		close(fd);
	take(&all, out);
}

char *
answer_text(const struct answer *a, const char *name)
{
	struct json *j OWNED(json_drop) = NULL;
	slice s;
	char *z;

	if (json_get(buf_slice(&a->body), &j).kind != OK || json_text(json_root(j), name, &s).kind != OK)
		return NULL;
	z = mem_new(s.n + 1, 1);
	memcpy(z, s.p, s.n);
	return z;
}

uint64_t
answer_number(const struct answer *a, const char *name)
{
	struct json *j OWNED(json_drop) = NULL;
	uint64_t n;

	if (json_get(buf_slice(&a->body), &j).kind != OK || json_natural(json_root(j), name, &n).kind != OK)
		return UINT64_MAX;
	return n;
}

/* "sha256" of an object within the answer. */
static char *
digest_of(const struct answer *a, const char *name)
{
	struct json *j OWNED(json_drop) = NULL;
	slice s;
	json o;
	char *z;

	if (json_get(buf_slice(&a->body), &j).kind != OK || json_member(json_root(j), name, &o).kind != OK ||
	    json_text(o, "sha256", &s).kind != OK)
		return NULL;
	z = mem_new(s.n + 1, 1);
	memcpy(z, s.p, s.n);
	return z;
}

void
terms_get(int port, struct terms *out)
{
	struct answer a OWNED(answer_drop) = {0};

	do {
		ask(port, "GET", "/terms/person-signature?lang=ja", "", (slice){NULL, 0}, 5000, &a);
		if (a.status != 200)
			pause_ms(50);
	} while (a.status != 200);
	out->service = answer_text(&a, "service");
	out->terms = digest_of(&a, "terms");
	out->explanation = digest_of(&a, "explanation");
}

char *
challenge_new(int port)
{
	struct answer a OWNED(answer_drop) = {0};

	for (;;) {
		ask(port, "POST", "/challenges", "", (slice){NULL, 0}, 5000, &a);
		if (a.status == 201)
			return answer_text(&a, "nonce");
		pause_ms(20);
	}
}

void
applicant_for(const char *world, const char *card, const struct terms *t, instant at, struct room *room,
    struct make_application *out)
{
	world_person(world, card, &room->person);
	snprintf(room->birth, sizeof room->birth, "%.4s-%.2s-%.2s", room->person.birth + 1, room->person.birth + 5,
	    room->person.birth + 7);
	*out = (struct make_application){.service = t->service,
	    .profile = "person-signature",
	    .name = room->person.name,
	    .address = room->person.address,
	    .birth = room->birth,
	    .sex = room->person.sex[0] == '1'   ? "male"
	           : room->person.sex[0] == '2' ? "female"
	                                        : "unknown",
	    .terms = t->terms,
	    .explanation = t->explanation,
	    .at = at};
}
