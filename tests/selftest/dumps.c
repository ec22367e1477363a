/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dumps - crashes of the path that reports crashes; hidden, for tests/machine/alive.py
 */
#include "arch/x86_64/apic.h"
#include "arch/x86_64/insn.h"
#include "arch/x86_64/layout.h"
#include "arch/x86_64/msr.h"
#include "arch/x86_64/power.h"
#include "arch/x86_64/watch.h"
#include "lib/console.h"
#include "tests/test.h"
#include "vm/vm.h"

#define NOWHERE 0xdead0000 /* the host maps nothing there, nor is it an image */
#define PAUSE   300
#define NOISE   20

static atomic32_t go;

static void trap_here(void)
{
	asm volatile("ud2");
}

/* Runs fn on CPU 1, and does not wait for it. */
static void on_ap(void (*fn)(void *))
{
	static struct work w;

	w = (struct work){ .fn = fn };
	smp_post(1, &w);
}

static void panic_when_told(void *arg)
{
	(void)arg;
	store_release(&go, 1u);
	while (load_acquire(&go) < 2)
		relax();
	panic("asked to, on the other CPU");
}

TEST(selftest, panic_both, "two CPUs panic at once", .aps = 1, .hidden = true)
{
	(void)t;
	on_ap(panic_when_told);
	while (!load_acquire(&go))
		relax();
	store_release(&go, 2u);
	panic("asked to, on this CPU");
}

/* Where GIF can be cleared, NMIs wait for some lines: the dump has to wait as well. */
static void noise(void)
{
	bool gif = backend->vmmcall;

	if (gif)
		asm volatile("clgi");
	store_release(&go, 2u);
	for (unsigned i = 0; i < NOISE; i++)
		print("# noise that a panic has to interrupt\n");
	if (gif)
		asm volatile("stgi");
}

TEST(selftest, panic_print, "a CPU panics while another one prints", .vmx = true,
     .aps = 1, .hidden = true)
{
	(void)t;
	on_ap(panic_when_told);
	while (!load_acquire(&go))
		relax();
	for (;;)
		noise();
}

static void storm(void *arg)
{
	(void)arg;
	for (;;) {
		apic_send(cpus[0]->apic_id, ICR_ASSERT | ICR_NMI);
		for (unsigned i = 0; i < PAUSE; i++) /* or it would do nothing else */
			relax();
	}
}

TEST(selftest, panic_nmi, "NMIs arrive during prints and a panic", .aps = 1,
     .hidden = true)
{
	(void)t;
	on_ap(storm);
	for (unsigned i = 0; i < 20; i++)
		print("# line %u under NMIs\n", i);
	panic("asked to, under NMIs");
}

TEST(selftest, panic_gs, "GS points nowhere, and a fault", .hidden = true)
{
	(void)t;
	wrmsr(MSR_GS_BASE, NOWHERE);
	trap_here();
}

TEST(selftest, panic_rbp, "a frame pointer into a guard page, and a fault",
     .hidden = true)
{
	(void)t;
	asm volatile("movq %0, %%rbp\n\tud2" : : "r"(STACK_BASE) : "memory");
}

/* The guard page makes it a double fault; its own stack has a guard page, too. */
static u64 deeper(volatile u64 n)
{
	volatile u64 pad[64] = { n };

	return n ? deeper(n - 1) + pad[0] : 0;
}

static void overflow(void)
{
	deeper(1000000);
}

TEST(selftest, panic_end, "crashes once more when the machine is to end",
     .hidden = true)
{
	(void)t;
	machine_before_end(trap_here);
	panic("asked to, twice");
}

TEST(selftest, panic_df, "double faults, and again when the machine is to end",
     .hidden = true)
{
	(void)t;
	machine_before_end(overflow);
	overflow();
}

static void put_nowhere(char c)
{
	*(volatile char *)NOWHERE = c;
}

TEST(selftest, panic_console, "the console faults", .hidden = true)
{
	(void)t;
	console_add(put_nowhere);
	panic("nobody will read this");
}

TEST(selftest, panic_silent, "there is no console yet", .hidden = true)
{
	(void)t;
	console_drop();
	panic("asked to, with no console");
}

TEST(selftest, mcheck, "raises the exception of a machine check", .hidden = true)
{
	(void)t;
	asm volatile("int $18");
}

/* Waits for one that comes from outside: tests/machine/alive.py. */
TEST(selftest, mcheck_wait, "waits for a machine check", .hidden = true)
{
	(void)t;
	print("# ready for a machine check\n");
	for (;;)
		asm volatile("" : : : "memory");
}
