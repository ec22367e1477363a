/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probe - one access by a guest through EPT entries that a test has changed; see
 * probe.c.
 */
#ifndef TESTS_VMX_PROBE_H
#define TESTS_VMX_PROBE_H

#include "tests/guest/access.h"
#include "tests/test.h"
#include "vm/guest.h"

#define PROBE_EDITS 8

enum outcome {
	DONE, /* the access is made without an exit */
	VIOLATION,
	MISCONFIG,
	STRANGE, /* none of them: never wanted */
};

struct probe {
	struct run *t;
	struct vm *vm;
	struct vcpu *v;
	hpa_t block;   /* 2 MiB: the guest's page tables, and the word under test */
	unsigned leaf; /* level of the EPT leaf that maps the word */
	gpa_t gpa;     /* of the word */
	u64 linear;
	char row[100]; /* what is tried now, for people */

	/* Entries that the row has changed. */
	struct {
		epte_t *slot, was;
	} edit[PROBE_EDITS];
	unsigned edits;

	/* What the last try met: the first violation, and what the host saw then. */
	unsigned faults;
	struct vcpu_exit exit;
	u64 rip;
	bool early; /* the word had changed, though the access was refused */
	u64 word, operand;
};

/* What a try must come to. */
struct want {
	enum outcome outcome;
	gpa_t gpa;               /* unless DONE                                     */
	u64 qualification, care; /* VIOLATION: bits, and which of them are defined  */
	u64 linear;              /* VIOLATION; 0: the instruction that was to begin */
};

/*
 * Makes a VM whose word is mapped by a leaf at level `leaf`.  False when the test is
 * over: a reason has been recorded.
 */
bool must_check probe_begin(struct probe *p, struct run *t, unsigned leaf);
void probe_end(struct probe *p);

/* False, and the test is skipped, where an entry of the root maps all that a guest has.
 */
bool must_check probe_has_root(struct probe *p);

/* Switches the flags A and D of the VM's EPT.  False, and a SKIP: the CPU has none. */
bool must_check probe_flags(struct probe *p, bool on);

/* Names the next row. */
void probe_row(struct probe *p, const char *f, ...) printf_like(2, 3);

/* The row did not hold: says so, and fails the test. */
void probe_fail(struct probe *p, const char *f, ...) printf_like(2, 3);

/* The EPT entry at `level` that translates gpa. */
epte_t *probe_entry(const struct probe *p, gpa_t gpa, unsigned level);

/* Changes it until the try is over.  The lower of two entries comes first. */
void probe_edit(struct probe *p, gpa_t gpa, unsigned level, u64 clear, u64 set);
void probe_restore(struct probe *p);

/* The guest's own page table of a level, 0 to 3, and its entry for the word. */
gpa_t probe_table(unsigned level);
u64 *probe_pte(const struct probe *p, unsigned level);

/*
 * Lets the guest make the access.  What was refused is mended and must then complete;
 * entries that did no harm stay changed until probe_restore().
 */
enum outcome probe_try(struct probe *p, enum access access);

/* Tries, compares and restores. */
void probe_expect(struct probe *p, enum access access, struct want want);

/* An access to the word itself, `rights` being what all entries of its walk allow. */
struct want want_access(const struct probe *p, enum access access, enum outcome outcome,
			u64 rights);

const char *access_name(enum access access);
const char *rights_name(u64 rights);
unsigned physical_bits(void); /* MAXPHYADDR */

#endif
