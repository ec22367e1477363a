/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dirty_model - no write is lost, in any mode, whatever is edited meanwhile.
 */
#include "tests/unit/writes.h"

/* Two CPUs of the guest write while somebody edits: one random step. */
static void step(struct rng *r, struct gather *edits)
{
	u64 page = FROM - 4 + rng_below(r, TO - FROM + 8);
	u64 n = 1 + rng_below(r, MIN(8ull, PAGES - page)), hpa = rng_below(r, 1 << 20);
	gpa_t gpa = GPA(page * PAGE);
	u64 rwx = rng_below(r, 2) ? EPTE_RWX : EPTE_R;
	enum err err = E_OK;

	switch (rng_below(r, 32)) {
	case 0:
		err = ept_unmap(&ept, gpa, n * PAGE, edits);
		break;
	case 1:
		err = ept_remap(&ept, gpa, HPA(hpa * PAGE), n * PAGE, edits);
		break;
	case 2:
		err = ept_protect(&ept, gpa, n * PAGE, rwx, edits);
		break;
	case 3:
		complete(edits);
		break;
	case 4:
		err = ept_map(&ept, gpa, HPA(hpa * PAGE), n * PAGE, RWX, edits);
		err = err == E_EXIST ? E_OK : err;
		break;
	case 5:
		drain((unsigned)rng_below(r, CPUS));
		break;
	default:
		write((unsigned)rng_below(r, CPUS), page);
	}
	EXPECT_EQ(err, E_OK);
}

/* New frames have new contents: what maps one is a write that must not be lost. */
static void new_contents(const u64 *before)
{
	for (u64 page = 0; page < PAGES; page++)
		if ((found(page * PAGE) & EPTE_ADDR) != before[page] &&
		    found(page * PAGE))
			version[page]++;
}

TEST_BOTH(dirty_loses_nothing)
{
	struct rng r = test_rng();

	for (unsigned run = 0; run < 150; run++) {
		struct gather edits = gather_init();

		begin(run % 3);
		for (unsigned i = 0; i < 400; i++) {
			u64 before[PAGES];

			for (u64 page = 0; page < PAGES; page++)
				before[page] = found(page * PAGE) & EPTE_ADDR;
			step(&r, &edits);
			new_contents(before);
			if (rng_below(&r, 40))
				continue;
			reap(&g);
			for (u64 more = rng_below(&r, 8); more; more--)
				write((unsigned)rng_below(&r, CPUS),
				      FROM + rng_below(&r, TO - FROM));
			complete(&g);
			copy_pages();
		}
		complete(&edits);
		expect_nothing_lost();
		EXPECT_EQ(round_trip(), 0);
		dirty_stop(&dirty);
	}
}
