# SPDX-License-Identifier: BSD-2-Clause
"""trace_pair - which event is the cause of which

Nothing here is matched by how near two times are.  On one CPU the order of the events
decides; between CPUs the kernel gives names: each kick from one CPU to another has a
number, an interrupt tells the numbers that it answers, an invalidation has a name, an
entry its generation.  Where a partner has been overwritten that is said.
"""
from dataclasses import dataclass, field

from trace_log import ASKED, NOBODY, Event

# Protocols whose entries tell the generation of the VM that they have flushed for; the
# others only count their own flushes.
GENERATIONS = {'gen-smr', 'gen-ipi', 'gen-slot', 'smr-seq', 'rendezvous', 'handler-flush',
               'request', 'new-root'}


@dataclass(eq=False, repr=False)
class Stay:
    """A CPU in the guest.  enter is None if it came before what the ring has kept."""
    cpu: int
    enter: Event = None
    exit: Event = None
    hook: Event = None        # the enter hook begins
    flush: Event = None       # in that hook, or since the last exit
    leaving: Event = None     # the exit hook: here it says that it is out ...
    out: Event = None         # ... and has
    reason: Event = None
    took: int = 0             # interrupts by kicks in its exit
    answers: list = field(default_factory=list)     # kicks that came to it
    next: 'Stay' = None       # of the same CPU

    @property
    def gen(self):
        return self.enter.a if self.enter else None

    @property
    def vm(self):
        return self.enter.b if self.enter else None


@dataclass(eq=False, repr=False)
class Kick:
    sender: int
    target: int
    number: int
    sent: Event
    asks: list = field(default_factory=list)        # if it was delayed
    invals: list = field(default_factory=list)      # that it is sent for
    received: Event = None
    stay: Stay = None         # which it ended
    fate: str = 'received'    # or pending, or lost: its receipt was overwritten


@dataclass(eq=False, repr=False)
class Inval:
    """An invalidation, all of it on its initiator's CPU."""
    cpu: int
    name: int
    vm: int
    edits: list = field(default_factory=list)       # (begin, end) of those it is for
    settles: list = field(default_factory=list)     # of those that wait for its end
    publish: Event = None
    wait: Event = None
    done: Event = None
    retire: Event = None
    kicks: list = field(default_factory=list)
    asks: list = field(default_factory=list)

    @property
    def gen(self):
        return self.publish.a if self.publish else None


@dataclass
class Story:
    """All that belongs together in one test."""
    stays: dict = field(default_factory=dict)       # CPU: in order
    kicks: list = field(default_factory=list)
    invals: list = field(default_factory=list)
    edits: dict = field(default_factory=dict)       # CPU: (begin, end)
    strays: list = field(default_factory=list)      # interrupts that answer nobody
    faults: list = field(default_factory=list)      # what contradicts itself


class _Stays:
    """One CPU's way in and out of the guest."""

    def __init__(self, cpu):
        self.cpu, self.all = cpu, []
        self.inside, self.hook, self.flush, self.gone = None, None, None, False

    def entering(self, event):
        self.hook = event

    def flush_(self, event):
        self.flush = event

    def enter(self, event):
        stay = Stay(self.cpu, event, hook=self.hook, flush=self.flush)
        if self.all:
            self.all[-1].next = stay
        self.all.append(stay)
        self.inside, self.hook, self.flush, self.gone = stay, None, None, False

    def exit(self, event):
        if not self.inside:
            self.all.append(Stay(self.cpu))
        self.all[-1].exit, self.inside = event, None

    def last_left(self):
        """The stay that is over and not followed by another one yet, or None."""
        return self.all[-1] if self.all and self.all[-1].exit and not self.gone else None

    def after(self, key, event):
        """A part of the exit that the CPU is in the middle of."""
        stay = self.last_left()
        if stay and not self.hook and getattr(stay, key) is None:
            setattr(stay, key, event)


class _Teller:
    """Walks through the events of one CPU after the other."""

    def __init__(self, test):
        self.test, self.story = test, Story()
        self.receipts = []    # (event, stay or None)

    def cpu(self, cpu, events):
        self.stays, self.inval, self.asked = _Stays(cpu), None, {}
        self.names, self.edit, self.edits = {}, None, []
        self.story.edits[cpu] = []
        for event in events:
            getattr(self, f'_{event.what}', lambda event: None)(event)
        self.story.stays[cpu] = self.stays.all

    def _entering(self, event):
        self.stays.entering(event)

    def _enter(self, event):
        self.stays.enter(event)

    def _exit(self, event):
        self.stays.exit(event)

    def _flush(self, event):
        self.stays.flush_(event)

    def _leaving(self, event):
        self.stays.after('leaving', event)

    def _out(self, event):
        self.stays.after('out', event)

    def _reason(self, event):
        self.stays.after('reason', event)

    def _left(self, event):
        self.stays.hook = self.stays.flush = None
        self.stays.gone = True

    def _edit(self, event):
        self.edit = event

    def _edited(self, event):
        if self.edit:
            self.story.edits[event.cpu].append((self.edit, event))
            self.edits.append((self.edit, event))
        self.edit = None

    def _inval(self, event):
        self.inval = Inval(event.cpu, event.a, event.b, self.edits)
        self.edits = []
        self.names[event.a] = self.inval
        self.story.invals.append(self.inval)

    def _publish(self, event):
        if self.inval:
            self.inval.publish = event

    def _wait(self, event):
        if self.inval:
            self.inval.wait = event

    def _done(self, event):
        if self.inval:
            self.inval.done = event
        self.inval = None

    def _retire(self, event):
        """What was edited since the invalidation was done has settled its entries."""
        inval = self.names.get(event.b)
        if inval:
            inval.retire, inval.settles = event, self.edits
        self.edits = []

    def _publishing(self):
        """The invalidation that is telling the other CPUs right now, or None."""
        return self.inval if self.inval and not self.inval.wait else None

    def _ask(self, event):
        inval = self._publishing()
        self.asked.setdefault(event.a, []).append((event, inval))
        if inval:
            inval.asks.append(event)

    def _kick(self, event):
        target, asked = event.a & ~ASKED, event.a & ASKED
        kick = Kick(event.cpu, target, event.b, event)
        if asked:
            for ask, inval in self.asked.pop(target, []):
                kick.asks.append(ask)
                kick.invals += [inval] if inval and inval not in kick.invals else []
        elif self._publishing():
            kick.invals.append(self.inval)
        for inval in kick.invals:
            inval.kicks.append(kick)
        self.story.kicks.append(kick)

    def _kicked(self, event):
        stay = None if self.stays.inside or self.stays.hook else self.stays.last_left()
        if stay:
            stay.took += 1
        if event.a == NOBODY:
            self.story.strays.append(event)
        else:
            self.receipts.append((event, stay))


def _ways(kicks):
    """The kicks of each (sender, target), by number."""
    ways = {}
    for kick in kicks:
        numbers = ways.setdefault((kick.sender, kick.target), {})
        numbers[kick.number] = kick
    return ways


def _receive(story, ring, kicks, receipt, stay):
    """Pair one interrupt with the kicks that it answers.  The first ones of a test may
    have been sent before it, or be overwritten."""
    last, count = receipt.b & 0xffffffff, receipt.b >> 32
    first = min(kicks, default=last + 1)
    whole = ring and not ring.torn + ring.garbled
    for number in range(last - count + 1, last + 1):
        kick = kicks.get(number)
        who = f'kick {number} of CPU {receipt.a} to CPU {receipt.cpu}'
        if kick is None:
            if number >= first and whole:
                story.faults.append(f'{who} is received, but was never sent')
        elif kick.received:
            story.faults.append(f'{who} is received twice')
        else:
            kick.received, kick.stay = receipt, stay
            if stay:
                stay.answers.append(kick)


def _fates(story, ring, way, kicks, receipts):
    """What became of those that no interrupt in the trace answers."""
    gone = not ring or ring.lost + ring.torn + ring.garbled
    last = max((receipt.b & 0xffffffff for receipt in receipts), default=None)
    for number, kick in kicks.items():
        if kick.received:
            continue
        if last is None:
            kick.fate = 'lost' if gone else 'pending'
        else:
            kick.fate = 'pending' if number > last else 'lost'
        if kick.fate == 'lost' and not gone:
            story.faults.append(f'kick {number} of CPU {way[0]} to CPU {way[1]} was '
                                'received, but the event is missing')


def _gaps(story, ring, way, kicks):
    """Kicks are numbered in a row: one that is missing has been dropped."""
    missing = set(range(min(kicks), max(kicks) + 1)) - set(kicks)
    if missing and not ring.torn + ring.garbled:
        story.faults.append(f'kick {min(missing)} of CPU {way[0]} to CPU {way[1]} '
                            'was sent, but the event is missing')


def tell(test):
    """The Story of one test's events."""
    teller = _Teller(test)
    for cpu in sorted(test.rings):
        teller.cpu(cpu, test.rings[cpu].events)
    story, ways = teller.story, _ways(teller.story.kicks)
    answers = {}
    for receipt, stay in teller.receipts:
        way = (receipt.a, receipt.cpu)
        answers.setdefault(way, []).append(receipt)
        _receive(story, test.rings.get(way[0]), ways.get(way, {}), receipt, stay)
    for way, kicks in ways.items():
        _gaps(story, test.rings[way[0]], way, kicks)
        _fates(story, test.rings.get(way[1]), way, kicks, answers.get(way, []))
    return story
