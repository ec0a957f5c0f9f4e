/*
 * pkcs11-faults.c - a PKCS#11 module that forwards to a real one and fails where a test says.
 *
 *	INKAN_FAULT_MODULE   the real module by absolute path; without it Debian's libsofthsm2.so
 *	INKAN_FAULT_FILE     the rules; without it nothing ever fails
 *
 * A rule is a line  FUNCTION ACTION WHICH [ARGUMENT]  ('#' begins a comment):
 *
 *	C_Sign before 3 CKR_DEVICE_ERROR    the third call returns this, the real module is not asked
 *	C_Sign after 1 CKR_DEVICE_ERROR     the real module does it, then this is returned
 *	C_Sign hang 2                       never returns
 *	C_Sign wrong 1                      C_Sign only: returns a signature with one bit flipped
 *	C_Sign slow 4 1500                  waits so many milliseconds first
 *	C_Sign die 5                        the process kills itself before the call; `dieafter`: after its effect
 *
 * WHICH is 3, 3- (the third and all later), 3-5, or * (each).  The error is a CKR name or 0x…; of several rules that
 * fit one call the first counts.  Calls are counted from 1 over all processes that use the same file, in the file with
 * ".count" after its name: one line a function, "C_Sign … 00000003".  Delete it to count anew.  A call that only asks
 * how long a signature will be (pSignature NULL) is not counted and never fails.
 *
 * The rules are read again at each call while the process may still open files; a process that has since locked itself
 * in reads through the descriptor opened before, else keeps what it read last.  The counts are a shared mapping.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <p11-kit/pkcs11.h>

#define RULES_MAX 32
#define TEXT_MAX 8192
#define COUNT_LINE 40 /* 24 of name, 8 digits, 7 spaces, newline: every count lies on 8 bytes */

/* Every call that can be made to fail; the rest go straight to the real module. */
#define CALLS(X)                                                                                                       \
	X(C_Initialize, (void *args), (args))                                                                              \
	X(C_Finalize, (void *args), (args))                                                                                \
	X(C_GetInfo, (CK_INFO * info), (info))                                                                             \
	X(C_GetSlotList, (CK_BBOOL present, CK_SLOT_ID * list, CK_ULONG * n), (present, list, n))                          \
	X(C_GetSlotInfo, (CK_SLOT_ID slot, CK_SLOT_INFO * info), (slot, info))                                             \
	X(C_GetTokenInfo, (CK_SLOT_ID slot, CK_TOKEN_INFO * info), (slot, info))                                           \
	X(C_GetMechanismList, (CK_SLOT_ID slot, CK_MECHANISM_TYPE * list, CK_ULONG * n), (slot, list, n))                  \
	X(C_GetMechanismInfo, (CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO * info), (slot, type, info))     \
	X(C_OpenSession, (CK_SLOT_ID slot, CK_FLAGS flags, void *app, CK_NOTIFY notify, CK_SESSION_HANDLE *session),       \
	    (slot, flags, app, notify, session))                                                                           \
	X(C_CloseSession, (CK_SESSION_HANDLE s), (s))                                                                      \
	X(C_CloseAllSessions, (CK_SLOT_ID slot), (slot))                                                                   \
	X(C_GetSessionInfo, (CK_SESSION_HANDLE s, CK_SESSION_INFO * info), (s, info))                                      \
	X(C_Login, (CK_SESSION_HANDLE s, CK_USER_TYPE user, unsigned char *pin, CK_ULONG n), (s, user, pin, n))            \
	X(C_Logout, (CK_SESSION_HANDLE s), (s))                                                                            \
	X(C_CreateObject, (CK_SESSION_HANDLE s, CK_ATTRIBUTE * t, CK_ULONG n, CK_OBJECT_HANDLE * o), (s, t, n, o))         \
	X(C_DestroyObject, (CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o), (s, o))                                              \
	X(C_GetAttributeValue, (CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE * t, CK_ULONG n), (s, o, t, n))      \
	X(C_SetAttributeValue, (CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE * t, CK_ULONG n), (s, o, t, n))      \
	X(C_FindObjectsInit, (CK_SESSION_HANDLE s, CK_ATTRIBUTE * t, CK_ULONG n), (s, t, n))                               \
	X(C_FindObjects, (CK_SESSION_HANDLE s, CK_OBJECT_HANDLE * o, CK_ULONG max, CK_ULONG * n), (s, o, max, n))          \
	X(C_FindObjectsFinal, (CK_SESSION_HANDLE s), (s))                                                                  \
	X(C_SignInit, (CK_SESSION_HANDLE s, CK_MECHANISM * m, CK_OBJECT_HANDLE k), (s, m, k))                              \
	X(C_SignUpdate, (CK_SESSION_HANDLE s, unsigned char *p, CK_ULONG n), (s, p, n))                                    \
	X(C_VerifyInit, (CK_SESSION_HANDLE s, CK_MECHANISM * m, CK_OBJECT_HANDLE k), (s, m, k))                            \
	X(C_Verify, (CK_SESSION_HANDLE s, unsigned char *p, CK_ULONG n, unsigned char *sig, CK_ULONG sn),                  \
	    (s, p, n, sig, sn))                                                                                            \
	X(C_GenerateKey, (CK_SESSION_HANDLE s, CK_MECHANISM * m, CK_ATTRIBUTE * t, CK_ULONG n, CK_OBJECT_HANDLE * k),      \
	    (s, m, t, n, k))                                                                                               \
	X(C_GenerateKeyPair,                                                                                               \
	    (CK_SESSION_HANDLE s, CK_MECHANISM * m, CK_ATTRIBUTE * a, CK_ULONG an, CK_ATTRIBUTE * b, CK_ULONG bn,          \
	        CK_OBJECT_HANDLE * pub, CK_OBJECT_HANDLE * prv),                                                           \
	    (s, m, a, an, b, bn, pub, prv))                                                                                \
	X(C_GenerateRandom, (CK_SESSION_HANDLE s, unsigned char *p, CK_ULONG n), (s, p, n))                                \
	X(C_InitToken, (CK_SLOT_ID slot, unsigned char *pin, CK_ULONG n, unsigned char *label), (slot, pin, n, label))     \
	X(C_InitPIN, (CK_SESSION_HANDLE s, unsigned char *pin, CK_ULONG n), (s, pin, n))                                   \
	X(C_SetPIN, (CK_SESSION_HANDLE s, unsigned char *a, CK_ULONG an, unsigned char *b, CK_ULONG bn), (s, a, an, b, bn))

enum call {
#define X(name, params, args) N_##name,
	CALLS(X)
#undef X
	    N_C_Sign,
	N_C_SignFinal,
	CALL_COUNT
};

static const char *const call_names[CALL_COUNT] = {
#define X(name, params, args) #name,
    CALLS(X)
#undef X
        "C_Sign",
    "C_SignFinal",
};

enum action { BEFORE, AFTER, HANG, WRONG, SLOW, DIE, DIE_AFTER, NOTHING };

static const char *const action_names[] = {"before", "after", "hang", "wrong", "slow", "die", "dieafter"};

static const struct {
	const char *name;
	CK_RV rv;
} rv_table[] = {
#define R(x)                                                                                                           \
	{                                                                                                                  \
#x, x                                                                                                          \
	}
    R(CKR_OK),
    R(CKR_HOST_MEMORY),
    R(CKR_SLOT_ID_INVALID),
    R(CKR_GENERAL_ERROR),
    R(CKR_FUNCTION_FAILED),
    R(CKR_ARGUMENTS_BAD),
    R(CKR_DATA_INVALID),
    R(CKR_DATA_LEN_RANGE),
    R(CKR_DEVICE_ERROR),
    R(CKR_DEVICE_MEMORY),
    R(CKR_DEVICE_REMOVED),
    R(CKR_FUNCTION_CANCELED),
    R(CKR_KEY_HANDLE_INVALID),
    R(CKR_MECHANISM_INVALID),
    R(CKR_OBJECT_HANDLE_INVALID),
    R(CKR_OPERATION_ACTIVE),
    R(CKR_OPERATION_NOT_INITIALIZED),
    R(CKR_PIN_INCORRECT),
    R(CKR_PIN_LOCKED),
    R(CKR_PIN_EXPIRED),
    R(CKR_SESSION_CLOSED),
    R(CKR_SESSION_COUNT),
    R(CKR_SESSION_HANDLE_INVALID),
    R(CKR_SIGNATURE_INVALID),
    R(CKR_TOKEN_NOT_PRESENT),
    R(CKR_TOKEN_NOT_RECOGNIZED),
    R(CKR_USER_ALREADY_LOGGED_IN),
    R(CKR_USER_NOT_LOGGED_IN),
    R(CKR_USER_PIN_NOT_INITIALIZED),
    R(CKR_BUFFER_TOO_SMALL),
    R(CKR_CRYPTOKI_NOT_INITIALIZED),
    R(CKR_FUNCTION_REJECTED),
#undef R
};

struct rule {
	enum call call;
	enum action action;
	unsigned long from, to;
	CK_RV rv;
	unsigned long ms;
};

static CK_FUNCTION_LIST *real;
static CK_FUNCTION_LIST mine;
static struct rule rules[RULES_MAX];
static size_t rules_n;
static const char *rules_path;
static int rules_fd = -1;
static char *counts; /* shared; NULL where nothing is counted */

/* ---- rules ----------------------------------------------------------------------------------------------------------- */

static void
complain(const char *line)
{
	static unsigned said;

	if (said++ < RULES_MAX) /* the rules are read at each call: no flood */
		fprintf(stderr, "pkcs11-faults: not understood: %s\n", line);
}

static int
rv_get(const char *s, CK_RV *rv)
{
	char *end;

	for (size_t i = 0; i < sizeof rv_table / sizeof rv_table[0]; i++)
		if (strcmp(rv_table[i].name, s) == 0) {
			*rv = rv_table[i].rv;
			return 1;
		}
	*rv = strtoul(s, &end, 16);
	return strncmp(s, "0x", 2) == 0 && *end == '\0';
}

static int
which_get(const char *s, struct rule *r)
{
	char *end;

	r->from = 1;
	r->to = ~0ul;
	if (strcmp(s, "*") == 0)
		return 1;
	r->from = strtoul(s, &end, 10);
	if (r->from == 0)
		return 0;
	r->to = r->from;
	if (*end == '\0')
		return 1;
	if (*end != '-')
		return 0;
	r->to = ~0ul;
	if (end[1] == '\0')
		return 1;
	r->to = strtoul(end + 1, &end, 10);
	return *end == '\0' && r->to >= r->from;
}

static int
rule_get(const char *line, struct rule *r)
{
	char call[40], action[16], which[32], arg[64] = "";
	int n = sscanf(line, "%39s %15s %31s %63s", call, action, which, arg);

	if (n < 3)
		return 0;
	r->call = CALL_COUNT;
	r->action = NOTHING;
	for (int i = 0; i < CALL_COUNT; i++)
		if (strcmp(call_names[i], call) == 0)
			r->call = (enum call)i;
	for (int i = 0; i < NOTHING; i++)
		if (strcmp(action_names[i], action) == 0)
			r->action = (enum action)i;
	if (r->call == CALL_COUNT || r->action == NOTHING || !which_get(which, r))
		return 0;
	if (r->action == WRONG && r->call != N_C_Sign && r->call != N_C_SignFinal)
		return 0;
	if (r->action == BEFORE || r->action == AFTER)
		return n == 4 && rv_get(arg, &r->rv);
	if (r->action == SLOW)
		return n == 4 && (r->ms = strtoul(arg, NULL, 10)) > 0;
	return n == 3;
}

static void
rules_parse(char *text)
{
	char *line;

	rules_n = 0;
	while ((line = strsep(&text, "\n")) != NULL) {
		char *hash = strchr(line, '#');

		if (hash != NULL)
			*hash = '\0';
		if (line[strspn(line, " \t")] == '\0')
			continue;
		if (rules_n < RULES_MAX && rule_get(line, &rules[rules_n]))
			rules_n++;
		else
			complain(line);
	}
}

static void
rules_load(void)
{
	char text[TEXT_MAX + 1];
	ssize_t n;
	int fd;

	if (rules_path == NULL)
		return;
	fd = open(rules_path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = pread(fd, text, TEXT_MAX, 0);
		if (rules_fd >= 0)
			close(rules_fd);
		rules_fd = fd;
	} else {
		n = rules_fd < 0 ? -1 : pread(rules_fd, text, TEXT_MAX, 0);
	}
	if (n < 0)
		return;
	text[n] = '\0';
	rules_parse(text);
}

/* ---- counts ---------------------------------------------------------------------------------------------------------- */

static void
counts_open(void)
{
	char path[4096], line[COUNT_LINE + 1];
	struct stat st;
	void *p;
	int fd;

	snprintf(path, sizeof path, "%s.count", rules_path);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0 || fstat(fd, &st) != 0) {
		complain(path);
		return;
	}
	(void)fchmod(fd, 0666); /* processes of several users count here; only the owner may, and need */
	for (int i = 0; st.st_size < CALL_COUNT * COUNT_LINE && i < CALL_COUNT; i++) {
		snprintf(line, sizeof line, "%-24s00000000%7s\n", call_names[i], "");
		if (pwrite(fd, line, COUNT_LINE, i * COUNT_LINE) != COUNT_LINE)
			complain(path);
	}
	p = mmap(NULL, CALL_COUNT * COUNT_LINE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		complain(path);
	else
		counts = p;
}

/* One more, over all processes: eight decimal digits changed as one word. */
static unsigned long
count_next(enum call c)
{
	uint64_t old, new, *at;
	char d[9] = "";
	unsigned long n;

	if (counts == NULL)
		return 0;
	at = (uint64_t *)(void *)(counts + c * COUNT_LINE + 24);
	old = __atomic_load_n(at, __ATOMIC_SEQ_CST);
	do {
		memcpy(d, &old, 8);
		n = strtoul(d, NULL, 10) + 1;
		snprintf(d, sizeof d, "%08lu", n % 100000000);
		memcpy(&new, d, 8);
	} while (!__atomic_compare_exchange_n(at, &old, new, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
	return n;
}

/* ---- what happens to a call -------------------------------------------------------------------------------------------- */

static void
rest(unsigned long ms)
{
	struct timespec t = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};

	if (poll(NULL, 0, (int)ms) < 0)
		nanosleep(&t, NULL);
}

static const struct rule none = {.action = NOTHING};

/* Counts the call and finds its rule; does what is to be done before it. */
static const struct rule *
enter(enum call c)
{
	unsigned long n;
	const struct rule *r = &none;

	if (rules_path == NULL)
		return r;
	n = count_next(c);
	rules_load();
	for (size_t i = 0; i < rules_n && r == &none; i++)
		if (rules[i].call == c && n >= rules[i].from && n <= rules[i].to)
			r = &rules[i];
	if (r->action == HANG)
		for (;;)
			rest(60000);
	if (r->action == SLOW)
		rest(r->ms);
	if (r->action == DIE)
		raise(SIGKILL);
	return r;
}

static CK_RV
leave(const struct rule *r, CK_RV rv)
{
	if (r->action == DIE_AFTER)
		raise(SIGKILL);
	return r->action == AFTER ? r->rv : rv;
}

#define X(name, params, args)                                                                                          \
	static CK_RV my_##name params                                                                                      \
	{                                                                                                                  \
		const struct rule *r = enter(N_##name);                                                                        \
                                                                                                                       \
		return r->action == BEFORE ? r->rv : leave(r, real->name args);                                                \
	}
CALLS(X)
#undef X

static CK_RV
flip(const struct rule *r, CK_RV rv, unsigned char *sig, const CK_ULONG *n)
{
	if (r->action == WRONG && rv == CKR_OK && *n > 0)
		sig[*n / 2] ^= 0x01;
	return leave(r, rv);
}

static CK_RV
my_C_Sign(CK_SESSION_HANDLE s, unsigned char *p, CK_ULONG n, unsigned char *sig, CK_ULONG *sig_n)
{
	const struct rule *r;

	if (sig == NULL)
		return real->C_Sign(s, p, n, sig, sig_n);
	r = enter(N_C_Sign);
	return r->action == BEFORE ? r->rv : flip(r, real->C_Sign(s, p, n, sig, sig_n), sig, sig_n);
}

static CK_RV
my_C_SignFinal(CK_SESSION_HANDLE s, unsigned char *sig, CK_ULONG *sig_n)
{
	const struct rule *r;

	if (sig == NULL)
		return real->C_SignFinal(s, sig, sig_n);
	r = enter(N_C_SignFinal);
	return r->action == BEFORE ? r->rv : flip(r, real->C_SignFinal(s, sig, sig_n), sig, sig_n);
}

static const char *
module_path(void)
{
	static const char *const usual[] = {"/usr/lib/softhsm/libsofthsm2.so",
	    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so", "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so"};
	const char *p = getenv("INKAN_FAULT_MODULE");

	for (size_t i = 0; p == NULL && i < sizeof usual / sizeof usual[0]; i++)
		if (access(usual[i], R_OK) == 0)
			p = usual[i];
	return p;
}

static CK_RV
my_C_GetFunctionList(CK_FUNCTION_LIST **list)
{
	*list = &mine;
	return CKR_OK;
}

CK_RV
C_GetFunctionList(CK_FUNCTION_LIST **list)
{
	const char *path = module_path();
	CK_C_GetFunctionList get;
	void *so;
	CK_RV rv;

	if (list == NULL)
		return CKR_ARGUMENTS_BAD;
	if (real == NULL) {
		so = path == NULL ? NULL : dlopen(path, RTLD_NOW | RTLD_LOCAL);
		if (so == NULL) {
			fprintf(stderr, "pkcs11-faults: %s\n", path == NULL ? "no real module" : dlerror());
			return CKR_GENERAL_ERROR;
		}
		*(void **)&get = dlsym(so, "C_GetFunctionList");
		if (get == NULL)
			return CKR_GENERAL_ERROR;
		if ((rv = get(&real)) != CKR_OK)
			return rv;
		mine = *real;
#define X(name, params, args) mine.name = my_##name;
		CALLS(X)
#undef X
		mine.C_Sign = my_C_Sign;
		mine.C_SignFinal = my_C_SignFinal;
		mine.C_GetFunctionList = my_C_GetFunctionList;
		rules_path = getenv("INKAN_FAULT_FILE");
		if (rules_path != NULL) {
			rules_path = strdup(rules_path);
			counts_open();
			rules_load();
		}
	}
	*list = &mine;
	return CKR_OK;
}
