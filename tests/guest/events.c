/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * events - notes each exception and interrupt that it takes, and where it was then
 *
 * CALL_OWNER lets the test do something to it at a known place: places.S.
 */
#include "tests/guest/events.h"
#include "tests/guest/guest.h"

#define GATES   256
#define CODE    8
#define GATE    0x8e00 /* present, an interrupt gate: RFLAGS.IF is clear behind it */
#define HANDLER __attribute__((interrupt)) static void

struct frame {
	uint64_t rip, cs, flags, rsp, ss;
};

struct gate {
	uint16_t low, selector, type, middle;
	uint32_t high, zero;
};

struct __attribute__((packed)) table {
	uint16_t limit;
	uint64_t base;
};

void ask(void), ask_in_shadow(void), open(void), sleep(void), touch(void);
extern char asked_by_vmcall[], asked_by_vmmcall[], opened[], woken[], touched[];
extern char shadow_by_vmcall[], shadow_by_vmmcall[];

static struct events_page *page;

/* Null, 64-bit code, data: what CS and SS hold already. */
static uint64_t gdt[] = { 0, 0x00af9b000000ffff, 0x00cf93000000ffff };

/* A handler saves only what it uses itself, so what it calls has to save the rest. */
__attribute__((no_caller_saved_registers)) static void note(uint64_t vector,
							    uint64_t error,
							    const struct frame *f)
{
	struct events_taken *t = &page->taken[page->count % EVENTS_MAX];

	t->vector = vector;
	t->error = error;
	t->rip = f->rip;
	t->flags = f->flags;
	page->count++;
}

HANDLER on_ud(struct frame *f)
{
	note(EVENTS_UD, 0, f);
}

HANDLER on_df(struct frame *f, uint64_t error)
{
	note(EVENTS_DF, error, f);
}

HANDLER on_gp(struct frame *f, uint64_t error)
{
	note(EVENTS_GP, error, f);
}

HANDLER on_pf(struct frame *f, uint64_t error)
{
	note(EVENTS_PF, error, f);
}

HANDLER on_low(struct frame *f)
{
	note(EVENTS_LOW, 0, f);
}

HANDLER on_irq(struct frame *f)
{
	note(EVENTS_IRQ, 0, f);
}

HANDLER on_top(struct frame *f)
{
	note(EVENTS_TOP, 0, f);
}

static void set_gate(uint64_t vector, uint64_t handler)
{
	volatile struct gate *g = (struct gate *)page->idt + vector;

	g->low = (uint16_t)handler;
	g->selector = CODE;
	g->type = GATE;
	g->middle = (uint16_t)(handler >> 16);
	g->high = (uint32_t)(handler >> 32);
	g->zero = 0;
}

static void set_tables(void)
{
	struct table g = { sizeof(gdt) - 1, (uint64_t)gdt };
	struct table i = { GATES * sizeof(struct gate) - 1, page->idt };

	set_gate(EVENTS_UD, (uint64_t)on_ud);
	set_gate(EVENTS_DF, (uint64_t)on_df);
	set_gate(EVENTS_GP, (uint64_t)on_gp);
	set_gate(EVENTS_PF, (uint64_t)on_pf);
	set_gate(EVENTS_LOW, (uint64_t)on_low);
	set_gate(EVENTS_IRQ, (uint64_t)on_irq);
	set_gate(EVENTS_TOP, (uint64_t)on_top);
	asm volatile("lgdt %0\n\tlidt %1" : : "m"(g), "m"(i));
}

static void tell_places(void)
{
	char *by_vmcall = page->role == EVENTS_SHADOW ? shadow_by_vmcall
						      : asked_by_vmcall;
	char *by_vmmcall = page->role == EVENTS_SHADOW ? shadow_by_vmmcall
						       : asked_by_vmmcall;

	page->asked =
		(uint64_t)(guest_call_by == GUEST_VMMCALL ? by_vmmcall : by_vmcall);
	page->opened = (uint64_t)opened;
	page->woken = (uint64_t)woken;
	page->touched = (uint64_t)touched;
	page->handler = (uint64_t)on_irq;
}

static void ask_closed(void)
{
	asm volatile("cli");
	ask();
	guest_call(CALL_NULL, 0, 0);
	guest_call(CALL_NULL, 0, 0);
	page->early = page->count;
}

uint64_t guest_main(struct guest_page *p)
{
	page = (struct events_page *)p;
	set_tables();
	tell_places();
	page->ready = 1;
	switch (page->role) {
	case EVENTS_ASK:
		ask();
		break;
	case EVENTS_CLOSED:
		ask_closed();
		open();
		break;
	case EVENTS_SHADOW:
		asm volatile("cli");
		ask_in_shadow();
		break;
	case EVENTS_HALT:
		ask_closed();
		sleep();
		break;
	case EVENTS_TOUCH:
		touch();
		break;
	case EVENTS_SPIN:
		while (!page->stop)
			;
		break;
	case EVENTS_SLEEP:
		while (!page->stop)
			sleep();
		break;
	}
	return page->count;
}
