/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * svm - AMD's SVM as a backend: switching it on, loading a VMCB, running, flushing
 *
 * The state page of a vCPU is its VMCB.  A flush changes the ASID or the TLB_CONTROL of
 * the VMCB that is loaded (asid.c), and so is over when it returns: the next VMRUN
 * drops what was cached, or cannot use it.  That this is so the ghost TLB does not
 * believe: it hears at each entry what the VMCB says.
 */
#include "svm/svm.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/insn.h"
#include "arch/x86_64/msr.h"
#include "lib/trace.h"
#include "mm/mem.h"
#include "svm/entry.h"
#include "svm/event.h"
#include "svm/facts.h"
#include "svm/insn.h"
#include "svm/told.h"

#define CPUID_EXT        0x80000000
#define CPUID_EXT_1      0x80000001
#define CPUID_SVM_LEAF   0x8000000a
#define EXT_1_ECX_SVM    BIT(2)
#define EXT_1_EDX_1G     BIT(26)
#define REGION_ORDER     2 /* the host save area, the host's VMCB, struct svm_cpu */
#define REGION_HOST_VMCB 1
#define REGION_CPU       2

_Static_assert(sizeof(struct svm_cpu) <= PAGE_SIZE, "a CPU's data is one frame");

struct svm_caps svm_caps;

struct svm_cpu *svm_this(void)
{
	return this_cpu()->virt;
}

static bool present(void)
{
	return cpuid(CPUID_EXT, 0).eax >= CPUID_SVM_LEAF &&
	       cpuid(CPUID_EXT_1, 0).ecx & EXT_1_ECX_SVM;
}

static void tell(void (*say)(const char *name, u64 value))
{
	say("revision", svm_caps.revision);
	say("ASIDs", svm_caps.asids);
	say("features", svm_caps.features);
	say("1 GiB pages", svm_caps.gib_pages);
}

static const char *probe(void)
{
	struct svm_cpu_id id = { .svm = present(), .msr = rdmsr };

	if (id.svm) {
		struct cpuid c = cpuid(CPUID_SVM_LEAF, 0);

		id.eax = c.eax;
		id.ebx = c.ebx;
		id.edx = c.edx;
		id.gib_pages = cpuid(CPUID_EXT_1, 0).edx & EXT_1_EDX_1G;
	}
	return svm_caps_negotiate(&svm_caps, &id);
}

static void facts(struct backend_facts *out)
{
	svm_facts(out, svm_caps.features, svm_caps.asids);
}

/* The frames are zeroed; the first is hardware's alone (APM 15.30.4). */
static const char *cpu_on(hpa_t region)
{
	hpa_t host = HPA(region.v + REGION_HOST_VMCB * PAGE_SIZE);
	struct svm_cpu *c = mem_ptr(HPA(region.v + REGION_CPU * PAGE_SIZE));

	if (rdmsr(MSR_VM_CR) & VM_CR_SVMDIS)
		return "VM_CR has SVM switched off";
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME);
	wrmsr(MSR_VM_HSAVE_PA, region.v);
	vmsave(host.v);
	c->host = host;
	asids_init(&c->asids, this_cpu()->id, svm_caps.asids,
		   svm_caps.features & SVM_FLUSH_ASID);
	this_cpu()->virt = c;
	return NULL;
}

static unsigned max_leaf(void)
{
	return svm_caps.gib_pages ? 2 : 1;
}

static bool yes(void)
{
	return true;
}

static bool no(void)
{
	return false;
}

static u64 root(const struct ept *e)
{
	return ept_top(e).v;
}

static void use_root(u64 n_cr3)
{
	struct svm_cpu *c = svm_this();

	asid_use(&c->asids, c->asid, c->vmcb, n_cr3);
}

static u64 flush(u64 n_cr3)
{
	struct svm_cpu *c = svm_this();

	trace(this_cpu()->id, TRACE_FLUSH, n_cr3);
	asid_drop(&c->asids, n_cr3);
	if (c->vmcb)
		use_root(c->vmcb->n_cr3);
	return n_cr3;
}

static struct ghost_told told(void)
{
	return svm_told(svm_this()->vmcb, svm_caps.features & SVM_FLUSH_ASID);
}

static void load(struct vcpu *v)
{
	struct svm_cpu *c = svm_this();

	c->vmcb = mem_ptr(v->state);
	c->asid = &v->asid;
	svm_state_init(v, c->vmcb);
	v->dispatch = svm_dispatch;
	use_root(load_relaxed(&v->reader->root));
}

static void unload(struct vcpu *v)
{
	struct svm_cpu *c = svm_this();

	asid_put(&c->asids, &v->asid, c->vmcb);
	c->vmcb = NULL;
}

static const char *run(struct vcpu *v)
{
	struct svm_cpu *c = svm_this();

	svm_enter(v, c->vmcb, v->state.v, c->host.v);
	return NULL; /* a VMCB that is refused is an exit */
}

/* There is no log. */
static void drain(struct vcpu *v)
{
	(void)v;
}

static u64 guest_rip(void)
{
	return svm_this()->vmcb->rip;
}

static u64 *msr_place(struct vmcb *b, u32 msr)
{
	switch (msr) {
	case MSR_FS_BASE:
		return &b->fs.base;
	case MSR_GS_BASE:
		return &b->gs.base;
	case MSR_EFER:
		return &b->efer;
	default:
		return NULL;
	}
}

/* SVME is set while any guest runs (APM 15.5.1); a guest does not see it. */
static bool msr_get(u32 msr, u64 *value)
{
	u64 *place = msr_place(svm_this()->vmcb, msr);

	if (place)
		*value = msr == MSR_EFER ? *place & ~EFER_SVME : *place;
	return place;
}

static bool msr_set(u32 msr, u64 value)
{
	u64 *place = msr_place(svm_this()->vmcb, msr);

	if (place)
		*place = msr == MSR_EFER ? value | EFER_SVME : value;
	return place;
}

static void inject(struct event e)
{
	svm_event_inject(svm_this()->vmcb, e);
}

static bool waiting(struct event *e)
{
	return svm_event_waiting(svm_this()->vmcb, e);
}

static bool irq_open(void)
{
	return svm_event_irq_open(svm_this()->vmcb);
}

static void irq_window(bool on)
{
	svm_event_irq_window(svm_this()->vmcb, on);
}

const struct backend svm_backend = {
	.name = "svm",
	.vmmcall = true,
	.region_order = REGION_ORDER,
	.present = present,
	.probe = probe,
	.facts = facts,
	.tell = tell,
	.cpu_on = cpu_on,
	.format = NESTED_NPT,
	.max_leaf = max_leaf,
	.root = root,
	.has_timer = no,
	.has_ad = yes, /* always on (APM 15.25.4) */
	.has_pml = no,
	.exec_only = no,
	.multihit = no,
	.flush = flush,
	.told = told,
	.use_root = use_root,
	.load = load,
	.unload = unload,
	.run = run,
	.dispatch = svm_dispatch,
	.drain = drain,
	.guest_rip = guest_rip,
	.skip = svm_skip,
	.msr_get = msr_get,
	.msr_set = msr_set,
	.inject = inject,
	.waiting = waiting,
	.irq_open = irq_open,
	.irq_window = irq_window,
};
