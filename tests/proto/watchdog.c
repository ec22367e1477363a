/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watchdog - a wait on a reader that nobody kicked is noticed, and the reader is named
 *
 * The kick is lost on purpose; gen-smr then waits on a guest that spins for ever.
 */
#include "arch/x86_64/kick.h"
#include "lib/str.h"
#include "tests/guest/abi.h"
#include "tests/proto/scenario.h"

#define SPIN_LIMIT 20000
#define CODE_LOW   0x8000
#define CODE_HIGH  0x10000

TEST(proto, watchdog, "a wait on a reader that nobody kicked names CPU and guest RIP",
     .vmx = true, .aps = 1)
{
	static const struct scenario sc = { .layout = ONE_PAGE, .role = GUEST_WRITER };
	static struct stage s;
	struct gather g = gather_init();
	const struct vm_watchdog *w;
	ticket_t ticket;

	t->proto = &gen_smr;
	if (stage_open(&s, t, &sc, 1)) {
		if (stage_progress(&s)) {
			w = &s.vm->watchdog;
			s.vm->spin_limit = SPIN_LIMIT;
			kick_delay(KICK_LOST);
			EXPECT_EQ(t,
				  ept_remap(&s.vm->ept, GPA(GUEST_WINDOW), s.block[1],
					    s.size, &g),
				  E_OK);
			ticket = vm_invalidate(s.vm, &g);
			EXPECT(t, w->fired);
			EXPECT_EQ(t, w->cpu, 1);
			EXPECT(t, w->guest_rip >= CODE_LOW && w->guest_rip < CODE_HIGH);
			vm_retire(s.vm, ticket, &g);
			t->invalidations = 1;
		}
		stage_close(&s);
	}
	t->proto = NULL;
}
