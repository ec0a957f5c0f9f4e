/* LINK: role/messenger/mirror.c role/messenger/mirror_conf.c role/messenger/mirror_look.c role/messenger/mirror_own.c role/messenger/mirror_send.c role/messenger/mirror_tree.c */
/*
 * A copy of a large repository: a look over everything goes on in steps that are counted here, in what is asked of the
 * system; what must go overtakes it.
 */
#include "test/unit/test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edge/clock.h"
#include "edge/disk.h"
#include "role/messenger/mirror.h"

#define FILES 20000U
#define TURNS_MAX (8U * FILES)
/* A file that is carried is looked for, and its folders are: of MIRROR_ITEMS, never of all. */
#define STATS_MAX (MIRROR_STEP_ENTRIES + 4U * MIRROR_ITEMS)

static struct {
	char top[64];
	struct mirrors m;
	struct changes log;
	size_t names, stats, fail_names; /* since the turn began; the nth name from now on cannot be read */
} w;

/* For a build that looks for leaks: a path of the house lives as long as its process. */
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
	return "leak:start_path\n";
}

/* What a turn asks of the file system, by this program's own functions in libc's place. */
struct dirent *
readdir(DIR *d)
{
	w.names++;
	if (w.fail_names > 0 && --w.fail_names == 0) {
		errno = EIO;
		return NULL;
	}
	return (struct dirent *)readdir64(d);
}

int
fstatat(int folder, const char *name, struct stat *out, int flags)
{
	w.stats++;
	return fstatat64(folder, name, (struct stat64 *)out, flags);
}

static const char *
below(const char *folder, const char *name)
{
	static char path[2][400];
	static unsigned i;

	i ^= 1;
	snprintf(path[i], sizeof path[i], "%s/%s/%s", w.top, folder, name);
	return path[i];
}

static const char *
answer(unsigned i)
{
	static char path[64];

	snprintf(path, sizeof path, "ocsp/%02u/x%05u", i % 7, i);
	return path;
}

static bool
is_at(const char *folder, const char *name)
{
	return access(below(folder, name), F_OK) == 0;
}

static void
write_file(const char *folder, const char *name)
{
	int fd = open(below(folder, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0 && write(fd, "x", 1) == 1);
	close(fd);
}

static void
open_copy(void)
{
	struct conf *c OWNED(conf_drop) = NULL;
	struct start s = {.home = w.top};
	char text[200];

	snprintf(text, sizeof text, "[mirror.web]\nkind = folder\nfolder = %s/web\n", w.top);
	w.m = (struct mirrors){.repository = -1, .folder = -1};
	expect_ok("conf", conf_get(slice_str(text), &c));
	expect_ok("copies", mirrors_configure(&w.m, c, &s));
}

static struct mirror *
copy_of(void)
{
	return &w.m.mirror[0];
}

/* One turn; none asks for more than a step may. */
static void
turn(void)
{
	const struct mirror *m = copy_of();
	size_t known = m->known_n;

	w.names = w.stats = 0;
	mirrors_turn(&w.m);
	if (w.names > MIRROR_STEP_ENTRIES || w.stats > STATS_MAX || m->known_n > known + MIRROR_STEP_ENTRIES + MIRROR_ITEMS)
		fail_msg(
		    "a turn read %zu names, looked at %zu files and learned %zu paths", w.names, w.stats, m->known_n - known);
}

static bool
is_done(const struct mirror *m)
{
	return m->opened && !m->walking && m->look.step == MIRROR_STANDS && m->n == 0;
}

static unsigned
turn_until_done(void)
{
	unsigned n = 0;

	do {
		copy_of()->looked = 0;
		turn();
	} while (++n < TURNS_MAX && !is_done(copy_of()));
	expect_true("done", is_done(copy_of()));
	expect_text("no trouble", copy_of()->trouble == NULL ? ok : fail(ERR_WORLD, copy_of()->trouble), NULL);
	return n;
}

static void
turn_until(enum mirror_step step, unsigned more)
{
	for (unsigned n = 0; n < TURNS_MAX && copy_of()->look.step != step; n++)
		turn();
	for (unsigned n = 0; n < more; n++)
		turn();
	expect_number("in the middle", copy_of()->look.step, step);
}

/* The file goes, and the log says so. */
static void
withdraw(unsigned i)
{
	assert_true(unlink(below("repository", answer(i))) == 0);
	expect_ok("log", changes_put(&w.log, slice_str(answer(i)), NULL));
}

static size_t files_found;

static int
count_file(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)st;
	(void)at;
	files_found += flag == FTW_F && strstr(path, "/web/") != NULL;
	return 0;
}

static size_t
files_in_copy(void)
{
	files_found = 0;
	assert_int_equal(nftw(below("web", "."), count_file, 16, FTW_PHYS), 0);
	return files_found;
}

/* B-11: 20,000 answers, from nothing: no turn looks at more than a step; one is withdrawn meanwhile, and is gone next turn. */
static void
look_from_nothing(void **state)
{
	unsigned taken = 0, n;

	(void)state;
	open_copy();
	turn_until(MIRROR_FINDS, 8);
	expect_true("a turn finds a part", copy_of()->walk_left > 0 && copy_of()->walk_left <= 9 * MIRROR_STEP_ENTRIES);
	expect_true("… what is found is on its way meanwhile", copy_of()->pushed > 0);
	expect_number("… the next step does not wait", (uint64_t)mirrors_timeout_ms(&w.m), 0);
	while (taken < FILES && !is_at("web", answer(taken)))
		taken++;
	assert_true(taken < FILES);
	withdraw(taken);
	turn();
	expect_true("withdrawn in the middle of a look", !is_at("web", answer(taken)));
	expect_number("… which goes on", copy_of()->look.step, MIRROR_FINDS);
	n = turn_until_done();
	expect_true("many turns", n > 2 * FILES / MIRROR_STEP_ENTRIES);
	expect_number("all the rest is there", files_in_copy(), FILES - 1 + 2);
	expect_true("… what speaks for others too", is_at("web", "fingerprints.txt") && is_at("web", "index.en.html"));
	expect_number("… and is known, the one that was found and went too", copy_of()->known_n, FILES + 2);
	expect_true("… in 32 bytes a path", copy_of()->known_cap * sizeof *copy_of()->known <= 32 * copy_of()->known_n);
	mirrors_drop(&w.m);
}

/* Started again: the list of what was put is read in steps; what goes meanwhile does not wait for that either. */
static void
list_is_read(void **state)
{
	unsigned i = 100;

	(void)state;
	while (!is_at("web", answer(i)))
		i++;
	withdraw(i);
	open_copy();
	turn();
	expect_true("no look", !copy_of()->walking && copy_of()->opened);
	expect_number("the list is being read", copy_of()->look.step, MIRROR_KNOWS);
	expect_true("… one that went is gone", !is_at("web", answer(i)));
	(void)turn_until_done();
	expect_number("read: what goes stays in it until a look", copy_of()->known_n, FILES + 2);
	mirrors_drop(&w.m);
}

/* A new log, and what went while nobody said so: it leaves the copy before anything is put again. */
static void
look_again(void **state)
{
	unsigned i = 200, k = 19000;

	(void)state;
	while (!is_at("web", answer(i)))
		i++;
	assert_true(unlink(below("repository", answer(i))) == 0 && unlink(below("web", answer(5))) == 0);
	changes_close(&w.log, false);
	expect_ok("a new log", changes_open(w.log.folder, (instant){1795312370000}, &w.log));
	open_copy();
	turn_until(MIRROR_KNOWS, 2);
	expect_true("a look", copy_of()->walking);
	withdraw(k);
	turn();
	expect_number("the list is read yet", copy_of()->look.step, MIRROR_KNOWS);
	expect_true("… withdrawn meanwhile: gone", !is_at("web", answer(k)));
	for (unsigned n = 0; copy_of()->look.step == MIRROR_KNOWS && n < TURNS_MAX; n++) {
		expect_true("nothing is put before all is known", !is_at("web", answer(5)));
		turn();
	}
	turn();
	expect_true("what nobody said is gone", !is_at("web", answer(i)));

	/* a folder that cannot be read: the look begins anew, and comes to its end */
	w.fail_names = 100;
	turn();
	expect_number("stopped", copy_of()->look.step, MIRROR_STANDS);
	expect_true("… said", copy_of()->trouble != NULL && !copy_of()->opened);
	expect_true("… and nobody spins meanwhile", mirrors_timeout_ms(&w.m) > 0);
	copy_of()->again = 0;
	copy_of()->looked = 0;
	turn();
	expect_true("a look anew", copy_of()->walking && copy_of()->look.step == MIRROR_KNOWS);
	(void)turn_until_done();
	expect_number("all the rest is there", files_in_copy(), FILES - 4 + 2);
	expect_number("… and no more is known", copy_of()->known_n, FILES - 4 + 2);
	mirrors_drop(&w.m);
}

static int
setup(void **state)
{
	static const char *const folders[] = {"", "repository", "mirror", "web", "repository/ocsp", "repository/status"};
	char name[16];
	int fd;

	(void)state;
	snprintf(w.top, sizeof w.top, "%s/inkan-mirror-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (mkdtemp(w.top) == NULL)
		abort();
	for (size_t i = 1; i < COUNT(folders); i++)
		if (mkdir(below(folders[i], ""), 0755) != 0)
			abort();
	for (int i = 0; i < 7; i++) {
		snprintf(name, sizeof name, "%02d", i);
		if (mkdir(below("repository/ocsp", name), 0755) != 0)
			abort();
	}
	for (unsigned i = 0; i < FILES; i++)
		write_file("repository", answer(i));
	write_file("repository", "fingerprints.txt");
	write_file("repository", "index.en.html");
	write_file("repository", "half.new");
	write_file("repository/status", "none");
	fd = open(below("repository", ""), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || changes_open(fd, (instant){1795312360000}, &w.log).kind != OK)
		abort();
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)st;
	(void)flag;
	(void)at;
	return remove(path);
}

static int
teardown(void **state)
{
	(void)state;
	changes_close(&w.log, true);
	close(w.log.folder);
	return nftw(w.top, remove_one, 16, FTW_PHYS | FTW_DEPTH);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(look_from_nothing), cmocka_unit_test(list_is_read), cmocka_unit_test(look_again)};

	return cmocka_run_group_tests(tests, setup, teardown);
}
