# SPDX-License-Identifier: BSD-2-Clause
#
# make                  build/checked/shootdown.elf: asserts and traces, the default
# make BUILD=fast       build/fast/shootdown.elf: what the benches measure
# make check            layers, headers, format and native tests, under a minute
# make CC=clang         the same with clang; CROSS_COMPILE is honoured
# make O=DIR            puts the build elsewhere

BUILD ?= checked
O     ?= build/$(BUILD)

ifeq ($(origin CC),default)
CC = $(CROSS_COMPILE)gcc
endif
LD      = $(CROSS_COMPILE)ld
OBJCOPY = $(CROSS_COMPILE)objcopy
PYTHON ?= python3
CLANG_FORMAT ?= clang-format

WARN   = -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	 -Wno-unknown-warning-option -Wno-override-init -Wno-initializer-overrides
# No libc, no red zone, no floating point or vector registers; nothing in the output
# depends on where or when it is built.
MACHINE = -std=gnu17 -ffreestanding -fno-pic -fno-pie -mno-red-zone \
	 -mgeneral-regs-only -fno-stack-protector -fcf-protection=none \
	 -fno-asynchronous-unwind-tables -fno-strict-aliasing -fno-common \
	 -ffile-prefix-map=$(CURDIR)=.
CFLAGS  = $(WARN) $(MACHINE) -O2 -g -I. -Ilib/$(BUILD) -MMD -MP \
	 $(if $(filter checked,$(BUILD)),-fno-omit-frame-pointer,-fomit-frame-pointer)
ASFLAGS = -I. -MMD -MP -ffile-prefix-map=$(CURDIR)=. -fdebug-prefix-map=$(CURDIR)=. -g
LDFLAGS = -nostdlib -static -z max-page-size=0x1000 -z noexecstack --build-id=none

# No protocol that ships uses smr/flavours.c.
SRCS := $(wildcard lib/*.c smr/smr.c mm/*.c inval/*.c arch/x86_64/*.c vmx/*.c svm/*.c vm/*.c \
	boot/*.c tests/*.c tests/boot/*.c tests/proto/*.c tests/bench/*.c \
	tests/vmx/*.c tests/selftest/*.c tests/shell/*.c)
ASMS := boot/start.S $(wildcard arch/x86_64/*.S vmx/*.S svm/*.S) tests/guest/blobs.S
# Protocols with one step wrong, in the checked build alone: tools/mutate.py.  Those of
# other sources (zoo.mk) are no part of any kernel that ships.
ZOO_PROTOS := $(patsubst inval/zoo/%.patch,%,$(sort \
	$(shell grep -l '^of: ' inval/zoo/*.patch)))
ZOO  := $(if $(filter checked,$(BUILD)),$(ZOO_PROTOS))
ZOO_SRCS := $(ZOO:%=$(O)/zoo/%.c) $(O)/zoo/table.c
OBJS := $(SRCS:%.c=$(O)/%.o) $(ASMS:%.S=$(O)/%.S.o) $(ZOO_SRCS:.c=.o)

SOURCE_DIRS := lib smr mm inval arch vmx svm vm boot tests

GUESTS := access events gap hammer hello null_call misdeed dirty real
GUEST_ELFS := $(GUESTS:%=$(O)/guest/%.guest)

.PHONY: all check clean
.DELETE_ON_ERROR:
.SECONDARY:
all: $(O)/shootdown.elf build/boot/disk.bin

$(O)/shootdown.elf: $(OBJS) linker.ld tools/headers.py
	$(LD) $(LDFLAGS) -T linker.ld -o $@ $(OBJS)
	$(PYTHON) tools/headers.py $@

$(O)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -c -o $@ $<

$(O)/%.S.o: %.S
	@mkdir -p $(@D)
	$(CC) $(ASFLAGS) -Wa,-I$(O)/guest -c -o $@ $<

$(O)/zoo/%.o: $(O)/zoo/%.c
	$(CC) $(CFLAGS) -ffile-prefix-map=$(O)=. -c -o $@ $<

$(O)/zoo/table.c: inval/zoo $(ZOO:%=inval/zoo/%.patch) tools/mutate.py
	$(PYTHON) tools/mutate.py --table $@ $(ZOO:%=inval/zoo/%.patch)

$(O)/zoo/%.c: inval/zoo/%.patch $(wildcard inval/*.c) tools/mutate.py
	$(PYTHON) tools/mutate.py --link $< $@

$(O)/tests/guest/blobs.S.o: $(GUEST_ELFS)

$(O)/guest/%.guest: $(O)/tests/guest/start.S.o $(O)/tests/guest/%.o tests/guest/guest.ld
	@mkdir -p $(@D)
	$(LD) $(LDFLAGS) -s -T tests/guest/guest.ld -o $@ $(filter %.o,$^)

$(O)/guest/events.guest: $(O)/tests/guest/places.S.o

$(O)/guest/real.guest: $(O)/tests/guest/real.S.o tests/guest/guest.ld
	@mkdir -p $(@D)
	$(LD) $(LDFLAGS) -s -T tests/guest/guest.ld -o $@ $(filter %.o,$^)

include boot/disk.mk
PURE_SRCS += vmx/caps.c vmx/explain.c svm/asid.c svm/caps.c svm/event.c svm/explain.c \
	svm/state.c svm/told.c vm/event.c \
	arch/x86_64/facts.c vmx/facts.c svm/facts.c lib/flags.c \
	lib/console.c lib/fmt.c lib/grid.c mm/mtrr.c mm/ept_ram.c inval/ghost_text.c \
	arch/x86_64/cluster.c arch/x86_64/mca.c arch/x86_64/wedge.c \
	tests/steps_text.c
include $(wildcard tests/host/*.mk)
include $(wildcard tests/explore/*.mk)
include inval/zoo/zoo.mk

.PHONY: check-layers check-headers check-format
check: check-layers check-headers check-format check-native check-threads

check-layers:
	$(PYTHON) tools/layers.py

# Every header compiles alone, so that none depends on what came before it.
HEADERS := $(wildcard lib/*.h smr/*.h mm/*.h inval/*.h arch/x86_64/*.h vmx/*.h svm/*.h vm/*.h \
	boot/*.h tests/*.h tests/proto/*.h tests/bench/*.h tests/vmx/*.h tests/guest/*.h \
	tests/shell/*.h \
	tests/host/*.h tests/explore/*.h)
check-headers:
	@for h in $(HEADERS); do \
		$(CC) $(WARN) -Wno-unused-function -Wno-unused-const-variable $(MACHINE) \
			-I. -Ilib/checked -fsyntax-only -x c $$h || exit 1; \
	done
	@echo "headers: $(words $(HEADERS)) stand alone"

# Versions of clang-format differ in what they make of the same style: one decides.
FORMATTED = $(shell find $(SOURCE_DIRS) -name '*.[ch]')
check-format:
	@if $(CLANG_FORMAT) --version | grep -q 'version 14\.'; then \
		$(CLANG_FORMAT) --dry-run -Werror $(FORMATTED) && \
		echo "format: $(words $(FORMATTED)) files"; \
	else \
		echo "format: skipped, version 14 of clang-format decides"; \
	fi

clean:
	rm -rf build

-include $(OBJS:.o=.d) $(wildcard $(O)/tests/guest/*.d)
