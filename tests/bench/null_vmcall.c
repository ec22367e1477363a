/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * null_vmcall - what an exit and the next entry cost when there is nothing to do
 *
 * The guest times a loop of VMCALLs and the same loop with NOP instead.  In Bochs the
 * TSC counts instructions, so the difference is the number of host instructions from
 * VM exit to VMRESUME (VMCALL and NOP count one each and cancel out).  On silicon the
 * figure is TSC cycles.
 */
#include "lib/str.h"
#include "tests/bench/tsc.h"
#include "tests/guest/abi.h"
#include "tests/test.h"
#include "vm/guest.h"

#define LOOPS   2000
#define BAR     80  /* instructions, in the fast build, by VMX */
#define BAR_SVM 115 /* RAX, FS, GS, TR and GIF are software's to move there */

/* A flush at each entry is over the bar by design. */
static bool flushes_always(const struct vcpu *v)
{
	return load_relaxed(&v->reader->flushes) >= LOOPS;
}

TEST(bench, null_vmcall, "instructions of a null VMCALL, from exit to VMRESUME",
     .vmx = true, .protocols = true, .measures = true)
{
	const struct guest *g = guest_find("null_call");
	struct guest_page *page;
	bool counts = tsc_counts_instructions();
	struct vm *vm;
	struct vcpu *v;
	u64 cost, bar = backend->format == NESTED_NPT ? BAR_SVM : BAR;

	if (vm_create(&vm, t->pool, t->proto, 1)) {
		test_fail(t, "no memory for a VM");
		return;
	}
	if (!guest_load(vm, g->start, g->end - g->start, VCPU_LONG) &&
	    !vm_add_vcpu(vm, 0, &v)) {
		page = vm_ptr(vm, vm_page_gpa(vm, 0), PAGE_SIZE);
		page->loops = LOOPS;
		vm_start(vm);
		EXPECT(t, page->result > page->result2);
		cost = (page->result - page->result2 + LOOPS / 2) / LOOPS;
		EXPECT(t, v->exited);
		test_figure(t, "null call, exit to entry", cost,
			    counts ? "instructions" : "TSC cycles");
		if (!CHECKED && counts && t->proto->sound && !flushes_always(v) &&
		    cost > bar)
			test_fail(t, "%lu instructions, the bar is %lu", cost, bar);
	} else {
		test_fail(t, "the payload cannot be loaded");
	}
	vm_destroy(vm);
}
