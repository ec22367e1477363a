/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi - which CPUs the firmware's tables name
 *
 * Tables are found by physical addresses in other tables, so anything may point
 * anywhere.  It cannot loop: the walk goes down three levels (RSDP, root table,
 * MADT) and every level moves forward through a length that was bounded first.
 * Section numbers are those of ACPI 6.5.
 */
#include "boot/acpi.h"

#define TABLE_HEADER 36u         /* 5.2.6: signature, length, ..., checksum, ids */
#define TABLE_MAX    (16u << 20) /* longer ones are taken for damage */
#define ROOT_MAX     256u        /* tables looked at behind one root table */

/* 5.2.5.3: the RSDP.  The first 20 bytes are all of it in ACPI 1.0. */
#define RSDP_OEM      9
#define RSDP_REVISION 15
#define RSDP_RSDT     16
#define RSDP_LENGTH   20
#define RSDP_XSDT     24
#define RSDP_OLD      20u
#define RSDP_NEW      36u

/* 5.2.12: the MADT, and the entries that matter with the least length of each. */
#define MADT_LAPIC   36
#define MADT_ENTRIES 44u
enum { LAPIC = 0, LAPIC_OVERRIDE = 5, X2APIC = 9, ENTRY_KINDS };
#define LAPIC_ENABLED BIT(0) /* bit 1, online-capable, does not make it usable now */

struct table {
	const u8 *data;
	u32 len;
};

static void note(struct acpi_cpus *out, const char *sentence)
{
	out->notes++;
	out->note = sentence;
}

static bool sums_to_zero(const u8 *p, u64 len)
{
	u8 sum = 0;

	while (len--)
		sum += *p++;
	return !sum;
}

/*
 * Are the 36 bytes at `p` an RSDP?  `len` is how many of them are known, the rest being
 * zeros.  One of revision 2 of which 20 bytes are known is taken for an old one.
 */
static bool rsdp_good(const u8 *p, u64 len)
{
	if (memcmp(p, "RSD PTR ", 8) || !sums_to_zero(p, RSDP_OLD))
		return false;
	if (p[RSDP_REVISION] < 2 || len == RSDP_OLD)
		return true;
	return len >= RSDP_NEW && peek32(p + RSDP_LENGTH) == RSDP_NEW &&
	       sums_to_zero(p, RSDP_NEW);
}

/* Copies the RSDP at pa to the RSDP_NEW bytes at `to`; false when there is none. */
static bool rsdp_at(const struct phys_view *view, u64 pa, u8 *to)
{
	memset(to, 0, RSDP_NEW);
	if (!view_read(view, pa, to, RSDP_OLD) || memcmp(to, "RSD PTR ", 8))
		return false;
	if (to[RSDP_REVISION] >= 2 && !view_read(view, pa, to, RSDP_NEW))
		return false;
	return rsdp_good(to, RSDP_NEW);
}

/* 5.2.5.1: it lies on a 16-byte boundary. */
static bool rsdp_scan(const struct phys_view *view, u64 base, u64 len, u8 *to)
{
	for (u64 pa = base; pa < base + len; pa += 16)
		if (rsdp_at(view, pa, to))
			return true;
	return false;
}

/* 5.2.5.1: in the first KiB of the EBDA, whose segment is at 0x40e, or in the BIOS. */
static bool rsdp_search(const struct phys_view *view, u8 *to)
{
	u16 ebda = 0;

	if (view_read(view, 0x40e, &ebda, sizeof(ebda)) && ebda &&
	    rsdp_scan(view, (u64)ebda << 4, 1024, to))
		return true;
	return rsdp_scan(view, 0xe0000, 0x20000, to);
}

enum flaw { SOUND, UNREADABLE, ABSURD, DAMAGED };

/* Opens the table at pa, of any signature, and checks length and checksum (5.2.6). */
static enum flaw table_open(const struct phys_view *view, u64 pa, struct table *t)
{
	u8 header[TABLE_HEADER];

	*t = (struct table){ NULL, 0 };
	if (!view_read(view, pa, header, sizeof(header)))
		return UNREADABLE;
	t->len = peek32(header + 4);
	if (t->len < TABLE_HEADER || t->len > TABLE_MAX)
		return ABSURD;
	t->data = view_at(view, pa, t->len);
	if (!t->data)
		return UNREADABLE;
	return sums_to_zero(t->data, t->len) ? SOUND : DAMAGED;
}

static bool table_is(const struct phys_view *view, u64 pa, const char *signature)
{
	u8 have[4];

	return view_read(view, pa, have, sizeof(have)) && !memcmp(have, signature, 4);
}

static void cpu_disabled(struct acpi_cpus *out, u32 apic_id)
{
	for (unsigned i = 0; i < out->disabled; i++)
		if (out->disabled_id[i] == apic_id)
			return;
	if (out->disabled == CPU_MAX)
		out->truncated = true;
	else
		out->disabled_id[out->disabled++] = apic_id;
}

/* One CPU told by an entry; a CPU may be told twice, by a type 0 and a type 9 entry. */
static void cpu_add(struct acpi_cpus *out, struct acpi_cpu cpu, u32 flags)
{
	if (!(flags & LAPIC_ENABLED)) {
		cpu_disabled(out, cpu.apic_id);
		return;
	}
	for (unsigned i = 0; i < out->n; i++) {
		if (out->cpu[i].apic_id == cpu.apic_id) {
			out->cpu[i].x2apic_entry |= cpu.x2apic_entry;
			return;
		}
	}
	if (out->n == CPU_MAX)
		out->truncated = true;
	else
		out->cpu[out->n++] = cpu;
}

/* 5.2.12.2: uid, APIC ID, flags.  ID 0xff is the broadcast: a slot without a CPU. */
static void on_lapic(struct acpi_cpus *out, const u8 *e)
{
	if (e[3] != 0xff)
		cpu_add(out, (struct acpi_cpu){ e[3], e[2], false }, peek32(e + 4));
}

/* 5.2.12.12: two bytes reserved, x2APIC ID, flags, uid. */
static void on_x2apic(struct acpi_cpus *out, const u8 *e)
{
	u32 id = peek32(e + 4);

	if (id != ~0u)
		cpu_add(out, (struct acpi_cpu){ id, peek32(e + 12), true },
			peek32(e + 8));
}

/* 5.2.12.8: two bytes reserved, a 64-bit address that replaces the table's own. */
static void on_lapic_override(struct acpi_cpus *out, const u8 *e)
{
	out->lapic_base = peek64(e + 4);
}

static const struct {
	u8 min;
	void (*read)(struct acpi_cpus *, const u8 *);
} entry[ENTRY_KINDS] = {
	[LAPIC] = { 8, on_lapic },
	[LAPIC_OVERRIDE] = { 12, on_lapic_override },
	[X2APIC] = { 16, on_x2apic },
};

/* A CPU that any entry enables is not disabled, whatever its other entry says. */
static void drop_enabled(struct acpi_cpus *out)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < out->disabled; i++) {
		unsigned k = 0;

		while (k < out->n && out->cpu[k].apic_id != out->disabled_id[i])
			k++;
		if (k == out->n)
			out->disabled_id[kept++] = out->disabled_id[i];
	}
	out->disabled = kept;
}

/* 5.2.12: flags, then entries of type, length, contents up to the table's end. */
static const char *madt_read(struct acpi_cpus *out, struct table t)
{
	if (t.len < MADT_ENTRIES)
		return "the ACPI MADT is too short";
	out->lapic_base = peek32(t.data + MADT_LAPIC);
	for (u32 at = MADT_ENTRIES, len; at < t.len; at += len) {
		u8 type = t.data[at];

		if (t.len - at < 2)
			return "the ACPI MADT ends inside an entry";
		len = t.data[at + 1];
		if (len < 2)
			return "an ACPI MADT entry has no length";
		if (len > t.len - at)
			return "an ACPI MADT entry runs past the table";
		if (type >= ENTRY_KINDS || !entry[type].read)
			continue;
		if (len < entry[type].min)
			return "an ACPI MADT entry is too short for its type";
		entry[type].read(out, t.data + at);
	}
	drop_enabled(out);
	if (!IS_ALIGNED(out->lapic_base, PAGE_SIZE) || out->lapic_base >= BOOT_ADDR_END)
		return "the ACPI MADT has an impossible local APIC address";
	return out->n ? NULL : "the ACPI MADT lists no enabled CPU";
}

/* 5.2.7, 5.2.8: looks behind the root's addresses, `size` bytes each, for the MADT. */
static const char *root_read(struct acpi_cpus *out, const struct phys_view *view,
			     struct table root, u32 size)
{
	static const char *const madt_flaw[] = {
		[UNREADABLE] = "the ACPI MADT runs out of readable memory",
		[ABSURD] = "the ACPI MADT has an absurd length",
		[DAMAGED] = "the ACPI MADT has a wrong checksum",
	};
	static const char *const other_flaw[] = {
		[UNREADABLE] = "an ACPI table runs out of readable memory",
		[ABSURD] = "an ACPI table has an absurd length",
		[DAMAGED] = "an ACPI table has a wrong checksum",
	};
	u32 tables = (root.len - TABLE_HEADER) / size;

	if ((root.len - TABLE_HEADER) % size)
		note(out, "the ACPI root table ends inside an address");
	if (tables > ROOT_MAX)
		note(out, "the ACPI root table lists more tables than are looked at");
	for (u32 i = 0; i < MIN(tables, ROOT_MAX); i++) {
		const u8 *at = root.data + TABLE_HEADER + i * size;
		u64 pa = size == 8 ? peek64(at) : peek32(at);
		bool madt = table_is(view, pa, "APIC");
		struct table t;
		enum flaw flaw = table_open(view, pa, &t);

		if (madt)
			return flaw ? madt_flaw[flaw] : madt_read(out, t);
		if (flaw)
			note(out, other_flaw[flaw]);
	}
	return "the ACPI tables have no MADT";
}

/* Opens the root table.  5.2.5.3: the XSDT beats the RSDT where the RSDP has it. */
static const char *root_open(const struct phys_view *view, const u8 *rsdp,
			     struct table *root, u32 *size)
{
	static const char *const root_flaw[] = {
		[SOUND] = NULL,
		[UNREADABLE] = "the ACPI root table is not in readable memory",
		[ABSURD] = "the ACPI root table has an absurd length",
		[DAMAGED] = "the ACPI root table has a wrong checksum",
	};
	u64 xsdt = rsdp[RSDP_REVISION] >= 2 ? peek64(rsdp + RSDP_XSDT) : 0;
	u64 pa = xsdt ? xsdt : peek32(rsdp + RSDP_RSDT);

	*size = xsdt ? 8 : 4;
	if (!pa)
		return "the ACPI RSDP points to no root table";
	if (!table_is(view, pa, xsdt ? "XSDT" : "RSDT"))
		return "the ACPI RSDP points to something that is no root table";
	return root_flaw[table_open(view, pa, root)];
}

/* The loader's copy of the RSDP, else the BIOS's own.  *damaged: the copy is no good.
 */
static bool rsdp_find(const struct boot_info *info, const struct phys_view *view,
		      u8 *rsdp, bool *damaged)
{
	*damaged = false;
	if (info->rsdp_len) {
		memset(rsdp, 0, RSDP_NEW);
		memcpy(rsdp, info->rsdp, MIN(info->rsdp_len, RSDP_NEW));
		if (rsdp_good(rsdp, info->rsdp_len))
			return true;
		*damaged = true;
	}
	return rsdp_search(view, rsdp);
}

const char *acpi_find_cpus(struct acpi_cpus *out, const struct boot_info *info,
			   const struct phys_view *view)
{
	u8 rsdp[RSDP_NEW];
	struct table root;
	const char *why;
	bool found, damaged;
	u32 size;

	memset(out, 0, sizeof(*out));
	found = rsdp_find(info, view, rsdp, &damaged);
	if (damaged)
		note(out, "the loader's copy of the ACPI RSDP is damaged");
	if (!found)
		return "the machine has no ACPI RSDP";
	memcpy(out->oem, rsdp + RSDP_OEM, sizeof(out->oem) - 1);
	why = root_open(view, rsdp, &root, &size);
	return why ? why : root_read(out, view, root, size);
}

const u8 *acpi_find(const struct boot_info *info, const struct phys_view *view,
		    const char *signature, u32 *len)
{
	u8 rsdp[RSDP_NEW];
	struct table root, t;
	bool damaged;
	u32 size;

	if (!rsdp_find(info, view, rsdp, &damaged) ||
	    root_open(view, rsdp, &root, &size))
		return NULL;
	for (u32 i = 0; i < MIN((root.len - TABLE_HEADER) / size, ROOT_MAX); i++) {
		const u8 *at = root.data + TABLE_HEADER + i * size;
		u64 pa = size == 8 ? peek64(at) : peek32(at);

		if (table_is(view, pa, signature) &&
		    table_open(view, pa, &t) == SOUND) {
			*len = t.len;
			return t.data;
		}
	}
	return NULL;
}
