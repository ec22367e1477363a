/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fault - the other half of an edit: what a nested page fault means, and filling holes
 * while others unmap
 *
 * A flush alone cannot keep a page unmapped: a CPU that faults may ask which frame
 * belongs there, be slow, and map it after the frame has found a new owner.
 *
 *      initiator                            CPU that faulted
 *      ---------                            ----------------
 *  [F1] ept_hold: count it              [F3] ticket := seq
 *      forget the frame, ept_unmap           which frame?
 *      invalidate, wait                      ept_fill, under the lock:
 *  [F2] ept_release: seq++, uncount     [F4]   counted, or seq is not the ticket: again
 *      reuse the frame                         else map it
 *
 * A fill that asked for its frame before the initiator forgot it took its ticket before
 * F2, so it meets the count or a new seq.  One that took its ticket after F2 asks after
 * the frame was forgotten.  Origin: KVM's mmu_notifier retry.
 */
#include "mm/fault.h"
#include "mm/walk.h"

/* Gives the held W back, and notes the write.  D2 */
static void write_held(struct ept *e, epte_t *slot, gpa_t gpa)
{
	epte_t old, is;

	do {
		old = epte_load(slot);
		is = (epte_t){ old.raw ^ (EPTE_W | EPTE_HELD_W) };
	} while (!epte_cas(slot, old, is)); /* E1 */
	if (e->dirty)
		dirty_mark(e->dirty, gpa);
}

/* The entry that ends a walk: a leaf, or one that is unused; its level too. */
static epte_t *last(const struct ept *e, gpa_t gpa, unsigned *level, bool *parked)
{
	hpa_t table = e->root;

	for (*level = EPT_LEVELS - 1, *parked = false;; --*level) {
		epte_t *slot = &table_ptr(table)[ept_index(gpa.v, *level)];
		epte_t entry = epte_load(slot);

		*parked |= epte_parked(entry);
		if (!epte_used(entry) || epte_is_leaf(entry, *level))
			return slot;
		table = epte_addr(entry);
	}
}

static enum ept_fault look(struct ept *e, gpa_t gpa, u64 access)
{
	unsigned level;
	bool parked;
	epte_t *slot = last(e, gpa, &level, &parked), entry = epte_load(slot);

	if (!epte_used(entry))
		return FAULT_HOLE;
	if (access & ~epte_rights(e->format, entry))
		return FAULT_DENIED;
	if (parked)
		return FAULT_WAIT;
	if (access & EPTE_X && entry.raw & EPTE_HELD_X)
		return FAULT_SPLIT;
	if (access & EPTE_W && entry.raw & EPTE_HELD_W)
		write_held(e, slot, gpa);
	return FAULT_OVER;
}

enum ept_fault ept_fault(struct ept *e, gpa_t gpa, u64 access)
{
	enum ept_fault f;

	if (gpa.v >= EPT_GPA_MAX)
		return FAULT_HOLE;
	lock(&e->lock); /* no table that can be reached goes away */
	f = look(e, gpa, access);
	unlock(&e->lock);
	return f;
}

void ept_hold(struct ept *e, gpa_t gpa, u64 len)
{
	lock(&e->lock);
	if (!e->holds++) {
		e->held_from = gpa.v;
		e->held_to = gpa.v + len;
	}
	e->held_from = MIN(e->held_from, gpa.v);
	e->held_to = MAX(e->held_to, gpa.v + len);
	unlock(&e->lock); /* F1 */
}

void ept_release(struct ept *e)
{
	lock(&e->lock);
	assert(e->holds);
	store_release(&e->seq, load_relaxed(&e->seq) + 1); /* F2, pairs with F3 */
	e->holds--;
	unlock(&e->lock);
}

u64 ept_fill_begin(const struct ept *e)
{
	return load_acquire(&e->seq); /* F3 */
}

enum err ept_fill(struct ept *e, u64 ticket, gpa_t gpa, hpa_t hpa, u64 len, u64 attr,
		  struct gather *g)
{
	struct ept_leaf l;
	enum err err = E_AGAIN;

	lock(&e->lock);
	if (load_relaxed(&e->seq) == ticket && /* F4 */
	    (!e->holds || gpa.v >= e->held_to || gpa.v + len <= e->held_from))
		err = edit_range_ok(gpa, len) && ept_find(e, gpa, &l)
			      ? E_EXIST
			      : edit_map_locked(e, gpa, hpa, len, attr, g);
	unlock(&e->lock);
	return err;
}
