/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wedge - what the silence of a CPU means: from its answer to an NMI to a sentence.
 */
#include "arch/x86_64/wedge.h"
#include "lib/fmt.h"

static const char *const kind_name[WEDGE_KINDS] = { "dead", "host", "guest" };

void wedge_begin(struct wedge_wait *w, u64 now, u64 bound)
{
	*w = (struct wedge_wait){ .bound = bound, .start = now, .since = now };
}

bool wedge_due(const struct wedge_wait *w, u64 now)
{
	return now - w->since >= w->bound;
}

struct wedge_finding wedge_answer(struct wedge_wait *w, u64 now, bool answered,
				  const struct where *at)
{
	struct wedge_finding f = { .at = *at, .silent = now - w->start };

	if (!answered)
		f.at = (struct where){ 0 };
	f.kind = !answered ? WEDGE_DEAD : at->in_guest ? WEDGE_GUEST : WEDGE_HOST;
	f.give_up = f.kind != WEDGE_GUEST || w->pulled;
	w->pulled = f.kind == WEDGE_GUEST;
	w->since = now;
	return f;
}

static const char *kick_text(const struct where *at)
{
	return at->kicked ? "a kick waits in its APIC" : "no kick waits";
}

size_t wedge_text(char *buf, size_t size, unsigned cpu, const char *test,
		  const struct wedge_finding *f)
{
	const struct where *at = &f->at;
	char guest[32] = "";

	if (f->kind == WEDGE_DEAD)
		return fmt_str(buf, size,
			       "CPU %u dead in %s: no answer to an NMI, silent for %lu "
			       "ticks",
			       cpu, test, f->silent);
	if (f->kind == WEDGE_GUEST)
		return fmt_str(buf, size,
			       "CPU %u wedged in %s: guest rip 0x%lx, silent for %lu "
			       "ticks: in the guest, %s, %s",
			       cpu, test, at->guest_rip, f->silent, kick_text(at),
			       f->give_up ? "and it goes back there"
					  : "and the NMI got it out");
	if (at->guest_rip)
		fmt_str(guest, sizeof(guest), ", guest rip 0x%lx", at->guest_rip);
	return fmt_str(buf, size,
		       "CPU %u wedged in %s: rip 0x%lx%s, silent for %lu ticks: in the "
		       "host, interrupts %s, %s",
		       cpu, test, at->host_rip, guest, f->silent,
		       at->irqs_off ? "off" : "on", kick_text(at));
}

size_t wedge_record(char *buf, size_t size, unsigned cpu, const char *test,
		    const struct wedge_finding *f)
{
	const struct where *at = &f->at;

	return fmt_str(buf, size,
		       "{\"type\":\"wedged\",\"cpu\":%u,\"rip\":\"0x%lx\","
		       "\"rsp\":\"0x%lx\",\"guest_rip\":\"0x%lx\",\"test\":\"%s\","
		       "\"state\":\"%s\",\"interrupts\":\"%s\",\"kicked\":%s,"
		       "\"ticks\":%lu,\"parked\":%s}",
		       cpu, at->host_rip, at->host_rsp, at->guest_rip, test,
		       kind_name[f->kind], at->irqs_off ? "off" : "on",
		       at->kicked ? "true" : "false", f->silent,
		       f->give_up ? "true" : "false");
}
