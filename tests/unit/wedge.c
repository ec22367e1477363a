/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wedge - tests of arch/x86_64/wedge.c: when a CPU is asked, and what its answer means
 */
#include "arch/x86_64/wedge.h"
#include "lib/str.h"
#include "tests/host/test.h"

static const struct where host = { .host_rip = 0x1234, .irqs_off = true };
static const struct where guest = { .guest_rip = 0x8000, .in_guest = true };

TEST(wedge_is_due_after_the_bound)
{
	struct wedge_wait w;

	wedge_begin(&w, 1000, 50);
	EXPECT(!wedge_due(&w, 1000));
	EXPECT(!wedge_due(&w, 1049));
	EXPECT(wedge_due(&w, 1050));
	wedge_begin(&w, ~0ull - 9, 50); /* the TSC wraps */
	EXPECT(!wedge_due(&w, 30));
	EXPECT(wedge_due(&w, 40));
}

TEST(wedge_no_answer_is_dead)
{
	struct wedge_wait w;
	struct wedge_finding f;

	wedge_begin(&w, 0, 50);
	f = wedge_answer(&w, 60, false, &guest); /* what is not said does not count */
	EXPECT_EQ(f.kind, WEDGE_DEAD);
	EXPECT(f.give_up);
	EXPECT_EQ(f.silent, 60);
	EXPECT_EQ(f.at.guest_rip, 0);
}

TEST(wedge_in_the_host_is_given_up)
{
	struct wedge_wait w;
	struct wedge_finding f;

	wedge_begin(&w, 0, 50);
	f = wedge_answer(&w, 50, true, &host);
	EXPECT_EQ(f.kind, WEDGE_HOST);
	EXPECT(f.give_up);
}

/* The NMI itself has made it leave the guest: it gets another chance, and one only. */
TEST(wedge_in_the_guest_is_asked_twice)
{
	struct wedge_wait w;
	struct wedge_finding f;

	wedge_begin(&w, 0, 50);
	f = wedge_answer(&w, 50, true, &guest);
	EXPECT_EQ(f.kind, WEDGE_GUEST);
	EXPECT(!f.give_up);
	EXPECT(!wedge_due(&w, 99));
	EXPECT(wedge_due(&w, 100));
	f = wedge_answer(&w, 110, true, &guest);
	EXPECT(f.give_up);
	EXPECT_EQ(f.silent, 110);
}

TEST(wedge_from_the_guest_into_the_host_is_given_up)
{
	struct wedge_wait w;

	wedge_begin(&w, 0, 50);
	wedge_answer(&w, 50, true, &guest);
	EXPECT(wedge_answer(&w, 100, true, &host).give_up);
}

static const char *sentence(struct wedge_finding f)
{
	static char text[250];

	wedge_text(text, sizeof(text), 2, "a/test", &f);
	return text;
}

TEST(wedge_sentences)
{
	struct wedge_finding f = { .kind = WEDGE_DEAD, .silent = 77, .give_up = true };

	EXPECT_STR(sentence(f),
		   "CPU 2 dead in a/test: no answer to an NMI, silent for 77 ticks");
	f.kind = WEDGE_HOST;
	f.at = host;
	EXPECT_STR(sentence(f),
		   "CPU 2 wedged in a/test: rip 0x1234, silent for 77 ticks: in the "
		   "host, interrupts off, no kick waits");
	f.at.guest_rip = 0x8004;
	f.at.irqs_off = false;
	f.at.kicked = true;
	EXPECT_STR(
		sentence(f),
		"CPU 2 wedged in a/test: rip 0x1234, guest rip 0x8004, silent for 77 "
		"ticks: in the host, interrupts on, a kick waits in its APIC");
	f.kind = WEDGE_GUEST;
	f.at = guest;
	f.give_up = false;
	EXPECT_STR(sentence(f),
		   "CPU 2 wedged in a/test: guest rip 0x8000, silent for 77 ticks: in "
		   "the guest, no kick waits, and the NMI got it out");
	f.at.kicked = f.give_up = true;
	EXPECT_STR(sentence(f),
		   "CPU 2 wedged in a/test: guest rip 0x8000, silent for 77 ticks: in "
		   "the guest, a kick waits in its APIC, and it goes back there");
}

TEST(wedge_record)
{
	struct wedge_finding f = { .kind = WEDGE_HOST, .at = host, .silent = 77 };
	char text[300];

	f.at.guest_rip = 0x8004;
	wedge_record(text, sizeof(text), 2, "a/test", &f);
	EXPECT_STR(text, "{\"type\":\"wedged\",\"cpu\":2,\"rip\":\"0x1234\","
			 "\"rsp\":\"0x0\",\"guest_rip\":\"0x8004\","
			 "\"test\":\"a/test\",\"state\":\"host\","
			 "\"interrupts\":\"off\",\"kicked\":false,\"ticks\":77,"
			 "\"parked\":false}");
}
