/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kick - the IPI that makes a CPU leave the guest, and how a test may spoil it
 *
 * Only one CPU at a time initiates with a delay, the one that called kick_delay(); its
 * timer interrupt and its own code are the only users of `pending`.  Others may
 * initiate meanwhile, with interrupts off; their kicks go out at once.
 *
 * Each interrupt sends one kick, to another CPU first each time.  Were they all sent at
 * once, a protocol that waits for a single CPU would look like one that waits for all.
 */
#include "arch/x86_64/kick.h"
#include "arch/x86_64/apic.h"
#include "arch/x86_64/cluster.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/insn.h"
#include "arch/x86_64/kicklog.h"
#include "arch/x86_64/trap.h"
#include "arch/x86_64/x2apic.h"
#include "inval/hw.h"
#include "lib/trace.h"

#define ICR_KICK (ICR_ASSERT | ICR_FIXED | VECTOR_KICK)

static u32 flight = KICK_NOW;
static bool together;    /* CPUs of a cluster are kicked by one write */
static bool counted;     /* by those who ask for kicks                */
static unsigned delayer; /* whose kicks these are */
static atomic64_t pending[CPU_MAX / 64];

/*
 * The first part of each word, if it is all of its cluster and kicks are sent together,
 * at once and uncounted; else empty.
 */
static struct cluster_part quick[CPU_MAX / 64];

unsigned hw_self(void)
{
	return this_cpu()->id;
}

static void trace_kick(unsigned cpu)
{
	if (CHECKED)
		kicklog_send(cpu, 0);
}

static void send(unsigned cpu)
{
	apic_send(cpus[cpu]->apic_id, ICR_KICK);
}

void kick_now(unsigned cpu)
{
	trace_kick(cpu);
	send(cpu);
}

/* One that has been under way. */
static void arrive(unsigned cpu)
{
	if (CHECKED)
		kicklog_send(cpu, TRACE_ASKED);
	send(cpu);
}

static bool take(unsigned cpu)
{
	return fetch_and(&pending[cpu / 64], ~BIT(cpu % 64)) & BIT(cpu % 64);
}

static void send_next(void)
{
	static unsigned turn;
	unsigned i = 0;

	turn++;
	while (i < cpu_count && !take((turn + i) % cpu_count))
		i++;
	if (i < cpu_count)
		arrive((turn + i) % cpu_count);
	if (kick_in_flight())
		apic_timer(flight);
}

static void send_pending(void)
{
	for (unsigned i = 0; i * 64 < cpu_count; i++)
		for (u64 word = swap(&pending[i], 0ul); word; word &= word - 1)
			arrive(i * 64 + (unsigned)__builtin_ctzll(word));
}

static void (*on_kick)(void);

static void kicked(void)
{
	atomic64_t *kicks = &this_cpu()->pub.kicks;

	if (CHECKED)
		kicklog_take();
	store_release(kicks, load_relaxed(kicks) + 1);
	if (on_kick)
		on_kick();
}

u64 hw_kicks(unsigned cpu)
{
	return load_acquire(&cpus[cpu]->pub.kicks);
}

void kick_hook(void (*fn)(void))
{
	on_kick = fn;
}

static void each(unsigned base, u64 which, void (*fn)(unsigned cpu))
{
	for (; which; which &= which - 1)
		fn(base + (unsigned)__builtin_ctzll(which));
}

static inline void trace_kicks(unsigned base, u64 which)
{
	if (CHECKED)
		each(base, which, trace_kick);
}

static void by_cluster(unsigned base, u64 which)
{
	trace_kicks(base, which);
	while (which)
		x2apic_send(cluster_take(base, &which), ICR_KICK | ICR_LOGICAL);
}

static void trace_ask(unsigned cpu)
{
	trace_detail(hw_self(), TRACE_ASK, cpu);
}

static void delay(unsigned cpu)
{
	or_fence(&pending[cpu / 64], BIT(cpu % 64));
	apic_timer(flight);
}

static void count(unsigned cpu)
{
	(void)cpu;
	this_cpu()->kicks_asked++;
}

/* The long way. */
static never_inline void send_or_not(unsigned base, u64 which)
{
	if (counted)
		each(base, which, count);
	if (flight != KICK_NOW && hw_self() == delayer) {
		if (CHECKED)
			each(base, which, trace_ask);
		each(base, flight == KICK_LOST ? 0 : which, delay);
	} else if (together) {
		by_cluster(base, which);
	} else {
		each(base, which, kick_now);
	}
}

void hw_kick_many(unsigned base, u64 which)
{
	const struct cluster_part *p = &quick[base / 64];

	if (which & ~p->members) {
		send_or_not(base, which);
		return;
	}
	trace_kicks(base, which);
	x2apic_send(cluster_dest(p, which), ICR_KICK | ICR_LOGICAL);
}

void hw_kick(unsigned cpu)
{
	hw_kick_many(ALIGN_DOWN(cpu, 64), BIT(cpu % 64));
}

static void choose_way(void)
{
	bool plain = together && !counted && flight == KICK_NOW;

	/* Others may be about to kick: all else in `quick` is there from the beginning.
	 */
	for (unsigned i = 0; i < ARRAY_LEN(quick); i++) {
		const struct cluster_part *p = &cluster_part[i * 64];

		quick[i].members = plain && !p->goes_on ? p->members : 0;
	}
}

void kick_clusters(void)
{
	static u32 ids[CPU_MAX];

	for (unsigned i = 0; i < cpu_count; i++)
		ids[i] = cpus[i]->logical_id;
	together = cluster_plan(ids, cpu_count);
	for (unsigned i = 0; i < ARRAY_LEN(quick); i++)
		quick[i] = cluster_part[i * 64];
	choose_way();
}

void kick_init(void)
{
	irq_set(VECTOR_KICK, kicked);
	irq_set(VECTOR_TIMER, send_next);
}

void kick_flush(void)
{
	apic_timer(0);
	send_pending();
}

bool kick_in_flight(void)
{
	u64 any = 0;

	for (unsigned i = 0; i * 64 < cpu_count; i++)
		any |= load_relaxed(&pending[i]);
	return any;
}

void kick_delay(u32 clocks)
{
	kick_flush();
	delayer = hw_self();
	flight = clocks;
	choose_way();
}

void kick_count(bool on)
{
	counted = on;
	choose_way();
}
