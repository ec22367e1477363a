/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mcheck - machine checks: the machine says that it is broken, and the run ends
 *
 * Many errors interrupt all CPUs at once, and which one wins the panic path is chance.
 * So each notes what its banks say before it gets there, and the winner tells all. MCIP
 * is cleared when that has been noted, because a machine check while it is set shuts
 * the CPU down, and with it the log.  SDM vol. 3B, "Machine-Check Architecture".
 */
#include "arch/x86_64/mcheck.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/insn.h"
#include "arch/x86_64/mca.h"
#include "arch/x86_64/panic.h"
#include "lib/console.h"

#define MSR_MCG_CAP    0x179
#define MSR_MCG_STATUS 0x17a
#define MSR_MCG_CTL    0x17b
#define MSR_MC_CTL     0x400 /* + 4 for each bank */
#define MSR_MC_STATUS  0x401
#define MSR_MC_ADDR    0x402
#define MSR_MC_MISC    0x403
#define CPUID_MCE      BIT(7) /* leaf 1, EDX */
#define CPUID_MCA      BIT(14)
#define BANKS_MAX      32
#define KEPT           4 /* banks of a CPU */

static struct note {
	atomic32_t whole;
	u64 cap, status;
	unsigned n;
	struct mca_bank bank[KEPT];
} notes[CPU_MAX];

/* How many banks there are; 0 without the architecture. */
static unsigned banks(u64 *cap)
{
	u32 edx = cpuid(1, 0).edx;

	*cap = 0;
	if (!(edx & CPUID_MCE) || !(edx & CPUID_MCA))
		return 0;
	*cap = rdmsr(MSR_MCG_CAP);
	return (unsigned)MIN(field_get(MCG_CAP_COUNT, *cap), (u64)BANKS_MAX);
}

/* False: the bank has nothing to say. */
static bool read_bank(unsigned i, struct mca_bank *b)
{
	u64 s = rdmsr(MSR_MC_STATUS + 4 * i);

	*b = (struct mca_bank){ .number = i, .status = s };
	if (!(s & MC_STATUS_VAL))
		return false;
	if (s & MC_STATUS_ADDRV)
		b->addr = rdmsr(MSR_MC_ADDR + 4 * i);
	if (s & MC_STATUS_MISCV)
		b->misc = rdmsr(MSR_MC_MISC + 4 * i);
	return true;
}

static struct note *take_note(void)
{
	struct note *n = &notes[this_cpu()->id];
	unsigned count = banks(&n->cap);

	n->n = 0;
	n->status = count ? rdmsr(MSR_MCG_STATUS) : 0;
	for (unsigned i = 0; i < count && n->n < KEPT; i++)
		n->n += read_bank(i, &n->bank[n->n]);
	store_release(&n->whole, 1u);
	if (count)
		wrmsr(MSR_MCG_STATUS, 0);
	return n;
}

/* Of the worst bank. */
static void summary(const struct note *n, char *buf, size_t size)
{
	const struct mca_bank *worst = NULL;

	for (unsigned i = 0; i < n->n; i++)
		if (!worst || mca_grade(n->cap, n->bank[i].status) >
				      mca_grade(n->cap, worst->status))
			worst = &n->bank[i];
	if (worst)
		mca_bank_text(buf, size, n->cap, worst);
	else
		fmt_str(buf, size, "no bank of this CPU knows of an error");
}

void mcheck_panic(const struct trap_frame *f)
{
	char text[200];

	summary(take_note(), text, sizeof(text));
	panic_frame(f, "#MC machine check at 0x%lx: %s", f->rip, text);
}

void mcheck_panic_in_guest(const char *when, u64 guest_rip)
{
	char text[200];

	summary(take_note(), text, sizeof(text));
	panic("#MC machine check %s, guest rip 0x%lx: %s", when, guest_rip, text);
}

void mcheck_say(void)
{
	char text[200];

	for (unsigned cpu = 0; cpu < cpu_count; cpu++) {
		const struct note *n = &notes[cpu];

		if (!load_acquire(&n->whole))
			continue;
		mca_global_text(text, sizeof(text), n->status);
		print("# machine check: CPU %u, %s\n", cpu, text);
		for (unsigned i = 0; i < n->n; i++) {
			mca_bank_text(text, sizeof(text), n->cap, &n->bank[i]);
			print("# machine check: CPU %u, %s\n", cpu, text);
		}
	}
}

/* The P6 family keeps bank 0 for its firmware, before model 0x1a. */
static bool firmwares(unsigned bank)
{
	u32 eax = cpuid(1, 0).eax;
	u32 family = (u32)field_get(BITS(11, 8), eax);
	u32 model =
		(u32)(field_get(BITS(7, 4), eax) | field_get(BITS(19, 16), eax) << 4);

	return bank == 0 && family == 6 && model < 0x1a;
}

void mcheck_enable(void)
{
	struct mca_bank b;
	char text[200];
	u64 cap;
	unsigned count = banks(&cap);

	if (cap & MCG_CAP_CTL_P)
		wrmsr(MSR_MCG_CTL, ~0ull);
	for (unsigned i = 0; i < count; i++) {
		if (read_bank(i, &b)) {
			mca_bank_text(text, sizeof(text), cap, &b);
			print("# machine check: from before this boot: %s\n", text);
			wrmsr(MSR_MC_STATUS + 4 * i, 0);
		}
		if (!firmwares(i))
			wrmsr(MSR_MC_CTL + 4 * i, ~0ull);
	}
}
