/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vm - a virtual machine: its memory, its vCPUs, and the guest that they run
 *
 *      vm_create -> guest_load -> vm_add_vcpu ... -> vm_start ... vm_stop -> vm_destroy
 *
 * One CPU owns a VM and makes all these calls, but for those that say otherwise.
 */
#ifndef VM_VM_H
#define VM_VM_H

#include "arch/x86_64/watch.h"
#include "mm/ept.h"
#include "vm/backend.h"

#define VM_RAM_BLOCKS 32 /* of 2 MiB */

struct guest; /* vm/guest.h */

/* What a wait for an invalidation met. */
struct vm_watchdog {
	bool fired;
	int cpu; /* -1: the protocol cannot name it */
	u64 guest_rip;
	ticket_t ticket; /* of the wait that looks on ... */
	unsigned looks;  /* ... and how often            */
	struct watch watch;
	u64 since; /* TSC at the first look of the last wait that was long */
};

struct vm {
	struct inval inval; /* first: it has the alignment */
	struct ept ept;
	struct pool *pool;
	struct vcpu *vcpu[CPU_MAX];
	struct work work[CPU_MAX];
	unsigned vcpus;
	bool running;
	hpa_t ram[VM_RAM_BLOCKS];
	unsigned ram_blocks;
	enum vcpu_mode mode;
	gpa_t entry;
	/* The owner's answer to a fault: true to retry, false when it has none. */
	bool (*fault)(struct vcpu *);
	/* The owner's answer to CALL_OWNER: true to go on.  NULL: no such call. */
	bool (*called)(struct vcpu *);
	void *owner;    /* the owner's own */
	u64 name;       /* for the trace alone */
	u64 spin_limit; /* turns of a wait before the watchdog looks */
	struct vm_watchdog watchdog;
};

/*
 * Probes for virtualization and switches it on, on every CPU.  NULL, or one sentence
 * why this machine cannot run guests (details have been printed).
 */
const char *vm_init(struct pool *pool);

/* Makes a VM with `blocks` * 2 MiB of zeroed RAM at 0.  E_NOMEM, E_INVAL. */
enum err must_check vm_create(struct vm **out, struct pool *pool,
			      const struct inval_proto *proto, unsigned blocks);

/* Stops it, invalidates everything, and returns all of its memory. */
void vm_destroy(struct vm *vm);

/* Adds a vCPU bound to `cpu`.  E_NOMEM. */
enum err must_check vm_add_vcpu(struct vm *vm, unsigned cpu, struct vcpu **out);

/*
 * Gives each vCPU a log of the pages that it writes, for DIRTY_LOG: mm/dirty.h.  While
 * the VM is stopped, where backend->has_pml().  E_NOMEM.
 */
enum err must_check vm_log_writes(struct vm *vm);

/*
 * From now on the vCPUs enter by the door of inval/door.h, which costs each entry some
 * instructions.  When all have been added, before the first vm_start().
 */
void vm_fit_door(struct vm *vm);

/* The host's view of guest RAM; NULL outside of it.  [gpa, gpa + len) in one block. */
void *vm_ptr(struct vm *vm, gpa_t gpa, u64 len);

/* The page of vCPU `id`: see struct guest_page. */
gpa_t vm_page_gpa(const struct vm *vm, unsigned id);

/*
 * Lets all vCPUs run, each on its CPU.  One that is bound to the caller's CPU runs at
 * once, and this returns when it has stopped.
 */
void vm_start(struct vm *vm);

/* Makes all vCPUs leave their loop, and waits for it; panics when one does not. */
void vm_stop(struct vm *vm);

/* Has every vCPU left its loop by itself? */
bool vm_all_stopped(const struct vm *vm);

/* inval_publish(), for whoever waits and retires by the calls below. */
ticket_t vm_publish(struct vm *vm, struct gather *g);

/*
 * Called whenever a wait for an invalidation has taken as long again as the watchdog
 * takes to look, with the TSC at the first look.  NULL: nobody wants to know.
 */
extern void (*vm_long_wait)(const struct vm *vm, u64 since);

/* Waits under the watchdog's eyes until the invalidation with that ticket is done. */
void vm_await(struct vm *vm, ticket_t t);

/*
 * Publishes g and waits under the watchdog's eyes.  Any CPU, outside of the guest.
 * Afterwards vm_retire() settles what was parked and returns what g holds.
 */
ticket_t vm_invalidate(struct vm *vm, struct gather *g);
void vm_retire(struct vm *vm, ticket_t t, struct gather *g);

/* Both, where nothing happens in between; nothing at all if g needs no flush. */
void vm_finish(struct vm *vm, struct gather *g);

/*
 * An EPT violation of v, on its CPU, outside of the guest: v->exit.gpa, v->exit.access.
 * False when the guest has no business there.
 */
bool vm_fault(struct vcpu *v);

/*
 * ept_lookup() for the CPU that v is bound to, outside of the guest.  To the protocol
 * the walk is a stay in the guest: one that waits for those waits for it too, so no
 * table is freed under it.
 */
bool vcpu_lookup(struct vcpu *v, gpa_t gpa, struct ept_leaf *out);

/* Prepares the run loop.  Once, before the first vCPU runs. */
void vcpu_init(void);

/* Runs v on the executing CPU until it stops or is asked to. */
void vcpu_run(struct vcpu *v);

#endif
