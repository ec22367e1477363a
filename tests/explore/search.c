/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * search - every state that `config` can reach, and what is wrong with them
 *
 * Breadth first, so the first bad state that is found is one of the nearest.  Of a
 * state that was seen only a hash of 128 bits is kept, and how it was reached; its
 * bytes are kept until it is expanded.  Two states of 10^7 share a hash with a chance
 * of 10^-25.
 *
 * Liveness is a question about the whole graph: from each state there must be a way to
 * one in which all initiators have finished, without a guest that leaves by itself.  A
 * spin loop is a cycle in the graph, so it needs no bound.
 */
#include "tests/explore/search.h"
#include "tests/explore/state.h"
#include "tests/explore/words.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NONE UINT32_MAX

struct node {
	struct state_hash hash;
	u8 *bytes; /* NULL once it is expanded */
	u32 parent;
	struct choice by;
	bool unsafe, finished, unkicked;
};

struct edge {
	u32 from, to;
	bool alone; /* a guest leaves by itself */
};

static struct node *nodes;
static struct edge *edges;
static u32 *table; /* open addressing, a power of two, of node + 1 */
static size_t node_count, node_room, edge_count, edge_room, table_size;

static void *grow(void *p, size_t count, size_t *room, size_t each)
{
	if (count < *room)
		return p;
	*room = *room ? *room * 2 : 4096;
	p = realloc(p, *room * each);
	if (!p)
		abort();
	return p;
}

static size_t slot_of(struct state_hash h)
{
	size_t i = h.a & (table_size - 1);

	while (table[i] &&
	       (nodes[table[i] - 1].hash.a != h.a || nodes[table[i] - 1].hash.b != h.b))
		i = (i + 1) & (table_size - 1);
	return i;
}

static void rehash(void)
{
	free(table);
	table_size = table_size ? table_size * 4 : 16384;
	table = calloc(table_size, sizeof(*table));
	if (!table)
		abort();
	for (size_t i = 0; i < node_count; i++)
		table[slot_of(nodes[i].hash)] = (u32)i + 1;
}

/* The node of the present world, which is new or not. */
static u32 visit(u32 parent, struct choice by)
{
	static u8 bytes[STATE_MAX];
	size_t size = state_save(bytes), slot;
	struct node n = { .hash = state_hash(bytes, size), .parent = parent, .by = by };

	if (node_count * 2 >= table_size)
		rehash();
	slot = slot_of(n.hash);
	if (table[slot])
		return table[slot] - 1;
	n.unsafe = world_unsafe();
	n.finished = world_finished();
	n.unkicked = world_unkicked();
	n.bytes = malloc(size);
	if (!n.bytes)
		abort();
	memcpy(n.bytes, bytes, size);
	nodes = grow(nodes, node_count, &node_room, sizeof(*nodes));
	nodes[node_count++] = n;
	table[slot] = (u32)node_count;
	return (u32)node_count - 1;
}

static void forget(void)
{
	for (size_t i = 0; i < node_count; i++)
		free(nodes[i].bytes);
	node_count = edge_count = 0;
	if (table)
		memset(table, 0, table_size * sizeof(*table));
}

/* All successors of a node.  False when the search cannot go on. */
static bool expand(u32 from)
{
	struct choice choices[CHOICE_MAX];
	unsigned n;

	state_load(nodes[from].bytes);
	n = choice_list(choices);
	for (unsigned i = 0; i < n; i++) {
		u32 to;

		if (i)
			state_load(nodes[from].bytes);
		choice_apply(choices[i]);
		if (words_grew)
			return false;
		to = visit(from, choices[i]);
		edges = grow(edges, edge_count, &edge_room, sizeof(*edges));
		edges[edge_count++] =
			(struct edge){ from, to, choices[i].kind == CHOICE_LEAVE };
		if (world_panic || node_count > STATES_MAX)
			return false;
	}
	free(nodes[from].bytes);
	nodes[from].bytes = NULL;
	return true;
}

/* Explores from the world as it is.  True when every state was seen. */
static bool explore(void)
{
	forget();
	state_base();
	visit(NONE, (struct choice){ 0 });
	for (u32 i = 0; i < node_count; i++)
		if (!expand(i))
			return false;
	if (state_leaks())
		world_panic =
			"the protocol changes what only atomic accesses may change";
	return !world_panic;
}

/* Explores anew until no word has a user that was not known before. */
static bool explore_config(void)
{
	bool complete;

	words_forget();
	do {
		world_panic = NULL;
		world_init();
		words_grew = false;
		complete = !world_panic && explore();
	} while (words_grew);
	return complete;
}

/* Marks in `reach` each node from which a finished one can be reached. */
static void reach_back(bool *reach)
{
	u32 *first = calloc(node_count + 2, sizeof(*first));
	u32 *back = malloc((edge_count + 1) * sizeof(*back));
	u32 *todo = malloc((node_count + 1) * sizeof(*todo));
	size_t n = 0;

	for (size_t i = 0; i < edge_count; i++)
		first[edges[i].to + 2]++;
	for (size_t i = 2; i < node_count + 2; i++)
		first[i] += first[i - 1];
	for (size_t i = 0; i < edge_count; i++)
		back[first[edges[i].to + 1]++] = (u32)i;
	for (u32 i = 0; i < node_count; i++)
		if (nodes[i].finished) {
			reach[i] = true;
			todo[n++] = i;
		}
	while (n) {
		u32 to = todo[--n];

		for (u32 i = first[to]; i < first[to + 1]; i++) {
			const struct edge *e = &edges[back[i]];

			if (reach[e->from] || (e->alone && !config.leaves))
				continue;
			reach[e->from] = true;
			todo[n++] = e->from;
		}
	}
	free(first);
	free(back);
	free(todo);
}

/* The first node from which nobody finishes; one that shows it is preferred. */
static u32 find_wait(void)
{
	bool *reach = calloc(node_count + 1, sizeof(*reach));
	u32 any = NONE, shown = NONE;

	reach_back(reach);
	for (u32 i = 0; i < node_count && shown == NONE; i++) {
		if (reach[i])
			continue;
		if (any == NONE)
			any = i;
		if (nodes[i].unkicked)
			shown = i;
	}
	free(reach);
	return shown == NONE ? any : shown;
}

static u32 find_unsafe(void)
{
	for (u32 i = 0; i < node_count; i++)
		if (nodes[i].unsafe)
			return i;
	return NONE;
}

static void schedule_to(u32 node, struct schedule *s)
{
	s->length = 0;
	for (u32 i = node; nodes[i].parent != NONE; i = nodes[i].parent)
		s->length++;
	if (s->length > SCHEDULE_MAX)
		abort();
	for (u32 i = node, n = s->length; n--; i = nodes[i].parent)
		s->step[n] = nodes[i].by;
}

static u64 now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000 + (u64)t.tv_nsec / 1000000;
}

void search(struct verdict *v)
{
	u64 begin = now_ms();
	u32 unsafe, waits = NONE;

	*v = (struct verdict){ .complete = explore_config() };
	v->panic = world_panic;
	unsafe = find_unsafe();
	if (v->complete)
		waits = find_wait();
	v->unsafe = unsafe != NONE;
	v->waits = waits != NONE;
	if (v->unsafe)
		schedule_to(unsafe, &v->to_unsafe);
	else if (v->panic && node_count)
		schedule_to((u32)node_count - 1, &v->to_unsafe);
	if (v->waits)
		schedule_to(waits, &v->to_wait);
	v->states = (unsigned)node_count;
	v->transitions = (unsigned)edge_count;
	v->ms = (unsigned)(now_ms() - begin);
}

void search_learn(void)
{
	explore_config();
}

bool search_can_finish(void)
{
	bool *reach, can;

	if (!explore())
		return false;
	reach = calloc(node_count, sizeof(*reach));
	reach_back(reach);
	can = reach[0];
	free(reach);
	return can;
}
