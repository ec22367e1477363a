/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rows - the table of docs/protocols.md, section 11, which the suite must find again
 *
 * A mutant_X is the shipping source with inval/zoo/X.patch applied, a zoo_X one of SMR
 * with zoo/X.patch.
 */
#include "tests/explore/rows.h"

extern const struct inval_proto zoo_m19, zoo_m20, zoo_s5; /* of SMR, zoo/ */
extern const struct inval_proto mutant_H1, mutant_H2, mutant_H3, mutant_H4, mutant_H5,
	mutant_H6, mutant_H7, mutant_H8a, mutant_H8b, mutant_H10, mutant_H11,
	mutant_H12, mutant_H3H12, mutant_M16, mutant_M21, mutant_V3;

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
#define DOOR_IS(d) .door = (d)
#define WHAT(text) .what = text

const struct row rows[] = {
	ROW("gen-smr", gen_smr, WHAT("as committed")),
	ROW("H1", mutant_H1, WHAT("no wait"), UNSAFE),
	ROW("H2", mutant_H2, WHAT("no kick"), WAITS),
	ROW("H3", mutant_H3, WHAT("gen loaded before enter"), UNSAFE),
	ROW("H4", mutant_H4, WHAT("slot by a plain store"), UNSAFE),
	ROW("H5", mutant_H5, WHAT("enter before active"), WAITS),
	ROW("H6", mutant_H6, WHAT("active read before advance"), WAITS),
	ROW("H7", mutant_H7, WHAT("gen++ before the EPT store"), UNSAFE_BOTH),
	ROW("H8a", mutant_H8a, WHAT("gen++ after advance"), UNSAFE),
	ROW("H8b", mutant_H8b, WHAT("gen++ after wait"), UNSAFE_BOTH),
	ROW("H9", smr_deferred, WHAT("deferred goal"), WAITS),
	ROW("H10", mutant_H10, WHAT("idle before guest exit"), UNSAFE),
	ROW("H11", mutant_H11, WHAT("active clear before exit")),
	ROW("H12", gen_smr, WHAT("host eats the kick"), EATS, WAITS),
	ROW("H3+H12", mutant_H3H12, WHAT("eaten between gen and enter"), UNSAFE_BOTH),
	ROW("H4+H12", mutant_H4, WHAT("both"), EATS, UNSAFE_BOTH, WAITS),
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
	ROW("M16", mutant_M16, WHAT("a root taken again"), UNSAFE_BOTH, .edits = 2),
	ROW("door", gen_smr, WHAT("behind the door"), DOOR_IS(DOOR)),
	ROW("door-look-first", gen_smr, WHAT("it is looked at before enter"),
	    UNSAFE_BOTH, WAITS, DOOR_IS(DOOR_LOOK_FIRST)),
	ROW("door-no-wait", gen_smr, WHAT("it waits for nobody"), UNSAFE,
	    DOOR_IS(DOOR_NO_WAIT)),
	ROW("door-no-kick", gen_smr, WHAT("it kicks nobody"), WAITS,
	    DOOR_IS(DOOR_NO_KICK)),
	ROW("door-open-first", gen_smr, WHAT("gen++ when it is open"), UNSAFE_BOTH,
	    DOOR_IS(DOOR_OPEN_FIRST)),
	ROW("all-come", gen_smr, WHAT("every CPU must come"), DOOR_IS(DOOR_ALL_COME)),
	ROW("all-come-2", gen_smr, WHAT("the same, two initiators"), WAITS,
	    DOOR_IS(DOOR_ALL_COME), .initiators = 2),
	ROW("all-come-lock", gen_smr, WHAT("a lock of the initiator's"), WAITS,
	    DOOR_IS(DOOR_ALL_COME), .burden = BURDEN_LOCK),
	ROW("all-come-wait", gen_smr, WHAT("a wait for the initiator"), WAITS,
	    DOOR_IS(DOOR_ALL_COME), .burden = BURDEN_WAIT),
	ROW("door-lock", gen_smr, WHAT("a lock of the initiator's"), DOOR_IS(DOOR),
	    .burden = BURDEN_LOCK),
	ROW("door-wait", gen_smr, WHAT("a wait for the initiator"), DOOR_IS(DOOR),
	    .burden = BURDEN_WAIT),
	ROW("door-inside", gen_smr, WHAT("shut from inside"), WAITS,
	    DOOR_IS(DOOR_INSIDE)),
	ROW("door-2", gen_smr, WHAT("behind the door, two initiators"), DOOR_IS(DOOR),
	    .initiators = 2),
	ROW("V3", mutant_V3, WHAT("the root is kept"), UNSAFE_BOTH),
};
const unsigned row_count = ARRAY_LEN(rows);
