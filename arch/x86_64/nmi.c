/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nmi - asking a CPU where it is
 *
 * One CPU asks at a time.  Who asks is not waited for without an end: it may have been
 * stopped itself meanwhile.
 */
#include "arch/x86_64/nmi.h"
#include "arch/x86_64/apic.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/insn.h"
#include "arch/x86_64/panic.h"

#define TURNS     5000000
#define RFLAGS_IF BIT(9)

#define FLAG_IN_GUEST BIT(0)
#define FLAG_IRQS_OFF BIT(1)
#define FLAG_KICKED   BIT(2)

static atomic32_t asking;
static u64 (*loaded_rip)(void);

void nmi_guest_hook(u64 (*guest_rip)(void))
{
	loaded_rip = guest_rip;
}

/* The answer, and no way back if it was asked to park. */
static void tell(enum nmi_request what, struct where w)
{
	struct cpu_public *pub = &this_cpu()->pub;
	bool kicked = apic_pending(VECTOR_KICK);

	store_relaxed(&pub->host_rip, w.host_rip);
	store_relaxed(&pub->host_rsp, w.host_rsp);
	store_relaxed(&pub->guest_rip, w.guest_rip);
	store_relaxed(&pub->flags, (w.in_guest ? FLAG_IN_GUEST : 0) |
					   (w.irqs_off ? FLAG_IRQS_OFF : 0) |
					   (kicked ? FLAG_KICKED : 0));
	if (what == NMI_PARK)
		store_release(&pub->stopped, 1u);
	store_release(&pub->told, 1u);
	if (what == NMI_PARK)
		halt_forever();
}

static enum nmi_request take_request(void)
{
	if (panicking())
		panic_stop();
	return swap(&this_cpu()->pub.nmi, (u32)NMI_NOTHING);
}

void nmi_in_host(const struct trap_frame *f)
{
	enum nmi_request what = take_request();

	if (what == NMI_BAIL)
		panic_frame(f, "it hangs at 0x%lx, interrupts are %s", f->rip,
			    f->rflags & RFLAGS_IF ? "on" : "off");
	if (what)
		tell(what, (struct where){ .host_rip = f->rip,
					   .host_rsp = f->rsp,
					   .guest_rip = loaded_rip ? loaded_rip() : 0,
					   .irqs_off = !(f->rflags & RFLAGS_IF) });
}

void nmi_in_guest(u64 guest_rip)
{
	enum nmi_request what = take_request();

	if (what == NMI_BAIL)
		panic("it hangs in its guest at 0x%lx", guest_rip);
	if (what)
		tell(what, (struct where){ .guest_rip = guest_rip, .in_guest = true });
}

void nmi_unblock(void)
{
	asm volatile("int %0" : : "i"(TRAP_NMI) : "memory");
}

static bool answered(struct cpu_public *pub, struct where *out)
{
	u64 flags;

	for (unsigned i = 0; i < TURNS && !load_acquire(&pub->told); i++) {
		this_cpu()->beats++;
		relax();
	}
	if (!load_acquire(&pub->told))
		return false;
	flags = load_relaxed(&pub->flags);
	*out = (struct where){ .host_rip = load_relaxed(&pub->host_rip),
			       .host_rsp = load_relaxed(&pub->host_rsp),
			       .guest_rip = load_relaxed(&pub->guest_rip),
			       .in_guest = flags & FLAG_IN_GUEST,
			       .irqs_off = flags & FLAG_IRQS_OFF,
			       .kicked = flags & FLAG_KICKED };
	return true;
}

void nmi_bail(unsigned cpu)
{
	store_fence(&cpus[cpu]->pub.nmi, (u32)NMI_BAIL);
	apic_send(cpus[cpu]->apic_id, ICR_ASSERT | ICR_NMI);
}

bool nmi_ask(unsigned cpu, enum nmi_request what, struct where *out)
{
	struct cpu_public *pub = &cpus[cpu]->pub;
	bool yes;

	*out = (struct where){ 0 };
	for (unsigned i = 0; i < TURNS && !cas(&asking, 0u, 1u); i++)
		relax();
	store_relaxed(&pub->told, 0u);
	store_fence(&pub->nmi, (u32)what);
	apic_send(cpus[cpu]->apic_id, ICR_ASSERT | ICR_NMI);
	yes = answered(pub, out);
	store_release(&asking, 0u);
	return yes;
}
