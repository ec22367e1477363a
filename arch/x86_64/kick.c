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
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/insn.h"
#include "arch/x86_64/trap.h"
#include "inval/hw.h"
#include "lib/trace.h"

static u32 flight = KICK_NOW;
static unsigned delayer; /* whose kicks these are */
static atomic64_t pending[CPU_MAX / 64];

unsigned hw_self(void)
{
	return this_cpu()->id;
}

void kick_now(unsigned cpu)
{
	trace(hw_self(), TRACE_KICK, cpu);
	apic_send(cpus[cpu]->apic_id, ICR_ASSERT | ICR_FIXED | VECTOR_KICK);
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
		kick_now((turn + i) % cpu_count);
	if (kick_in_flight())
		apic_timer(flight);
}

static void send_pending(void)
{
	for (unsigned i = 0; i * 64 < cpu_count; i++)
		for (u64 word = swap(&pending[i], 0ul); word; word &= word - 1)
			kick_now(i * 64 + (unsigned)__builtin_ctzll(word));
}

static void (*on_kick)(void);

static void kicked(void)
{
	atomic64_t *kicks = &this_cpu()->pub.kicks;

	trace(hw_self(), TRACE_KICKED, 0);
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

void hw_kick(unsigned cpu)
{
	this_cpu()->kicks_asked++;
	if (flight == KICK_NOW || hw_self() != delayer) {
		kick_now(cpu);
		return;
	}
	if (flight == KICK_LOST)
		return;
	or_fence(&pending[cpu / 64], BIT(cpu % 64));
	apic_timer(flight);
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

void kick_delay(u32 count)
{
	kick_flush();
	delayer = hw_self();
	flight = count;
}
