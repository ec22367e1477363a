/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * svm_asid - no guest uses what was cached before a flush, whatever the TLB keeps
 *
 * The model's TLB forgets nothing by itself: it notes, for each ASID, whose
 * translations it has and how old they are.  VMRUN obeys TLB_CONTROL, as entry.S and
 * hardware do.
 */
#include <string.h>

#include "svm/asid.h"
#include "tests/host/test.h"

#define ROOTS 40
#define STEPS 200000

static struct asids asids;
static struct vmcb vmcbs[2], *loaded;

/* What is cached under an ASID: of which root, filled at which times. */
static struct tlb {
	u64 root, oldest;
} tlb[ASIDS_MAX];
static u64 now, flushed[ROOTS + 1]; /* when the root was last dropped */

static u64 root_of(unsigned i)
{
	return i * PAGE_SIZE;
}

static void begin(u32 count)
{
	memset(vmcbs, 0, sizeof(vmcbs));
	memset(flushed, 0, sizeof(flushed));
	/* Somebody before us left something under every ASID. */
	for (unsigned i = 0; i < ASIDS_MAX; i++)
		tlb[i] = (struct tlb){ .root = ~0ull };
	now = 1;
	loaded = NULL;
	asids_init(&asids, count);
}

static void load(struct vmcb *b, u64 root)
{
	if (loaded)
		asid_put(&asids, loaded);
	memset(b, 0, sizeof(*b));
	loaded = b;
	asid_use(&asids, b, root);
}

static void flush(u64 root)
{
	now++;
	if (loaded && loaded->n_cr3 == root)
		asid_renew(&asids, loaded);
	else
		asid_drop(&asids, root);
	for (unsigned i = 1; i <= ROOTS; i++)
		if (!root || root == root_of(i))
			flushed[i] = now;
	if (loaded && loaded->n_cr3 != root)
		asid_use(&asids, loaded, loaded->n_cr3);
}

/* True if the guest can use nothing that it may not. */
static bool vmrun(void)
{
	struct tlb *t = &tlb[loaded->asid];
	unsigned root = (unsigned)(loaded->n_cr3 / PAGE_SIZE);

	now++;
	if (loaded->tlb_control == TLB_FLUSH_ALL)
		memset(tlb, 0, sizeof(tlb));
	loaded->tlb_control = TLB_NOTHING;
	if (!loaded->asid || loaded->asid >= asids.count)
		return false;
	if (t->root && (t->root != loaded->n_cr3 || t->oldest < flushed[root]))
		return false;
	if (!t->root)
		*t = (struct tlb){ loaded->n_cr3, now };
	return true;
}

static void step(struct rng *rng)
{
	u64 root = root_of(1 + (unsigned)rng_below(rng, ROOTS));

	switch (rng_below(rng, 6)) {
	case 0:
		load(&vmcbs[rng_below(rng, 2)], root);
		break;
	case 1:
		if (loaded)
			asid_use(&asids, loaded, root);
		break;
	case 2:
		flush(root);
		break;
	case 3:
		flush(rng_below(rng, 8) || !loaded ? 0 : loaded->n_cr3);
		break;
	default:
		if (loaded && !EXPECT(vmrun()))
			panic("step");
	}
}

TEST(an_asid_never_gives_what_was_flushed)
{
	static const u32 counts[] = { 3, 4, 16, 64, 0x8000 };
	struct rng rng = test_rng();

	for (unsigned i = 0; i < ARRAY_LEN(counts); i++) {
		begin(counts[i]);
		for (unsigned n = 0; n < STEPS; n++)
			step(&rng);
		EXPECT(asids.wraps > 10);
	}
}

TEST(a_root_keeps_its_asid_until_it_is_flushed)
{
	u32 asid;

	begin(16);
	load(&vmcbs[0], root_of(1));
	EXPECT_EQ(vmcbs[0].tlb_control, TLB_FLUSH_ALL); /* whoever was here before */
	EXPECT(vmrun());
	asid = vmcbs[0].asid;
	load(&vmcbs[1], root_of(2));
	EXPECT(vmcbs[1].asid != asid);
	load(&vmcbs[0], root_of(1));
	EXPECT_EQ(vmcbs[0].asid, asid);
	EXPECT_EQ(vmcbs[0].tlb_control, TLB_NOTHING);
	flush(root_of(2));
	EXPECT_EQ(vmcbs[0].asid, asid);
	flush(root_of(1));
	EXPECT(vmcbs[0].asid != asid);
	EXPECT_EQ(vmcbs[0].tlb_control, TLB_NOTHING);
}

TEST(a_debt_goes_to_whoever_runs_next)
{
	begin(3);
	load(&vmcbs[0], root_of(1));
	load(&vmcbs[1], root_of(1)); /* the first has not run */
	EXPECT_EQ(vmcbs[1].tlb_control, TLB_FLUSH_ALL);
	EXPECT(vmrun());
	load(&vmcbs[0], root_of(1));
	EXPECT_EQ(vmcbs[0].tlb_control, TLB_NOTHING);
	flush(root_of(1));
	EXPECT_EQ(asids.wraps, 0);
	flush(root_of(1));
	EXPECT_EQ(asids.wraps, 1);
	EXPECT_EQ(vmcbs[0].tlb_control, TLB_FLUSH_ALL);
	EXPECT_EQ(vmcbs[0].asid, 1);
}
