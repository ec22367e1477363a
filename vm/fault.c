/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fault - EPT violations that are nobody's fault: the entry has changed since, is being
 * changed, or holds a right back on purpose
 *
 * It runs on the vCPU's CPU with interrupts off, outside of the guest and of its read
 * section, so whoever waits for readers does not wait for it.  It may itself edit,
 * invalidate, and wait.
 */
#include "mm/fault.h"
#include "vm/vm.h"

#define SPURIOUS_MAX 1000

/* The entry allows the access: an edit overtook the fault.  For ever is too often. */
static bool over(struct vcpu *v)
{
	if (v->exit.gpa.v != v->spurious_at.v)
		v->spurious = 0;
	v->spurious_at = v->exit.gpa;
	return v->spurious++ < SPURIOUS_MAX;
}

/* A fetch from a large leaf, whose size cannot change while it is executable. */
static bool split(struct vcpu *v)
{
	gpa_t start = GPA(ALIGN_DOWN(v->exit.gpa.v, SIZE_2M));
	struct gather g = gather_init();
	enum err e = ept_split(&v->vm->ept, start, SIZE_2M, 0, &g);

	vm_finish(v->vm, &g);
	return !e;
}

bool vm_fault(struct vcpu *v)
{
	enum ept_fault f;

	if (v->vm->fault && v->vm->fault(v)) {
		v->spurious = 0;
		return true;
	}
	while ((f = ept_fault(&v->vm->ept, v->exit.gpa, v->exit.access)) ==
		       FAULT_WAIT &&
	       !load_acquire(&v->request))
		relax();
	switch (f) {
	case FAULT_OVER:
		return over(v);
	case FAULT_SPLIT:
		return split(v);
	case FAULT_WAIT:
		return true; /* to leave */
	case FAULT_HOLE:
	case FAULT_DENIED:
		break;
	}
	return false;
}
