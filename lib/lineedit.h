/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lineedit - a line of text from keys: editing, history, completion
 *
 * Bytes come in one at a time and text goes out through put(); there is no device and
 * no time in it.  lineedit.c has the keys.
 */
#ifndef LIB_LINEEDIT_H
#define LIB_LINEEDIT_H

#include "lib/types.h"

#define LINE_MAX     4096 /* bytes of a line */
#define LINE_HISTORY 16
#define LINE_LOST    0x100 /* in the place of bytes that never came, or came damaged */

/* What came of a byte. */
enum line_event {
	LINE_MORE,    /* the line goes on                             */
	LINE_DONE,    /* it is whole: lineedit.text                   */
	LINE_DROPPED, /* the person has given it up                   */
	LINE_REFUSED, /* it is whole, and must not be used: .flaw     */
};

/* Why a line must not be used. */
enum line_flaw {
	LINE_SOUND,
	LINE_LONG,   /* it had more than LINE_MAX bytes               */
	LINE_BINARY, /* it had bytes that are neither text nor keys   */
	LINE_LOSSY,  /* bytes of it were lost                         */
	LINE_FLAWS
};

/*
 * The i-th word that may stand at line[stem]; NULL past the last.  Only those that
 * begin with what stands there already are offered.  The text may be overwritten by
 * the next call.
 */
typedef const char *line_words(const char *line, size_t stem, unsigned i);

struct lineedit {
	/* To be set by the owner. */
	const char *prompt;
	void (*put)(const char *text);
	line_words *words; /* NULL: no completion */
	bool quiet; /* a tool types: no echo, no escape sequences, TAB is a blank */

	char text[LINE_MAX + 1]; /* the line, whole after LINE_DONE */
	enum line_flaw flaw;

	/* The editor's own. */
	size_t len, at; /* the cursor stands before text[at] */
	bool cr;        /* the last byte was a CR: an LF now is no other end */
	bool stale;     /* the screen shows something else */
	bool tabbed;    /* the last key was a TAB that could not decide */
	enum { KEY_PLAIN, KEY_ESC, KEY_CSI, KEY_SS3 } key;
	unsigned param; /* of KEY_CSI */
	char past[LINE_HISTORY][LINE_MAX + 1];
	unsigned lines, back;       /* lines kept so far; how far back the screen is */
	char present[LINE_MAX + 1]; /* what was being typed before it went back      */
};

/* Begins a line: puts the prompt.  Before the first byte, and after each event. */
void lineedit_begin(struct lineedit *l);

/* Takes a byte, or LINE_LOST. */
enum line_event lineedit_feed(struct lineedit *l, int byte);

/*
 * Shows what has changed.  When no byte waits: then a paste costs one line of output,
 * and not one for each byte.
 */
void lineedit_show(struct lineedit *l);

/* Something else was put out: the line is to be shown again. */
void lineedit_spoilt(struct lineedit *l);

#endif
