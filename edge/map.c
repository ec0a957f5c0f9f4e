#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "edge/map.h"

/* Where the maps are, for the handler: nothing else leads from a signal to them. */
static struct place {
	uint8_t *volatile at; /* NULL: free */
	volatile size_t n;
	volatile sig_atomic_t gone;
} places[MAPS_MAX];

/* A touched page is not there: memory of zeros takes the map's place, and the reader goes on over it. */
static void
on_sigbus(int number, siginfo_t *why, void *context)
{
	const uint8_t *touched = why->si_addr;

	(void)context;
	for (size_t i = 0; i < MAPS_MAX; i++) {
		struct place *p = &places[i];

		if (p->at == NULL || touched < p->at || touched >= p->at + p->n)
			continue;
		if (mmap(p->at, p->n, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
			break;
		p->gone = 1;
		return;
	}
	signal(number, SIG_DFL); /* not ours: it comes again at once, and ends the process */
}

static err
refused(void)
{
	return fail_why(ERR_WORLD, "map-open: house: a file cannot be mapped", errno);
}

err
map_open(int fd, enum map_use use, struct map *out)
{
	struct sigaction a = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO};
	struct stat st;
	size_t i = 0;
	void *at;

	if (fstat(fd, &st) != 0 || sigaction(SIGBUS, &a, NULL) != 0)
		return refused();
	if (st.st_size <= 0) {
		*out = (struct map){0};
		return ok;
	}
	while (i < MAPS_MAX && places[i].at != NULL)
		i++;
	assert(i < MAPS_MAX);
	at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return refused();
	(void)madvise(at, (size_t)st.st_size, use == MAP_IN_ORDER ? MADV_SEQUENTIAL : MADV_RANDOM);
	places[i].n = (size_t)st.st_size;
	places[i].gone = 0;
	places[i].at = at;
	*out = (struct map){slice_of(at, (size_t)st.st_size), i + 1};
	return ok;
}

bool
map_is_gone(const struct map *m)
{
	return m->place != 0 && places[m->place - 1].gone != 0;
}

void
map_rest(const struct map *m)
{
	if (m->place != 0)
		(void)madvise(places[m->place - 1].at, places[m->place - 1].n, MADV_DONTNEED);
}

void
map_close(struct map *m)
{
	if (m->place != 0) {
		struct place *p = &places[m->place - 1];
		uint8_t *at = p->at;

		p->at = NULL;
		(void)munmap(at, p->n);
	}
	*m = (struct map){0};
}
