/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * boot_info - fuzzes the loader's information.
 *
 * The first byte chooses the format; all is one region at 0x1000, where multiboot 1
 * and PVH find their pieces if the addresses are small.
 */
#include <stdlib.h>

#include "tests/host/infocheck.h"
#include "tests/host/phys.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const u32 format[] = { BOOT_MB2_MAGIC, BOOT_MB1_MAGIC, BOOT_PVH_MAGIC };
	static struct boot_info info;
	struct phys phys;
	u32 magic;

	if (!size)
		return 0;
	magic = format[data[0] % ARRAY_LEN(format)];
	phys_init(&phys);
	phys_add(&phys, 0x1000, data + 1, size - 1);
	if (!boot_info_parse(&info, magic, 0x1000, &phys.view)) {
		if (info_wrong(&info))
			abort();
		if (!boot_info_screen_wrong(&info) && !framebuffer_len(&info.screen))
			abort();
	}
	if (phys.wrong)
		abort();
	phys_free(&phys);
	return 0;
}
