# SPDX-License-Identifier: BSD-2-Clause
#
# zoo - programs in which one source has one step wrong; tools/zoo.py runs them
#
# build/zoo/NAME/unit, record, threads   the native programs of tests/host
# build/zoo/NAME/shootdown.elf           the kernel, for mutants that are no protocol
#
# Each is linked from the objects of the sound one, but for the one of the mutant.  It
# comes after host.mk and threads.mk, which ask for the second expansion.

ZOO_OUT = build/zoo

# The files are asked for by rules alone: NAME=FILE of each patch.
ZOO_FILES = $(or $(ZOO_FILES_READ),$(eval ZOO_FILES_READ := $(shell \
	sed -n 's,^+++ b/,,p;s,^mutant: ,=,p' inval/zoo/*.patch | \
	awk '/^=/ { name = substr($$0, 2); next } { print name "=" $$0 }'))$(ZOO_FILES_READ))
zoo_file = $(patsubst $(1)=%,%,$(filter $(1)=%,$(ZOO_FILES)))
# The objects $(2), those of the file of NAME left out.
zoo_rest = $(filter-out %/$(patsubst %.c,%.o,$(call zoo_file,$(1))),$(2))

$(ZOO_OUT)/%/mutant.c: inval/zoo/%.patch tools/mutate.py $$(call zoo_file,$$*)
	$(PYTHON) tools/mutate.py $< $@

$(ZOO_OUT)/%/unit.o: $(ZOO_OUT)/%/mutant.c
	$(HOST_CC) $(HOST_FLAGS) $(HOST_asan) -c -o $@ $<
$(ZOO_OUT)/%/unit: $(ZOO_OUT)/%/unit.o $$(call host_objs,asan)
	$(HOST_CC) $(HOST_FLAGS) $(HOST_asan) $(HOST_LDFLAGS) -o $@ $< \
		$(call zoo_rest,$*,$(call host_objs,asan))

$(ZOO_OUT)/%/record.o: $(ZOO_OUT)/%/mutant.c
	$(HOST_CC) -Itests/host/record $(HOST_FLAGS) $(HOST_asan) -c -o $@ $<
$(ZOO_OUT)/%/record: $(ZOO_OUT)/%/record.o $(RECORD_OBJS)
	$(HOST_CC) $(HOST_FLAGS) $(HOST_asan) -o $@ $< $(call zoo_rest,$*,$(RECORD_OBJS))

ZOO_THREADS = $(THREADS_SRCS:%.c=$(TSO_OUT)/%.o) $(TSO_OUT)/none/inval/gen_smr.o
$(ZOO_OUT)/%/threads.o: $(ZOO_OUT)/%/mutant.c
	$(HOST_CC) $(TSO_FLAGS) $(HOST_tsan) -c -o $@ $<
$(ZOO_OUT)/%/threads: $(ZOO_OUT)/%/threads.o $(ZOO_THREADS)
	$(HOST_CC) $(TSO_FLAGS) $(HOST_tsan) -o $@ $< $(call zoo_rest,$*,$(ZOO_THREADS))

$(ZOO_OUT)/%/kernel.o: $(ZOO_OUT)/%/mutant.c
	$(CC) $(CFLAGS) -c -o $@ $<
$(ZOO_OUT)/%/shootdown.elf: $(ZOO_OUT)/%/kernel.o $(OBJS) linker.ld
	$(LD) $(LDFLAGS) -T linker.ld -o $@ $< $(call zoo_rest,$*,$(OBJS))
	$(PYTHON) tools/headers.py $@
