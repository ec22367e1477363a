/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inval - what stands around every protocol: states of a gather, the active set.
 */
#include "inval/inval.h"
#include "inval/ghost.h"
#include "inval/hw.h"

void inval_init(struct inval *iv, const struct inval_proto *proto, struct pool *pool,
		u64 root, unsigned cpus)
{
	assert(cpus <= CPU_MAX);
	iv->proto = proto;
	iv->pool = pool;
	iv->root = root;
	iv->roots = 1;
	iv->ghost = NULL;
	iv->cpus = cpus;
	iv->fitted = false;
	store_relaxed(&iv->begun, 0ull);
	store_relaxed(&iv->door, 0ull);
	for (unsigned i = 0; i < ARRAY_LEN(iv->active); i++) {
		store_relaxed(&iv->active[i], 0ull);
		store_relaxed(&iv->mask[i], 0ull);
	}
	for (unsigned i = 0; i < ARRAY_LEN(iv->shared); i++)
		store_relaxed(&iv->shared[i].word, 0ull);
	smr_init(&iv->smr, cpus, NULL);
	for (unsigned i = 0; i < cpus; i++) {
		iv->reader[i] = (struct inval_reader){
			.mark.word = { proto->fresh },
			.iv = iv,
			.slot = &iv->smr.slot[i],
			.active = &iv->active[i / 64],
			.bit = BIT(i % 64),
			.others = ~BIT(i % 64),
			.mask = &iv->mask[i / 64],
		};
		store_relaxed(&iv->reader[i].root, root);
	}
	store_release(&iv->gen, 1ull); /* flushed is 0: the first entry flushes */
}

void inval_roots(struct inval *iv, unsigned roots)
{
	assert(roots && roots <= 64 && !(roots & (roots - 1)));
	iv->roots = roots;
}

void inval_watch(struct inval *iv)
{
	struct ghost *g = ghost_watch(iv->root, iv->cpus, iv->proto->name);

	for (unsigned i = 1; i < iv->roots && g; i++)
		g = ghost_join(g, iv->root + i * PAGE_SIZE);
	iv->ghost = g;
	for (unsigned i = 0; i < iv->cpus; i++)
		iv->reader[i].ghost = g;
}

/* A bug of ours: who has made it waits for ever in the fast build. */
void inval_not_a_reader(const struct inval *iv)
{
	if (CHECKED && inval_active(iv, hw_self()))
		panic("inval: CPU %u would wait for itself", hw_self());
}

void inval_begin(struct inval *iv)
{
	u64 self;

	inval_not_a_reader(iv);
	if (!iv->proto->begin)
		return;
	self = hw_self() + 1;
	if (load_relaxed(&iv->begun) == self)
		panic("inval: an edit is announced twice");
	iv->proto->begin(iv); /* excludes other initiators up to publish() */
	store_relaxed(&iv->begun, self);
}

static inline ticket_t publish(struct inval *iv, struct gather *g)
{
	ghost_edit(iv->ghost, g); /* T1: before the protocol hears of it */
	return iv->proto->publish(iv, g);
}

/* What this CPU has announced it publishes now; if it has not, it does both. */
static never_inline ticket_t publish_begun(struct inval *iv, struct gather *g)
{
	if (load_relaxed(&iv->begun) != hw_self() + 1)
		inval_begin(iv);
	store_relaxed(&iv->begun, 0ull);
	return publish(iv, g);
}

void inval_kicked(struct inval_reader *r)
{
	if (r->iv->proto->kicked)
		r->iv->proto->kicked(r);
}

ticket_t inval_publish(struct inval *iv, struct gather *g)
{
	if (g->state != GATHER_OPEN)
		panic("inval: a gather is published twice");
	inval_not_a_reader(iv);
	g->state = GATHER_PUBLISHED;
	return iv->proto->begin ? publish_begun(iv, g) : publish(iv, g);
}

void inval_complete(struct inval *iv, struct gather *g)
{
	ghost_complete(iv->ghost, g);
}

void inval_retire(struct inval *iv, ticket_t t, struct gather *g)
{
	if (g->state != GATHER_PUBLISHED)
		panic("inval: a gather is retired before it is published");
	if (!inval_done(iv, t))
		panic("inval: a gather is retired before its invalidation is done");
	if (g->tag)
		panic("inval: a gather is retired before its entries are settled");
	inval_complete(iv, g);
	pool_free_list(iv->pool, &g->dead);
	*g = gather_init();
}

void inval_kick_active(struct inval *iv)
{
	for (unsigned i = 0; i < ARRAY_LEN(iv->active) && i * 64 < iv->cpus; i++) {
		u64 word = load_relaxed(&iv->active[i]);

		if (word)
			hw_kick_many(i * 64, word);
	}
}

void inval_raise(atomic64_t *word, u64 to)
{
	u64 was = load_relaxed(word);

	while (was < to && !cas(word, was, to))
		was = load_relaxed(word);
}

bool inval_done_at_once(struct inval *iv, ticket_t t)
{
	(void)iv;
	(void)t;
	return true;
}

int inval_no_laggard(struct inval *iv, ticket_t t)
{
	(void)iv;
	(void)t;
	return -1;
}

bool inval_done_for_good(struct inval *iv, ticket_t t)
{
	if (iv->proto->laggard(iv, t) >= 0)
		return false;
	inval_raise(&iv->shared[0].word, t);
	return true;
}

static void count_flush(struct inval_reader *r)
{
	store_relaxed(&r->flushes, load_relaxed(&r->flushes) + 1);
}

void inval_flush(struct inval_reader *r, u64 gen)
{
	hw_flush(r->iv->root);
	r->flushed = gen;
	count_flush(r);
}

void inval_flush_roots(struct inval_reader *r)
{
	hw_flush(0);
	count_flush(r);
}

void inval_use_root(struct inval_reader *r, u64 n)
{
	u64 root = r->iv->root + n * PAGE_SIZE;

	store_relaxed(&r->root, root);
	r->ghost = ghost_at(r->iv->ghost, root);
	hw_use_root(root);
}
