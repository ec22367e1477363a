# SPDX-License-Identifier: BSD-2-Clause
#
# threads - the concurrent core natively: unit tests, TSan, and stores one by one
#
# make check-threads   smr, mm and inval under TSan with a model of the store buffer,
#                      and the twists of them that must be reported
#
# It is included after host.mk, and gives it the sources that tests/unit need.

PURE_SRCS  += $(CORE_SRCS)
HOST_SRCS  += $(STAND_INS) $(MANY_SRC) $(EPT_SRCS)
HOST_FLAGS += -fno-builtin-exit
HOST_LDFLAGS += $(EPT_LDFLAGS)
HOST_tsan  += -Wno-tsan

# What the pool asks of a machine: memory, and a number for the CPU.
STAND_INS = tests/host/ram.c tests/host/cpu.c

MM_SRCS = mm/pool.c mm/gather.c mm/format.c mm/table.c mm/walk.c mm/ept.c mm/change.c mm/resize.c \
	mm/dirty.c mm/fault.c lib/trace.c
# Kicks of several CPUs, for programs that say what a kick is.
MANY_SRC = tests/host/kick_many.c
# Every protocol; the ghost TLB's words need a formatter, and go where one is.
INVAL_SRCS = $(sort $(filter-out inval/ghost_text.c,$(wildcard inval/*.c)))
CORE_SRCS = smr/smr.c smr/flavours.c $(MM_SRCS) $(INVAL_SRCS)

# Edits of an EPT beside a flat map; allocations fail when these files say so.
RAW_SRCS = tests/host/eptraw.c tests/host/nptraw.c
EPT_SRCS = $(RAW_SRCS) tests/host/eptflat.c tests/host/eptsteps.c \
	tests/host/eptguest.c tests/host/eptalloc.c
EPT_LDFLAGS = -Wl,--wrap=pool_alloc

$(HOST_OUT)/fuzz/ept: tests/fuzz/ept.c $(STAND_INS) $(EPT_SRCS) $(MM_SRCS) lib/text.c \
		$(wildcard mm/*.h tests/host/ept*.h) tests/host/threads.mk
	@mkdir -p $(@D)
	$(FUZZ) $(EPT_LDFLAGS) -o $@ $(filter %.c,$^)

# Each operation of the core goes through a hook: tests/host/record is first.
RECORD_SRCS = $(CORE_SRCS) lib/err.c lib/text.c tests/host/main.c $(STAND_INS) \
	$(MANY_SRC) $(RAW_SRCS) $(sort $(wildcard tests/host/record/*.c))
RECORD_OBJS = $(RECORD_SRCS:%.c=$(HOST_OUT)/record/%.o)

$(HOST_OUT)/record/%.o: %.c tests/host/threads.mk
	@mkdir -p $(@D)
	$(HOST_CC) -Itests/host/record $(HOST_FLAGS) $(HOST_asan) -MMD -MP -c -o $@ $<
$(HOST_OUT)/record/unit: $(RECORD_OBJS)
	$(HOST_CC) $(HOST_FLAGS) $(HOST_asan) -o $@ $^

# The same under TSan, behind a store buffer: tests/host/tsan is first.
TSO_OUT   = $(HOST_OUT)/tso
TSO_FLAGS = -Itests/host/tsan $(HOST_FLAGS)
TSO_SRCS  = smr/smr.c $(MM_SRCS) inval/ghost.c inval/ghost_tag.c lib/err.c lib/text.c \
	$(STAND_INS) tests/host/hw_threads.c $(MANY_SRC) tests/host/tsan/tso.c
PROTO_SRCS = $(TSO_SRCS) \
	$(filter-out inval/gen_smr.c inval/ghost.c inval/ghost_tag.c,$(INVAL_SRCS)) \
	inval/ghost_text.c lib/fmt.c $(sort $(wildcard tests/host/mutants*.c))
THREADS_SRCS = $(PROTO_SRCS) tests/host/threads.c
INITIATORS_SRCS = $(PROTO_SRCS) tests/host/initiators.c
FRAMES_SRCS = $(filter-out mm/pool.c,$(TSO_SRCS)) tests/host/frames.c
FILLS_SRCS = $(TSO_SRCS) inval/inval.c inval/step.c

$(TSO_OUT)/%.o: %.c tests/host/threads.mk
	@mkdir -p $(@D)
	$(HOST_CC) $(TSO_FLAGS) $(TSAN) -MMD -MP -c -o $@ $<
$(TSO_OUT)/%.o: TSAN = $(HOST_tsan)
$(TSO_OUT)/tests/host/tsan/tso.o: TSAN =

# A twist is a directory that comes before all others on the include path, for the one
# file that it is about.  `none` does not exist: the sources as they are.
SMR_TWISTS   = none no_fence weak_exit early_exit no_wait
POOL_TWISTS  = none weak_exit no_lock one_list
FILLS_TWISTS = none no_wait no_hold no_retry no_ticket

define twist
$(TSO_OUT)/$(1)/%.o: %.c tests/host/threads.mk
	@mkdir -p $$(@D)
	$$(HOST_CC) -Itests/host/twist/$(1) $$(TSO_FLAGS) $$(HOST_tsan) -MMD -MP -c -o $$@ $$<
$(TSO_OUT)/$(1)/threads: $(THREADS_SRCS:%.c=$(TSO_OUT)/%.o) $(TSO_OUT)/$(1)/inval/gen_smr.o
	$$(HOST_CC) $$(TSO_FLAGS) $$(HOST_tsan) -o $$@ $$^
$(TSO_OUT)/$(1)/initiators: $(INITIATORS_SRCS:%.c=$(TSO_OUT)/%.o) $(TSO_OUT)/$(1)/inval/gen_smr.o
	$$(HOST_CC) $$(TSO_FLAGS) $$(HOST_tsan) -o $$@ $$^
$(TSO_OUT)/$(1)/fills: $(FILLS_SRCS:%.c=$(TSO_OUT)/%.o) $(TSO_OUT)/$(1)/inval/gen_smr.o \
		$(TSO_OUT)/$(1)/tests/host/fills.o
	$$(HOST_CC) $$(TSO_FLAGS) $$(HOST_tsan) -o $$@ $$^
$(TSO_OUT)/$(1)/sections: $(TSO_SRCS:%.c=$(TSO_OUT)/%.o) $(TSO_OUT)/$(1)/tests/host/sections.o
	$$(HOST_CC) $$(TSO_FLAGS) $$(HOST_tsan) -o $$@ $$^
$(TSO_OUT)/$(1)/frames: $(FRAMES_SRCS:%.c=$(TSO_OUT)/%.o) $(TSO_OUT)/$(1)/mm/pool.o
	$$(HOST_CC) $$(TSO_FLAGS) $$(HOST_tsan) -o $$@ $$^
endef
$(foreach t,$(sort $(SMR_TWISTS) $(POOL_TWISTS) $(FILLS_TWISTS)),$(eval $(call twist,$(t))))

$(TSO_OUT)/litmus: $(TSO_SRCS:%.c=$(TSO_OUT)/%.o) $(TSO_OUT)/tests/host/litmus.o
	$(HOST_CC) $(TSO_FLAGS) $(HOST_tsan) -o $@ $^

TSO_PROGRAMS = $(TSO_OUT)/litmus $(TSO_OUT)/none/initiators $(POOL_TWISTS:%=$(TSO_OUT)/%/frames) \
	$(FILLS_TWISTS:%=$(TSO_OUT)/%/fills) \
	$(SMR_TWISTS:%=$(TSO_OUT)/%/threads) $(SMR_TWISTS:%=$(TSO_OUT)/%/sections)

.PHONY: check-threads
check-threads: tests/host/threads.sh $(HOST_OUT)/record/unit $(TSO_PROGRAMS)
	sh $< $(HOST_OUT)

-include $(shell find $(TSO_OUT) $(HOST_OUT)/record -name '*.d' 2>/dev/null)
