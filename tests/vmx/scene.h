/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scene - the payload `events` on one vCPU, and what a test does to it
 *
 * The guest calls the host at known places, the call is answered by what the test gives
 * to the guest, and the payload notes what it takes and where.
 */
#ifndef TESTS_VMX_SCENE_H
#define TESTS_VMX_SCENE_H

#include "tests/guest/events.h"
#include "tests/test.h"
#include "vm/vm.h"

#define SCENE_IDT   0x100000 /* in the guest's RAM, far behind the payload */
#define SCENE_ERROR 0x1230   /* of the #GP that is given                   */

struct scene {
	struct vm *vm;
	struct vcpu *v;
	volatile struct events_page *page;
	hpa_t frame; /* behind GUEST_WINDOW, where some put their IDT */
	unsigned faults, exits;
	u64 rip; /* at the first exit that is noted */
	bool (*dispatch)(struct vcpu *);
};

/* There is one at a time. */
extern struct scene scene;

/*
 * Makes it: a vCPU on `cpu`, enum events_role, where the guest puts its IDT, and the
 * answer to its call.  False, with the test failed, when it could not be made.
 */
bool scene_open(struct run *t, unsigned cpu, u64 role, u64 idt,
		bool (*called)(struct vcpu *));
void scene_close(struct run *t);

/* The guest came to its end and has taken that many. */
void scene_expect_end(struct run *t, u64 count);

/* What it took as the i-th, and where. */
void scene_expect(struct run *t, unsigned i, u64 vector, u64 error, u64 rip);

/* Answers to the call: EVENTS_GP with SCENE_ERROR, EVENTS_IRQ. */
bool scene_give_gp(struct vcpu *v);
bool scene_give_irq(struct vcpu *v);

#endif
