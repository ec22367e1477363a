/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smr_seq - why the sequence that is also the generation has 64 bits
 *
 * The form with 32 bits is smr itself: the reader publishes its slot, loads wr again
 * and compares.  With steps of 2^28 the circle has 16 of them.
 */
#include "inval/inval.h"
#include "lib/str.h"
#include "tests/host/cpu.h"
#include "tests/host/test.h"

#define PERIOD 16

static const struct smr_params giant = { 1, 1u << 28, 1u << 30, 1u << 29 };

/* Does this entry flush?  All is as in inval/smr_seq.c, but for the width. */
static bool naive_flushes(struct smr *s, smr_seq_t *flushed)
{
	smr_seq_t seq;
	bool flush;

	smr_enter(&s->slot[0]);
	seq = load_acquire(&s->wr);
	flush = seq != *flushed;
	*flushed = seq;
	smr_exit(&s->slot[0]);
	return flush;
}

/* A CPU that is out for n edits must flush if there was any. */
TEST(smr_seq_of_32_bits_forgets_to_flush_after_a_period)
{
	static struct smr s;

	for (unsigned n = 0; n < 5 * PERIOD; n++) {
		smr_seq_t flushed = 0;

		smr_init(&s, 2, &giant);
		EXPECT(naive_flushes(&s, &flushed));
		for (unsigned i = 0; i < n; i++)
			smr_synchronize(&s);
		EXPECT_EQ(naive_flushes(&s, &flushed), n % PERIOD != 0);
	}
}

/* What a distance can tell is no help: 0 and a period are the same. */
TEST(smr_seq_of_64_bits_flushes_after_any_number)
{
	static struct inval iv;
	static struct pool pool;
	struct inval_reader *r = &iv.reader[1];
	u64 had;

	for (unsigned i = 0; i < inval_proto_count; i++) {
		if (strcmp(inval_protos[i]->name, "smr-seq"))
			continue;
		for (unsigned bit = 1; bit < 63; bit++) {
			inval_init(&iv, inval_protos[i], &pool, 0x123000, 2);
			inval_protos[i]->enter(r);
			inval_protos[i]->exit(r);
			had = load_relaxed(&r->flushes);
			add_fence(&iv.gen, BIT(bit)); /* so many edits later */
			inval_protos[i]->enter(r);
			inval_protos[i]->exit(r);
			EXPECT_EQ(load_relaxed(&r->flushes), had + 1);
			inval_protos[i]->enter(r);
			inval_protos[i]->exit(r);
			EXPECT_EQ(load_relaxed(&r->flushes), had + 1);
		}
		return;
	}
	EXPECT(!"smr-seq exists");
}
