/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rows - the table of docs/protocols.md, section 11, which the suite must find again
 *
 * A mutant zoo_X is the shipping source with zoo/X.patch applied.
 */
#include "tests/explore/rows.h"

extern const struct inval_proto zoo_h1, zoo_h2, zoo_h3, zoo_h4, zoo_h5, zoo_h6, zoo_h7,
	zoo_h8a, zoo_h8b, zoo_h10, zoo_h11, zoo_h3_h12, zoo_m19, zoo_m20, zoo_s5,
	zoo_root_no_flush, zoo_root_no_switch;

#define ROW(name, p, ...)                              \
	{                                              \
		.id = name, .proto = &(p), __VA_ARGS__ \
	}
#define UNSAFE      .unsafe_flight = true
#define UNSAFE_BOTH .unsafe_flight = true, .unsafe_instant = true
#define WAITS       .waits = true
#define EATS        .eats = true
/* Sequences that come around within the exploration. */
#define CIRCLE(n)  .quarter = true, .edits = (n)
#define WHAT(text) .what = text

const struct row rows[] = {
	ROW("gen-smr", gen_smr, WHAT("as committed")),
	ROW("H1", zoo_h1, WHAT("no wait"), UNSAFE),
	ROW("H2", zoo_h2, WHAT("no kick"), WAITS),
	ROW("H3", zoo_h3, WHAT("gen loaded before enter"), UNSAFE),
	ROW("H4", zoo_h4, WHAT("slot by a plain store"), UNSAFE),
	ROW("H5", zoo_h5, WHAT("enter before active"), WAITS),
	ROW("H6", zoo_h6, WHAT("active read before advance"), WAITS),
	ROW("H7", zoo_h7, WHAT("gen++ before the EPT store"), UNSAFE_BOTH),
	ROW("H8a", zoo_h8a, WHAT("gen++ after advance"), UNSAFE),
	ROW("H8b", zoo_h8b, WHAT("gen++ after wait"), UNSAFE_BOTH),
	ROW("H9", smr_deferred, WHAT("deferred goal"), WAITS),
	ROW("H10", zoo_h10, WHAT("idle before guest exit"), UNSAFE),
	ROW("H11", zoo_h11, WHAT("active clear before exit")),
	ROW("H12", gen_smr, WHAT("host eats the kick"), EATS, WAITS),
	ROW("H3+H12", zoo_h3_h12, WHAT("eaten between gen and enter"), UNSAFE_BOTH),
	ROW("H4+H12", zoo_h4, WHAT("both"), EATS, UNSAFE_BOTH, WAITS),
	ROW("seq-published", seq_published, WHAT("smr-seq, compare published"), UNSAFE),
	ROW("seq-reloaded", seq_reloaded, WHAT("smr-seq, re-load")),
	ROW("gen-ipi", gen_ipi, WHAT("gen and kick, no SMR"), UNSAFE),
	ROW("gen-ipi+H12", gen_ipi, WHAT("host eats the kick"), EATS, UNSAFE_BOTH),
	ROW("lazy", smr_lazy, WHAT("slots wait for a tick"), UNSAFE, WAITS),
	ROW("M19", zoo_m19, WHAT("sequences compared unsigned"), UNSAFE),
	ROW("M20", zoo_m20, WHAT("no clamp to rd"), UNSAFE, CIRCLE(3)),
	ROW("M20-clamped", zoo_s5, WHAT("the same with it"), CIRCLE(3)),
	ROW("S5", zoo_s5, WHAT("asleep for half the circle"), UNSAFE, CIRCLE(4)),
	ROW("S5-looked", gen_smr, WHAT("as committed, looks again"), CIRCLE(4)),
	ROW("seq-32", seq_reloaded, WHAT("smr-seq, out for a period"), UNSAFE_BOTH,
	    CIRCLE(4)),
	ROW("seq-64", smr_seq, WHAT("as committed"), CIRCLE(4)),
	ROW("root-no-flush", zoo_root_no_flush, WHAT("a root taken again"), UNSAFE_BOTH,
	    .edits = 2),
	ROW("root-no-switch", zoo_root_no_switch, WHAT("the root is kept"),
	    UNSAFE_BOTH),
};
const unsigned row_count = ARRAY_LEN(rows);
