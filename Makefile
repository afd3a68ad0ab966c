# Builds Merlon with GNU make. Sources are found by name, never listed:
#
#   src/FOLDER/*.c         one static library a folder, in the order of layers.txt
#   src/app/main.c         build/merlon
#   src/FOLDER/X_test.c    build/test/X_test, linked with FOLDER and the folders it may include
#   src/FOLDER/X_fuzz.c    build/fuzz/X, by clang with libFuzzer
#   test/X/*.c, test/X.c   build/test/X, linked with all folders (test/support/ goes into each)
#   test/faults/*.c        build/test/shim.so and build/test/victim, without ours and sanitizers
#   bench/X.c              build/bench/X
#   taxonomy/*.yml         embedded in the program (src/event/taxonomy_data.h)
#   src/cli/report/*       embedded too (src/cli/report_asset.h)
#
# Targets: all test check fuzz tests fuzzers install clean format
# Another compiler or sanitizer: make BUILD=build/san CC=clang SAN=address,undefined test

BUILD = build
PREFIX = /usr/local
OPT = -O2
SAN =
ifeq ($(origin CC),default)
CC = gcc
endif

# ---- flags -------------------------------------------------------------------------------------
VERSION := $(shell cat VERSION 2> /dev/null || echo 0.1.0-dev)
WARN = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -Werror
SANFLAGS = $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
CPPFLAGS = -Isrc -D_GNU_SOURCE= -DMERLON_VERSION='"$(VERSION)"'
CFLAGS = -std=gnu17 $(OPT) -g $(WARN) $(SANFLAGS)
LDLIBS = -lcurl -lmicrohttpd -lgnutls -lyaml -lmd -lz -lzstd -larchive -lssl -lcrypto -lseccomp -lpthread \
	-lm
TESTLIBS = -lcmocka -ljansson
COMPILE = $(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<
LINK = $(CC) $(SANFLAGS) -o $@

# ---- what there is -----------------------------------------------------------------------------
LAYERS := $(shell sed -n 's/^\([a-z0-9_]*\):.*/\1/p' layers.txt)
FOLDERS := $(filter $(patsubst src/%/,%,$(sort $(dir $(wildcard src/*/*.c)))),$(LAYERS))
STRANGE := $(filter-out $(LAYERS),$(patsubst src/%/,%,$(sort $(dir $(wildcard src/*/*.c)))))
$(if $(STRANGE),$(error src/$(firstword $(STRANGE)) does not stand in layers.txt))
below = $(filter $(1) $(shell sed -n 's/^$(1)://p' layers.txt),$(FOLDERS))
reverse = $(if $(1),$(call reverse,$(wordlist 2,99,$(1))) $(firstword $(1)))
libs = $(patsubst %,$(BUILD)/lib%.a,$(call reverse,$(1)))

UNIT := $(wildcard src/*/*_test.c)
FUZZ := $(wildcard src/*/*_fuzz.c)
SRC := $(filter-out $(UNIT) $(FUZZ) src/app/main.c,$(wildcard src/*/*.c))
SUPPORT := $(wildcard test/support/*.c)
DRIVERS := $(filter-out support faults,$(sort $(patsubst test/%/,%,$(dir $(wildcard test/*/*.c))) \
	$(patsubst test/%.c,%,$(wildcard test/*.c))))
BENCH := $(patsubst bench/%.c,%,$(wildcard bench/*.c))
# What others build on comes first, then by name.
TAXONOMY := $(sort $(wildcard taxonomy/*.yml))
TAXONOMY := $(filter taxonomy/common.yml,$(TAXONOMY)) $(filter-out taxonomy/common.yml,$(TAXONOMY))
ASSETS := $(sort $(wildcard src/cli/report/*))

obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
same = $(filter $(words $(1)),$(words $(sort $(notdir $(1)))))
$(if $(and $(call same,$(UNIT)),$(call same,$(FUZZ))),,$(error two tests have one name))
UNITS := $(patsubst %,$(BUILD)/test/%,$(notdir $(UNIT:.c=)))
FUZZERS := $(patsubst %_fuzz,$(BUILD)/fuzz/%,$(notdir $(FUZZ:.c=)))
TESTS := $(UNITS) $(patsubst %,$(BUILD)/test/%,$(DRIVERS))
ALLLIBS := $(call libs,$(FOLDERS))

.PHONY: all tests fuzzers fuzz test check bench install clean format FORCE
.SECONDARY:
.DELETE_ON_ERROR:

all: $(BUILD)/merlon

# ---- objects and libraries ---------------------------------------------------------------------
# A change of compiler or flags rebuilds everything.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(subst ','"'"',$(CC) $(CPPFLAGS) $(CFLAGS))' | cmp -s - $@ || \
		echo '$(subst ','"'"',$(CC) $(CPPFLAGS) $(CFLAGS))' > $@

$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(COMPILE)

$(BUILD)/obj/test/%.o: CPPFLAGS += -Itest
$(call obj,$(UNIT) $(FUZZ)): CPPFLAGS += -Itest

# The taxonomy's bytes, in the order of the names.
$(BUILD)/gen/taxonomy_data.c: tools/embed $(TAXONOMY) $(BUILD)/flags $(wildcard taxonomy)
	@mkdir -p $(@D)
	tools/embed event/taxonomy_data $(TAXONOMY) > $@

$(BUILD)/obj/gen/taxonomy_data.o: $(BUILD)/gen/taxonomy_data.c $(TAXONOMY)
	@mkdir -p $(@D)
	$(COMPILE)

$(BUILD)/gen/report_asset.c: tools/embed $(ASSETS) $(BUILD)/flags
	@mkdir -p $(@D)
	tools/embed cli/report_asset $(ASSETS) > $@

$(BUILD)/obj/gen/report_asset.o: $(BUILD)/gen/report_asset.c $(ASSETS)
	@mkdir -p $(@D)
	$(COMPILE)

define library
$(BUILD)/lib$(1).a: $(call obj,$(filter src/$(1)/%,$(SRC))) \
		$(if $(filter event,$(1)),$(BUILD)/obj/gen/taxonomy_data.o) \
		$(if $(filter cli,$(1)),$(BUILD)/obj/gen/report_asset.o) layers.txt
	@mkdir -p $$(@D) && rm -f $$@
	$(AR) rcsD $$@ $$(filter %.o,$$^)
endef
$(foreach f,$(FOLDERS),$(eval $(call library,$(f))))

$(BUILD)/libsupport.a: $(call obj,$(SUPPORT))
	@mkdir -p $(@D) && rm -f $@
	$(AR) rcsD $@ $^

$(BUILD)/merlon: $(call obj,src/app/main.c) $(ALLLIBS)
	$(LINK) $^ $(LDLIBS)

# ---- tests -------------------------------------------------------------------------------------
SUPPORTLIB := $(if $(SUPPORT),$(BUILD)/libsupport.a)

# $(1) is src/FOLDER/X_test.c or src/FOLDER/X_fuzz.c, $(2) the program, $(3) its libraries
folder = $(word 2,$(subst /, ,$(1)))
define program
$(2): $(call obj,$(1)) $(SUPPORTLIB) $(call libs,$(call below,$(call folder,$(1))))
	@mkdir -p $$(@D)
	$$(LINK) $(4) $$^ $(3) $(LDLIBS)
endef
$(foreach t,$(UNIT),$(eval $(call program,$(t),$(BUILD)/test/$(notdir $(t:.c=)),$(TESTLIBS))))
$(foreach t,$(FUZZ),$(eval $(call program,$(t),$(BUILD)/fuzz/$(patsubst %_fuzz.c,%,$(notdir $(t))),,\
	-fsanitize=fuzzer)))

define driver
$(BUILD)/test/$(1): $(call obj,$(wildcard test/$(1)/*.c) $(wildcard test/$(1).c)) $(SUPPORTLIB) \
		$(ALLLIBS)
	@mkdir -p $$(@D)
	$$(LINK) $$^ $(TESTLIBS) $(LDLIBS)
endef
$(foreach d,$(DRIVERS),$(eval $(call driver,$(d))))

$(BUILD)/bench/%: $(BUILD)/obj/bench/%.o $(ALLLIBS)
	@mkdir -p $(@D)
	$(LINK) $^ $(LDLIBS)

# A library to preload that makes calls fail (test/faults), and a program to try it on.
$(BUILD)/test/shim.so: $(wildcard test/faults/shim*.[ch]) $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) -D_GNU_SOURCE= -std=gnu17 -O2 -g $(WARN) -fPIC -shared -o $@ $(filter %.c,$^) -ldl

$(BUILD)/test/victim: test/faults/victim.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) -D_GNU_SOURCE= -std=gnu17 -O2 -g $(WARN) -o $@ $<

tests: $(TESTS) $(BUILD)/test/shim.so $(BUILD)/test/victim
bench: all $(patsubst %,$(BUILD)/bench/%,$(BENCH))
fuzzers: $(FUZZERS)

# The fuzzers and the libraries under them are clang's, with sanitizers, in a build of their own.
fuzz:
	$(MAKE) BUILD=$(BUILD)/fuzzing CC=clang OPT=-O1 SAN=fuzzer-no-link,address,undefined fuzzers
	@mkdir -p $(BUILD)/fuzz
	@for f in $(notdir $(FUZZERS)); do ln -sf ../fuzzing/fuzz/$$f $(BUILD)/fuzz/$$f; done

test: all tests
	script/run-units $(BUILD)
	MERLON=$(abspath $(BUILD)/merlon) test/verify/run

check:
	tools/check

# ---- the rest ----------------------------------------------------------------------------------
SHARE = $(DESTDIR)$(PREFIX)/share
COMPLETION = $(firstword $(wildcard completion src/cli/completion))
put = $(if $(wildcard $(1)),install -D -m 644 $(1) $(2))

install: all
	install -D -m 755 $(BUILD)/merlon $(DESTDIR)$(PREFIX)/bin/merlon
	$(call put,doc/merlon.1,$(SHARE)/man/man1/merlon.1)
	$(call put,$(COMPLETION)/merlon.bash,$(SHARE)/bash-completion/completions/merlon)
	$(call put,$(COMPLETION)/_merlon,$(SHARE)/zsh/site-functions/_merlon)
	$(call put,$(COMPLETION)/merlon.zsh,$(SHARE)/zsh/site-functions/_merlon)
	$(call put,$(COMPLETION)/merlon.fish,$(SHARE)/fish/vendor_completions.d/merlon.fish)
	$(if $(TAXONOMY),mkdir -p $(SHARE)/merlon/taxonomy)
	$(if $(TAXONOMY),install -m 644 $(TAXONOMY) $(SHARE)/merlon/taxonomy/)
	mkdir -p $(SHARE)/merlon/hunts/cloud
	install -m 644 $(wildcard hunts/cloud/*.md) $(SHARE)/merlon/hunts/cloud/

format:
	clang-format -i $(wildcard src/*/*.[ch] test/*.[ch] test/*/*.[ch] bench/*.[ch])

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD)/obj -name '*.d' 2> /dev/null)
