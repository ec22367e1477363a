/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * events - what the host gives to a guest comes once, where and when it should
 */
#include "arch/x86_64/kick.h"
#include "tests/vmx/scene.h"

#define RFLAGS_IF BIT(9)
#define ROUNDS    100
#define PATIENCE  50 /* times as long as a wait takes that is suspicious */

static bool give_ud(struct vcpu *v)
{
	vm_inject_exception(v, EVENTS_UD, SCENE_ERROR);
	return true;
}

TEST(vmx, exception, "an injected exception comes at once, with its error code",
     .vmx = true)
{
	if (!scene_open(t, 0, EVENTS_ASK, SCENE_IDT, scene_give_gp))
		return;
	vm_start(scene.vm);
	scene_expect_end(t, 1);
	scene_expect(t, 0, EVENTS_GP, SCENE_ERROR, scene.page->asked);
	scene_close(t);
}

TEST(vmx, exception_no_error, "an injected #UD pushes no error code", .vmx = true)
{
	if (!scene_open(t, 0, EVENTS_ASK, SCENE_IDT, give_ud))
		return;
	vm_start(scene.vm);
	scene_expect_end(t, 1);
	scene_expect(t, 0, EVENTS_UD, 0, scene.page->asked);
	scene_close(t);
}

TEST(vmx, irq_open, "an interrupt comes at once to a guest that can take it",
     .vmx = true)
{
	if (!scene_open(t, 0, EVENTS_ASK, SCENE_IDT, scene_give_irq))
		return;
	vm_start(scene.vm);
	scene_expect_end(t, 1);
	scene_expect(t, 0, EVENTS_IRQ, 0, scene.page->asked);
	scene_close(t);
}

TEST(vmx, irq_closed, "an interrupt waits for STI and one instruction more",
     .vmx = true)
{
	if (!scene_open(t, 0, EVENTS_CLOSED, SCENE_IDT, scene_give_irq))
		return;
	vm_start(scene.vm);
	scene_expect_end(t, 1);
	EXPECT_EQ(t, scene.page->early, 0);
	scene_expect(t, 0, EVENTS_IRQ, 0, scene.page->opened);
	EXPECT_EQ(t, scene.page->taken[0].flags & RFLAGS_IF, RFLAGS_IF);
	scene_close(t);
}

TEST(vmx, irq_shadow, "a call under STI's shadow is the instruction that it covers",
     .vmx = true)
{
	if (!scene_open(t, 0, EVENTS_SHADOW, SCENE_IDT, scene_give_irq))
		return;
	vm_start(scene.vm);
	scene_expect_end(t, 1);
	scene_expect(t, 0, EVENTS_IRQ, 0, scene.page->asked);
	scene_close(t);
}

TEST(vmx, irq_halt, "an interrupt wakes a guest that halts", .vmx = true)
{
	if (!scene_open(t, 0, EVENTS_HALT, SCENE_IDT, scene_give_irq))
		return;
	vm_start(scene.vm);
	scene_expect_end(t, 1);
	EXPECT_EQ(t, scene.page->early, 0);
	scene_expect(t, 0, EVENTS_IRQ, 0, scene.page->woken);
	scene_close(t);
}

static bool give_three(struct vcpu *v)
{
	vm_raise_irq(v, EVENTS_LOW);
	vm_raise_irq(v, EVENTS_TOP);
	vm_raise_irq(v, EVENTS_IRQ);
	vm_raise_irq(v, EVENTS_TOP);
	return true;
}

TEST(vmx, irq_order, "of several interrupts the highest comes first, each once",
     .vmx = true)
{
	if (!scene_open(t, 0, EVENTS_CLOSED, SCENE_IDT, give_three))
		return;
	vm_start(scene.vm);
	scene_expect_end(t, 3);
	EXPECT_EQ(t, scene.page->early, 0);
	scene_expect(t, 0, EVENTS_TOP, 0, scene.page->opened);
	scene_expect(t, 1, EVENTS_IRQ, 0, scene.page->opened);
	scene_expect(t, 2, EVENTS_LOW, 0, scene.page->opened);
	scene_close(t);
}

static bool give_both(struct vcpu *v)
{
	return scene_give_irq(v) && scene_give_gp(v);
}

TEST(vmx, irq_after_exception, "an exception comes before an interrupt", .vmx = true)
{
	if (!scene_open(t, 0, EVENTS_ASK, SCENE_IDT, give_both))
		return;
	vm_start(scene.vm);
	scene_expect_end(t, 2);
	scene_expect(t, 0, EVENTS_GP, SCENE_ERROR, scene.page->asked);
	scene_expect(t, 1, EVENTS_IRQ, 0, scene.page->asked);
	scene_close(t);
}

static bool note_exit(struct vcpu *v)
{
	if (!scene.exits++)
		scene.rip = backend->guest_rip();
	return scene.dispatch(v);
}

/* Interrupts are off, so the kick is pending when the guest is entered. */
static bool give_irq_and_kick(struct vcpu *v)
{
	scene.dispatch = v->dispatch;
	v->dispatch = note_exit;
	kick_now(v->cpu);
	return scene_give_irq(v);
}

TEST(vmx, irq_and_kick, "a pending kick ends the stay after the event's delivery",
     .vmx = true)
{
	if (!scene_open(t, 0, EVENTS_ASK, SCENE_IDT, give_irq_and_kick))
		return;
	vm_start(scene.vm);
	scene_expect_end(t, 1);
	scene_expect(t, 0, EVENTS_IRQ, 0, scene.page->asked);
	EXPECT_EQ(t, scene.rip, scene.page->handler);
	scene_close(t);
}

/* From here on interrupts are raised by another CPU. */

/* False when it does not come to that. */
static bool await(const volatile u64 *word, u64 want)
{
	for (u64 i = 0; i < PATIENCE * scene.vm->spin_limit && *word < want; i++)
		relax();
	return *word >= want;
}

static void raise_rounds(struct run *t, u64 role)
{
	if (!scene_open(t, 1, role, SCENE_IDT, NULL))
		return;
	vm_start(scene.vm);
	EXPECT(t, await(&scene.page->ready, 1));
	for (u64 i = 1; i <= ROUNDS && t->verdict == PASS && !test_stopped(t); i++) {
		vm_raise_irq(scene.v, EVENTS_IRQ);
		EXPECT(t, await(&scene.page->count, i));
	}
	EXPECT_EQ(t, scene.page->count, ROUNDS);
	scene.page->stop = 1;
	if (role == EVENTS_SLEEP)
		vm_raise_irq(scene.v, EVENTS_IRQ);
	while (t->verdict == PASS && !vm_all_stopped(scene.vm) && !test_stopped(t))
		relax();
	vm_stop(scene.vm);
	scene_expect_end(t, role == EVENTS_SLEEP ? ROUNDS + 1 : ROUNDS);
	scene_close(t);
}

TEST(vmx, irq_remote, "another CPU raises interrupts, and each comes once", .vmx = true,
     .aps = 1)
{
	raise_rounds(t, EVENTS_SPIN);
}

TEST(vmx, irq_remote_halt, "another CPU's interrupts wake a guest that halts",
     .vmx = true, .aps = 1)
{
	raise_rounds(t, EVENTS_SLEEP);
}
