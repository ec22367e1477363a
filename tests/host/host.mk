# SPDX-License-Identifier: BSD-2-Clause
#
# host - the pure sources and the native tests, built for the machine we build on
#
# make check-native   ASan and UBSan over all of tests/unit
# make check-tsan     the same under TSan
# make check-plain    the same without a sanitizer
# make fuzz           one libFuzzer binary for each of tests/fuzz, needs clang
# make coverage       the same under gcov, and which lines of mm/ no test runs
#
# NATIVE='GLOB ...' selects tests.  Another makefile may add to PURE_SRCS, UNIT_SRCS and
# HOST_SRCS, before or after it includes this one.

HOST_CC   ?= gcc
FUZZ_CC   ?= clang
HOST_OUT  ?= build/host

PARSE_SRCS = boot/info.c boot/mb1.c boot/mb2.c boot/pvh.c boot/cmdline.c boot/acpi.c \
	boot/fadt.c vm/elf.c lib/text.c lib/glyph.c lib/pixels.c lib/fmt.c lib/lineedit.c \
	tests/shell/parse.c
PURE_SRCS += $(PARSE_SRCS) lib/err.c
HOST_SRCS += tests/host/main.c tests/host/phys.c
UNIT_SRCS += $(sort $(wildcard tests/unit/*.c))
FUZZ_SRCS += $(sort $(wildcard tests/fuzz/*.c))

HOST_FLAGS = -std=c17 -O1 -g -Wall -Wextra -Werror -Wno-unknown-warning-option \
	-Wno-clobbered -fno-omit-frame-pointer -pthread -I. -Ilib/checked
HOST_asan  = -fsanitize=address,undefined -fno-sanitize-recover=all
HOST_tsan  = -fsanitize=thread
HOST_plain =
HOST_cov   =

host_objs = $(patsubst %.c,$(HOST_OUT)/$(1)/%.o,$(PURE_SRCS) $(HOST_SRCS) $(UNIT_SRCS))

# Prerequisites are expanded a second time, when all makefiles have been read.
.SECONDEXPANSION:

define host_variant
$(HOST_OUT)/$(1)/%.o: %.c tests/host/host.mk
	@mkdir -p $$(@D)
	$$(HOST_CC) $$(HOST_FLAGS) $$(HOST_$(1)) -MMD -MP -c -o $$@ $$<

$(HOST_OUT)/$(1)/unit: $$$$(call host_objs,$(1))
	$$(HOST_CC) $$(HOST_FLAGS) $$(HOST_$(1)) $$(HOST_LDFLAGS) -o $$@ $$^
endef
$(foreach v,asan tsan plain cov,$(eval $(call host_variant,$(v))))

# Only what is asked about counts its lines: the tests themselves would be slow.
$(HOST_OUT)/cov/mm/%.o: HOST_cov += -O0 --coverage -fprofile-update=single
$(HOST_OUT)/cov/unit: private HOST_cov += --coverage

.PHONY: check-native check-tsan check-plain coverage fuzz
check-native: $(HOST_OUT)/asan/unit
	$< $(NATIVE)
check-tsan: $(HOST_OUT)/tsan/unit
	$< $(NATIVE)
check-plain: $(HOST_OUT)/plain/unit
	$< $(NATIVE)
coverage: $(HOST_OUT)/cov/unit
	python3 tools/coverage.py $< mm $(NATIVE)

# A fuzzer is one command: nobody waits for these builds.
FUZZ = $(FUZZ_CC) $(HOST_FLAGS) -fsanitize=fuzzer,address,undefined \
	-fno-sanitize-recover=all
$(HOST_OUT)/fuzz/%: tests/fuzz/%.c tests/host/phys.c $(PARSE_SRCS) tests/host/host.mk
	@mkdir -p $(@D)
	$(FUZZ) -o $@ $(filter %.c,$^)

fuzz: $$(patsubst tests/fuzz/%.c,$(HOST_OUT)/fuzz/%,$$(FUZZ_SRCS))

-include $(wildcard $(HOST_OUT)/*/*/*.d $(HOST_OUT)/*/*/*/*.d)
