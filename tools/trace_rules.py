# SPDX-License-Identifier: BSD-2-Clause
"""trace_rules - what must hold between paired events, whatever the protocol

Times of two CPUs are compared after the measured offsets, and only a difference beyond
the offsets' uncertainty counts.  A rule about an event that was overwritten holds.

Of an unsound protocol the early returns are the point: they are counted for all, and
are a fault of the sound ones alone.
"""
from dataclasses import dataclass

from trace_pair import GENERATIONS

EXIT_IRQS = (0, 1)            # enum exit_kind of vm/backend.h
NO_FLUSH = {'new-root'}       # moves to a root that the CPU has not used instead


@dataclass(frozen=True)
class Early:
    """An invalidation was over while that CPU was still in an old stay, or came back."""
    inval: object
    stay: object
    ticks: int                # until it was out; None: it never was, in the trace


def _before(log, cause, effect):
    """Does the effect come first, beyond doubt?  By how much, else 0."""
    late = log.time(cause) - log.time(effect)
    return late if late > log.slack(cause.cpu, effect.cpu) else 0


def _old(log, proto, stay, inval):
    """May this stay use what the invalidation takes away?"""
    if stay.vm != inval.vm or not stay.enter:
        return False
    if proto in GENERATIONS:
        return stay.gen <= inval.gen
    return _before(log, inval.publish, stay.enter) > 0


def early(log, test, story):
    """Each Early of the test."""
    for inval in story.invals:
        if not inval.publish or not inval.done:
            continue
        for stays in story.stays.values():
            for stay in stays:
                if not _old(log, test.proto, stay, inval):
                    continue
                if not stay.exit:
                    yield Early(inval, stay, None)
                elif _before(log, stay.exit, inval.done):
                    yield Early(inval, stay, log.time(stay.exit) - log.time(inval.done))


def _kick_faults(log, story):
    for kick in story.kicks:
        if kick.received and _before(log, kick.sent, kick.received):
            yield (f'kick {kick.number} of CPU {kick.sender} to CPU {kick.target} is '
                   'received before it is sent')


def _exit_faults(story):
    """The order of an exit: out of the guest, then the word that it is out."""
    for stays in story.stays.values():
        for stay in stays:
            parts = [event for event in (stay.exit, stay.leaving, stay.out) if event]
            if parts != sorted(parts, key=lambda event: (event.index)):
                yield f'CPU {stay.cpu}: an exit acknowledges before it is one'
            for kick in stay.answers if stay.leaving else ():
                if kick.received.index < stay.leaving.index:
                    yield f'CPU {stay.cpu}: takes a kick before it is out'


def _interrupt_faults(test, story):
    """Guests' CPUs are interrupted by kicks alone."""
    for cpu, stays in story.stays.items():
        ring = test.rings[cpu]
        for stay in stays:
            if stay.reason and stay.reason.a in EXIT_IRQS and not stay.took and \
                    not ring.torn + ring.garbled:
                yield f'CPU {cpu}: an interrupt ends a stay, and is no kick'


def _flush_faults(proto, story):
    """A CPU that enters for another generation than before has flushed for it."""
    if proto not in GENERATIONS or proto in NO_FLUSH:
        return
    for stays in story.stays.values():
        for stay in stays:
            after = stay.next
            if after and stay.enter and after.vm == stay.vm and \
                    after.gen != stay.gen and not after.flush:
                yield (f'CPU {stay.cpu} enters for generation {after.gen} after '
                       f'{stay.gen} without a flush')


def _answer_faults(log, proto, story):
    """After its answer to an invalidation's kick a CPU knows the new generation."""
    if proto not in GENERATIONS:
        return
    for inval in story.invals:
        for kick in inval.kicks:
            after = kick.stay.next if kick.stay else None
            if after and after.vm == inval.vm and after.gen <= inval.gen:
                yield (f'CPU {kick.target} answers a kick for generation '
                       f'{inval.gen + 1} and enters for {after.gen}')


def _inval_faults(story):
    for inval in story.invals:
        parts = [event for event in (inval.publish, inval.wait, inval.done, inval.retire)
                 if event]
        if parts != sorted(parts, key=lambda event: event.index):
            yield f'the invalidation 0x{inval.name:x} has its parts in no order'
        if not inval.done:
            yield f'the invalidation 0x{inval.name:x} has no end'


def faults(log, test, story, sound):
    """All that is wrong with one test's events, in sentences."""
    found = list(story.faults)
    found += _kick_faults(log, story)
    found += _exit_faults(story)
    found += _interrupt_faults(test, story)
    found += _flush_faults(test.proto, story)
    found += _answer_faults(log, test.proto, story)
    found += _inval_faults(story)
    if sound:
        found += [f'the invalidation 0x{e.inval.name:x} of CPU {e.inval.cpu} is done '
                  f'{e.ticks} ticks before CPU {e.stay.cpu} has left'
                  for e in early(log, test, story)]
    return found
