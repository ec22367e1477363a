/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fetch - no large EPT leaf is executable on a CPU where a change of its size could hit
 * two sizes in the instruction TLB
 */
#include "tests/test.h"
#include "vm/guest.h"

/* What the leaf of the guest's code was. */
struct leaf {
	unsigned level;
	u64 rights; /* those that are held, too */
	bool executes;
};

static bool leaf_at(const struct vm *vm, gpa_t gpa, struct leaf *out)
{
	const struct epte_format *f = vm->ept.format;
	struct ept_leaf l;

	if (!ept_lookup(&vm->ept, gpa, &l))
		return false;
	*out = (struct leaf){ l.level, epte_rights(f, l.entry),
			      epte_executes(f, l.entry) };
	return true;
}

/* Runs `hello` on CPU 0 and gives the leaf of its code before and after. */
static void run_hello(struct run *t, bool large_exec, struct leaf *before,
		      struct leaf *after)
{
	const struct guest *g = guest_find("hello");
	struct gather none = gather_init();
	struct vcpu *v;
	struct vm *vm;

	if (vm_create(&vm, t->pool, inval_protos[0], 1)) {
		test_fail(t, "no memory for a VM");
		return;
	}
	vm->ept.can.large_exec = large_exec;
	EXPECT_EQ(t, ept_protect(&vm->ept, GPA(0), SIZE_2M, EPTE_RWX, &none), E_OK);
	EXPECT(t, !guest_load(vm, g->start, g->end - g->start, g->mode));
	EXPECT_EQ(t, vm_add_vcpu(vm, 0, &v), E_OK);
	EXPECT(t, leaf_at(vm, vm->entry, before));
	vm_start(vm);
	EXPECT(t, v->exited);
	EXPECT(t, leaf_at(vm, vm->entry, after));
	vm_destroy(vm);
}

TEST(vmx, fetch_splits, "a fetch from a large page splits it before it is executable",
     .vmx = true)
{
	struct leaf before = { 0 }, after = { 0 };

	if (backend->max_leaf() < 1) {
		test_skip(t, "this CPU has no 2 MiB EPT pages");
		return;
	}
	run_hello(t, false, &before, &after);
	EXPECT_EQ(t, before.level, 1);
	EXPECT(t, !before.executes);
	EXPECT_EQ(t, before.rights, EPTE_RWX);
	EXPECT_EQ(t, after.level, 0);
	EXPECT(t, after.executes);
	EXPECT_EQ(t, after.rights, EPTE_RWX);
}

TEST(vmx, fetch_large, "where that is safe, a large page is executable as it is",
     .vmx = true)
{
	struct leaf before = { 0 }, after = { 0 };

	if (backend->max_leaf() < 1) {
		test_skip(t, "this CPU has no 2 MiB EPT pages");
		return;
	}
	run_hello(t, true, &before, &after);
	EXPECT_EQ(t, before.level, 1);
	EXPECT(t, before.executes);
	EXPECT_EQ(t, before.rights, EPTE_RWX);
	EXPECT_EQ(t, after.level, 1);
}
