/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fadt - how the firmware wants the machine to be reset
 *
 * RESET_REG means nothing unless the flag RESET_REG_SUP is set, and firmware fills it
 * with anything then.  It is a generic address structure (ACPI 6.5, 5.2.3.2), of which
 * the specification allows a byte in I/O, memory or PCI configuration space here.
 */
#include "boot/fadt.h"

/* ACPI 6.5, table 5.9. */
#define FADT_FLAGS         112
#define FADT_RESET_REG     116
#define FADT_RESET_VALUE   128
#define FADT_RESET_END     129
#define FLAG_RESET_REG_SUP BIT(10)

/* ACPI 6.5, table 5.1. */
#define GAS_SPACE    0
#define GAS_WIDTH    1
#define GAS_OFFSET   2
#define GAS_ADDRESS  4
#define SPACE_MEMORY 0
#define SPACE_IO     1

#define IO_END     0x10000ull
#define MEMORY_END (1ull << 32)

const char *fadt_find_reset(struct fadt_reset *out, const struct boot_info *info,
			    const struct phys_view *view)
{
	u32 len = 0;
	const u8 *t = acpi_find(info, view, "FACP", &len), *gas;

	*out = (struct fadt_reset){ 0 };
	if (!t)
		return "there is no FADT";
	if (len < FADT_RESET_END)
		return "the FADT is of a time before reset registers";
	if (!(peek32(t + FADT_FLAGS) & FLAG_RESET_REG_SUP))
		return "the FADT says that there is no reset register";
	gas = t + FADT_RESET_REG;
	out->memory = gas[GAS_SPACE] == SPACE_MEMORY;
	out->address = peek64(gas + GAS_ADDRESS);
	out->value = t[FADT_RESET_VALUE];
	if (gas[GAS_WIDTH] != 8 || gas[GAS_OFFSET])
		return "the reset register of the FADT is not a byte";
	if (!out->memory && gas[GAS_SPACE] != SPACE_IO)
		return "the reset register of the FADT is neither a port nor in memory";
	if (!out->address || out->address >= (out->memory ? MEMORY_END : IO_END))
		return "the reset register of the FADT has an impossible address";
	return NULL;
}
