/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * events_again - events and nested faults: mostly those whose delivery an exit
 * interrupts, at the guest's IDT in the window
 */
#include "arch/x86_64/platform.h"
#include "lib/str.h"
#include "tests/guest/abi.h"
#include "tests/vmx/scene.h"
#include "vmx/insn.h"
#include "vmx/pml.h"

#define PF_ERROR   0x7
#define FAULTS_MAX 8      /* or it faults for ever */
#define LOG_FULL   0xffff /* an index beyond the log */

static bool hide_window(struct vcpu *v)
{
	struct gather g = gather_init();
	enum err e = ept_unmap(&v->vm->ept, GPA(GUEST_WINDOW), PAGE_SIZE, &g);

	vm_finish(v->vm, &g);
	return !e;
}

static bool show_window(struct vcpu *v)
{
	struct gather g = gather_init();
	enum err e = ept_map(&v->vm->ept, GPA(GUEST_WINDOW), scene.frame, PAGE_SIZE,
			     EPT_RW, &g);

	vm_finish(v->vm, &g);
	return !e;
}

static bool hide_and_give_gp(struct vcpu *v)
{
	return hide_window(v) && scene_give_gp(v);
}

static bool hide_and_give_irq(struct vcpu *v)
{
	return hide_window(v) && scene_give_irq(v);
}

/* Other faults are the VM's own: it splits what it executes. */
static bool in_window(const struct vcpu *v)
{
	bool is = v->exit.gpa.v / PAGE_SIZE == GUEST_WINDOW / PAGE_SIZE;

	scene.faults += is;
	return is && scene.faults <= FAULTS_MAX;
}

static bool on_fault(struct vcpu *v)
{
	return in_window(v) && show_window(v);
}

static bool start_hidden(struct run *t, bool (*called)(struct vcpu *),
			 bool (*fault)(struct vcpu *))
{
	if (!scene_open(t, 0, EVENTS_ASK, GUEST_WINDOW, called))
		return false;
	scene.vm->fault = fault;
	vm_start(scene.vm);
	return true;
}

TEST(vmx, exception_again, "an exception whose delivery faults is delivered again",
     .vmx = true)
{
	if (!start_hidden(t, hide_and_give_gp, on_fault))
		return;
	EXPECT_EQ(t, scene.faults, 1);
	scene_expect_end(t, 1);
	scene_expect(t, 0, EVENTS_GP, SCENE_ERROR, scene.page->asked);
	scene_close(t);
}

TEST(vmx, irq_again, "an interrupt whose delivery faults is delivered again",
     .vmx = true)
{
	if (!start_hidden(t, hide_and_give_irq, on_fault))
		return;
	EXPECT_EQ(t, scene.faults, 1);
	scene_expect_end(t, 1);
	scene_expect(t, 0, EVENTS_IRQ, 0, scene.page->asked);
	scene_close(t);
}

/* The first fault is answered by an exception, the next by the IDT. */
static bool give_once(struct vcpu *v, u8 vector, u32 error)
{
	if (!in_window(v))
		return false;
	if (scene.faults > 1)
		return show_window(v);
	vm_inject_exception(v, vector, error);
	return true;
}

static bool on_fault_pf(struct vcpu *v)
{
	return give_once(v, EVENTS_PF, PF_ERROR);
}

static bool on_fault_gp(struct vcpu *v)
{
	return give_once(v, EVENTS_GP, SCENE_ERROR);
}

static bool on_fault_gp_always(struct vcpu *v)
{
	return in_window(v) && scene_give_gp(v);
}

TEST(vmx, exception_serial, "#PF in the delivery of #GP takes its place", .vmx = true)
{
	if (!start_hidden(t, hide_and_give_gp, on_fault_pf))
		return;
	EXPECT_EQ(t, scene.faults, 2);
	scene_expect_end(t, 1);
	scene_expect(t, 0, EVENTS_PF, PF_ERROR, scene.page->asked);
	scene_close(t);
}

TEST(vmx, double_fault, "#GP in the delivery of #GP is a double fault", .vmx = true)
{
	if (!start_hidden(t, hide_and_give_gp, on_fault_gp))
		return;
	EXPECT_EQ(t, scene.faults, 2);
	scene_expect_end(t, 1);
	scene_expect(t, 0, EVENTS_DF, 0, scene.page->asked);
	scene_close(t);
}

TEST(vmx, third_fault, "a third one stops the guest", .vmx = true)
{
	if (!start_hidden(t, hide_and_give_gp, on_fault_gp_always))
		return;
	EXPECT_EQ(t, scene.faults, 2);
	EXPECT(t, scene.v->stopped && !strcmp(scene.v->stopped, "triple fault"));
	EXPECT_EQ(t, scene.page->count, 0);
	scene_close(t);
}

TEST(vmx, irq_put_back, "an interrupt comes after an exception in its delivery",
     .vmx = true)
{
	if (!start_hidden(t, hide_and_give_irq, on_fault_gp))
		return;
	EXPECT_EQ(t, scene.faults, 2);
	scene_expect_end(t, 2);
	scene_expect(t, 0, EVENTS_GP, SCENE_ERROR, scene.page->asked);
	scene_expect(t, 1, EVENTS_IRQ, 0, scene.page->asked);
	scene_close(t);
}

static bool on_fault_irq(struct vcpu *v)
{
	return in_window(v) && show_window(v) && scene_give_irq(v);
}

TEST(vmx, irq_fault_in_shadow, "an interrupt waits for a read that STI's shadow covers",
     .vmx = true)
{
	const char *emulator = platform_emulator();

	if (emulator && backend->format == NESTED_NPT) {
		test_skip(t, "%s mistakes V_IRQ under an interrupt shadow", emulator);
		return;
	}
	if (!scene_open(t, 0, EVENTS_TOUCH, SCENE_IDT, NULL))
		return;
	EXPECT(t, hide_window(scene.v));
	scene.vm->fault = on_fault_irq;
	vm_start(scene.vm);
	EXPECT_EQ(t, scene.faults, 1);
	scene_expect_end(t, 1);
	scene_expect(t, 0, EVENTS_IRQ, 0, scene.page->touched);
	scene_close(t);
}

static void logged(struct vcpu *v, gpa_t gpa)
{
	(void)v;
	(void)gpa;
}

/* The IDT's leaf is new, so the delivery would set its flag: the log has no room. */
static bool fill_log_and_give_irq(struct vcpu *v)
{
	vmwrite(PML_INDEX, LOG_FULL);
	return hide_window(v) && show_window(v) && scene_give_irq(v);
}

TEST(vmx, irq_log_full, "an interrupt whose delivery finds the log full comes again",
     .ept = true)
{
	if (!backend->has_pml()) {
		test_skip(t, "this CPU has no page-modification log");
		return;
	}
	if (!scene_open(t, 0, EVENTS_ASK, GUEST_WINDOW, fill_log_and_give_irq))
		return;
	if (vm_log_writes(scene.vm))
		test_fail(t, "no memory for a log");
	scene.v->logged = logged; /* what was never logged is none of the VM's */
	vm_start(scene.vm);
	EXPECT_EQ(t, scene.v->log_fulls, 1);
	scene_expect_end(t, 1);
	scene_expect(t, 0, EVENTS_IRQ, 0, scene.page->asked);
	scene_close(t);
}
