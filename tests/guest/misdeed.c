/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * misdeed - does one thing of a list: some that a guest may, most that it may not.
 */
#include "tests/guest/guest.h"
#include "tests/guest/misdeed.h"

#define CR4_MCE  (1ull << 6)
#define CR4_VMXE (1ull << 13)

static uint64_t registers_survive(void)
{
	uint64_t bad;

	/* Every register but RAX, RSP holds a value of its own across the exit. */
	asm volatile("pushq %%rbp\n\t"
		     "movq $0x101, %%rbx\n\t movq $0x102, %%rcx\n\t"
		     "movq $0x103, %%rdx\n\t movq $0x104, %%rsi\n\t"
		     "movq $0x105, %%rdi\n\t movq $0x106, %%rbp\n\t"
		     "movq $0x108, %%r8\n\t  movq $0x109, %%r9\n\t"
		     "movq $0x10a, %%r10\n\t movq $0x10b, %%r11\n\t"
		     "movq $0x10c, %%r12\n\t movq $0x10d, %%r13\n\t"
		     "movq $0x10e, %%r14\n\t movq $0x10f, %%r15\n\t"
		     "xorl %%eax, %%eax\n\t" GUEST_CALL
		     "subq $0x101, %%rbx\n\t subq $0x102, %%rcx\n\t"
		     "subq $0x103, %%rdx\n\t subq $0x104, %%rsi\n\t"
		     "subq $0x105, %%rdi\n\t subq $0x106, %%rbp\n\t"
		     "subq $0x108, %%r8\n\t  subq $0x109, %%r9\n\t"
		     "subq $0x10a, %%r10\n\t subq $0x10b, %%r11\n\t"
		     "subq $0x10c, %%r12\n\t subq $0x10d, %%r13\n\t"
		     "subq $0x10e, %%r14\n\t subq $0x10f, %%r15\n\t"
		     "orq %%rbx, %%rax\n\t orq %%rcx, %%rax\n\t orq %%rdx, %%rax\n\t"
		     "orq %%rsi, %%rax\n\t orq %%rdi, %%rax\n\t orq %%rbp, %%rax\n\t"
		     "orq %%r8, %%rax\n\t orq %%r9, %%rax\n\t orq %%r10, %%rax\n\t"
		     "orq %%r11, %%rax\n\t orq %%r12, %%rax\n\t orq %%r13, %%rax\n\t"
		     "orq %%r14, %%rax\n\t orq %%r15, %%rax\n\t"
		     "popq %%rbp"
		     : "=a"(bad)
		     :
		     : "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11",
		       "r12", "r13", "r14", "r15", "memory");
	return bad;
}

static uint64_t ask_cpuid(void)
{
	uint32_t a = 1, b, c = 0, d;

	asm volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return c; /* the test looks at VMX and at the hypervisor bit */
}

static uint64_t use_fs_base(void)
{
	uint32_t lo, hi;

	asm volatile("wrmsr" : : "c"(0xc0000100), "a"(0x1234000), "d"(0));
	asm volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(0xc0000100));
	return lo == 0x1234000 && hi == 0;
}

/* A bit that the CPU has: a reserved one would raise #GP before anybody looks. */
static void flip_cr4(uint64_t bit)
{
	uint64_t cr4;

	asm volatile("movq %%cr4, %0" : "=r"(cr4));
	asm volatile("movq %0, %%cr4" : : "r"(cr4 ^ bit));
}

uint64_t guest_main(struct guest_page *page)
{
	switch (page->role) {
	case DEED_REGISTERS:
		return registers_survive();
	case DEED_CPUID:
		return ask_cpuid();
	case DEED_FS_BASE:
		return use_fs_base();
	case DEED_RDMSR:
		asm volatile("rdmsr" : : "c"(0x1b) : "rax", "rdx");
		break;
	case DEED_WRMSR:
		asm volatile("wrmsr" : : "c"(0x1b), "a"(0), "d"(0));
		break;
	case DEED_WRITE_EFER:
		asm volatile("wrmsr" : : "c"(0xc0000080), "a"(0), "d"(0));
		break;
	case DEED_PORT:
		asm volatile("outb %%al, $0x80" : : "a"(0));
		break;
	case DEED_NO_MEMORY:
		*(volatile uint64_t *)GUEST_WINDOW = 1;
		break;
	case DEED_TRIPLE:
		asm volatile("ud2");
		break;
	case DEED_CR4:
		flip_cr4(guest_call_by == GUEST_VMMCALL ? CR4_MCE : CR4_VMXE);
		break;
	case DEED_CACHES_OFF:
		asm volatile("movq %%cr0, %%rax\n\tbtsq $30, %%rax\n\tmovq %%rax, %%cr0"
			     :
			     :
			     : "rax");
		break;
	case DEED_TPR:
		asm volatile("movq %0, %%cr8" : : "r"(15ul));
		break;
	case DEED_BAD_BASE:
		asm volatile("wrmsr" : : "c"(0xc0000100), "a"(0), "d"(0x800000));
		break;
	case DEED_DEBUG:
		asm volatile(".byte 0xf1"); /* INT1 */
		break;
	case DEED_STEP: /* RFLAGS.TF */
		asm volatile("pushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\tnop"
			     :
			     :
			     : "memory", "cc");
		break;
	case DEED_CALLS:
		for (;;)
			guest_call(CALL_NULL, 0, 0);
	case DEED_VMXON:
		if (guest_call_by == GUEST_VMMCALL)
			asm volatile("clgi");
		else
			asm volatile("vmxoff");
		break;
	case DEED_BAD_CALL:
		guest_call(77, 0, 0);
		break;
	case DEED_BAD_PRINT:
		guest_call(CALL_PRINT, 0x7fffffff000, 10);
		break;
	case DEED_SPIN:
		for (;;)
			;
	case DEED_HALT:
		for (;;)
			asm volatile("hlt");
	}
	return 0;
}
