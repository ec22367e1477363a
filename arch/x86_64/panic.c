/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * panic - the end of a run that found a bug of ours
 *
 * Says `Bail out!` first, so that the line gets out even if the dump faults, then
 * registers, a backtrace by frame pointers, the last trace events, and ends the
 * machine.  panic() itself traps, so that its dump is that of any trap.  The first CPU
 * that panics stops the others by NMI; a panic inside the panic path ends the machine
 * at once.
 */
#include "arch/x86_64/panic.h"
#include "arch/x86_64/apic.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/insn.h"
#include "arch/x86_64/layout.h"
#include "arch/x86_64/power.h"
#include "lib/console.h"
#include "lib/trace.h"

#define BACKTRACE_MAX 16

static atomic32_t owner; /* CPU number + 1 */
static char why[200];    /* the owner's words, between panic() and its trap */

static const char *const exception_name[TRAP_EXCEPTIONS] = {
	[0] = "#DE divide error",
	[1] = "#DB debug",
	[2] = "NMI",
	[3] = "#BP breakpoint",
	[6] = "#UD invalid opcode",
	[7] = "#NM device not available",
	[8] = "#DF double fault",
	[10] = "#TS invalid TSS",
	[11] = "#NP segment not present",
	[12] = "#SS stack fault",
	[13] = "#GP general protection",
	[14] = "#PF page fault",
	[16] = "#MF x87",
	[17] = "#AC alignment check",
	[18] = "#MC machine check",
	[19] = "#XM SIMD",
	[21] = "#CP control protection",
};

bool panicking(void)
{
	return load_relaxed(&owner);
}

/* Claims the panic path for this CPU, or ends here. */
static void claim(void)
{
	u32 me = this_cpu()->id + 1;

	cli();
	if (!cas(&owner, 0u, me)) {
		if (load_relaxed(&owner) == me)
			machine_end(STATUS_CRASH); /* a panic inside the panic */
		halt_forever();
	}
	console_break_lock();
}

/* Only CPUs of ours: another one may have no IDT, and would reset the machine. */
static void stop_others(void)
{
	for (unsigned i = 0; i < cpu_count && apic_ready(); i++)
		if (cpus[i] != this_cpu())
			apic_send(cpus[i]->apic_id, ICR_ASSERT | ICR_NMI);
}

static bool on_stack(u64 p)
{
	u64 slots = (u64)CPU_MAX * STACK_SLOT_PAGES * PAGE_SIZE;

	return IS_ALIGNED(p, 8) && p >= STACK_BASE && p < STACK_BASE + slots;
}

/* Follows saved frame pointers while they climb within the stack region. */
static void backtrace(u64 rip, u64 rbp)
{
	print("# bt 0 0x%016lx\n", rip);
	for (unsigned i = 1; i < BACKTRACE_MAX && on_stack(rbp); i++) {
		const u64 *frame = (const u64 *)rbp;

		if (!frame[1])
			break;
		print("# bt %u 0x%016lx\n", i, frame[1]);
		if (frame[0] <= rbp)
			break;
		rbp = frame[0];
	}
}

static _Noreturn void finish(u64 rip, u64 rbp)
{
	backtrace(rip, rbp);
	trace_dump(cpu_count);
	machine_end(STATUS_CRASH);
}

static void dump(const struct trap_frame *f)
{
	print("# rip 0x%016lx\n", f->rip);
	print("# rflags %016lx rsp %016lx cr2 %016lx cr3 %016lx\n", f->rflags, f->rsp,
	      read_cr2(), read_cr3());
	print("# rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", f->rax, f->rbx, f->rcx,
	      f->rdx);
	print("# rsi %016lx rdi %016lx rbp %016lx r8  %016lx\n", f->rsi, f->rdi, f->rbp,
	      f->r8);
	print("# r9  %016lx r10 %016lx r11 %016lx r12 %016lx\n", f->r9, f->r10, f->r11,
	      f->r12);
	print("# r13 %016lx r14 %016lx r15 %016lx\n", f->r13, f->r14, f->r15);
}

void panic_trap(const struct trap_frame *f)
{
	const char *name = exception_name[f->vector];
	bool asked = *why && f->vector == TRAP_UD;

	if (!asked)
		claim();
	if (asked)
		print("\nBail out! CPU %u: %s\n", this_cpu()->id, why);
	else
		print("\nBail out! CPU %u: %s, error 0x%lx, at 0x%lx\n", this_cpu()->id,
		      name ? name : "reserved exception", f->error, f->rip);
	*why = 0; /* what faults from here on is a panic inside the panic */
	stop_others();
	dump(f);
	finish(f->rip, f->rbp);
}

void panic(const char *fmt, ...)
{
	va_list ap;

	claim();
	va_start(ap, fmt);
	fmt_str_va(why, sizeof(why), fmt, ap);
	va_end(ap);
	asm volatile("ud2"); /* the trap has the registers */
	__builtin_unreachable();
}

void err_note(enum err e, const char *file, int line)
{
	print("# %s:%d: %s\n", file, line, err_name(e));
}
