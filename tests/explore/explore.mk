# SPDX-License-Identifier: BSD-2-Clause
#
# explore - smr and inval under every interleaving of a few CPUs
#
# make explore        the suite; ends with "N passed, N failed, N skipped"
# build/explore/explore PROTOCOL     one protocol; --list shows all
#
# The mutants are those of inval/zoo, as mutant-NAME.

EXPLORE_OUT ?= build/explore
EXPLORE_DIR = tests/explore
EXPLORE_CC ?= gcc

EXPLORE_SMR = $(patsubst $(EXPLORE_DIR)/zoo/%.patch,%,$(wildcard $(EXPLORE_DIR)/zoo/*.patch))

# What comes first on the include path decides what lib/atomic.h is.  Its code runs on
# small stacks that are part of a state: no checks of them, no addresses that vary.
EXPLORE_FLAGS = -std=gnu17 -O2 -g -Wall -Wextra -Werror -Wno-unknown-warning-option \
	-fno-builtin-exit -fno-pie -fno-stack-protector -fcf-protection=none \
	-fno-strict-aliasing -D_POSIX_C_SOURCE=200809L -I$(EXPLORE_DIR) -I. -Ilib/checked

# The ghost TLB watches nobody here, and the steps are told with the story.
EXPLORED_SRCS = smr/smr.c smr/flavours.c tests/host/kick_many.c \
	$(sort $(filter-out inval/ghost% inval/step.c,$(wildcard inval/*.c)))
EXPLORER_SRCS = $(sort $(wildcard $(EXPLORE_DIR)/*.c))

EXPLORED_OBJS = $(EXPLORED_SRCS:%.c=$(EXPLORE_OUT)/%.o) \
	$(ZOO_PROTOS:%=$(EXPLORE_OUT)/zoo/%.o) $(EXPLORE_OUT)/zoo/table.o \
	$(EXPLORE_SMR:%=$(EXPLORE_OUT)/zoo/%/mutant.o)
EXPLORE_OBJS = $(EXPLORED_OBJS) $(EXPLORER_SRCS:%.c=$(EXPLORE_OUT)/%.o) \
	$(EXPLORE_OUT)/inval/ghost.o $(EXPLORE_OUT)/inval/ghost_tag.o \
	$(EXPLORE_OUT)/$(EXPLORE_DIR)/switch.o

$(EXPLORE_OUT)/%.o: %.c $(EXPLORE_DIR)/explore.mk
	@mkdir -p $(@D)
	$(EXPLORE_CC) $(EXPLORE_FLAGS) -MMD -MP -c -o $@ $<
$(EXPLORE_OUT)/%.o: %.S $(EXPLORE_DIR)/explore.mk
	@mkdir -p $(@D)
	$(EXPLORE_CC) -c -o $@ $<

$(EXPLORE_OUT)/zoo/table.c: inval/zoo $(ZOO_PROTOS:%=inval/zoo/%.patch) tools/mutate.py
	$(PYTHON) tools/mutate.py --table $@ $(ZOO_PROTOS:%=inval/zoo/%.patch)
$(EXPLORE_OUT)/zoo/%.c: inval/zoo/%.patch $(wildcard inval/*.c) tools/mutate.py
	$(PYTHON) tools/mutate.py --link $< $@
$(EXPLORE_OUT)/zoo/%.o: $(EXPLORE_OUT)/zoo/%.c $(EXPLORE_DIR)/explore.mk
	$(EXPLORE_CC) $(EXPLORE_FLAGS) -MMD -MP -c -o $@ $<

# Mutants of SMR, for sequences that come round within an exploration: gen-smr with an
# smr.c of its own.
$(EXPLORE_OUT)/zoo/%/mutant.o: $(EXPLORE_DIR)/zoo/%.patch inval/gen_smr.c \
		smr/smr.c smr/smr.h $(EXPLORE_DIR)/explore.mk
	@rm -rf $(@D) && mkdir -p $(@D)/inval $(@D)/smr
	@cp inval/gen_smr.c $(@D)/inval && cp smr/smr.[ch] $(@D)/smr
	patch -s -p1 -F0 -d $(@D) <$<
	set -e; for c in inval/gen_smr smr/smr; do \
		$(EXPLORE_CC) -I$(@D) $(EXPLORE_FLAGS) -MMD -MP -MT $@ -c \
			-o $(@D)/$${c##*/}.o $(@D)/$$c.c; \
	done; \
	ld -r -o $@ $(@D)/gen_smr.o $(@D)/smr.o; \
	objcopy --redefine-sym gen_smr=zoo_$* --keep-global-symbol=zoo_$* $@

# A state is what lies in struct inval: a protocol's own variables would escape it.
$(EXPLORE_OUT)/explore: $(EXPLORE_OBJS)
	@if nm -A $(EXPLORED_OBJS) | grep ' [bBdDC] '; then \
		echo "a protocol keeps state outside of struct inval"; exit 1; fi
	$(EXPLORE_CC) -no-pie -o $@ $^

.PHONY: explore
explore: $(EXPLORE_OUT)/explore
	$<

-include $(wildcard $(EXPLORE_OUT)/*/*.d $(EXPLORE_OUT)/*/*/*.d)
