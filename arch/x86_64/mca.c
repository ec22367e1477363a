/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mca - what the registers of the machine-check architecture say, in words
 *
 * The codes are those of SDM vol. 3B, "Interpreting the MCA Error Codes": a table of
 * simple codes, and compound ones, which a mask tells apart and whose fields have words
 * of their own.
 */
#include "arch/x86_64/mca.h"
#include "lib/fmt.h"

#define CODE_FILTER BIT(12) /* F: corrected errors of this kind are filtered */

static const char *const level[] = { "level 0", "level 1", "level 2",
				     "an unknown level" };
static const char *const sort[] = { "instruction", "data", "generic", "reserved" };
static const char *const request[16] = {
	"error",     "read",       "write",
	"data read", "data write", "instruction fetch",
	"prefetch",  "eviction",   "snoop",
	"reserved",  "reserved",   "reserved",
	"reserved",  "reserved",   "reserved",
	"reserved",
};
static const char *const part[] = { "this CPU asked", "this CPU answered",
				    "this CPU looked on", "generic" };
static const char *const place[] = { "memory", "reserved", "I/O", "other" };
static const char *const memory[] = { "request error",   "read error",
				      "write error",     "address or command error",
				      "scrubbing error", "reserved error",
				      "reserved error",  "reserved error" };

static const struct {
	u16 code;
	const char *what;
} simple[] = {
	{ 0x0000, "no error" },
	{ 0x0001, "unclassified" },
	{ 0x0002, "parity of the microcode ROM" },
	{ 0x0003, "external: BINIT# of another CPU" },
	{ 0x0004, "functional redundancy check" },
	{ 0x0005, "internal parity" },
	{ 0x0006, "SMM code outside of SMRR" },
	{ 0x0400, "internal timer" },
	{ 0x0e0b, "I/O" },
};

static size_t generic_cache(char *buf, size_t size, u64 c)
{
	return fmt_str(buf, size, "cache hierarchy, %s",
		       level[field_get(BITS(1, 0), c)]);
}

static size_t tlb(char *buf, size_t size, u64 c)
{
	return fmt_str(buf, size, "TLB: %s, %s", sort[field_get(BITS(3, 2), c)],
		       level[field_get(BITS(1, 0), c)]);
}

static size_t controller(char *buf, size_t size, u64 c)
{
	const char *what = memory[field_get(BITS(6, 4), c)];
	unsigned channel = (unsigned)field_get(BITS(3, 0), c);

	if (channel == 15)
		return fmt_str(buf, size, "memory controller: %s", what);
	return fmt_str(buf, size, "memory controller: %s, channel %u", what, channel);
}

static size_t extended(char *buf, size_t size, u64 c)
{
	return fmt_str(buf, size, "memory as a cache: %s",
		       memory[field_get(BITS(6, 4), c)]);
}

static size_t cache(char *buf, size_t size, u64 c)
{
	return fmt_str(buf, size, "cache: %s, %s, %s",
		       request[field_get(BITS(7, 4), c)],
		       sort[field_get(BITS(3, 2), c)], level[field_get(BITS(1, 0), c)]);
}

static size_t bus(char *buf, size_t size, u64 c)
{
	return fmt_str(
		buf, size, "bus: %s, %s, %s, %s%s", request[field_get(BITS(7, 4), c)],
		part[field_get(BITS(10, 9), c)], place[field_get(BITS(3, 2), c)],
		level[field_get(BITS(1, 0), c)], c & BIT(8) ? ", timed out" : "");
}

static size_t internal(char *buf, size_t size, u64 c)
{
	return fmt_str(buf, size, "internal, unclassified, 0x%lx",
		       (u64)(c & BITS(9, 0)));
}

/* The first that fits decides. */
static const struct {
	u16 mask, is;
	size_t (*text)(char *buf, size_t size, u64 code);
} compound[] = {
	{ 0xeffc, 0x000c, generic_cache }, { 0xfff0, 0x0010, tlb },
	{ 0xef80, 0x0080, controller },    { 0xff00, 0x0100, cache },
	{ 0xef80, 0x0280, extended },      { 0xfc00, 0x0400, internal },
	{ 0xe800, 0x0800, bus },
};

size_t mca_code_text(char *buf, size_t size, u64 status)
{
	u64 code = field_get(MC_STATUS_CODE, status) & ~CODE_FILTER;

	for (unsigned i = 0; i < ARRAY_LEN(simple); i++)
		if (simple[i].code == code)
			return fmt_str(buf, size, "%s", simple[i].what);
	for (unsigned i = 0; i < ARRAY_LEN(compound); i++)
		if ((code & compound[i].mask) == compound[i].is)
			return compound[i].text(buf, size, code);
	return fmt_str(buf, size, "code 0x%lx", code);
}

enum mca_grade mca_grade(u64 cap, u64 status)
{
	if (!(status & MC_STATUS_VAL))
		return MCA_NOTHING;
	if (!(status & MC_STATUS_UC))
		return MCA_CORRECTED;
	if (status & MC_STATUS_PCC || !(cap & MCG_CAP_SER_P))
		return MCA_CORRUPT;
	if (!(status & MC_STATUS_S))
		return MCA_NO_ACTION;
	return status & MC_STATUS_AR ? MCA_REQUIRED : MCA_OPTIONAL;
}

static const char *const grade_text[] = {
	[MCA_NOTHING] = "no error",
	[MCA_CORRECTED] = "corrected",
	[MCA_NO_ACTION] = "uncorrected, not used yet",
	[MCA_OPTIONAL] = "uncorrected, found by a scrub or an eviction",
	[MCA_REQUIRED] = "uncorrected, and this CPU needs the data",
	[MCA_CORRUPT] = "uncorrected, the CPU's state is lost",
};

size_t mca_bank_text(char *buf, size_t size, u64 cap, const struct mca_bank *b)
{
	char code[80], addr[40] = "", misc[40] = "", count[40] = "";
	u64 s = b->status;

	mca_code_text(code, sizeof(code), s);
	if (s & MC_STATUS_ADDRV)
		fmt_str(addr, sizeof(addr), ", address 0x%lx", b->addr);
	if (s & MC_STATUS_MISCV)
		fmt_str(misc, sizeof(misc), ", misc 0x%lx", b->misc);
	if (!(s & MC_STATUS_UC) && cap & MCG_CAP_CMCI_P)
		fmt_str(count, sizeof(count), " %lu times",
			(u64)field_get(MC_STATUS_COUNT, s));
	return fmt_str(buf, size, "bank %u: %s%s: %s%s%s%s%s, status 0x%lx", b->number,
		       grade_text[mca_grade(cap, s)], count, code, addr, misc,
		       s & MC_STATUS_OVER ? ", and others before it are lost" : "",
		       s & MC_STATUS_EN ? "" : ", reporting is off", s);
}

size_t mca_global_text(char *buf, size_t size, u64 s)
{
	return fmt_str(buf, size, "status 0x%lx: %s, %s%s", s,
		       s & MCG_STATUS_RIPV ? "the program could go on at its RIP"
					   : "the program cannot go on",
		       s & MCG_STATUS_EIPV ? "the error belongs to the RIP"
					   : "the error is not of the RIP",
		       s & MCG_STATUS_LMCE ? ", on this CPU alone" : "");
}
