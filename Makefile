# Inkan: one Makefile.  make · unit · test · san · fuzz · check · tidy · bench · demo · install
#
# BUILD   where everything built goes (build)
# SAN=1   address and undefined-behaviour sanitizers
# CC      gcc or clang

BUILD   ?= build
DESTDIR ?=
PREFIX  ?= /usr
PKGS     = libcrypto jansson sqlite3 libmicrohttpd libcurl libseccomp p11-kit-1
CSTD     = -std=c17 -D_GNU_SOURCE
WARN     = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wmissing-prototypes -Wcast-qual -Wvla -Werror
HARD     = -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
OPT     ?= -O2 -g
ifdef SAN
HARD     = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -fPIE
OPT      = -O1 -g
LDSAN    = -fsanitize=address,undefined
endif
CFLAGS  += $(CSTD) $(OPT) $(WARN) $(HARD) -I. -isystem /usr/include/p11-kit-1 -DLIBEXEC='"$(PREFIX)/libexec/inkan"' -MMD -MP
LDFLAGS += -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(LDSAN)
LIBS     = $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lunistring -ldl

FLOORS   = base pki act edge
SRC      = $(foreach d,$(FLOORS),$(wildcard $(d)/*.c))
OBJ      = $(SRC:%.c=$(BUILD)/%.o)
LIB      = $(BUILD)/libinkan.a
PURE     = $(patsubst %.c,$(BUILD)/%.o,$(foreach d,base pki act,$(wildcard $(d)/*.c)))

ROLES    = $(notdir $(patsubst %/,%,$(dir $(wildcard role/*/main.c))))
CMDS     = $(notdir $(patsubst %/,%,$(dir $(wildcard cmd/*/main.c))))
BIN      = $(ROLES:%=$(BUILD)/libexec/%) $(CMDS:%=$(BUILD)/bin/%)
WHOSRC   = $(wildcard role/*/*.c) $(wildcard cmd/*/*.c)

# What test programs link by a LINK line; programs of their own are all the others.
SHARED   = test/jpki/make.c
UNIT     = $(patsubst test/unit/%.c,$(BUILD)/test/unit/%,$(wildcard test/unit/*.c))
TOOLS    = $(patsubst test/%.c,$(BUILD)/test/%,$(filter-out $(SHARED),$(wildcard test/jpki/*.c test/system/*.c bench/*.c)))
SHIMS    = $(patsubst test/%.c,$(BUILD)/test/%.so,$(wildcard test/card/*.c test/faults/*.c))
FUZZ     = $(patsubst test/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard test/fuzz/*.c))
REPLAY   = $(patsubst test/fuzz/%.c,$(BUILD)/test/replay/%,$(wildcard test/fuzz/*.c))
BENCHES  = $(patsubst bench/%.c,$(BUILD)/bench/%,$(wildcard bench/*.c))
TESTTOOL = $(patsubst test/%.c,$(BUILD)/test/%,$(filter-out $(SHARED),$(wildcard test/jpki/*.c test/system/*.c))) $(BENCHES)

.PHONY: all whole unit test san fuzz check tidy bench demo install clean tools deps lang
.SECONDARY:
.DELETE_ON_ERROR:

all: $(BIN)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -c -o $@ $<

# The words in Japanese: a table made from po/ja.po.
$(BUILD)/po/ja.c: po/ja.po po/compile
	@mkdir -p $(@D)
	po/compile po/ja.po > $@

$(BUILD)/po/ja.o: $(BUILD)/po/ja.c
	$(CC) $(CFLAGS) -c -o $@ $<

$(LIB): $(OBJ) $(BUILD)/po/ja.o
	@mkdir -p $(@D)
	@rm -f $@
	ar rcs $@ $^

define EXE
$(BUILD)/$(2)/$(1): $(patsubst %.c,$(BUILD)/%.o,$(wildcard $(3)/$(1)/*.c)) $(LIB)
	@mkdir -p $$(@D)
	$$(CC) $$(LDFLAGS) -o $$@ $$^ $$(LIBS)
endef
$(foreach r,$(ROLES),$(eval $(call EXE,$(r),libexec,role)))
$(foreach c,$(CMDS),$(eval $(call EXE,$(c),bin,cmd)))

# --- tests -------------------------------------------------------------------
# A unit test may name more objects: a first line "/* LINK: role/x/y.c test/edge/disk.c */".
LINKOF = $(shell sed -n '1s|^/\* LINK: \(.*\) \*/$$|\1|p' $(1))

define UNITRULE
$(BUILD)/test/unit/$(1): $(BUILD)/test/unit/$(1).o $(patsubst %.c,$(BUILD)/%.o,$(call LINKOF,test/unit/$(1).c)) $(LIB)
	@mkdir -p $$(@D)
	$$(CC) $$(LDFLAGS) -o $$@ $$^ -lcmocka $$(LIBS)
endef
$(foreach u,$(notdir $(UNIT)),$(eval $(call UNITRULE,$(u))))

define TOOLRULE
$(BUILD)/$(1): $(BUILD)/$(1).o $(patsubst %.c,$(BUILD)/%.o,$(call LINKOF,$(1).c)) $(LIB)
	@mkdir -p $$(@D)
	$$(CC) $$(LDFLAGS) -o $$@ $$^ $$(LIBS)
endef
$(foreach t,$(patsubst %.c,%,$(filter-out $(SHARED),$(wildcard test/jpki/*.c test/system/*.c bench/*.c))),$(eval $(call TOOLRULE,$(t))))

# Shared objects for tests: the virtual card's reader driver, the shims that fail PKCS#11 calls, writes and syncs.
$(SHIMS): $(BUILD)/%.so: %.c
	@mkdir -p $(@D)
	$(CC) $(CSTD) $(OPT) $(WARN) -I. -isystem /usr/include/PCSC -isystem /usr/include/p11-kit-1 -fPIC -shared -o $@ $< -lcrypto -ldl

FUZZCC   = clang
FUZZFLAG = $(CSTD) -g -O1 -I. -isystem /usr/include/p11-kit-1 -DLIBEXEC='""' -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
$(BUILD)/fuzz/%: test/fuzz/%.c $(SRC) $(BUILD)/po/ja.c $(wildcard base/*.h pki/*.h act/*.h edge/*.h)
	@mkdir -p $(@D)
	$(FUZZCC) $(FUZZFLAG) -o $@ $< $(call LINKOF,$<) $(foreach d,base pki act,$(wildcard $(d)/*.c)) $(BUILD)/po/ja.c $(LIBS)

# The same targets with a plain main() that replays a corpus: part of make test.
define REPLAYRULE
$(BUILD)/test/replay/$(1): $(BUILD)/test/fuzz/$(1).o $(BUILD)/test/fuzz/replay/main.o $(patsubst %.c,$(BUILD)/%.o,$(call LINKOF,test/fuzz/$(1).c)) $(LIB)
	@mkdir -p $$(@D)
	$$(CC) $$(LDFLAGS) -o $$@ $$^ $$(LIBS)
endef
$(foreach f,$(notdir $(FUZZ)),$(eval $(call REPLAYRULE,$(f))))

tools: all $(TESTTOOL) $(SHIMS)

# Some unit tests judge the leaves of a world, which its tool makes once a build folder.
unit: $(UNIT) $(BUILD)/test/jpki/world
	@BUILD=$(BUILD) test/run unit

# Everything that make test runs, built.
whole: all tools $(UNIT) $(REPLAY)

test: deps
	@$(MAKE) --no-print-directory -j2 whole
	@BUILD=$(BUILD) test/run all

san:
	@$(MAKE) --no-print-directory test BUILD=build-san SAN=1

fuzz: $(FUZZ)
	@BUILD=$(BUILD) test/fuzz/run

check: all $(OBJ)
	@BUILD=$(BUILD) ./check

tidy:
	clang-format -i $(SRC) $(WHOSRC) $(wildcard */*.h */*/*.h test/*/*.c)

bench: deps
	@$(MAKE) --no-print-directory -j2 all tools $(BENCHES)
	@for r in bench/run bench/run-*; do BUILD=$(BUILD) $$r || exit 1; done

demo: deps
	@$(MAKE) --no-print-directory -j2 all tools
	@BUILD=$(BUILD) DEMO=$(DEMO) bash cmd/demo

# What is missing comes from the one list, debian/control.
deps:
	@debian/deps

# The texts people read: inkanctl init takes them from …/share/inkan beside …/bin.
WEB      = web $(patsubst %/,%,$(wildcard web/*/))
# What others are set up by: nginx, Prometheus, Grafana, a timer for the checker.
EXAMPLES = nginx prometheus grafana

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/libexec/inkan $(DESTDIR)$(PREFIX)/share/man/man1
	install -d $(WEB:%=$(DESTDIR)$(PREFIX)/share/inkan/%)
	install -m755 $(CMDS:%=$(BUILD)/bin/%) $(DESTDIR)$(PREFIX)/bin
	install -m755 $(ROLES:%=$(BUILD)/libexec/%) $(DESTDIR)$(PREFIX)/libexec/inkan
	install -m644 $(wildcard doc/man/*.1) $(DESTDIR)$(PREFIX)/share/man/man1
	for d in $(WEB); do install -m644 $$d/*.* $(DESTDIR)$(PREFIX)/share/inkan/$$d || exit 1; done
	for d in . $(EXAMPLES); do install -d $(DESTDIR)$(PREFIX)/share/doc/inkan/$$d || exit 1; done
	install -m644 $(wildcard doc/check-status.*) $(DESTDIR)$(PREFIX)/share/doc/inkan
	for d in $(EXAMPLES); do install -m644 doc/$$d/*.* $(DESTDIR)$(PREFIX)/share/doc/inkan/$$d || exit 1; done

clean:
	rm -rf $(BUILD) build-san demo

-include $(OBJ:.o=.d) $(WHOSRC:%.c=$(BUILD)/%.d) $(patsubst %.c,$(BUILD)/%.d,$(wildcard test/*/*.c test/*/*/*.c bench/*.c))
