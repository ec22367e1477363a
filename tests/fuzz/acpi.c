/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi - fuzzes the ACPI tables: an RSDP from the loader, all else at 0x1000
 *
 * The input's table checksums are corrected where a table seems to start on a multiple
 * of 64 bytes, since no fuzzer guesses them.
 */
#include <stdlib.h>

#include "boot/fadt.h"
#include "tests/host/phys.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void seal(u8 *p, size_t len, size_t at)
{
	u8 sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += p[i];
	p[at] = (u8)(p[at] - sum);
}

static void seal_all(u8 *p, size_t size)
{
	for (size_t at = 64; size > 36 && at < size - 36; at += 64)
		if (peek32(p + at + 4) >= 36 && peek32(p + at + 4) <= size - at)
			seal(p + at, peek32(p + at + 4), 9);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct boot_info info;
	static struct acpi_cpus cpus;
	static struct fadt_reset reset;
	struct phys phys;
	u8 *copy;

	if (size < 64)
		return 0;
	copy = malloc(size);
	memcpy(copy, data, size);
	seal_all(copy, size);
	memcpy(info.rsdp, "RSD PTR ", 8);
	memcpy(info.rsdp + 9, copy + 9, sizeof(info.rsdp) - 9);
	memcpy(info.rsdp + 20, &(u32){ 36 }, 4);
	info.rsdp_len = copy[0] & 1 ? 20 : 36;
	seal(info.rsdp, 20, 8);
	seal(info.rsdp, 36, 32);
	phys_init(&phys);
	phys_add(&phys, 0x1000, copy, size);
	if (!acpi_find_cpus(&cpus, &info, &phys.view) && (!cpus.n || cpus.n > CPU_MAX))
		abort();
	if (!fadt_find_reset(&reset, &info, &phys.view) && reset.address >> 32)
		abort();
	if (phys.wrong)
		abort();
	phys_free(&phys);
	free(copy);
	return 0;
}
