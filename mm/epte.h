/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * epte - the 64-bit word of a nested paging structure
 *
 * The names are those of EPT (SDM vol. 3, 29.3.2), and so are the words in which edits
 * are asked for.  Most of an entry is at the same place under NPT: W, the leaf bit, the
 * address and our own bits.  What is not, is in a struct epte_format; npte.h has the
 * rules of NPT.
 *
 * Level 0 holds 4 KiB leaves, level 1 points to level 0 or is a 2 MiB leaf, level 2
 * points to level 1 or is a 1 GiB leaf, level 3 is the root.  Hardware walks these
 * words at any time: each is read and written whole, by one access.
 */
#ifndef MM_EPTE_H
#define MM_EPTE_H

#include "lib/atomic.h"
#include "lib/err.h"

#define EPT_LEVELS  4
#define EPT_ENTRIES 512
#define EPT_GPA_MAX BIT(48)

typedef struct {
	u64 raw;
} epte_t;
_Static_assert(sizeof(epte_t) == 8, "hardware walks 64-bit entries");

#define EPTE_R    BIT(0)
#define EPTE_W    BIT(1)
#define EPTE_X    BIT(2)
#define EPTE_RWX  (EPTE_R | EPTE_W | EPTE_X)
#define EPTE_TYPE BITS(5, 3) /* memory type, leaf only           */
#define EPTE_IPAT BIT(6)     /* ignore the guest's PAT, leaf only */
#define EPTE_LEAF BIT(7)     /* 2 MiB or 1 GiB page              */
#define EPTE_A    BIT(8)
#define EPTE_D    BIT(9)
#define EPTE_ADDR BITS(51, 12)
#define EPTE_SVE  BIT(63) /* suppress #VE, leaf only */

/* What a leaf says of its memory besides rights. */
#define EPTE_MEMORY (EPTE_TYPE | EPTE_IPAT | EPTE_SVE)

/*
 * Bits that hardware ignores in both formats: ours.  A held right is the leaf's, but
 * hardware is not told: W until the next write is counted as dirty, X while the leaf is
 * large.  A parked entry is what the entry becomes when the invalidation under way is
 * done; until then it is not present, and what makes it present waits in upper bits, as
 * does its gather's tag.
 */
#define EPTE_PARKED      BIT(11)
#define EPTE_HELD_W      BIT(52)
#define EPTE_HELD_X      BIT(53)
#define EPTE_HELD        (EPTE_HELD_W | EPTE_HELD_X)
#define EPTE_PARKED_RWX  BITS(56, 54) /* R, W and X, or P alone */
#define EPTE_PARKED_TAG  BITS(62, 57)
#define EPTE_PARKED_BITS (EPTE_PARKED | EPTE_PARKED_RWX | EPTE_PARKED_TAG)

/* Memory types of EPTE_TYPE and of EPTP bits 2:0 (SDM vol. 3, 29.3.7). */
#define EPT_UC 0
#define EPT_WC 1
#define EPT_WT 4
#define EPT_WP 5
#define EPT_WB 6

static inline bool ept_type_ok(u64 type)
{
	return type == EPT_UC || type == EPT_WC || (type >= EPT_WT && type <= EPT_WB);
}

/* EPTP, the VMCS field that points to the root (SDM vol. 3, 25.6.11). */
#define EPTP_WALK_4 field_put(BITS(5, 3), 3)
#define EPTP_AD     BIT(6)
#define EPTP_ADDR   BITS(51, 12)

enum nested_format { NESTED_EPT, NESTED_NPT };

#define EPTE_NO_TYPE 0xff

/* Where an entry says what the formats say differently. */
struct epte_format {
	u64 present;  /* any of these: hardware can use the entry          */
	u64 rights;   /* R, W, X; in both W is EPTE_W and R is EPTE_R      */
	u64 x;        /* the one of them that is X                         */
	u64 inverted; /* x if it is the absence of the right, else 0       */
	u64 a, d;
	u64 link;       /* all bits of an entry that points to a table     */
	u64 leaf;       /* of each leaf, whatever its rights               */
	u64 memory;     /* bits that say something of a leaf's memory      */
	u64 extra;      /* those of EPTE_MEMORY that exist besides types   */
	u8 type[8];     /* memory types by EPT_UC ...; EPTE_NO_TYPE: none  */
	bool exec_only; /* X without R can be said                         */
	bool ad;        /* A and D are always on                           */
	bool mtrrs;     /* MTRRs apply to what a guest does                */
};

extern const struct epte_format epte_formats[]; /* by enum nested_format */

/*
 * The bits of a leaf that say what `memory` does in EPTE_MEMORY's.  E_INVAL: nothing
 * does; E_NOTSUP: the format cannot.
 */
enum err must_check epte_memory(const struct epte_format *f, u64 memory, u64 *bits);

/* What a leaf tells hardware, in the words of EPT: rights, EPTE_MEMORY, A and D. */
u64 epte_attr(const struct epte_format *f, epte_t e);

static inline u64 ept_span(unsigned level)
{
	return PAGE_SIZE << (9 * level);
}

static inline unsigned ept_index(u64 gpa, unsigned level)
{
	return (unsigned)(gpa >> (PAGE_SHIFT + 9 * level)) & (EPT_ENTRIES - 1);
}

/* Can hardware use the entry? */
static inline bool epte_present(const struct epte_format *f, epte_t e)
{
	return e.raw & f->present;
}

/* Does the entry say anything, to hardware or to us? */
static inline bool epte_used(epte_t e)
{
	return e.raw;
}

static inline bool epte_parked(epte_t e)
{
	return e.raw & EPTE_PARKED;
}

static inline bool epte_is_leaf(epte_t e, unsigned level)
{
	return level == 0 || e.raw & EPTE_LEAF;
}

/* The frame that the leaf at `level` maps, or the table that the entry points to. */
static inline hpa_t epte_addr(epte_t e)
{
	return HPA(e.raw & EPTE_ADDR);
}

/* `bits` says rights and memory as the format does. */
static inline epte_t epte_leaf(const struct epte_format *f, hpa_t pa, u64 bits,
			       unsigned level)
{
	return (epte_t){ pa.v | bits | f->leaf | (level ? EPTE_LEAF : 0) };
}

static inline epte_t epte_table(const struct epte_format *f, hpa_t pa)
{
	return (epte_t){ pa.v | f->link };
}

/* The present entry as one that waits for the flush of the gather with this tag. */
static inline epte_t epte_park_by(u64 present, epte_t e, unsigned tag)
{
	return (epte_t){ (e.raw & ~present) | EPTE_PARKED |
			 field_put(EPTE_PARKED_RWX, e.raw & present) |
			 field_put(EPTE_PARKED_TAG, tag) };
}

static inline epte_t epte_park(const struct epte_format *f, epte_t e, unsigned tag)
{
	return epte_park_by(f->present, e, tag);
}

static inline unsigned epte_tag(epte_t e)
{
	return (unsigned)field_get(EPTE_PARKED_TAG, e.raw);
}

/* What the parked entry becomes; any other entry is what it is. */
static inline epte_t epte_final(epte_t e)
{
	if (!epte_parked(e))
		return e;
	return (epte_t){ (e.raw & ~EPTE_PARKED_BITS) |
			 field_get(EPTE_PARKED_RWX, e.raw) };
}

/* Does the leaf, which is not parked, let hardware execute? */
static inline bool epte_executes(const struct epte_format *f, epte_t e)
{
	return (e.raw ^ f->inverted) & f->x;
}

/* The rights that a leaf has, those that are held included: R, W, X. */
static inline u64 epte_rights(const struct epte_format *f, epte_t e)
{
	epte_t is = epte_final(e);

	return (is.raw & (EPTE_R | EPTE_W)) | (e.raw & EPTE_HELD_W ? EPTE_W : 0) |
	       (epte_executes(f, is) || e.raw & EPTE_HELD_X ? EPTE_X : 0);
}

static inline epte_t epte_load(const epte_t *slot)
{
	return (epte_t){ load_acquire(slot) };
}

/* [E1] One 64-bit store: a walk sees the old entry or the new one, never a mix. */
static inline void epte_store(epte_t *slot, epte_t e)
{
	store_release(slot, e.raw);
}

/* E1 as well: the entry that was there, with all that hardware has set in it. */
static inline epte_t epte_swap(epte_t *slot, epte_t e)
{
	return (epte_t){ swap(slot, e.raw) };
}

/* E1 as well, where hardware may set A or D in between: true when it was `old` still.
 */
static inline bool epte_cas(epte_t *slot, epte_t old, epte_t e)
{
	return cas(slot, old.raw, e.raw);
}

#endif
