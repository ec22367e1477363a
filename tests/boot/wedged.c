/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wedged - CPUs that do not come back; hidden, for tests/machine/alive.py
 *
 * They stand here, and not with the other selftests, because tests run in the order of
 * their files: those of proto/ and vmx/ come after, and have to go on.
 */
#include "arch/x86_64/insn.h"
#include "arch/x86_64/kick.h"
#include "arch/x86_64/layout.h"
#include "arch/x86_64/watch.h"
#include "lib/console.h"
#include "tests/guest/abi.h"
#include "tests/proto/scenario.h"

#define SPIN_LIMIT 20000

static const struct scenario writers = { .layout = ONE_PAGE, .role = GUEST_WRITER };
static struct stage s;
static atomic32_t there;

static _Noreturn void spin_deaf(void)
{
	cli();
	store_release(&there, 1u);
	for (;;)
		relax();
}

static void hang(void *arg)
{
	(void)arg;
	spin_deaf();
}

static void post_and_wait(void (*fn)(void *))
{
	struct work w = { .fn = fn };

	smp_post(1, &w);
	watch_work(1, &w);
}

TEST(selftest, wedge_host, "an AP spins in the host with interrupts off", .aps = 1,
     .hidden = true)
{
	(void)t;
	post_and_wait(hang);
}

static void put_and_hang(char c)
{
	(void)c;
	if (this_cpu()->id == 1)
		spin_deaf();
}

static void print_and_hang(void *arg)
{
	(void)arg;
	print("# this line hangs\n");
}

TEST(selftest, wedge_print, "an AP spins while it holds the console", .aps = 1,
     .hidden = true)
{
	(void)t;
	console_add(put_and_hang);
	post_and_wait(print_and_hang);
}

/* One that takes no NMI any more: it is in the handler of one already. */
TEST(selftest, wedge_dead, "an AP answers no NMI", .aps = 1, .hidden = true)
{
	struct where at;

	EXPECT(t, nmi_ask(1, NMI_PARK, &at));
	store_release(&cpus[1]->pub.stopped, 0u); /* nobody knows */
	post_and_wait(hang);
}

/* All APs run guests, each its own part of the page. */
static bool open(struct run *t)
{
	t->proto = &gen_smr;
	store_relaxed(&there, 0u);
	return stage_open(&s, t, &writers, cpu_count - 1) && stage_progress(&s);
}

static void close(struct run *t)
{
	stage_close(&s);
	t->proto = NULL;
}

TEST(selftest, wedge_guest, "a guest is asked to leave, and the kick is lost",
     .vmx = true, .aps = 1, .hidden = true)
{
	if (!open(t))
		return;
	or_fence(&s.vm->vcpu[0]->request, (u32)REQUEST_STOP);
	watch_work(1, &s.vm->work[0]);
	close(t);
}

static bool (*decode)(struct vcpu *);

/* Behind the backend's part: before it SVM holds off NMIs as well as interrupts. */
static bool hang_in_exit(struct vcpu *v)
{
	decode(v);
	spin_deaf();
}

TEST(selftest, wedge_exit, "an AP spins in the handler of a VM exit", .vmx = true,
     .aps = 1, .hidden = true)
{
	if (!open(t))
		return;
	decode = s.vm->vcpu[0]->dispatch;
	s.vm->vcpu[0]->dispatch = hang_in_exit;
	kick_now(1);
	close(t);
}

static void hang_in_enter(struct inval_reader *r)
{
	gen_smr.enter(r);
	spin_deaf();
}

TEST(selftest, wedge_reader, "an AP spins in the section that an edit waits for",
     .vmx = true, .aps = 1, .hidden = true)
{
	struct gather g = gather_init();

	if (!open(t))
		return;
	s.vm->spin_limit = SPIN_LIMIT;
	s.vm->vcpu[0]->enter = hang_in_enter;
	kick_now(1);
	while (!load_acquire(&there))
		relax();
	EXPECT_EQ(t, ept_remap(&s.vm->ept, GPA(GUEST_WINDOW), s.block[1], s.size, &g),
		  E_OK);
	vm_finish(s.vm, &g);
	close(t);
}

TEST(selftest, hang_off, "CPU 0 spins with interrupts off", .aps = 1, .hidden = true)
{
	(void)t;
	spin_deaf();
}

static bool check_machine(struct vcpu *v)
{
	v->exit.vector = TRAP_MC;
	return vm_exit_table[EXIT_EXCEPTION](v);
}

TEST(selftest, mcheck_guest, "a machine check ends a guest", .vmx = true, .aps = 1,
     .hidden = true)
{
	if (!open(t))
		return;
	s.vm->vcpu[0]->dispatch = check_machine;
	kick_now(1);
	close(t);
}
