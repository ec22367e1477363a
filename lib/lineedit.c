/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lineedit - a line of text from keys: editing, history, completion
 *
 *      ^A Home      begin of line         ^H DEL     delete to the left
 *      ^E End       end of line           ^D Delete  delete under the cursor
 *      ^B Left      one to the left       ^K         delete to the end
 *      ^F Right     one to the right      ^U         drop all of it
 *      ^P Up        the line before       ^W         delete a word to the left
 *      ^N Down      the line after        ^L         show it again
 *      TAB          complete; twice: list ^C         drop it, and ask again
 *
 * Keys that send a sequence are those of ECMA-48 and of a VT100, CSI and SS3.  Any
 * other sequence that is well formed is ignored; what cuts a sequence short is a key
 * itself, so a line can always be ended.
 *
 * A byte that is neither text nor a key means that the other end is no terminal, or has
 * another baud rate.  From there on nothing is edited, and the line is refused at its
 * end: half a command is worse than none.
 *
 * The screen is one row of WIDTH characters with the cursor in it, because nobody tells
 * how wide the terminal is, and where a row wraps.
 */
#include "lib/lineedit.h"
#include "lib/fmt.h"
#include "lib/str.h"

#define WIDTH   79 /* of the prompt and what is seen of the line */
#define COLUMNS 3  /* of the list of words, of COLUMN characters */
#define COLUMN  26
#define WORD    64 /* longer ones are completed up to here */

#define CTRL(c) ((c)&0x1f)
#define ESC     0x1b
#define DEL     0x7f

static size_t room(const struct lineedit *l)
{
	return WIDTH - strlen(l->prompt);
}

/* Is all of the line on the screen, with the cursor at its end? */
static bool plain(const struct lineedit *l)
{
	return !l->stale && l->at == l->len && l->len < room(l);
}

void lineedit_begin(struct lineedit *l)
{
	l->len = l->at = 0;
	l->text[0] = 0;
	l->flaw = LINE_SOUND;
	l->stale = l->tabbed = false;
	l->key = KEY_PLAIN;
	l->back = 0;
	l->put(l->prompt);
}

void lineedit_spoilt(struct lineedit *l)
{
	l->stale = true;
}

void lineedit_show(struct lineedit *l)
{
	size_t wide = room(l), first = l->at < wide ? 0 : l->at - wide + 1;
	char row[WIDTH + 1], cursor[24];

	if (!l->stale)
		return;
	l->stale = false;
	l->put(l->quiet ? "" : "\r");
	l->put(l->prompt);
	if (l->quiet)
		return;
	str_copy(row, l->text + first, wide + 1);
	l->put(row);
	l->put("\033[K");
	if (l->at == l->len)
		return;
	fmt_str(cursor, sizeof(cursor), "\r\033[%zuC",
		strlen(l->prompt) + l->at - first);
	l->put(cursor);
}

static void insert(struct lineedit *l, const char *s, size_t n)
{
	bool echo = !l->quiet && n == 1 && plain(l) && l->len + 1 < room(l);

	if (l->len + n > LINE_MAX) {
		l->flaw = LINE_LONG;
		return;
	}
	memmove(l->text + l->at + n, l->text + l->at, l->len - l->at + 1);
	memcpy(l->text + l->at, s, n);
	l->len += n;
	l->at += n;
	if (echo)
		l->put((char[]){ *s, 0 });
	else
		l->stale |= !l->quiet;
}

/* Deletes text[from] .. text[to - 1]; the cursor is at one of both. */
static void cut(struct lineedit *l, size_t from, size_t to)
{
	bool echo = to == l->len && to - from == 1 && plain(l) && !l->quiet;

	if (from == to)
		return;
	memmove(l->text + from, l->text + to, l->len - to + 1);
	l->len -= to - from;
	l->at = from;
	if (echo)
		l->put("\b \b");
	else
		l->stale |= !l->quiet;
}

static void move(struct lineedit *l, size_t to)
{
	l->stale |= to != l->at && !l->quiet;
	l->at = to;
}

static void cut_word(struct lineedit *l)
{
	size_t from = l->at;

	while (from && l->text[from - 1] == ' ')
		from--;
	while (from && l->text[from - 1] != ' ')
		from--;
	cut(l, from, l->at);
}

static void replace(struct lineedit *l, const char *text)
{
	str_copy(l->text, text, sizeof(l->text));
	l->len = l->at = strlen(l->text);
	l->stale = !l->quiet;
}

/* Goes `by` lines back, or on again. */
static void recall(struct lineedit *l, int by)
{
	unsigned most = MIN(l->lines, LINE_HISTORY), back = l->back + (unsigned)by;

	if (back > most) /* also -1 */
		return;
	if (!l->back)
		str_copy(l->present, l->text, sizeof(l->present));
	l->back = back;
	replace(l, back ? l->past[(l->lines - back) % LINE_HISTORY] : l->present);
}

static void remember(struct lineedit *l)
{
	const char *last = l->past[(l->lines - 1) % LINE_HISTORY];

	if (l->len && !(l->lines && !strcmp(last, l->text)))
		str_copy(l->past[l->lines++ % LINE_HISTORY], l->text, LINE_MAX + 1);
}

/* Where the word that is to be completed begins: words, values and lists have words. */
static size_t stem(const struct lineedit *l)
{
	size_t i = l->at;

	while (i && l->text[i - 1] != ' ' && l->text[i - 1] != '=' &&
	       l->text[i - 1] != ',' && l->text[i - 1] != '"')
		i--;
	return i;
}

/* Calls fn() with each word that begins with what stands at `from`. */
static void each_word(struct lineedit *l, size_t from,
		      void (*fn)(void *arg, const char *word), void *arg)
{
	const char *word;

	for (unsigned i = 0; (word = l->words(l->text, from, i)); i++)
		if (!strncmp(word, l->text + from, l->at - from))
			fn(arg, word);
}

/* What all words that fit have in common. */
struct common {
	unsigned n;
	char text[WORD];
};

static void share(void *arg, const char *word)
{
	struct common *c = arg;
	size_t i = 0;

	if (!c->n++)
		str_copy(c->text, word, sizeof(c->text));
	while (c->text[i] && c->text[i] == word[i])
		i++;
	c->text[i] = 0;
}

struct table {
	struct lineedit *l;
	unsigned n;
};

static void list(void *arg, const char *word)
{
	struct table *t = arg;
	char cell[WORD + COLUMN];

	fmt_str(cell, sizeof(cell), "%-25s%s", word, ++t->n % COLUMNS ? " " : "\n");
	t->l->put(cell);
}

static void complete(struct lineedit *l)
{
	bool again = l->tabbed;
	size_t from = stem(l), have = l->at - from, n;
	struct common c = { 0 };

	l->tabbed = false;
	if (!l->words)
		return;
	each_word(l, from, share, &c);
	if (c.n == 1 && c.text[0] && c.text[strlen(c.text) - 1] != '=' &&
	    strlen(c.text) < WORD - 1)
		str_copy(c.text + strlen(c.text), " ", 2);
	n = strlen(c.text);
	if (c.n && n > have) {
		insert(l, c.text + have, n - have);
	} else if (c.n > 1 && again) {
		l->put("\n");
		each_word(l, from, list, &(struct table){ l, 0 });
		l->put(c.n % COLUMNS ? "\n" : "");
		l->stale = true;
	} else {
		l->tabbed = c.n > 1;
	}
}

static enum line_event end(struct lineedit *l)
{
	if (l->flaw == LINE_SOUND)
		lineedit_show(l);
	l->put("\n");
	if (l->flaw != LINE_SOUND)
		return LINE_REFUSED;
	remember(l);
	return LINE_DONE;
}

static enum line_event drop(struct lineedit *l)
{
	l->put(l->quiet ? "\n" : "^C\n");
	return LINE_DROPPED;
}

static void edit(struct lineedit *l, int c)
{
	switch (c) {
	case CTRL('A'):
		move(l, 0);
		break;
	case CTRL('B'):
		move(l, l->at - !!l->at);
		break;
	case CTRL('D'):
		cut(l, l->at, MIN(l->at + 1, l->len));
		break;
	case CTRL('E'):
		move(l, l->len);
		break;
	case CTRL('F'):
		move(l, MIN(l->at + 1, l->len));
		break;
	case CTRL('H'):
	case DEL:
		cut(l, l->at - !!l->at, l->at);
		break;
	case CTRL('K'):
		cut(l, l->at, l->len);
		break;
	case CTRL('L'):
		l->stale = !l->quiet;
		break;
	case CTRL('N'):
		recall(l, -1);
		break;
	case CTRL('P'):
		recall(l, 1);
		break;
	case CTRL('W'):
		cut_word(l);
		break;
	default:
		l->flaw = LINE_BINARY;
	}
}

/* The keys that end a sequence, as the control characters that do the same. */
static void special(struct lineedit *l, int final)
{
	static const struct {
		char final;
		u8 param, key;
	} keys[] = {
		{ 'A', 0, CTRL('P') }, { 'B', 0, CTRL('N') }, { 'C', 0, CTRL('F') },
		{ 'D', 0, CTRL('B') }, { 'H', 0, CTRL('A') }, { 'F', 0, CTRL('E') },
		{ '~', 1, CTRL('A') }, { '~', 7, CTRL('A') }, { '~', 4, CTRL('E') },
		{ '~', 8, CTRL('E') }, { '~', 3, CTRL('D') },
	};

	for (unsigned i = 0; i < ARRAY_LEN(keys); i++)
		if (keys[i].final == final && keys[i].param == l->param)
			edit(l, keys[i].key);
}

/* Is it part of a sequence? */
static bool in_sequence(struct lineedit *l, int c)
{
	unsigned key = l->key;

	l->key = KEY_PLAIN;
	if (key == KEY_PLAIN || c < ' ' || c >= DEL)
		return false;
	if (key == KEY_ESC && (c == '[' || c == 'O')) {
		l->key = c == '[' ? KEY_CSI : KEY_SS3;
		l->param = 0;
	} else if (key == KEY_CSI && c < '@') {
		l->key = KEY_CSI;
		if (c >= '0' && c <= '9')
			l->param = MIN(l->param * 10 + (unsigned)(c - '0'), 99u);
	} else if (key != KEY_ESC) {
		special(l, c);
	}
	return true;
}

static void key(struct lineedit *l, int c)
{
	if (in_sequence(l, c))
		return;
	if (c == ESC)
		l->key = KEY_ESC;
	else if (c == '\t' && !l->quiet)
		complete(l);
	else if (c == '\t' || (c >= ' ' && c < DEL))
		insert(l, c == '\t' ? " " : (char[]){ (char)c }, 1);
	else
		edit(l, c);
}

enum line_event lineedit_feed(struct lineedit *l, int c)
{
	bool cr = l->cr;

	l->cr = c == '\r';
	if (c != '\t')
		l->tabbed = false;
	if (c == '\n' && cr)
		return LINE_MORE;
	if (c == '\r' || c == '\n')
		return end(l);
	if (c == CTRL('C'))
		return drop(l);
	if (c == CTRL('U')) {
		l->flaw = LINE_SOUND;
		l->key = KEY_PLAIN;
		cut(l, 0, l->len);
	} else if (c == LINE_LOST) {
		if (l->len && l->flaw == LINE_SOUND) /* a break before it is no harm */
			l->flaw = LINE_LOSSY;
	} else if (l->flaw == LINE_SOUND) {
		key(l, c);
	}
	return LINE_MORE;
}
