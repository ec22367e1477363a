/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * backend - port: what the run loop needs from a kind of virtualization hardware
 *
 * vmx/ and svm/ implement it; vm/ knows nothing below it.  The loop runs between both:
 *
 *      vcpu_run()                      vm/       protocol's enter hook
 *        backend->run(v)               vmx/ svm/ VM entry ... guest ... VM exit
 *          vcpu_exit(v)                vm/       protocol's exit hook
 *            backend->dispatch(v)      vmx/ svm/ decode the exit reason into v->exit
 *              vm_exit_table[kind](v)  vm/       policy
 *          v: VM entry again; NULL: backend->run() returns
 */
#ifndef VM_BACKEND_H
#define VM_BACKEND_H

#include "inval/ghost.h"
#include "inval/inval.h"
#include "mm/ept.h"
#include "vm/event.h"
#include "vm/gprs.h"

/* What a guest did, in words that no vendor owns. */
enum exit_kind {
	EXIT_IRQ,        /* exit.vector has been taken from the local APIC      */
	EXIT_IRQ_TAKEN,  /* an interrupt, and its handler has run              */
	EXIT_IRQ_WINDOW, /* the guest can take one: irq_window(true)           */
	EXIT_NMI,
	EXIT_EXCEPTION, /* exit.vector, one that the guest may not take */
	EXIT_CALL,      /* hypercall; RIP is behind it already                 */
	EXIT_HLT,       /* RIP is behind it already                            */
	EXIT_CPUID,
	EXIT_RDMSR,
	EXIT_WRMSR,
	EXIT_IO,        /* exit.port                                           */
	EXIT_FAULT,     /* nested page fault: exit.gpa, exit.linear, exit.access */
	EXIT_BAD_EPTE,  /* misconfigured nested page table entry: exit.gpa     */
	EXIT_SHUTDOWN,  /* triple fault                                        */
	EXIT_BUDGET,    /* the time that the vCPU was given is over            */
	EXIT_BAD_STATE, /* hardware refused the guest state: exit.why         */
	EXIT_OTHER,     /* nothing that a guest here may do: exit.reason       */
	EXIT_KINDS,
};

enum vcpu_mode { VCPU_LONG, VCPU_REAL };

/* Filled by dispatch(); which fields hold depends on the kind. */
struct vcpu_exit {
	u32 reason; /* the hardware's own number */
	u64 qualification;
	u8 vector;
	u8 access; /* EPTE_R, EPTE_W, EPTE_X */
	u16 port;
	gpa_t gpa;
	u64 linear; /* the guest's own address, if the hardware says that it holds */
	const char *why;
};

/* Reasons to leave the loop that others may ask for. */
#define REQUEST_STOP BIT(0)
#define REQUEST_IRQ  BIT(1) /* only to look at v->irqs */

/* The ASID of a vCPU, where it has one; svm/asid.c. */
struct asid {
	u64 gen; /* of the CPU's ASIDs, when it was given out; 0: never */
	u32 cpu, number;
};

struct vm;

struct vcpu {
	struct gprs g; /* first: entry.S */
	/* What the loop touches on each exit. */
	struct inval_reader *reader;
	void (*enter)(struct inval_reader *);
	void (*leave)(struct inval_reader *);
	bool (*dispatch)(struct vcpu *);
	/* The rest. */
	struct vm *vm;
	unsigned id;
	unsigned cpu; /* that it is bound to */
	enum vcpu_mode mode;
	gpa_t entry, stack, tables, arg; /* RIP, RSP, CR3, RDI at the start */
	hpa_t state;                     /* the backend's page: VMCS, VMCB */
	u32 budget; /* of guest time, in the backend's timer units; 0: none */
	struct asid asid;
	bool loaded, launched;
	bool refused; /* hardware did not take the guest state */
	u32 spurious; /* faults in a row, at one place, that had no reason any more */
	gpa_t spurious_at;
	/*
	 * A 4 KiB frame where the CPU notes the pages that the guest makes dirty, or 0.
	 * It is set before vm_start(), if has_pml(); vm_log_writes() does so, and
	 * vm_destroy() frees what is there.  logged() hears of each, by the address of
	 * the 4 KiB page that was written, however large its leaf: on the vCPU's CPU,
	 * interrupts off, after an exit and outside of the section; it neither sleeps
	 * nor prints.
	 */
	hpa_t log;
	void (*logged)(struct vcpu *, gpa_t);
	u32 log_fulls; /* exits because the log was full */
	bool exited;   /* by EXIT call; code below */
	u64 exit_code;
	const char *stopped; /* why the loop was left for good, or NULL */
	struct vcpu_exit exit;
	_Alignas(CACHE_LINE) atomic32_t request; /* REQUEST_*: written by others */
	atomic64_t guest_rip;                    /* when it last told            */
	struct irqs irqs;                        /* REQUEST_IRQ                  */
};

/* What a CPU says of its kind of virtualization, whether that is enough or not. */
struct backend_facts {
	const char *word_of; /* the MSR or the leaf of CPUID       */
	u64 word;
	u32 asids;       /* how many, 0 included; 0: none are counted */
	char names[400]; /* of the bits, a blank between: lib/flags.h */
};

struct backend {
	const char *name;
	bool vmmcall;          /* guests call by VMMCALL, else by VMCALL     */
	unsigned region_order; /* of what cpu_on() keeps                     */

	bool (*present)(void); /* is this the kind of hardware that the CPU has? */
	/* NULL, or why this machine cannot do it, after a line for each lack. */
	const char *(*probe)(void);
	void (*facts)(struct backend_facts *out); /* after probe()                  */
	/* After a probe that found all: each word of the agreed capabilities. */
	void (*tell)(void (*say)(const char *name, u64 value));
	/*
	 * Switches virtualization on, on the executing CPU, which keeps the zeroed
	 * block `region` from then on.  NULL or a sentence.
	 */
	const char *(*cpu_on)(hpa_t region);
	enum nested_format format;       /* of the nested tables                 */
	unsigned (*max_leaf)(void);      /* largest nested leaf: level 0, 1 or 2 */
	u64 (*root)(const struct ept *); /* the tag of its translations      */
	bool (*has_timer)(void);         /* can a vCPU have a budget?                */
	bool (*has_ad)(void);            /* are leaves marked accessed and dirty?    */
	bool (*has_pml)(void);           /* can a vCPU have a log?                   */
	bool (*exec_only)(void);         /* may a leaf be X without R?               */
	bool (*multihit)(void);          /* may a new page size be a machine check?  */
	/*
	 * Drops those of a root on the executing CPU, or of all: 0.  What it dropped:
	 * when it returns, no guest on this CPU can use them any more.
	 */
	u64 (*flush)(u64 root);
	/*
	 * What the loaded vCPU's state page tells hardware for the next entry, for the
	 * ghost TLB.  NULL: roots are the tags, and a flush is over when flush()
	 * returns.
	 */
	struct ghost_told (*told)(void);
	/* The loaded vCPU enters by this root from now on. */
	void (*use_root)(u64 root);

	/* On the CPU that v is bound to, interrupts off: */
	void (*load)(struct vcpu *v);   /* prepares v's state page, once        */
	void (*unload)(struct vcpu *v); /* lets go of the state page            */
	/* Runs until vcpu_exit() says NULL.  NULL, or why hardware refused. */
	const char *(*run)(struct vcpu *v);
	/* During an exit of v: */
	bool (*dispatch)(struct vcpu *v);
	/* Empties v's log through v->logged; dispatch() has done so already. */
	void (*drain)(struct vcpu *v);
	u64 (*guest_rip)(void);
	void (*skip)(void); /* RIP behind the instruction that exited        */
	/* A guest MSR that lives in v's state: false when msr is none. */
	bool (*msr_get)(u32 msr, u64 *value);
	bool (*msr_set)(u32 msr, u64 value);
	/*
	 * The event that v's next entry delivers, in place of the one that waits; after
	 * an exit that interrupted a delivery, that event waits (I3).  An interrupt
	 * needs irq_open().
	 */
	void (*inject)(struct event e);
	bool (*waiting)(struct event *e); /* false: nothing does */
	bool (*irq_open)(void);           /* RFLAGS.IF, and no shadow of STI, MOV SS */
	void (*irq_window)(bool on);      /* EXIT_IRQ_WINDOW as soon as it is open   */
};

/* The backend of this machine; set once, by vm_init(). */
extern const struct backend *backend;

/* Policy by kind; each returns whether the guest goes on. */
typedef bool exit_fn(struct vcpu *);
extern exit_fn *const vm_exit_table[EXIT_KINDS];

/*
 * After every VM exit, interrupts off.  v: enter again, the enter hook has run; NULL:
 * leave the loop.  A pointer and not a bool, because entry.S needs v next.
 */
struct vcpu *vcpu_exit(struct vcpu *v);

#endif
