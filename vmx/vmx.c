/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vmx - Intel's VMX as a backend: switching it on, loading a VMCS, running, flushing
 *
 * VPIDs are not used: VM entry and exit then drop combined mappings of VPID 0, but not
 * guest-physical ones (SDM vol. 3, 29.4.3.1), so an EPT edit needs INVEPT all the same.
 */
#include "vmx/vmx.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/insn.h"
#include "arch/x86_64/msr.h"
#include "lib/console.h"
#include "lib/trace.h"
#include "mm/mem.h"
#include "vmx/entry.h"
#include "vmx/event.h"
#include "vmx/facts.h"
#include "vmx/insn.h"
#include "vmx/pml.h"

#define CPUID_VMX       BIT(5)  /* leaf 1, ECX */
#define CPUID_ARCH_CAPS BIT(29) /* leaf 7, EDX */

struct vmx_caps vmx_caps;

static bool present(void)
{
	return cpuid(1, 0).ecx & CPUID_VMX;
}

static const char *probe(void)
{
	struct vmx_cpu cpu = { .vmx = present(),
			       .arch_caps = cpuid(0, 0).eax >= 7 &&
					    cpuid(7, 0).edx & CPUID_ARCH_CAPS,
			       .msr = rdmsr };

	return vmx_caps_negotiate(&vmx_caps, &cpu);
}

static void facts(struct backend_facts *out)
{
	vmx_facts(out, vmx_caps.ept);
}

static void tell(void (*say)(const char *name, u64 value))
{
	vmx_caps_tell(&vmx_caps, say);
}

static const char *cpu_on(hpa_t region)
{
	u64 f = rdmsr(MSR_FEATURE_CONTROL);
	u64 cr0 = read_cr0() | CR0_NE;
	u64 cr4 = read_cr4() | CR4_VMXE;

	if (!(f & FEATURE_LOCK))
		wrmsr(MSR_FEATURE_CONTROL, f | FEATURE_LOCK | FEATURE_VMX_NO_SMX);
	else if (!(f & FEATURE_VMX_NO_SMX))
		return "IA32_FEATURE_CONTROL is locked with VMX off";
	write_cr0((cr0 | vmx_caps.cr0_fixed0) & vmx_caps.cr0_fixed1);
	write_cr4((cr4 | vmx_caps.cr4_fixed0) & vmx_caps.cr4_fixed1);
	*(u32 *)mem_ptr(region) =
		vmx_caps.revision; /* all that software sets (25.11.5) */
	return vmxon(region.v) ? NULL : "VMXON failed";
}

static unsigned max_leaf(void)
{
	if (!(vmx_caps.ept & EPT_CAP_2M))
		return 0;
	return vmx_caps.ept & EPT_CAP_1G ? 2 : 1;
}

static bool has_timer(void)
{
	return vmx_caps.pin & PIN_TIMER && vmx_caps.exit & EXIT_CTL_SAVE_TIMER;
}

static bool has_ad(void)
{
	return vmx_caps.ept & EPT_CAP_AD;
}

static bool has_pml(void)
{
	return vmx_caps.proc2_extra & PROC2_PML;
}

static bool exec_only(void)
{
	return vmx_caps.ept & EPT_CAP_EXEC_ONLY;
}

static bool multihit(void)
{
	return vmx_caps.multihit;
}

static u64 root(const struct ept *e)
{
	return ept_pointer(e);
}

static u64 flush(u64 eptp)
{
	bool all = !eptp || !(vmx_caps.ept & EPT_CAP_SINGLE);
	u64 dropped = all ? 0 : eptp;

	trace(this_cpu()->id, TRACE_FLUSH, eptp);
	if (!invept(all ? INVEPT_ALL : INVEPT_SINGLE, dropped))
		panic("INVEPT of root 0x%lx failed", eptp);
	return dropped;
}

static void use_root(u64 eptp)
{
	vmwrite(EPT_POINTER, eptp);
}

/* Chosen here, so that no exit of a vCPU without a log looks for one. */
static void load_log(struct vcpu *v)
{
	v->dispatch = v->log.v ? vmx_dispatch_logged : vmx_dispatch;
	if (!v->log.v)
		return;
	assert(has_pml() && v->logged);
	pml_init(v);
}

static void load(struct vcpu *v)
{
	*(u32 *)mem_ptr(v->state) = vmx_caps.revision;
	if (!vmclear(v->state.v) || !vmptrld(v->state.v))
		panic("VMCLEAR or VMPTRLD of 0x%lx failed", v->state.v);
	v->launched = false;
	vmx_state_init(v);
	load_log(v);
}

static void unload(struct vcpu *v)
{
	if (!vmclear(v->state.v))
		panic("VMCLEAR of 0x%lx failed", v->state.v);
}

/* VM-instruction errors that an entry can meet (SDM vol. 3, 31.4). */
static const char *error_name(u64 e)
{
	switch (e) {
	case 4:
		return "VMLAUNCH with a VMCS that is not clear";
	case 5:
		return "VMRESUME with a VMCS that is not launched";
	case 7:
		return "VM entry with an invalid control field";
	case 8:
		return "VM entry with an invalid host-state field";
	default:
		return "VM entry failed";
	}
}

static const char *run(struct vcpu *v)
{
	bool came_back;

	if (!vmptrld(v->state.v))
		panic("VMPTRLD of 0x%lx failed", v->state.v);
	came_back = vmx_enter(v, v->launched);
	if (!came_back)
		return error_name(vmread(INSTR_ERROR));
	/* A refused guest state is an exit, but the VMCS stays as it was (27.8). */
	if (!v->refused)
		v->launched = true;
	return NULL;
}

static void drain(struct vcpu *v)
{
	if (v->log.v)
		pml_drain(v);
}

static u64 guest_rip(void)
{
	return vmread(GUEST_RIP);
}

/* The guest's MSRs that entry loads from VMCS fields. */
static const struct {
	u32 msr;
	enum vmcs_field field;
} msr_fields[] = {
	{ MSR_FS_BASE, GUEST_FS_BASE },
	{ MSR_GS_BASE, GUEST_GS_BASE },
	{ MSR_EFER, GUEST_EFER },
};

static bool msr_get(u32 msr, u64 *value)
{
	for (unsigned i = 0; i < ARRAY_LEN(msr_fields); i++)
		if (msr_fields[i].msr == msr) {
			*value = vmread(msr_fields[i].field);
			return true;
		}
	return false;
}

static bool msr_set(u32 msr, u64 value)
{
	for (unsigned i = 0; i < ARRAY_LEN(msr_fields); i++)
		if (msr_fields[i].msr == msr) {
			vmwrite(msr_fields[i].field, value);
			return true;
		}
	return false;
}

const struct backend vmx_backend = {
	.name = "vmx",
	.present = present,
	.probe = probe,
	.facts = facts,
	.tell = tell,
	.cpu_on = cpu_on,
	.region_order = 0,
	.format = NESTED_EPT,
	.max_leaf = max_leaf,
	.root = root,
	.has_timer = has_timer,
	.has_ad = has_ad,
	.has_pml = has_pml,
	.exec_only = exec_only,
	.multihit = multihit,
	.flush = flush,
	.use_root = use_root,
	.load = load,
	.unload = unload,
	.run = run,
	.dispatch = vmx_dispatch,
	.drain = drain,
	.guest_rip = guest_rip,
	.skip = vmx_skip,
	.msr_get = msr_get,
	.msr_set = msr_set,
	.inject = vmx_event_inject,
	.waiting = vmx_event_waiting,
	.irq_open = vmx_event_irq_open,
	.irq_window = vmx_event_irq_window,
};
