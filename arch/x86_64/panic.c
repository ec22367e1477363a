/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * panic - the end of a run that found a bug of ours
 *
 * The first CPU that comes here owns the path; the others are stopped by NMI before it
 * says a word, so that the dump is whole, and one that panics too stops by itself.
 * panic() traps, so that its dump is that of any trap.
 *
 * The path is a list of stages, and each is counted as done before it runs.  Whatever
 * faults in it comes back here by another trap and goes on with the next stage: what is
 * broken costs its own lines and no others.  `Bail out!` comes first, and if the
 * console cannot say it, it goes to the devices directly.  After the last stage, which
 * ends the machine, and after too many traps there is machine_last(), which cannot
 * fault.
 *
 * GS may be anything by now, so a CPU finds itself by its APIC's ID.
 */
#include "arch/x86_64/panic.h"
#include "arch/x86_64/apic.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/dump.h"
#include "arch/x86_64/insn.h"
#include "arch/x86_64/mcheck.h"
#include "arch/x86_64/msr.h"
#include "arch/x86_64/power.h"
#include "arch/x86_64/uart.h"
#include "lib/console.h"
#include "lib/trace.h"

#define TRAPS_MAX  12      /* in the path, the first included */
#define STOP_TURNS 2000000 /* of waiting for CPUs that are to stop */

static atomic64_t owner; /* a struct cpu, or 0 */

/* The owner's. */
static struct trap_frame first;
static char why[300];     /* its words, empty: those of the exception */
static unsigned stage;    /* the next one                             */
static unsigned traps;    /* that came here                           */
static bool said;         /* the line is out                          */
static u64 gs;            /* GS base, if it was wrong                 */
static unsigned tarrying; /* CPUs that do not stop                    */

bool panicking(void)
{
	return load_relaxed(&owner);
}

/* Which CPU is this?  Before there are others, the first. */
static struct cpu *self(void)
{
	u32 id = apic_ready() ? apic_id() : 0;

	for (unsigned i = 0; apic_ready() && i < CPU_MAX && cpus[i]; i++)
		if (cpus[i]->apic_id == id)
			return cpus[i];
	return cpus[0];
}

/* Makes this_cpu() work again. */
static struct cpu *rescue(void)
{
	struct cpu *me = self();
	u64 is = rdmsr(MSR_GS_BASE);

	if (is != (u64)me) {
		gs = is;
		wrmsr(MSR_GS_BASE, (u64)me);
	}
	return me;
}

void panic_stop(void)
{
	struct cpu *me = rescue();

	if (load_relaxed(&owner) == (u64)me)
		return;
	store_release(&me->pub.stopped, 1u);
	halt_forever();
}

/* Claims the path for this CPU, or stops it.  False: it has the path already. */
static bool claim(void)
{
	struct cpu *me = rescue();
	bool mine;

	cli();
	mine = cas(&owner, 0ull, (u64)me);
	if (!mine)
		panic_stop();
	return mine;
}

static bool all_stopped(void)
{
	tarrying = 0;
	for (unsigned i = 0; i < cpu_count; i++)
		tarrying += cpus[i] != this_cpu() &&
			    !load_acquire(&cpus[i]->pub.stopped);
	return !tarrying;
}

/* Only CPUs of ours: another one may have no IDT, and would reset the machine. */
static void stop_others(void)
{
	console_break_lock();
	if (!console_count())
		uart_init();
	if (!apic_ready())
		return;
	for (unsigned i = 0; i < cpu_count; i++)
		if (cpus[i] != this_cpu())
			apic_send(cpus[i]->apic_id, ICR_ASSERT | ICR_NMI);
	for (unsigned i = 0; i < STOP_TURNS && !all_stopped(); i++)
		relax();
}

static void say(void)
{
	unsigned id = this_cpu()->id;

	if (*why)
		print("\nBail out! CPU %u: %s\n", id, why);
	else
		print("\nBail out! CPU %u: %s, error 0x%lx, at 0x%lx\n", id,
		      exception_name(first.vector), first.error, first.rip);
	said = true;
}

static void say_at_least(void)
{
	if (!said)
		uart_say("\nBail out! a crash, and the console crashes as well\n");
	else if (gs)
		print("# GS base was 0x%lx\n", gs);
	if (said && tarrying)
		print("# %u CPUs do not stop\n", tarrying);
}

static void registers(void)
{
	dump_registers(&first);
}

static void backtrace(void)
{
	dump_backtrace(&first);
}

static void traces(void)
{
	trace_dump(cpu_count);
}

static void end(void)
{
	machine_end(STATUS_CRASH);
}

static const struct {
	const char *what;
	void (*run)(void);
} stages[] = {
	{ "stopping the other CPUs", stop_others },
	{ "saying so", say },
	{ "saying so", say_at_least },
	{ "the machine checks", mcheck_say },
	{ "the registers", registers },
	{ "the backtrace", backtrace },
	{ "the traces", traces },
	{ "ending the machine", end },
};

/* On with the path.  `f` is the trap that came here. */
static _Noreturn void go_on(const struct trap_frame *f)
{
	if (!traps++)
		first = *f;
	else if (traps > TRAPS_MAX)
		machine_last();
	else if (said)
		print("\n# panic: %s at 0x%lx, during %s\n", exception_name(f->vector),
		      f->rip, stages[stage ? stage - 1 : 0].what);
	while (stage < ARRAY_LEN(stages))
		stages[stage++].run();
	machine_last();
}

void panic_trap(const struct trap_frame *f)
{
	claim();
	go_on(f);
}

/* The words are the first panic's: another one inside of the path has only its trap. */
static void take_words(const char *fmt, va_list ap)
{
	if (claim())
		fmt_str_va(why, sizeof(why), fmt, ap);
}

void panic_frame(const struct trap_frame *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	take_words(fmt, ap);
	va_end(ap);
	go_on(f);
}

void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	take_words(fmt, ap);
	va_end(ap);
	asm volatile("ud2"); /* the trap has the registers */
	__builtin_unreachable();
}

void err_note(enum err e, const char *file, int line)
{
	print("# %s:%d: %s\n", file, line, err_name(e));
}
