/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dump - what a crash leaves for the reader of the log: registers and a backtrace
 *
 * tools/symbolise.py looks up the lines "# rip ADDRESS" and "# bt N ADDRESS".
 */
#include "arch/x86_64/dump.h"
#include "arch/x86_64/insn.h"
#include "arch/x86_64/layout.h"
#include "lib/console.h"

#define BACKTRACE_MAX 16

static const char *const names[TRAP_EXCEPTIONS] = {
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

const char *exception_name(u64 vector)
{
	const char *name = vector < TRAP_EXCEPTIONS ? names[vector] : NULL;

	return name ? name : "reserved exception";
}

void dump_registers(const struct trap_frame *f)
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

static bool on_stack(u64 p)
{
	u64 slots = (u64)CPU_MAX * STACK_SLOT_PAGES * PAGE_SIZE;

	return IS_ALIGNED(p, 8) && p >= STACK_BASE && p < STACK_BASE + slots;
}

/* A frame in a guard page faults: the panic path then goes on behind the backtrace. */
void dump_backtrace(const struct trap_frame *f)
{
	u64 rbp = f->rbp;

	print("# bt 0 0x%016lx\n", f->rip);
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
