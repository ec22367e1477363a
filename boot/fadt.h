/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fadt - how the firmware wants the machine to be reset (ACPI 6.5, 4.8.3.6, 5.2.9)
 */
#ifndef BOOT_FADT_H
#define BOOT_FADT_H

#include "boot/acpi.h"

/* One byte that is written to one register. */
struct fadt_reset {
	bool memory; /* else an I/O port */
	u64 address;
	u8 value;
};

/*
 * NULL, or a sentence why there is no register that can be used: an old FADT, the flag
 * that says that there is none, a register that is not a byte, or lies in PCI
 * configuration space, or beyond 4 GiB.
 */
must_check const char *fadt_find_reset(struct fadt_reset *out,
				       const struct boot_info *info,
				       const struct phys_view *view);

#endif
