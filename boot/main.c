/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main - the init list: each line says what is possible after it
 */
#include "arch/x86_64/apic.h"
#include "arch/x86_64/desc.h"
#include "arch/x86_64/insn.h"
#include "arch/x86_64/kick.h"
#include "arch/x86_64/layout.h"
#include "arch/x86_64/mcheck.h"
#include "arch/x86_64/memtype.h"
#include "arch/x86_64/paging.h"
#include "arch/x86_64/platform.h"
#include "arch/x86_64/screen.h"
#include "arch/x86_64/smp.h"
#include "arch/x86_64/uart.h"
#include "arch/x86_64/watch.h"
#include "boot/acpi.h"
#include "boot/config.h"
#include "boot/facts.h"
#include "boot/fadt.h"
#include "boot/memory.h"
#include "boot/modules.h"
#include "lib/console.h"
#include "lib/str.h"
#include "tests/shell/shell.h"
#include "vm/vm.h"

#define VERSION "0.1"

static struct boot_info info;
static struct acpi_cpus acpi;
static struct config config;
static struct pool pool;

/* start.S calls boot_main() on the boot stack, which goes on in boot_late(). */
_Noreturn void boot_main(u32 magic, u64 address);
_Noreturn void stack_switch(u64 top, void (*fn)(void));

/* Input that we cannot go on with: a sentence and a clean stop. */
static _Noreturn void refuse(const char *what, const char *why)
{
	print("Bail out! %s: %s\n", what, why);
	machine_end(STATUS_CRASH);
}

/* Only exit=reboot needs it, and goes without it where there is none. */
static void find_reset(void)
{
	struct fadt_reset r;

	if (!fadt_find_reset(&r, &info, &memory_view))
		machine_reset_by(&(struct reset_register){
			.space = r.memory ? RESET_MEMORY : RESET_IO,
			.address = r.address,
			.value = r.value });
}

static void start_cpus(void)
{
	static u32 ids[CPU_MAX];
	struct smp_plan plan = { .apic_id = ids, .mute = (u32)config.mute };

	for (unsigned i = 0; i < acpi.n && plan.n + 1 < config.cpus; i++) {
		u32 id = acpi.cpu[i].apic_id;

		if (!apic_reaches(id))
			print("# cpu with apic 0x%x is out of the %s's reach: left out\n",
			      id, apic_mode_name());
		else if (id != apic_id())
			ids[plan.n++] = id;
	}
	if (!boot_info_low_page(&info, &plan.trampoline)) {
		print("# no free page below 1 MiB: this CPU alone is used\n");
		plan.n = 0;
	}
	smp_start(&plan, &pool);
}

static void say_boot(const char *no_guests)
{
	const char *brand = facts_brand();

	modules_say(&info, &memory_view);
	print("# %s, %s build, by %s, %u CPUs, %s, seed %lu\n", brand, BUILD_NAME,
	      info.loader, cpu_count, apic_mode_name(), config.seed);
	print("@{\"type\":\"boot\",\"version\":\"%s\",\"build\":\"%s\",\"loader\":\"%s\","
	      "\"cpus\":%u,\"machine\":\"%s\",\"backend\":\"%s\",\"vmx\":%s,\"seed\":%lu}\n",
	      VERSION, BUILD_NAME, info.loader, cpu_count, brand,
	      no_guests ? "" : backend->name,
	      no_guests || strcmp(backend->name, "vmx") ? "false" : "true",
	      config.seed);
}

/* On the guard-paged stack of CPU 0. */
static void boot_late(void)
{
	const char *why = acpi_find_cpus(&acpi, &info, &memory_view);
	const char *no_guests;

	if (why) {
		print("# acpi: %s: this CPU alone is used\n", why);
		acpi.n = 0;
	}
	if (acpi.truncated)
		print("# acpi: more than %u CPUs: the others are left out\n", CPU_MAX);
	if (acpi.disabled)
		print("# acpi: %u CPUs are not enabled\n", acpi.disabled);
	if (acpi.notes)
		print("# acpi: %u notes, the last: %s\n", acpi.notes, acpi.note);
	find_reset();                 /* a reboot in order         */
	platform_init(acpi.oem);      /* which emulator this is    */
	why = apic_init(config.apic); /* IPIs                      */
	if (why)
		refuse("apic", why);
	kick_init();              /* kicks, delayed if asked   */
	watch_init(config.wedge); /* CPUs that hang are named */
	mcheck_enable();          /* so are machine checks     */
	start_cpus();             /* every CPU idle, for work  */
	kick_clusters();          /* several kicks by a write  */
	memtype_init();           /* leaves by memory type     */
	sti();
	no_guests = vm_init(&pool); /* guests                    */
	if (no_guests)
		print("# no guests can run here: %s\n", no_guests);
	say_boot(no_guests);
	facts_say(&info); /* which machine this is     */
	machine_end(shell_boot(&config, &pool, no_guests));
}

void boot_main(u32 magic, u64 address)
{
	const char *why;

	smp_adopt_bsp(); /* this_cpu(), traps, panic  */
	uart_init();     /* print()                   */
	print("# shootdown %s\n", VERSION);
	why = boot_info_parse(&info, magic, address, &memory_view);
	if (why)
		refuse("boot information", why); /* low memory is ours        */
	screen_init(&info.screen,
		    boot_info_screen_wrong(&info)); /* seen without serial */
	if (!config_parse(&config, &info)) {
		print("@{\"type\":\"end\",\"status\":%u,\"tests\":0}\n", STATUS_USAGE);
		machine_end(STATUS_USAGE); /* what the user wants       */
	}
	why = memory_init(&pool, &info, config.pool);
	if (why)
		refuse("memory", why); /* page frames               */
	paging_init(&pool);            /* W^X                       */
	screen_map();                  /* a screen above 4 GiB      */
	paging_map_stacks(0);          /* NMI, #DF and #MC          */
	cpus[0]->stack_top = stack_top(0, STACK_MAIN_PAGE, STACK_MAIN_PAGES);
	desc_use_stacks(cpus[0]);
	stack_switch(cpus[0]->stack_top, boot_late); /* guarded stack             */
}
