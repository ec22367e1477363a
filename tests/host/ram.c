/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ram - a buffer that stands for physical memory, behind the port mm/mem.h.
 */
#include "tests/host/ram.h"
#include "mm/mem.h"

static _Alignas(PAGE_SIZE) u8 bytes[RAM_FRAMES * PAGE_SIZE];
static struct frame frame[RAM_FRAMES];

bool ram_holds(hpa_t pa)
{
	return pa.v >= RAM_BASE && pa.v - RAM_BASE < sizeof(bytes);
}

const u64 mem_offset = (u64)bytes - RAM_BASE;

void mem_check(hpa_t pa)
{
	if (!ram_holds(pa))
		panic("ram: 0x%lx is outside of the buffer", pa.v);
}

void ram_pool(struct pool *p, u32 frames)
{
	assert(frames <= RAM_FRAMES);
	pool_init(p, HPA(RAM_BASE), frames, frame);
	pool_add(p, HPA(RAM_BASE), HPA(RAM_BASE + frames * PAGE_SIZE));
}
