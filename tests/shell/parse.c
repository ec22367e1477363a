/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parse - a command and its words, from a line; pure, so that native tests have it.
 */
#include "tests/shell/parse.h"
#include "lib/fmt.h"
#include "lib/str.h"

static const char *skip_blanks(const char *s)
{
	while (*s == ' ')
		s++;
	return s;
}

/* One past the word at s; blanks between double quotes belong to it. */
static const char *word_end(const char *s)
{
	bool quoted = false;

	for (; *s && (quoted || *s != ' '); s++)
		quoted ^= *s == '"';
	return s;
}

static const char *next_word(const char **line, size_t *n)
{
	const char *word = skip_blanks(*line);

	*line = word_end(word);
	*n = (size_t)(*line - word);
	return *n ? word : NULL;
}

const char *parse_verb(const char *line, char verb[static PARSE_VERB])
{
	size_t n;
	const char *word = next_word(&line, &n);

	str_copy(verb, word ? word : "", MIN(n + 1, (size_t)PARSE_VERB));
	return skip_blanks(line);
}

static bool assigns(const char *word, size_t n)
{
	while (n && *word != '=') {
		word++;
		n--;
	}
	return n;
}

struct words {
	char *to;
	size_t size, n;
};

/* Adds `before` and n characters of s, if all of it fits. */
static bool add(struct words *w, const char *before, const char *s, size_t n)
{
	size_t front = strlen(before);

	if (w->n + front + n >= w->size)
		return false;
	str_copy(w->to + w->n, before, front + 1);
	str_copy(w->to + w->n + front, s, n + 1);
	w->n += front + n;
	return true;
}

bool parse_words(char *to, size_t size, const char *line, const char *key)
{
	struct words w = { to, size, 0 };
	const char *at = line, *word;
	bool first = true, fits = size > 0;
	char front[PARSE_VERB];
	size_t n;

	fmt_str(front, sizeof(front), "%s=", key);
	*to = 0;
	while (fits && (word = next_word(&at, &n)))
		if (!assigns(word, n)) {
			fits = add(&w, first ? front : ",", word, n);
			first = false;
		}
	at = line;
	while (fits && (word = next_word(&at, &n)))
		if (assigns(word, n))
			fits = add(&w, w.n ? " " : "", word, n);
	return fits;
}

const char *parse_number(const char *line, u64 *out)
{
	char text[24];
	size_t n;
	const char *word = next_word(&line, &n);

	if (!word || n >= sizeof(text))
		return NULL;
	str_copy(text, word, n + 1);
	return str_u64(text, out) ? skip_blanks(line) : NULL;
}

void parse_clean(char *to, size_t size, const char *text)
{
	str_copy(to, text, size);
	for (; *to; to++)
		if (*to == '"' || *to == '\\' || *to < ' ' || *to > '~')
			*to = '\'';
}
