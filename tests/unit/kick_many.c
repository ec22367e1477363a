/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kick_many - of more CPUs than a word has bits, those in the guest are kicked: each
 * one once, and no others
 */
#include "tests/unit/cpus.h"
#include "lib/str.h"
#include "tests/host/cpu.h"
#include "tests/host/test.h"

#define CPUS   200
#define ROUNDS 20

static void some_are_in(const struct inval_proto *proto, struct rng *rng)
{
	unsigned got[CPUS] = { 0 };
	bool in[CPUS] = { false };
	struct gather g = gather_init();

	set_up(proto, CPUS);
	for (unsigned i = 1; i < CPUS; i++) {
		in[i] = rng_below(rng, 3) == 0;
		cpu_become(i);
		if (in[i])
			enter(i);
	}
	cpu_become(0);
	inval_begin(&iv);
	(void)inval_publish(&iv, &g);
	for (unsigned i = 0; i < kick_count; i++)
		got[kicks[i].cpu]++;
	for (unsigned i = 0; i < CPUS; i++)
		if (got[i] != in[i])
			panic("%s: CPU %u: %u kicks", proto->name, i, got[i]);
}

TEST(every_cpu_in_the_guest_is_kicked_once)
{
	struct rng rng = test_rng();

	for (unsigned i = 0; i < inval_proto_count; i++)
		for (unsigned n = 0; n < ROUNDS; n++)
			if (strcmp(inval_protos[i]->name, "local-only"))
				some_are_in(inval_protos[i], &rng);
}
