/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi - which CPUs the firmware's tables name (ACPI 6.5, 5.2)
 *
 *   RSDP --> XSDT or RSDT --> tables, one of them the MADT --> entries
 *
 * No table is believed before its length and its checksum are.
 */
#ifndef BOOT_ACPI_H
#define BOOT_ACPI_H

#include "boot/info.h"
#include "boot/view.h"

struct acpi_cpu {
	u32 apic_id;
	u32 acpi_uid;
	bool x2apic_entry; /* told by an entry of type 9, maybe besides one of type 0 */
};

struct acpi_cpus {
	char oem[7];    /* who made the tables, as the RSDP has it; "" without RSDP */
	u64 lapic_base; /* page-aligned; 0 when the table does not say */

	/* CPUs that may be started, in the table's order; n is at least 1. */
	struct acpi_cpu cpu[CPU_MAX];
	unsigned n;

	/* CPUs that are listed but not enabled, online-capable ones among them. */
	u32 disabled_id[CPU_MAX];
	unsigned disabled;

	bool truncated; /* more than CPU_MAX of a kind: the rest is left out */

	unsigned notes;   /* oddities that did no harm ... */
	const char *note; /* ... and a sentence on the last of them, or NULL */
};

/*
 * Finds the MADT and reads its CPUs into *out.  The RSDP comes from the loader's
 * information, else from the BIOS areas.  NULL, or a sentence that says what is
 * wrong; then of *out only the notes and the OEM are of use.
 */
must_check const char *acpi_find_cpus(struct acpi_cpus *out,
				      const struct boot_info *info,
				      const struct phys_view *view);

/*
 * The first table of that signature whose length and checksum are right, with its
 * length, or NULL.
 */
const u8 *acpi_find(const struct boot_info *info, const struct phys_view *view,
		    const char *signature, u32 *len);

#endif
