/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi_tables - builds ACPI tables in a fake memory, for the tests of boot/acpi.c
 *
 * The RSDP lies in the BIOS area, all else in one region at TABLES_AT: FACP, then the
 * MADT, then the root table, so that each can be cut off.
 */
#ifndef TESTS_UNIT_ACPI_TABLES_H
#define TESTS_UNIT_ACPI_TABLES_H

#include "boot/acpi.h"
#include "tests/host/blob.h"
#include "tests/host/phys.h"

#define BIOS_AT   0xf0000
#define RSDP_AT   0xa060 /* in the BIOS, as in Bochs */
#define TABLES_AT 0x7fe0003

static struct blob tables;
static struct {
	u8 b[0x10000];
} bios;
static struct boot_info info;
static struct acpi_cpus cpus;
static u32 root_at, root_len, madt_at, madt_len, fadt_at;

/* An RSDP outside of the BIOS region, with an EBDA at 0x9fc00. */
static u64 acpi_rsdp_pa;
static u32 acpi_rsdp_len;

/* Makes `len` bytes sum to zero by the byte at `at`. */
static inline void acpi_sum(u8 *p, u32 len, u32 at)
{
	u8 sum = 0;

	p[at] = 0;
	for (u32 i = 0; i < len; i++)
		sum += p[i];
	p[at] = (u8)-sum;
}

static inline void acpi_fix_rsdp(u8 *p)
{
	acpi_sum(p, 20, 8);
	if (p[15] >= 2)
		acpi_sum(p, 36, 32);
}

/* Corrects the checksum of the table at `at`, if its length makes sense. */
static inline void acpi_seal(u32 at)
{
	u32 len = peek32(tables.b + at + 4);

	if (len >= 36 && len <= tables.n - at)
		acpi_sum(tables.b + at, len, 9);
}

static inline u32 acpi_table(const char *signature)
{
	u32 at = tables.n;

	blob_bytes(&tables, signature, 4);
	blob_u32(&tables, 0);
	blob_u16(&tables, 1);
	blob_bytes(&tables, "SHOOT DOWNTEST", 14);
	blob_fill(&tables, at + 36);
	return at;
}

static inline u32 acpi_table_done(u32 at)
{
	blob_poke(&tables, at + 4, tables.n - at, 4);
	acpi_seal(at);
	return tables.n - at;
}

static inline void acpi_lapic(u8 id, u8 uid, u32 flags)
{
	blob_u8(&tables, 0);
	blob_u8(&tables, 8);
	blob_u8(&tables, uid);
	blob_u8(&tables, id);
	blob_u32(&tables, flags);
}

static inline void acpi_x2apic(u32 id, u32 uid, u32 flags)
{
	blob_u8(&tables, 9);
	blob_u8(&tables, 16);
	blob_u16(&tables, 0);
	blob_u32(&tables, id);
	blob_u32(&tables, flags);
	blob_u32(&tables, uid);
}

/* Starts over with a FACP and the head of a MADT; entries follow. */
static inline void acpi_begin(void)
{
	memset(&bios, 0, sizeof(bios));
	memset(&info, 0, sizeof(info));
	acpi_rsdp_pa = 0;
	acpi_rsdp_len = 20;
	tables.n = 0;
	fadt_at = acpi_table("FACP");
	blob_fill(&tables, fadt_at + 116);
	acpi_table_done(fadt_at);
	madt_at = acpi_table("APIC");
	blob_u32(&tables, 0xfee00000);
	blob_u32(&tables, 1);
}

/* What else firmware lists: an I/O APIC, an override, the NMI lines. */
static inline void acpi_other_entries(void)
{
	static const u8 entry[] = {
		1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0,    0, 2, 10,
		0, 0,  2, 0, 0, 0, 0,    0,    4, 6, 0xff, 0, 0, 1
	};

	blob_bytes(&tables, entry, sizeof(entry));
}

/* Ends the MADT and adds a root table with addresses of `size` bytes. */
static inline void acpi_root(u32 size)
{
	madt_len = acpi_table_done(madt_at);
	root_at = acpi_table(size == 8 ? "XSDT" : "RSDT");
	blob_put(&tables, TABLES_AT + fadt_at, size);
	blob_put(&tables, TABLES_AT + madt_at, size);
	root_len = acpi_table_done(root_at);
	blob_u32(&tables, 0); /* not a part of it */
}

static inline void acpi_old_rsdp(u8 *p)
{
	memcpy(p, "RSD PTR ", 8);
	p[15] = 0;
	memcpy(p + 16, &(u32){ TABLES_AT + root_at }, 4);
	acpi_fix_rsdp(p);
}

/* Ends the MADT, adds an RSDT, and an RSDP of revision 0 in the BIOS. */
static inline void acpi_end(void)
{
	acpi_root(4);
	acpi_old_rsdp(bios.b + RSDP_AT);
}

/* RSDP revision 0 in the BIOS, an RSDT, n CPUs by type 0 entries: SeaBIOS, Bochs. */
static inline void acpi_like_qemu(unsigned n)
{
	acpi_begin();
	for (unsigned i = 0; i < n; i++)
		acpi_lapic((u8)i, (u8)i, 1);
	acpi_other_entries();
	acpi_end();
}

/* RSDP revision 2 from the loader, an XSDT with 3 CPUs; the RSDT's address is junk. */
static inline void acpi_like_ovmf(void)
{
	acpi_begin();
	for (u8 i = 0; i < 3; i++)
		acpi_lapic(i, i, 1);
	acpi_other_entries();
	acpi_root(8);
	memcpy(info.rsdp, "RSD PTR ", 8);
	info.rsdp[15] = 2;
	memcpy(info.rsdp + 16, &(u32){ TABLES_AT + fadt_at }, 4);
	info.rsdp[20] = 36;
	memcpy(info.rsdp + 24, &(u64){ TABLES_AT + root_at }, 8);
	acpi_fix_rsdp(info.rsdp);
	info.rsdp_len = 36;
}

/* A root with n addresses, the MADT's being the last. */
static inline void acpi_long_root(unsigned n)
{
	acpi_begin();
	acpi_lapic(0, 0, 1);
	madt_len = acpi_table_done(madt_at);
	root_at = acpi_table("RSDT");
	for (unsigned i = 1; i < n; i++)
		blob_u32(&tables, TABLES_AT + fadt_at);
	blob_u32(&tables, TABLES_AT + madt_at);
	root_len = acpi_table_done(root_at);
	acpi_old_rsdp(bios.b + RSDP_AT);
}

/* Moves the RSDP of the BIOS to a region of its own, there alone, anywhere. */
static inline void acpi_rsdp_at(u64 pa)
{
	memset(&bios, 0, sizeof(bios));
	acpi_rsdp_pa = pa;
	acpi_rsdp_len = 20;
}

static inline const char *acpi_run(void)
{
	static const u16 ebda = 0x9fc0;
	u8 moved[36] = { 0 };
	struct phys phys;
	const char *why;

	phys_init(&phys);
	phys_add(&phys, TABLES_AT, tables.b, tables.n);
	acpi_old_rsdp(moved);
	if (acpi_rsdp_pa) {
		phys_add(&phys, acpi_rsdp_pa, moved, acpi_rsdp_len);
		phys_add(&phys, 0x40e, &ebda, sizeof(ebda));
	} else if (!info.rsdp_len || info.rsdp_len == 20) {
		phys_add(&phys, BIOS_AT, bios.b, sizeof(bios.b));
	}
	why = acpi_find_cpus(&cpus, &info, &phys.view);
	if (phys.wrong)
		abort();
	phys_free(&phys);
	return why;
}

#endif
