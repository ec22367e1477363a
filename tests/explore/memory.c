/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory - memory as the explored sources see it: x86-TSO, one access at a time
 *
 * A store enters its CPU's FIFO, which nobody else can notice, so it is no decision;
 * that it leaves the FIFO is one.  A load sees the newest entry of the own FIFO for its
 * word, else memory.  A locked RMW and a fence wait until the own FIFO is empty.
 */
#include "tests/explore/memory.h"
#include "tests/explore/cpu.h"
#include "tests/explore/story.h"
#include "tests/explore/words.h"
#include "inval/hw.h"
#include "lib/str.h"

static u64 in_memory(uintptr_t at, unsigned size)
{
	u64 value = 0;

	memcpy(&value, (const void *)at, size);
	return value;
}

static void commit(uintptr_t at, unsigned size, u64 value)
{
	words_use(at, size, hw_self(), true);
	memcpy((void *)at, &value, size);
}

static u64 seen(uintptr_t at, unsigned size)
{
	const struct xcpu *c = cpu_self();

	for (unsigned i = c->count; i-- > 0;)
		if (c->buffer[i].at == at)
			return c->buffer[i].value;
	return in_memory(at, size);
}

u64 memory_load(uintptr_t at, unsigned size)
{
	bool shared = cpu_inside() && words_change(at, hw_self());
	u64 value;

	if (!cpu_inside())
		return in_memory(at, size);
	words_use(at, size, hw_self(), false);
	if (shared)
		cpu_pause(OP_LOAD);
	else
		cpu_turn();
	value = seen(at, size);
	if (shared)
		tell("loads %s: %s", word_name(at), word_value(at, value));
	return value;
}

void memory_store(uintptr_t at, unsigned size, u64 value)
{
	struct xcpu *c = cpu_self();

	if (!cpu_inside()) {
		memcpy((void *)at, &value, size);
		return;
	}
	if (config.no_buffer) {
		memory_rmw(at, size, RMW_SWAP, value);
		return;
	}
	value &= ~0ull >> (64 - 8 * size);
	if (c->count == BUFFER)
		cpu_pause(OP_STORE);
	c->buffer[c->count++] = (struct buffered){ at, value, size };
	tell("stores %s := %s into its buffer", word_name(at), word_value(at, value));
	cpu_settle(hw_self());
}

u64 memory_rmw(uintptr_t at, unsigned size, enum rmw f, u64 value)
{
	u64 old, new;

	cpu_pause(OP_RMW);
	old = in_memory(at, size);
	switch (f) {
	case RMW_ADD:
		new = old + value;
		break;
	case RMW_OR:
		new = old | value;
		break;
	case RMW_AND:
		new = old &value;
		break;
	default:
		new = value;
	}
	new &= ~0ull >> (64 - 8 * size);
	commit(at, size, new);
	tell("%s %s := %s", f == RMW_SWAP && config.no_buffer ? "sets" : "locked RMW",
	     word_name(at), word_value(at, new));
	return old;
}

bool memory_cas(uintptr_t at, unsigned size, u64 old, u64 want)
{
	cpu_pause(OP_RMW);
	if (in_memory(at, size) != old) {
		tell("CAS of %s fails", word_name(at));
		return false;
	}
	commit(at, size, want);
	tell("CAS %s := %s", word_name(at), word_value(at, want));
	return true;
}

void memory_fence(void)
{
	if (cpu_self()->count)
		cpu_pause(OP_FENCE);
}

void memory_relax(void)
{
	cpu_pause(OP_RELAX);
	tell("spins");
}
