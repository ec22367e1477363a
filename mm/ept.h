/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ept - edits of extended page tables, each returning its duty to flush; see ept.c.
 */
#ifndef MM_EPT_H
#define MM_EPT_H

#include "mm/epte.h"
#include "mm/gather.h"

/* Attributes of ordinary memory. */
#define EPT_RWX (EPTE_RWX | field_put(EPTE_TYPE, EPT_WB))
#define EPT_RW  (EPTE_R | EPTE_W | field_put(EPTE_TYPE, EPT_WB))

struct ept {
	struct pool *pool;
	hpa_t root;
	u32 tables;        /* table pages in use, the root included      */
	unsigned max_leaf; /* highest level that may hold a leaf: 0, 1, 2 */
};

/* What a walk found: the leaf's entry, its level, and its place. */
struct ept_leaf {
	epte_t entry;
	unsigned level;
	gpa_t start; /* of the leaf's page */
};

/* Makes an empty address space.  E_NOMEM. */
enum err must_check ept_init(struct ept *e, struct pool *pool, unsigned max_leaf);

/* Unlinks everything: all table pages, the root included, go to g.  Edits end here. */
void ept_destroy(struct ept *e, struct gather *g);

/*
 * All edits: gpa, hpa and len in bytes, multiples of 4 KiB, inside 48 bits, else
 * E_INVAL.  g is open.  The caller is the only one that edits this EPT.  On an
 * error the translations are as they were before.
 *
 * ept_map: maps [gpa, gpa + len) to hpa on, by the largest leaves that fit.  attr is
 *   EPT_RWX or the like.  E_EXIST when part is mapped, E_NOMEM.  Needs no flush
 *   unless it fails half-way.
 * ept_unmap: holes are fine.  E_SPLIT when a leaf reaches over an end of the range.
 * ept_protect: sets R, W, X of what is mapped to `rwx`, which is not 0.  A downgrade
 *   needs a flush, an upgrade does not: at worst a CPU faults once for nothing.
 *   E_SPLIT.
 * ept_remap: changes the frames of mapped leaves in place, attributes kept.
 *   E_NOENT when part is not mapped, E_SPLIT, E_INVAL when hpa does not suit a leaf.
 */
enum err must_check ept_map(struct ept *e, gpa_t gpa, hpa_t hpa, u64 len, u64 attr,
			    struct gather *g);
enum err must_check ept_unmap(struct ept *e, gpa_t gpa, u64 len, struct gather *g);
enum err must_check ept_protect(struct ept *e, gpa_t gpa, u64 len, u64 rwx,
				struct gather *g);
enum err must_check ept_remap(struct ept *e, gpa_t gpa, hpa_t hpa, u64 len,
			      struct gather *g);

/* The leaf that translates gpa now; false when there is none.  Any CPU may ask. */
bool ept_lookup(const struct ept *e, gpa_t gpa, struct ept_leaf *out);

/* The value of the VMCS field EPTP for this root: write-back, 4 levels. */
static inline u64 ept_pointer(const struct ept *e, bool ad)
{
	return e->root.v | EPTP_WALK_4 | EPT_WB | (ad ? EPTP_AD : 0);
}

#endif
