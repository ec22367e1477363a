/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmdline - the command line, word by word
 */
#include "boot/cmdline.h"
#include "lib/str.h"

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *skip_space(const char *s)
{
	while (is_space(*s))
		s++;
	return s;
}

static bool ends_in(const char *s, size_t len, const char *tail)
{
	size_t n = strlen(tail);

	return len >= n && !strncmp(s + len - n, tail, n);
}

const char *cmdline_start(const char *text)
{
	bool path = false;
	size_t len = 0;

	text = skip_space(text);
	for (; text[len] && !is_space(text[len]); len++) {
		if (text[len] == '=')
			return text;
		path |= text[len] == '/';
	}
	if (path || ends_in(text, len, ".elf") || ends_in(text, len, ".bin"))
		text = skip_space(text + len);
	return text;
}

/* Where the word's characters go: first the key, after the first '=' the value. */
struct filling {
	struct cmdword *w;
	size_t n;
};

static const char *put(struct filling *f, char c)
{
	struct cmdword *w = f->w;
	size_t room = w->has_value ? sizeof(w->value) : sizeof(w->key);

	if (f->n + 1 >= room)
		return w->has_value ? "a value on the command line is too long"
				    : "a word on the command line is too long";
	(w->has_value ? w->value : w->key)[f->n++] = c;
	return NULL;
}

/* Reads one word, *at being its first character; returns a sentence or NULL. */
static const char *read_word(const char **at, struct cmdword *w)
{
	struct filling f = { w, 0 };
	const char *s = *at, *why = NULL;
	bool quoted = false;

	for (; *s && (quoted || !is_space(*s)) && !why; s++) {
		if (*s == '"') {
			quoted = !quoted;
		} else if (*s == '=' && !w->has_value) {
			w->has_value = true;
			f.n = 0;
		} else {
			if (*s == '\\' && (s[1] == '\\' || s[1] == '"' || s[1] == '\''))
				s++;
			why = put(&f, *s);
		}
	}
	if (why)
		return why;
	if (quoted)
		return "a quote on the command line is not closed";
	if (!w->key[0])
		return "a word on the command line has no name";
	*at = s;
	return NULL;
}

bool cmdline_next(const char **at, struct cmdword *w, const char **error)
{
	memset(w, 0, sizeof(*w));
	*error = NULL;
	*at = skip_space(*at);
	if (!**at)
		return false;
	*error = read_word(at, w);
	return !*error;
}

bool cmdline_find(const char *text, const char *key, struct cmdword *w,
		  const char **error)
{
	const char *at = cmdline_start(text), *word = at, *found = NULL;

	while (cmdline_next(&at, w, error)) {
		if (!strcmp(w->key, key))
			found = word;
		word = at;
	}
	return found && cmdline_next(&found, w, error);
}
