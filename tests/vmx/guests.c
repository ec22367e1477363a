/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guests - what a guest may do works, what it may not stops it, and the host survives
 *
 * These run on the executing CPU, one vCPU, with the preemption timer as the limit.
 */
#include "arch/x86_64/platform.h"
#include "tests/guest/abi.h"
#include "tests/guest/misdeed.h"
#include "lib/str.h"
#include "mm/mem.h"
#include "tests/test.h"
#include "vm/guest.h"

#define BUDGET 200000

/* One guest's life: what came of it. */
struct outcome {
	bool exited;
	u64 code;
	const char *stopped;
};

static bool start(struct run *t, struct vm **vm, const char *payload, u64 role)
{
	const struct guest *g = guest_find(payload);
	struct guest_page *page;
	struct vcpu *v;
	const char *why;

	if (vm_create(vm, t->pool, inval_protos[0], 1)) {
		test_fail(t, "no memory for a VM");
		return false;
	}
	why = g ? guest_load(*vm, g->start, g->end - g->start, g->mode)
		: "no such payload";
	if (!why && vm_add_vcpu(*vm, 0, &v))
		why = "no memory for a vCPU";
	if (why) {
		test_fail(t, "%s: %s", payload, why);
		vm_destroy(*vm);
		return false;
	}
	v->budget = backend->has_timer() ? BUDGET : 0;
	page = vm_ptr(*vm, vm_page_gpa(*vm, 0), PAGE_SIZE);
	page->role = role;
	return true;
}

static struct outcome run_payload(struct run *t, const char *payload, u64 role)
{
	struct outcome o = { .stopped = "it did not start" };
	struct vm *vm;

	if (!start(t, &vm, payload, role))
		return o;
	vm_start(vm);
	o = (struct outcome){ vm->vcpu[0]->exited, vm->vcpu[0]->exit_code,
			      vm->vcpu[0]->stopped };
	vm_destroy(vm);
	return o;
}

static void expect_exit(struct run *t, const char *payload, u64 role, u64 want)
{
	struct outcome o = run_payload(t, payload, role);

	if (!o.exited)
		test_fail(t, "%s %lu: stopped: %s", payload, role,
			  o.stopped ? o.stopped : "no reason");
	else
		EXPECT_EQ(t, o.code, want);
}

static void expect_stop(struct run *t, u64 deed, const char *want)
{
	struct outcome o = run_payload(t, "misdeed", deed);

	if (!o.stopped || strcmp(o.stopped, want))
		test_fail(t, "deed %lu: stopped is '%s', want '%s'", deed,
			  o.stopped ? o.stopped : "nothing", want);
}

TEST(vmx, hello, "a 64-bit guest prints and ends with a status", .vmx = true)
{
	expect_exit(t, "hello", 0, 42);
}

TEST(vmx, real_mode, "an unrestricted guest runs in real mode", .vmx = true)
{
	expect_exit(t, "real", 0, 0x10000 + 5050);
}

TEST(vmx, registers, "all general-purpose registers survive an exit", .vmx = true)
{
	expect_exit(t, "misdeed", DEED_REGISTERS, 0);
}

TEST(vmx, cpuid, "CPUID hides VMX and shows a hypervisor", .vmx = true)
{
	struct outcome o = run_payload(t, "misdeed", DEED_CPUID);

	EXPECT(t, o.exited);
	EXPECT_EQ(t, o.code & BIT(5), 0);
	EXPECT_EQ(t, o.code & BIT(31), BIT(31));
}

TEST(vmx, fs_base, "a guest may use its FS base", .vmx = true)
{
	expect_exit(t, "misdeed", DEED_FS_BASE, 1);
}

TEST(vmx, msr_denied, "MSRs are denied by default", .vmx = true)
{
	expect_stop(t, DEED_RDMSR, "it reads an MSR that it may not");
	expect_stop(t, DEED_WRMSR, "it writes an MSR that it may not");
	expect_stop(t, DEED_WRITE_EFER, "it writes an MSR that it may not");
	expect_stop(t, DEED_BAD_BASE, "it writes an MSR that it may not");
}

TEST(vmx, port_denied, "I/O ports are denied by default", .vmx = true)
{
	expect_stop(t, DEED_PORT, "it uses an I/O port");
}

TEST(vmx, no_memory, "an access outside of guest memory stops the guest", .vmx = true)
{
	expect_stop(t, DEED_NO_MEMORY, "it touches memory that it does not have");
}

TEST(vmx, triple_fault, "a triple fault stops the guest", .vmx = true)
{
	const char *emulator = platform_emulator();

	if (emulator && !platform_is_tcg() && backend->format == NESTED_NPT)
		test_skip(t, "%s panics at a triple fault under SVM", emulator);
	else
		expect_stop(t, DEED_TRIPLE, "triple fault");
}

TEST(vmx, exceptions, "#DB stops the guest", .vmx = true)
{
	expect_stop(t, DEED_STEP, "it raises an exception that it may not");
}

TEST(vmx, int1, "INT1 stops the guest", .vmx = true)
{
	if (platform_is_tcg())
		test_skip(t, "QEMU TCG takes INT1 for an invalid opcode");
	else
		expect_stop(t, DEED_DEBUG, "it raises an exception that it may not");
}

TEST(vmx, privileged, "CR0.CD, CR4, CR8, VMX and SVM instructions stop the guest",
     .vmx = true)
{
	expect_stop(t, DEED_CR4, "it does what no guest may");
	expect_stop(t, DEED_CACHES_OFF, "it does what no guest may");
	expect_stop(t, DEED_TPR, "it does what no guest may");
	expect_stop(t, DEED_VMXON, "it does what no guest may");
}

TEST(vmx, bad_calls, "calls that make no sense stop the guest", .vmx = true)
{
	expect_stop(t, DEED_BAD_CALL, "it makes a call that does not exist");
	expect_stop(t, DEED_BAD_PRINT, "it prints from memory that it does not have");
}

TEST(vmx, budget, "a guest that comes to no end is stopped by the preemption timer",
     .vmx = true)
{
	if (!backend->has_timer()) {
		test_skip(t, "this CPU has no timer that ends a stay in the guest");
		return;
	}
	expect_stop(t, DEED_SPIN, "it does not come to an end");
	expect_stop(t, DEED_CALLS, "it does not come to an end");
	expect_stop(t, DEED_HALT, "it halts for ever");
}

/* VMRUN takes any RIP; what it does refuse: tests/unit/svm_explain.c. */
TEST(vmx, invalid_state, "a refused guest state is explained", .ept = true)
{
	struct vm *vm;
	struct vcpu *v;

	if (!start(t, &vm, "real", 0))
		return;
	vm->entry.v |= BIT(40);
	vm_start(vm);
	v = vm->vcpu[0];
	EXPECT(t, v->stopped && !strcmp(v->stopped, "hardware refuses its state"));
	EXPECT(t, v->exit.why && !strcmp(v->exit.why,
					 "RIP has high bits outside of 64-bit mode"));
	vm_destroy(vm);
}

/* Runs a payload on every AP at once; false when it could not be set up. */
static bool start_on_aps(struct run *t, struct vm **vm, const char *payload, u64 role)
{
	struct vcpu *v;

	if (!start(t, vm, payload, role))
		return false;
	(*vm)->vcpu[0]->cpu = 1;
	(*vm)->vcpu[0]->reader = &(*vm)->inval.reader[1];
	(*vm)->vcpu[0]->budget = 0;
	for (unsigned i = 2; i < cpu_count; i++)
		if (vm_add_vcpu(*vm, i, &v)) {
			test_fail(t, "no memory for a vCPU");
			vm_destroy(*vm);
			return false;
		}
	vm_start(*vm);
	return true;
}

TEST(vmx, hello_all, "every AP runs a vCPU of one guest", .vmx = true, .aps = 1)
{
	struct vm *vm;

	if (!start_on_aps(t, &vm, "hello", 0))
		return;
	while (!vm_all_stopped(vm) && !test_stopped(t))
		relax();
	vm_stop(vm);
	for (unsigned i = 0; i < vm->vcpus; i++)
		EXPECT(t, vm->vcpu[i]->exited);
	vm_destroy(vm);
}

TEST(vmx, halt, "a guest that halts can be stopped", .vmx = true, .aps = 1)
{
	struct vm *vm;

	if (!start_on_aps(t, &vm, "misdeed", DEED_HALT))
		return;
	for (unsigned i = 0; i < 10000; i++)
		relax();
	EXPECT(t, !smp_done(&vm->work[0]));
	vm_stop(vm);
	EXPECT(t, vm_all_stopped(vm) && !vm->vcpu[0]->stopped);
	vm_destroy(vm);
}

TEST(vmx, module, "runs guest=module:NAME, an ELF64 of yours, on one CPU", .vmx = true,
     .hidden = true)
{
	const char *name = *t->config->guest ? t->config->guest + strlen("module:")
					     : "";
	const struct boot_module *m = boot_info_module(t->config->info, name);
	struct vm *vm;
	struct vcpu *v;
	const char *why;

	if (!m) {
		test_fail(t, "there is no module '%s'", t->config->guest);
		return;
	}
	if (vm_create(&vm, t->pool, inval_protos[0], 8)) {
		test_fail(t, "no memory for a VM");
		return;
	}
	why = guest_load(vm, mem_ptr(HPA(m->base)), m->len, VCPU_LONG);
	if (!why && vm_add_vcpu(vm, 0, &v))
		why = "no memory for a vCPU";
	if (why) {
		test_fail(t, "%s: %s", t->config->guest, why);
	} else {
		v->budget = backend->has_timer() ? UINT32_MAX : 0;
		vm_start(vm);
		if (v->stopped)
			test_fail(t, "the guest was stopped: %s", v->stopped);
		else
			EXPECT(t, v->exited);
		EXPECT_EQ(t, v->exit_code, 0);
	}
	vm_destroy(vm);
}
