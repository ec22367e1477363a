/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ghost - the ghost TLB: what may each CPU still hold, by the rules of the
 * architecture?
 *
 * Emulators flush at each VM entry, and real CPUs forget when they like: what guests do
 * cannot show that an INVEPT is missing.  The ghost knows no protocol and no TLB.  It
 * hears of five events, at places where no protocol can leave them out, and computes
 * what the CPU was allowed to keep (SDM vol. 3, 29.4: any translation that it could
 * walk in the guest since the last INVEPT of that root on that CPU; nothing but INVEPT
 * need drop it).
 *
 * Each edit that needs an invalidation is the next version k of its root.  Of each CPU
 * and root one number is enough: lo, the version at the first VM entry since the last
 * flush.  The CPU may hold what edit k killed if and only if lo < k: what it walked,
 * it walked at version lo or later.  No entry since the flush: it holds nothing.
 *
 *      initiator                             reader
 *      ---------                             ------
 *      EPT stores                            enter hook         may flush: word := 0
 *  [T1] version++                        [T2] word := inside | (lo, or version if none)
 *      proto->publish()                       fence
 *      ... proto->done() says yes            judge: lo below `retired`?
 *  [T4] retired := max(retired, k)           VM entry ... guest ... VM exit
 *      judge: a CPU inside with lo < k?  [T3] word := outside | lo
 *      reuse, settle, free                   exit hook
 *
 * What it finds:
 *   IN_GUEST  an edit is complete, and a CPU that may hold what it killed is inside
 *   STALE     a CPU enters the guest with lo below an edit that is complete
 *   REUSED    the same, and lo is from a VM that was at the same root and is dead: a VM
 *             that begins is an edit which kills everything, complete at once
 * Frames and tables are freed by inval_retire() alone, which has completed the edit.
 *
 * Why it raises no false alarm.  Let the protocol be sound, and edit k be complete.
 *   [T1] version moves after the stores and before the protocol hears of k.  A CPU that
 *        sees version < k at T2 has run its enter hook, which comes before, when the
 *        protocol had not been told of k: the protocol must wait for it to leave, and
 *        must make it flush.  One that sees version >= k walks what the edit left.
 *   [T2] after the enter hook.  Were it before, a flush in the hook would come too late
 *        for the verdict.
 *   [T3] before the exit hook, in program order, and x86 keeps stores in order: whoever
 *        learns by the protocol that the CPU has left finds its word outside.
 *   [T5] inside and lo are one word, written by one store of its own CPU alone.  In two
 *        words a judge could join lo of one run with `inside` of the next.
 * Why it misses nothing that it is told of.
 *   [T4] T2 stores the word and then loads `retired`; T4 stores `retired` and then
 * loads the words.  Both have a full fence between, so at least one sees the other.
 * What CPUs hold outlives their VM: words belong to the address of the root, which is
 * the tag that EPT uses, and places in the table are never given up.  When it is full,
 * new VMs are not judged, and the test that made them is inconclusive.  Where hardware
 * tags by ASID, ghost_tag.c keeps what each ASID has, and puts its lo into the word.
 *
 * A VM may have several roots that point to the same tables (ghost_join()).  Its edits
 * are those of the first, which counts and retires them for all; lo is of each, for a
 * translation is used under its own root alone (SDM vol. 3C, 29.4.2).  A CPU is inside
 * one of them, and only that one is looked at.
 *
 * lo is kept for roots, not for pages.  That a CPU may hold a translation does not mean
 * that it has used it, and an EPT violation drops what it faulted on; but a flush is of
 * a whole root (inval/hw.h), so a sound protocol flushes whoever was in the guest.
 *
 * HOLE: events cost a locked instruction at T1 and T2.  A fence that a protocol forgot
 * there is made up for, in the checked build (M11, H4).  A root that is not watched
 * costs nothing; native programs that look for missing fences watch none.
 * HOLE: a protocol that calls these functions could lie.  None includes ghost.h.
 *
 * Checked by: tests/unit/ghost_logs.c against a model of sets,
 * tests/unit/inval_ghost.c, tests/host/record step by step, tests/host/threads.c in
 * threads, and tests/proto on the machine.
 */
#include "inval/ghost.h"
#include "inval/hw.h"

/* What one CPU may hold, for each place in the table of roots. */
static struct row {
	_Alignas(CACHE_LINE) atomic64_t word[GHOST_ROOTS];
} row[CHECKED ? CPU_MAX : 1];

static struct ghost table[CHECKED ? GHOST_ROOTS : 1];

static struct {
	atomic64_t checked, violations, of_kind[GHOST_KINDS], unwatched;
	atomic64_t kept; /* `was` is complete */
	struct ghost_violation was;
} found;

static void (*hook)(const struct ghost_violation *);

#define USED BIT(0)

static atomic64_t *word_of(const struct ghost *g, unsigned cpu)
{
	return &row[cpu].word[g - table];
}

u64 ghost_word(const struct ghost *g, unsigned cpu)
{
	return load_acquire(word_of(g, cpu));
}

u64 ghost_root(const struct ghost *g)
{
	return load_relaxed(&g->key) & GHOST_ROOT;
}

/* The CPU is outside; what it holds is lo from now on. */
void ghost_word_put(struct ghost *g, unsigned cpu, u64 lo)
{
	store_release(word_of(g, cpu), lo);
}

/* The place of a root; NULL when it has none and gets none. */
static struct ghost *place_of(u64 root, bool take)
{
	u64 key = (root & GHOST_ROOT) | USED;
	unsigned start = (unsigned)(root >> PAGE_SHIFT);

	for (unsigned i = 0; i < GHOST_ROOTS; i++) {
		struct ghost *g = &table[(start + i) % GHOST_ROOTS];
		u64 has = load_relaxed(&g->key);

		if (!has && !take)
			return NULL;
		if (!has && cas(&g->key, 0ull, key))
			return g;
		if (load_relaxed(&g->key) == key)
			return g;
	}
	return NULL;
}

/* WHY_* below, 1 + the CPU above. */
static u64 pack_why(u32 why, unsigned cpu)
{
	return why | (cpu + 1ull) << 32;
}

static void note(struct ghost *g, u64 k, u32 why, const struct gather_range *first)
{
	struct ghost_edit *e = &g->edit[k % GHOST_EDITS];

	store_relaxed(&e->number, 0ull);
	store_release(&e->why, pack_why(why, hw_self()));
	store_release(&e->start, first ? first->start.v : 0);
	store_release(&e->len, first ? first->len : 0);
	store_release(&e->number, k);
}

/* What is remembered of edit v->edit, unless a later one has taken its place. */
static void recall(struct ghost *g, struct ghost_violation *v)
{
	struct ghost_edit *e = &g->edit[v->edit % GHOST_EDITS];
	bool same = load_acquire(&e->number) == v->edit;
	u64 why = load_acquire(&e->why);

	v->start = load_acquire(&e->start);
	v->len = load_acquire(&e->len);
	v->by = (int)(why >> 32) - 1;
	v->why = (u32)why;
	if (same && load_acquire(&e->number) == v->edit)
		return;
	v->by = -1;
	v->why = 0;
	v->len = 0;
}

/* Counts v, and fills in the rest of the first one. */
static void report(const struct ghost *at, struct ghost_violation v)
{
	struct ghost *g = at->first;

	add_fence(&found.of_kind[v.kind], 1ull);
	if (fetch_add(&found.violations, 1ull))
		return;
	v.root = ghost_root(at);
	v.born = load_relaxed(&g->born);
	v.proto = g->proto;
	recall(g, &v);
	found.was = v;
	store_release(&found.kept, 1ull);
	if (hook)
		hook(&v);
}

static void report_edit(const struct ghost *at, enum ghost_kind kind, unsigned cpu,
			u64 word, u64 k)
{
	report(at,
	       (struct ghost_violation){
		       .kind = kind, .cpu = cpu, .lo = word & GHOST_LO, .edit = k });
}

void ghost_mixed(const struct ghost *g, unsigned cpu, u32 tag, u64 other)
{
	report(g,
	       (struct ghost_violation){
		       .kind = GHOST_MIXED, .cpu = cpu, .tag = tag, .other = other });
}

static u64 next_version(struct ghost *g)
{
	u64 k = fetch_add(&g->version, 1ull) + 1; /* T1 */

	if (k >= GHOST_LO)
		panic("ghost: the versions of a root are used up");
	return k;
}

/* Raises `retired` to k; a full fence in any case. */
static void retire(struct ghost *g, u64 k)
{
	u64 old = load_relaxed(&g->retired);

	while (old < k && !cas(&g->retired, old, k))
		old = load_relaxed(&g->retired);
	fence_sc(); /* T4, pairs with T2 */
}

static void judge(struct ghost *g, u64 k)
{
	retire(g, k);
	for (const struct ghost *at = g; at; at = at->next)
		for (unsigned cpu = 0; cpu < g->cpus; cpu++) {
			u64 word = load_acquire(word_of(at, cpu));

			if (word & GHOST_INSIDE && ghost_may_hold(word, k))
				report_edit(at, GHOST_IN_GUEST, cpu, word, k);
		}
}

/* The VM of g begins, at one more root: what CPUs hold from dead ones is killed. */
static void begin(struct ghost *g, const struct ghost *at)
{
	u64 k = load_relaxed(&g->version);

	/* The dead VM's edits may have been counted elsewhere. */
	for (unsigned cpu = 0; cpu < ARRAY_LEN(row); cpu++)
		k = MAX(k, load_relaxed(word_of(at, cpu)) & GHOST_LO);
	k = MAX(k, ghost_tag_newest(ghost_root(at)));
	store_relaxed(&g->version, k);
	k = next_version(g);
	store_release(&g->born, k);
	note(g, k, WHY_ROOT, NULL);
	judge(g, k);
}

/* A place for a root that gets a VM; NULL, and counted, when there is none. */
static struct ghost *new_place(u64 root)
{
	struct ghost *g = CHECKED ? place_of(root, true) : NULL;

	if (!g)
		add_fence(&found.unwatched, CHECKED ? 1ull : 0ull);
	return g;
}

struct ghost *ghost_watch(u64 root, unsigned cpus, const char *proto)
{
	struct ghost *g = new_place(root);

	if (!g)
		return NULL;
	g->proto = proto;
	g->cpus = cpus;
	g->first = g;
	g->next = NULL;
	begin(g, g);
	return g;
}

struct ghost *ghost_join(struct ghost *g, u64 root)
{
	struct ghost *at = new_place(root);

	if (!at)
		return NULL;
	at->first = g;
	at->next = g->next;
	g->next = at;
	begin(g, at);
	return g;
}

struct ghost *ghost_at(struct ghost *g, u64 root)
{
	u64 key = (root & GHOST_ROOT) | USED;

	while (g && load_relaxed(&g->key) != key)
		g = g->next;
	return g;
}

void ghost_edit_made(struct ghost *g, struct gather *e)
{
	u32 why = 0;

	for (unsigned i = 0; i < e->n; i++)
		why |= e->range[i].why;
	e->edit = next_version(g);
	note(g, e->edit, why, e->n ? e->range : NULL);
}

void ghost_edit_complete(struct ghost *g, struct gather *e)
{
	judge(g, e->edit);
	e->edit = 0;
	add_fence(&found.checked, 1ull);
}

void ghost_entered(struct ghost *root, unsigned cpu)
{
	atomic64_t *at = word_of(root, cpu);
	struct ghost *g = root->first;
	u64 lo = load_relaxed(at) & GHOST_LO, retired;

	if (!lo)
		lo = load_acquire(&g->version);
	store_fence(at, GHOST_INSIDE | lo); /* T2, pairs with T4 */
	retired = load_acquire(&g->retired);
	if (!ghost_may_hold(lo, retired))
		return;
	report_edit(root, lo < load_acquire(&g->born) ? GHOST_REUSED : GHOST_STALE, cpu,
		    lo, retired);
	/* Once for each edit; of later ones it stands accused as before. */
	store_release(at, GHOST_INSIDE | retired);
}

void ghost_left(struct ghost *g, unsigned cpu)
{
	atomic64_t *at = word_of(g, cpu);

	store_release(at, load_relaxed(at) & GHOST_LO); /* T3 */
}

void ghost_flushed(unsigned cpu, u64 root)
{
	struct ghost *g;

	if (!root)
		for (unsigned i = 0; i < GHOST_ROOTS; i++)
			store_release(&row[cpu].word[i], 0ull);
	else if ((g = place_of(root, false)))
		store_release(word_of(g, cpu), 0ull);
}

void ghost_hook(void (*fn)(const struct ghost_violation *))
{
	hook = fn;
}

void ghost_reset(void)
{
	store_relaxed(&found.checked, 0ull);
	store_relaxed(&found.unwatched, 0ull);
	for (unsigned i = 0; i < GHOST_KINDS; i++)
		store_relaxed(&found.of_kind[i], 0ull);
	store_relaxed(&found.kept, 0ull);
	store_fence(&found.violations, 0ull);
}

void ghost_forget(void)
{
	for (unsigned i = 0; CHECKED && i < GHOST_ROOTS; i++) {
		table[i] = (struct ghost){ 0 };
		for (unsigned cpu = 0; cpu < CPU_MAX; cpu++)
			store_relaxed(&row[cpu].word[i], 0ull);
	}
	ghost_tag_forget();
	ghost_reset();
}

u64 ghost_violations(void)
{
	return load_relaxed(&found.violations);
}

void ghost_tell(struct ghost_tally *out)
{
	*out = (struct ghost_tally){ .checked = load_relaxed(&found.checked),
				     .violations = load_relaxed(&found.violations),
				     .unwatched = load_relaxed(&found.unwatched) };
	for (unsigned i = 0; i < GHOST_KINDS; i++)
		out->of_kind[i] = load_relaxed(&found.of_kind[i]);
	if (load_acquire(&found.kept))
		out->was = found.was;
}
