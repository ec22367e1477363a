/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mtrrs - does one CPU's snapshot of the MTRRs hold for all, and does EPT follow it?
 *
 * It matters where EPT takes types from it.  Elsewhere it need not hold: an INIT leaves
 * MTRRs as they are (SDM vol. 3, 10.1), but that of QEMU's TCG switches them off.
 */
#include "arch/x86_64/memtype.h"
#include "arch/x86_64/platform.h"
#include "arch/x86_64/watch.h"
#include "lib/console.h"
#include "tests/test.h"
#include "vm/vm.h"

static void read_here(void *arg)
{
	memtype_read(arg);
}

static void expect_same(struct run *t, const struct mtrrs *is, const struct mtrrs *want)
{
	EXPECT_EQ(t, is->present, want->present);
	EXPECT_EQ(t, is->phys_bits, want->phys_bits);
	EXPECT_EQ(t, is->cap, want->cap);
	EXPECT_EQ(t, is->def_type, want->def_type);
	for (unsigned i = 0; i < MTRR_FIXED; i++)
		EXPECT_EQ(t, is->fixed[i], want->fixed[i]);
	for (unsigned i = 0; i < MTRR_RANGES; i++) {
		EXPECT_EQ(t, is->range[i].base, want->range[i].base);
		EXPECT_EQ(t, is->range[i].mask, want->range[i].mask);
	}
}

TEST(boot, mtrrs, "every CPU has the memory types of the first", .vmx = true, .aps = 1)
{
	if (platform_is_tcg()) {
		test_skip(t, "QEMU TCG clears a CPU's MTRRs at INIT");
		return;
	}
	for (unsigned i = 1; i < cpu_count; i++) {
		struct mtrrs m = { 0 };
		struct work w = { .fn = read_here, .arg = &m };

		smp_post(i, &w);
		watch_work(i, &w);
		expect_same(t, &m, memtype_host());
		if (t->verdict == FAIL) {
			print("# CPU %u has other MTRRs than CPU 0\n", i);
			return;
		}
	}
}

TEST(boot, ram_types, "a guest's RAM is mapped with the types of its frames",
     .vmx = true)
{
	struct ept_leaf l = { 0 };
	struct vm *vm;

	if (vm_create(&vm, t->pool, inval_protos[0], 2)) {
		test_fail(t, "no memory for a VM");
		return;
	}
	for (u64 gpa = 0; gpa < 2 * SIZE_2M; gpa += PAGE_SIZE) {
		hpa_t pa = HPA(vm->ram[gpa / SIZE_2M].v + gpa % SIZE_2M);

		EXPECT(t, ept_lookup(&vm->ept, GPA(gpa), &l));
		EXPECT_EQ(t, epte_addr(l.entry).v + (gpa - l.start.v), pa.v);
		EXPECT_EQ(t, field_get(EPTE_TYPE, ept_attr(&vm->ept, &l)),
			  vm->ept.format->mtrrs ? EPT_WB
						: mtrr_type(memtype_host(), pa));
	}
	vm_destroy(vm);
}
