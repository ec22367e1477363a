/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * event_words - events as VMX and SVM write them, held against words made by hand from
 * the manuals
 */
#include <string.h>

#include "arch/x86_64/msr.h"
#include "svm/event.h"
#include "tests/host/test.h"
#include "vmx/event.h"

#define RFLAGS_IF BIT(9)

static const struct event ud = { EVENT_EXCEPTION, 6, false, 0 };
static const struct event gp = { EVENT_EXCEPTION, 13, true, 0x1230 };
static const struct event irq = { EVENT_IRQ, 0x55, false, 0 };

static void expect_event(const struct event *is, const struct event *want)
{
	EXPECT_EQ(is->kind, want->kind);
	EXPECT_EQ(is->vector, want->vector);
	EXPECT_EQ(is->has_error, want->has_error);
	EXPECT_EQ(is->error, want->error);
}

TEST(vmx_words_of_events)
{
	EXPECT_EQ(vmx_event_encode(ud, true), 0x80000306);
	EXPECT_EQ(vmx_event_encode(gp, true), 0x80000b0d);
	EXPECT_EQ(vmx_event_encode(irq, true), 0x80000055);
}

TEST(vmx_gives_no_error_code_in_real_mode)
{
	EXPECT_EQ(vmx_event_encode(gp, false), 0x8000030d);
}

TEST(vmx_events_of_words)
{
	struct event e;

	EXPECT(vmx_event_decode(0x80000306, 0x1230, &e));
	expect_event(&e, &ud);
	EXPECT(vmx_event_decode(0x80000b0d, 0x1230, &e));
	expect_event(&e, &gp);
	EXPECT(vmx_event_decode(0x80000055, 0x1230, &e));
	expect_event(&e, &irq);
	/* NMI unblocking due to IRET is undefined in what an exit leaves. */
	EXPECT(vmx_event_decode(0x80001b0d, 0x1230, &e));
	expect_event(&e, &gp);
}

TEST(vmx_words_of_no_event)
{
	static const u32 words[] = {
		0,          0x306,      0xb0d, 0x55, /* not valid           */
		0x80000202,                          /* an NMI              */
		0x80000480, 0x80000501,              /* INT 80h, INT1       */
		0x80000603, 0x80000604,              /* INT3, INTO          */
	};
	struct event e;

	for (unsigned i = 0; i < ARRAY_LEN(words); i++)
		EXPECT(!vmx_event_decode(words[i], 0, &e));
}

static struct vmcb *vmcb(void)
{
	static struct vmcb b;

	memset(&b, 0, sizeof(b));
	b.cr0 = CR0_PE;
	return &b;
}

TEST(svm_words_of_events)
{
	struct vmcb *b = vmcb();

	svm_event_inject(b, ud);
	EXPECT_EQ(b->eventinj, 0x80000306);
	svm_event_inject(b, gp);
	EXPECT_EQ(b->eventinj, 0x0000123080000b0d);
	svm_event_inject(b, irq);
	EXPECT_EQ(b->eventinj, 0x80000055);
	b->cr0 = 0;
	svm_event_inject(b, gp);
	EXPECT_EQ(b->eventinj, 0x8000030d);
}

TEST(svm_events_that_wait)
{
	struct vmcb *b = vmcb();
	struct event e;

	EXPECT(!svm_event_waiting(b, &e));
	svm_event_inject(b, gp);
	EXPECT(svm_event_waiting(b, &e));
	expect_event(&e, &gp);
	svm_event_inject(b, irq);
	EXPECT(svm_event_waiting(b, &e));
	expect_event(&e, &irq);
}

TEST(svm_interrupted_events_wait_again)
{
	static const u64 words[] = { 0x80000306, 0x0000123080000b0d, 0x80000055 };

	for (unsigned i = 0; i < ARRAY_LEN(words); i++) {
		struct vmcb *b = vmcb();

		b->exitintinfo = words[i];
		svm_event_again(b);
		EXPECT_EQ(b->eventinj, words[i]);
	}
}

/* The first two are what QEMU's translator leaves after a delivery. */
TEST(svm_interrupted_words_of_no_event)
{
	static const u64 words[] = {
		0x355,      0x55,       0, 0x0000123000000b0d,
		0x80000202,             /* an NMI              */
		0x80000480,             /* INT 80h             */
		0x80000303, 0x80000304, /* INT3, INTO          */
	};

	for (unsigned i = 0; i < ARRAY_LEN(words); i++) {
		struct vmcb *b = vmcb();

		b->exitintinfo = words[i];
		svm_event_again(b);
		EXPECT_EQ(b->eventinj, 0);
	}
}

TEST(svm_takes_interrupts_with_if_and_without_a_shadow)
{
	struct vmcb *b = vmcb();

	EXPECT(!svm_event_irq_open(b));
	b->rflags = RFLAGS_IF;
	EXPECT(svm_event_irq_open(b));
	b->interrupt_shadow = 1;
	EXPECT(!svm_event_irq_open(b));
	b->interrupt_shadow = 2; /* GUEST_INTERRUPT_MASK is no shadow */
	EXPECT(svm_event_irq_open(b));
}

TEST(svm_window_is_an_intercepted_v_irq)
{
	struct vmcb *b = vmcb();

	b->misc1 = 0xffffffef;
	b->v_intr = V_INTR_MASKING;
	svm_event_irq_window(b, true);
	EXPECT_EQ(b->misc1, 0xffffffff);
	EXPECT_EQ(b->v_intr, 0x1100100);
	svm_event_irq_window(b, false);
	EXPECT_EQ(b->misc1, 0xffffffef);
	EXPECT_EQ(b->v_intr, 0x1000000);
}
