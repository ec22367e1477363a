/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memtype - the MTRRs of this machine
 */
#include "arch/x86_64/memtype.h"
#include "arch/x86_64/insn.h"
#include "lib/console.h"
#include "lib/err.h"

#define CPUID_MTRR   BIT(12) /* of leaf 1, EDX */
#define CPUID_WIDTHS 0x80000008

static struct mtrrs host;
static bool taken;

/* MAXPHYADDR; 0 when the CPU does not say. */
static unsigned phys_bits(void)
{
	if (cpuid(0x80000000, 0).eax < CPUID_WIDTHS)
		return 0;
	return cpuid(CPUID_WIDTHS, 0).eax & 0xff;
}

void memtype_read(struct mtrrs *m)
{
	struct mtrr_cpu cpu = { cpuid(1, 0).edx & CPUID_MTRR, phys_bits(), rdmsr };

	mtrr_read(m, &cpu);
}

static void say(const struct mtrrs *m)
{
	unsigned used = 0;

	for (unsigned i = 0; i < m->ranges; i++)
		used += m->range[i].mask != 0;
	print("# mtrr: def_type 0x%lx, fixed %s, %u of %u ranges, %u address bits\n",
	      m->def_type, m->cap & MTRR_CAP_FIX ? "yes" : "no", used, m->ranges,
	      m->phys_bits);
}

void memtype_init(void)
{
	memtype_read(&host);
	taken = true;
	say(&host);
}

const struct mtrrs *memtype_host(void)
{
	assert(taken);
	return &host;
}
