# SPDX-License-Identifier: BSD-2-Clause
#
# timing - what no machine counts, and SMR beside libraries of its kind
#
# It comes after host.mk and threads.mk.
#
# make bench-native   locked operations and foreign lines of each protocol; instructions
#                     of a read section; ns of it beside libck and liburcu, if installed

BENCH_OUT  = $(HOST_OUT)/bench
COSTS_SRCS = $(CORE_SRCS) lib/err.c lib/text.c tests/host/main.c $(STAND_INS) \
	$(MANY_SRC) $(RAW_SRCS) tests/host/costs.c

COSTS_OBJS = $(COSTS_SRCS:%.c=$(HOST_OUT)/record/%.o)

$(BENCH_OUT)/costs: $(COSTS_OBJS)
	@mkdir -p $(@D)
	$(HOST_CC) $(HOST_FLAGS) $(HOST_asan) -o $@ $^

# As the fast build of the kernel compiles it.
$(BENCH_OUT)/section.o: tests/host/section.c tests/host/timing.mk
	@mkdir -p $(@D)
	$(CC) $(WARN) $(MACHINE) -O2 -fomit-frame-pointer -I. -Ilib/fast -MMD -MP -c -o $@ $<

# The peers are inlined, as SMR is.
$(BENCH_OUT)/smr_bench: tests/host/smr_bench.c smr/smr.c tests/host/timing.mk
	@mkdir -p $(@D)
	$(HOST_CC) -std=gnu17 -O2 -Wall -Wextra -Werror -I. -Ilib/fast -MMD -MP -pthread \
		-o $@ $(filter %.c,$^) -lck -lurcu-mb -lurcu-memb -lurcu-qsbr

.PHONY: bench-native
bench-native: tests/host/costs.sh $(BENCH_OUT)/costs $(BENCH_OUT)/section.o
	sh $< $(BENCH_OUT) "$(MAKE)"

-include $(wildcard $(BENCH_OUT)/*.d)
