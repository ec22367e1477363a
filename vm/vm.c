/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vm - a virtual machine: its memory, its vCPUs, their life
 *
 * RAM is a row of 2 MiB blocks from guest-physical 0, mapped by 2 MiB leaves where the
 * CPU has them and the MTRRs give the block one memory type.  The last pages belong to
 * the vCPUs, one each (struct guest_page).  Everything that the guest could reach goes
 * back to the pool through a gather.
 */
#include "vm/vm.h"
#include "arch/x86_64/insn.h"
#include "arch/x86_64/kick.h"
#include "arch/x86_64/memtype.h"
#include "arch/x86_64/nmi.h"
#include "inval/door.h"
#include "lib/console.h"
#include "lib/str.h"
#include "lib/trace.h"
#include "mm/dirty.h"
#include "mm/ept_ram.h"
#include "mm/mem.h"
#include "tests/guest/abi.h"

/* A wait is too long after some 5 billion cycles, or that many turns in an emulator. */
#define PATIENCE_CYCLES   5000000000
#define PATIENCE_EMULATED 200000
#define PAUSE_CYCLES_MIN  30 /* of a turn with PAUSE on silicon; emulators count 1 */

/* Turns of a spin loop before a wait is suspicious, on this machine. */
static u64 patience(void)
{
	u64 start = rdtsc(), cost;

	for (unsigned i = 0; i < 1000; i++)
		relax();
	cost = (rdtsc() - start) / 1000;
	return cost < PAUSE_CYCLES_MIN ? PATIENCE_EMULATED : PATIENCE_CYCLES / cost;
}

static enum err ram_add(struct vm *vm, unsigned i)
{
	struct gather g = gather_init();
	enum err e = pool_alloc(vm->pool, POOL_ORDER_2M, &vm->ram[i]);

	if (e)
		return e;
	vm->ram_blocks = i + 1;
	memset(mem_ptr(vm->ram[i]), 0, SIZE_2M);
	e = ept_map_ram(&vm->ept, memtype_host(), GPA(i * SIZE_2M), vm->ram[i], SIZE_2M,
			EPTE_RWX, &g);
	vm_finish(vm, &g); /* after an error: what it had built */
	return e;
}

static struct ept_features features(void)
{
	return (struct ept_features){ .format = backend->format,
				      .max_leaf = backend->max_leaf(),
				      .large_exec = !backend->multihit(),
				      .exec_only = backend->exec_only(),
				      .ad = backend->has_ad() };
}

static enum err ept_create(struct ept *ept, struct pool *pool, unsigned root_order)
{
	enum err e = ept_init(ept, pool, features());

	if (e || !root_order)
		return e;
	e = ept_twin(ept, root_order);
	if (e)
		pool_free(pool, ept->root);
	return e;
}

enum err vm_create(struct vm **out, struct pool *pool, const struct inval_proto *proto,
		   unsigned blocks)
{
	struct vm *vm;
	enum err e;
	hpa_t pa;

	if (!blocks || blocks > VM_RAM_BLOCKS)
		return fail(E_INVAL);
	e = pool_alloc(pool, pool_order(sizeof(*vm)), &pa);
	if (e)
		return e;
	vm = mem_ptr(pa);
	memset(vm, 0, sizeof(*vm));
	vm->pool = pool;
	vm->spin_limit = patience();
	vm->name = trace_name(this_cpu()->id);
	e = ept_create(&vm->ept, pool, proto->root_order);
	if (e) {
		pool_free(pool, pa);
		return e;
	}
	inval_init(&vm->inval, proto, pool, backend->root(&vm->ept), cpu_count);
	inval_roots(&vm->inval, 1u << proto->root_order);
	inval_watch(&vm->inval);
	for (unsigned i = 0; i < blocks && !e; i++)
		e = ram_add(vm, i);
	if (e)
		vm_destroy(vm);
	else
		*out = vm;
	return e;
}

static void vcpu_free(struct vcpu *v)
{
	struct pool *pool = v->vm->pool;

	if (v->log.v)
		pool_free(pool, v->log);
	pool_free(pool, v->state);
	pool_free(pool, HPA((u64)v - (u64)mem_ptr(HPA(0))));
}

void vm_destroy(struct vm *vm)
{
	struct gather g = gather_init();
	struct pool *pool = vm->pool;

	vm_stop(vm);
	for (unsigned i = 0; i < vm->vcpus; i++)
		vcpu_free(vm->vcpu[i]);
	ept_destroy(&vm->ept, &g);
	for (unsigned i = 0; i < vm->ram_blocks; i++)
		gather_block(&g, pool, vm->ram[i]);
	vm_retire(vm, vm_invalidate(vm, &g), &g);
	pool_free(pool, HPA((u64)vm - (u64)mem_ptr(HPA(0))));
}

void *vm_ptr(struct vm *vm, gpa_t gpa, u64 len)
{
	u64 block = gpa.v / SIZE_2M, offset = gpa.v % SIZE_2M;

	if (block >= vm->ram_blocks || len > SIZE_2M - offset)
		return NULL;
	return (char *)mem_ptr(vm->ram[block]) + offset;
}

gpa_t vm_page_gpa(const struct vm *vm, unsigned id)
{
	return GPA(vm->ram_blocks * SIZE_2M - (id + 1) * PAGE_SIZE);
}

enum err vm_add_vcpu(struct vm *vm, unsigned cpu, struct vcpu **out)
{
	const struct inval_proto *proto = vm->inval.proto;
	hpa_t pa, state;
	struct vcpu *v;
	enum err e = pool_alloc(vm->pool, 0, &pa);

	_Static_assert(sizeof(struct vcpu) <= PAGE_SIZE, "a vCPU is one frame");
	if (e)
		return e;
	e = pool_alloc(vm->pool, 0, &state);
	if (e) {
		pool_free(vm->pool, pa);
		return e;
	}
	v = mem_ptr(pa);
	memset(v, 0, sizeof(*v));
	memset(mem_ptr(state), 0, PAGE_SIZE);
	*v = (struct vcpu){ .reader = &vm->inval.reader[cpu],
			    .enter = proto->enter,
			    .leave = proto->exit,
			    .dispatch = backend->dispatch,
			    .vm = vm,
			    .id = vm->vcpus,
			    .cpu = cpu,
			    .state = state };
	vm->vcpu[vm->vcpus++] = *out = v;
	return E_OK;
}

void vm_fit_door(struct vm *vm)
{
	door_fit(&vm->inval);
	for (unsigned i = 0; i < vm->vcpus; i++)
		vm->vcpu[i]->enter = door_enter;
}

/* Whoever keeps track of the VM's writes hears of one. */
static void logged(struct vcpu *v, gpa_t gpa)
{
	struct dirty *d = v->vm->ept.dirty;

	if (d)
		dirty_mark(d, gpa);
}

enum err vm_log_writes(struct vm *vm)
{
	for (unsigned i = 0; i < vm->vcpus; i++) {
		struct vcpu *v = vm->vcpu[i];
		enum err e = v->log.v ? E_OK : pool_alloc(vm->pool, 0, &v->log);

		if (e)
			return e;
		v->logged = logged;
	}
	return E_OK;
}

/* Sets the registers that a vCPU starts with; tests/guest/abi.h. */
static void vcpu_reset(struct vcpu *v)
{
	struct vm *vm = v->vm;
	gpa_t page = vm_page_gpa(vm, v->id);

	v->mode = vm->mode;
	v->entry = vm->entry;
	v->tables = GPA(PAGE_SIZE);
	v->stack = vm->mode == VCPU_LONG ? GPA(page.v + PAGE_SIZE) : vm->entry;
	v->g = (struct gprs){ .rdi = page.v,
			      .rsi = backend->vmmcall ? GUEST_VMMCALL : GUEST_VMCALL };
	v->stopped = NULL;
	v->exited = false;
	vcpu_forget_irqs(v);
	store_relaxed(&v->request, 0u);
}

static void run_work(void *v)
{
	vcpu_run(v);
}

void vm_start(struct vm *vm)
{
	unsigned self = this_cpu()->id;

	for (unsigned i = 0; i < vm->vcpus; i++) {
		struct vcpu *v = vm->vcpu[i];

		vcpu_reset(v);
		vm->work[i] = (struct work){ .fn = run_work, .arg = v };
		if (v->cpu != self)
			smp_post(v->cpu, &vm->work[i]);
	}
	vm->running = true;
	for (unsigned i = 0; i < vm->vcpus; i++)
		if (vm->vcpu[i]->cpu == self) {
			vcpu_run(vm->vcpu[i]);
			store_relaxed(&vm->work[i].done, 1u);
		}
}

void vm_raise_irq(struct vcpu *v, u8 vector)
{
	vcpu_note_irq(v, vector);
	if (v->cpu != this_cpu()->id)
		kick_now(v->cpu);
}

void vm_stop(struct vm *vm)
{
	if (!vm->running)
		return;
	for (unsigned i = 0; i < vm->vcpus; i++)
		or_fence(&vm->vcpu[i]->request, (u32)REQUEST_STOP);
	for (unsigned i = 0; i < vm->vcpus; i++)
		if (!smp_done(&vm->work[i]))
			kick_now(vm->vcpu[i]->cpu);
	for (unsigned i = 0; i < vm->vcpus; i++)
		watch_work(vm->vcpu[i]->cpu, &vm->work[i]);
	vm->running = false;
}

bool vm_all_stopped(const struct vm *vm)
{
	for (unsigned i = 0; i < vm->vcpus; i++)
		if (!smp_done(&vm->work[i]))
			return false;
	return true;
}

static void say_laggard(const struct vm *vm, bool answered, const struct where *at)
{
	const char *proto = vm->inval.proto->name;
	int cpu = vm->watchdog.cpu;

	if (!answered)
		print("# watchdog: CPU %d does not even answer an NMI\n", cpu);
	else if (at->in_guest)
		print("# watchdog: %s waits for CPU %d, which is in the guest at rip 0x%lx; "
		      "no kick is on its way\n",
		      proto, cpu, at->guest_rip);
	else
		print("# watchdog: %s waits for CPU %d, which is in the host at rip "
		      "0x%lx, guest rip 0x%lx\n",
		      proto, cpu, at->host_rip, at->guest_rip);
}

/*
 * Names who holds the invalidation up, the 1st, 2nd, 4th, ... time that this is asked.
 * The NMI makes that CPU leave the guest; if it is elsewhere, silence becomes a matter
 * of watch.c.
 */
static never_inline void look(struct vm *vm, ticket_t t)
{
	struct vm_watchdog *w = &vm->watchdog;
	struct where at;
	bool yes;

	if (!w->fired || w->ticket != t) {
		watch_start(&w->watch, 0);
		w->ticket = t;
		w->looks = 0;
	}
	w->looks++;
	w->fired = true;
	w->guest_rip = 0;
	w->cpu = vm->inval.proto->laggard(&vm->inval, t);
	if (w->cpu < 0) {
		watch_look_around(&w->watch);
		return;
	}
	yes = nmi_ask((unsigned)w->cpu, NMI_TELL, &at);
	if (at.in_guest)
		w->guest_rip = at.guest_rip;
	if (!(w->looks & (w->looks - 1)))
		say_laggard(vm, yes, &at);
	w->watch.cpu = (unsigned)w->cpu;
	watch_look(&w->watch);
}

void (*vm_long_wait)(const struct vm *vm, u64 since);

/* Out of the short way: what follows a return is timed by controls that are rare. */
static never_inline void wait_on(struct vm *vm, ticket_t t, u64 spins)
{
	if (spins == vm->spin_limit)
		vm->watchdog.since = rdtsc();
	if (!kick_in_flight())
		look(vm, t);
	if (vm_long_wait)
		vm_long_wait(vm, vm->watchdog.since);
}

void vm_await(struct vm *vm, ticket_t t)
{
	unsigned self = this_cpu()->id;
	u64 spins = 0;

	while (!inval_done(&vm->inval, t)) {
		if (!spins)
			trace_detail(self, TRACE_WAIT, t);
		relax();
		if (++spins % vm->spin_limit == 0)
			wait_on(vm, t, spins);
	}
	trace_detail(self, TRACE_DONE, t);
}

ticket_t vm_publish(struct vm *vm, struct gather *g)
{
	unsigned self = this_cpu()->id;

	if (CHECKED) {
		g->name = trace_name(self);
		trace2(self, TRACE_INVAL, g->name, vm->name);
		trace(self, TRACE_PUBLISH, load_relaxed(&vm->inval.gen));
	}
	return inval_publish(&vm->inval, g);
}

ticket_t vm_invalidate(struct vm *vm, struct gather *g)
{
	ticket_t t = vm_publish(vm, g);

	vm_await(vm, t);
	inval_complete(&vm->inval, g);
	return t;
}

void vm_retire(struct vm *vm, ticket_t t, struct gather *g)
{
	ept_settle(&vm->ept, g);
	trace2(this_cpu()->id, TRACE_RETIRE, t, g->name);
	inval_retire(&vm->inval, t, g);
}

void vm_finish(struct vm *vm, struct gather *g)
{
	if (gather_needs_flush(g))
		vm_retire(vm, vm_invalidate(vm, g), g);
}
