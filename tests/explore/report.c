/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report - schedules in words, and schedules done again.
 */
#include "tests/explore/report.h"
#include "tests/explore/story.h"

#include <stdio.h>
#include <string.h>

const char *report_cpu(unsigned cpu)
{
	static char text[24];

	snprintf(text, sizeof(text), "%s %u",
		 cpu < config.initiators ? "initiator" : "reader", cpu);
	return text;
}

/* False when the step is not possible. */
static bool show(struct choice c, unsigned number, const char *indent)
{
	char token[8];
	bool possible = choice_apply(c);
	const char *text = story_take();

	choice_print(c, token);
	printf("%s%3u  %-4s  %-12s %s\n", indent, number, token, report_cpu(c.cpu),
	       possible ? (*text ? text : "begins") : "cannot do that");
	return possible;
}

static bool run(const struct schedule *s, const char *indent)
{
	bool possible = true;

	world_panic = NULL;
	world_init();
	telling = true;
	for (unsigned i = 0; i < s->length && possible && !world_panic; i++)
		possible = show(s->step[i], i + 1, indent);
	telling = false;
	return possible;
}

static void print_replay(const struct schedule *s, const char *indent)
{
	char token[8];

	printf("%sreplay:", indent);
	for (unsigned i = 0; i < s->length; i++) {
		choice_print(s->step[i], token);
		printf(" %s", token);
	}
	printf("\n");
}

/* What is wrong in the world as it is, in words; NULL when a guest is not unsafe. */
static const char *unsafe_text(void)
{
	static char text[120];

	for (unsigned i = config.initiators; i < cpu_total(); i++)
		for (unsigned p = 0; p < page_total(); p++)
			if (world_misuse(i, p)) {
				snprintf(
					text, sizeof(text),
					"the guest of reader %u can write to the old frame "
					"of page %u, which is reused",
					i, p);
				return text;
			}
	return NULL;
}

enum report_end report_schedule(const struct schedule *s, const char *indent)
{
	bool possible = run(s, indent), unkicked = world_unkicked();
	const char *panic = world_panic, *unsafe = unsafe_text();
	enum report_end end = END_NOTHING;
	const char *text = "nothing is wrong in this state";

	if (!possible) {
		end = END_IMPOSSIBLE;
		text = "that is no schedule of it";
	} else if (panic) {
		end = END_PANIC;
		text = panic;
	} else if (unsafe) {
		end = END_UNSAFE;
		text = unsafe;
	} else if (!search_can_finish()) {
		end = END_WAIT;
		text = unkicked
			       ? "an initiator waits for a guest that nothing makes leave"
			       : "from here not all initiators can finish";
	}
	printf("%s           %s\n", indent, text);
	print_replay(s, indent);
	return end;
}

bool schedule_read(const char *text, struct schedule *s)
{
	const char *line = strstr(text, "replay:");

	if (line)
		text = line + strlen("replay:");
	text += strspn(text, " \t\r\n");
	for (s->length = 0; *text && !(line && *text == '\n'); s->length++) {
		text = s->length < SCHEDULE_MAX ? choice_scan(text, &s->step[s->length])
						: NULL;
		if (!text) {
			fprintf(stderr, "step %u of the schedule is not a step\n",
				s->length + 1);
			return false;
		}
		text += strspn(text, " \t\r");
		if (!line)
			text += strspn(text, "\n");
	}
	return true;
}

enum report_end report_replay(const struct schedule *s)
{
	search_learn();
	return report_schedule(s, "");
}
