/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smp - bringing up the other CPUs, and giving them work
 *
 * All APs start at once: each finds its struct cpu by its APIC ID in a table, so none
 * waits for another.  An AP and the CPU that waits for it race for cpu_public.state by
 * compare-and-swap: either it is up, or it has been given up and parks itself.
 */
#include "arch/x86_64/smp.h"
#include "arch/x86_64/apic.h"
#include "arch/x86_64/delay.h"
#include "arch/x86_64/desc.h"
#include "arch/x86_64/insn.h"
#include "arch/x86_64/kicklog.h"
#include "arch/x86_64/layout.h"
#include "arch/x86_64/mcheck.h"
#include "arch/x86_64/paging.h"
#include "arch/x86_64/trampoline.h"
#include "arch/x86_64/trap.h"
#include "arch/x86_64/watch.h"
#include "lib/console.h"
#include "lib/str.h"
#include "mm/mem.h"

#define INIT_US      10000
#define SIPI_US      200
#define ANSWER_STEPS 1000 /* of 10 ms */

_Static_assert(CPU_MAX % 64 == 0, "sets of CPUs are whole words");
_Static_assert((u64)CPU_MAX *STACK_SLOT_PAGES *PAGE_SIZE <= APIC_VADDR - STACK_BASE,
	       "each CPU has its stacks below the APIC");

struct cpu *cpus[CPU_MAX];
unsigned cpu_count = 1;

static struct cpu bsp;

/* What a starting AP looks itself up in; the trampoline reads it. */
struct smp_entry smp_table[CPU_MAX];
u32 smp_table_n;

void smp_adopt_bsp(void)
{
	cpus[0] = &bsp;
	store_relaxed(&bsp.pub.state, CPU_UP);
	desc_load(&bsp);
}

static _Noreturn void idle(struct cpu *c)
{
	for (;;) {
		struct work *w;

		cli(); /* a wake-up between the look and the HLT must stay pending */
		w = (struct work *)load_acquire(&c->pub.work);
		if (!w) {
			watch_idle();
			sti_hlt_cli();
			continue;
		}
		watch_busy();
		w->fn(w->arg);
		store_relaxed(&c->pub.work, 0ul);
		store_release(&w->done, 1u);
		/* After the last use of *w, which may be on the stack of who gave it.
		 */
		store_release(&c->pub.finished, load_relaxed(&c->pub.finished) + 1);
	}
}

/* Where the trampoline hands over: 64-bit, paging_root loaded, own main stack. */
_Noreturn void smp_ap_entry(struct cpu *c);
_Noreturn void smp_ap_entry(struct cpu *c)
{
	desc_load(c);
	mcheck_enable();
	apic_enable();
	if (!cas(&c->pub.state, (u32)CPU_STARTING, (u32)CPU_UP))
		halt_forever();
	idle(c);
}

static struct cpu *cpu_new(unsigned id, u32 apic, struct pool *pool)
{
	hpa_t pa;
	struct cpu *c;

	_Static_assert(sizeof(struct cpu) <= PAGE_SIZE, "a CPU's data is one frame");
	if (pool_alloc(pool, 0, &pa))
		return NULL;
	c = mem_ptr(pa);
	memset(c, 0, sizeof(*c));
	c->id = id;
	c->apic_id = apic;
	c->stack_top = stack_top(id, STACK_MAIN_PAGE, STACK_MAIN_PAGES);
	store_relaxed(&c->pub.state, (u32)CPU_STARTING);
	paging_map_stacks(id);
	return c;
}

static bool all_up(unsigned n)
{
	for (unsigned i = 1; i < n; i++)
		if (load_acquire(&cpus[i]->pub.state) != CPU_UP)
			return false;
	return true;
}

static void send_to_waiting(unsigned n, u32 mute, u32 icr)
{
	for (unsigned i = 1; i < n; i++)
		if (cpus[i]->apic_id != mute &&
		    load_acquire(&cpus[i]->pub.state) == CPU_STARTING)
			apic_send(cpus[i]->apic_id, icr);
}

static void wake(const struct smp_plan *plan, unsigned n)
{
	u32 sipi = ICR_ASSERT | ICR_STARTUP | (u32)(plan->trampoline >> PAGE_SHIFT);

	send_to_waiting(n, plan->mute, ICR_ASSERT | ICR_INIT);
	delay_us(INIT_US);
	send_to_waiting(n, plan->mute, sipi);
	delay_us(SIPI_US);
	send_to_waiting(n, plan->mute, sipi);
	for (unsigned i = 0; i < ANSWER_STEPS && !all_up(n); i++)
		delay_us(INIT_US);
}

/* Names every CPU, and closes the numbering over those that did not answer. */
static void settle(unsigned n)
{
	cpu_count = 1;
	print("# cpu 0 apic 0x%x ok\n", cpus[0]->apic_id);
	for (unsigned i = 1; i < n; i++) {
		struct cpu *c = cpus[i];

		if (cas(&c->pub.state, (u32)CPU_STARTING, (u32)CPU_GIVEN_UP)) {
			print("# cpu with apic 0x%x does not answer: left out\n",
			      c->apic_id);
			continue;
		}
		c->id = cpu_count; /* it is idle, and has not read its number yet */
		cpus[cpu_count++] = c;
		print("# cpu %u apic 0x%x ok\n", c->id, c->apic_id);
	}
}

void smp_start(const struct smp_plan *plan, struct pool *pool)
{
	unsigned n = 1;

	bsp.apic_id = apic_id();
	for (unsigned i = 0; i < plan->n && n < CPU_MAX; i++) {
		cpus[n] = cpu_new(n, plan->apic_id[i], pool);
		if (!cpus[n]) {
			print("# no memory for the CPU with apic 0x%x: left out\n",
			      plan->apic_id[i]);
			break;
		}
		smp_table[n - 1] = (struct smp_entry){ plan->apic_id[i], (u64)cpus[n],
						       cpus[n]->stack_top };
		n++;
	}
	smp_table_n = n - 1;
	memcpy(mem_ptr(HPA(plan->trampoline)), trampoline_start,
	       (size_t)(trampoline_end - trampoline_start));
	if (n > 1)
		wake(plan, n);
	settle(n);
}

void smp_post(unsigned cpu, struct work *w)
{
	store_relaxed(&w->done, 0u);
	assert(!load_relaxed(&cpus[cpu]->pub.work));
	store_relaxed(&cpus[cpu]->pub.posted, load_relaxed(&cpus[cpu]->pub.posted) + 1);
	/* The ICR may be written before older stores are seen: not before this one. */
	store_fence(&cpus[cpu]->pub.work, (u64)w);
	if (CHECKED)
		kicklog_send(cpu, 0);
	apic_send(cpus[cpu]->apic_id, ICR_ASSERT | ICR_FIXED | VECTOR_KICK);
}

bool smp_idle(unsigned cpu)
{
	const struct cpu_public *pub = &cpus[cpu]->pub;

	return load_acquire(&pub->finished) == load_relaxed(&pub->posted);
}

/* Those that are left out stay in the table, behind the others: a crash looks there. */
unsigned smp_leave_out(void)
{
	static struct cpu *out[CPU_MAX];
	unsigned n = 0, left = 1;

	for (unsigned i = 1; i < cpu_count; i++) {
		struct cpu *c = cpus[i];

		if (load_acquire(&c->pub.stopped)) {
			out[n++] = c;
			continue;
		}
		if (c->id != left)
			print("# cpu %u apic 0x%x is CPU %u from here on\n", c->id,
			      c->apic_id, left);
		c->id = left;
		cpus[left++] = c;
	}
	cpu_count = left;
	for (unsigned i = 0; i < n; i++) {
		out[i]->id = left + i;
		cpus[left + i] = out[i];
	}
	return n;
}
