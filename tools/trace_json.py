# SPDX-License-Identifier: BSD-2-Clause
"""trace_json - a story as the Trace Event Format that Perfetto and chrome://tracing open

A test is a process and a CPU a thread.  Times are microseconds of the BSP's clock since
the first event.  What has a length is a slice, written as its begin ("B") and its end
("E"), in the order in which a stack has them: with a length in place of the end ("X"), a
viewer adds two rounded numbers, and takes neighbours for nested.  A kick and its receipt
have no length: they are drawn as slices up to the next event, a microsecond at most, for
arrows begin and end at slices.
"""
from trace_log import ASKED

SPOT = 1.0                    # microseconds that an event without a length is drawn long
EXITS = ('interrupt', 'interrupt', 'interrupt window', 'NMI', 'exception', 'call', 'halt',
         'CPUID', 'RDMSR', 'WRMSR', 'I/O', 'fault', 'bad entry', 'shutdown', 'budget',
         'bad state', 'other')
EXIT_FAULT = EXITS.index('fault')
STEPS = {
    'gen-smr': {'R1': 'active bit on', 'S1': 'SMR enter', 'R2': 'load generation',
                'R3': 'flush', 'R4': 'SMR exit', 'R5': 'active bit off',
                'G1': 'generation bump', 'G2': 'SMR advance', 'G3': 'kick the active',
                'G4': 'SMR poll'},
    'gen-ipi': {'R1': 'active bit on', 'R2': 'load generation', 'R3': 'flush',
                'R4': 'active bit off', 'G1': 'generation bump', 'G3': 'kick the active'},
    'gen-slot': {'K2': 'mark := generation', 'N2': 'load generation again',
                 'N3': 'catch up', 'N4': 'flush', 'K3': 'mark := out',
                 'K1': 'generation bump', 'N1': 'look at each mark', 'K4': 'kick',
                 'K5': 'poll the marks', 'K6': 'remember'},
}
STEPS['new-root'] = STEPS['gen-smr']


class Builder:
    """Events of all tests, in one list."""

    def __init__(self, log):
        self.log, self.metadata, self.tracks, self.arrows = log, [], {}, 0
        times = [log.time(event) for test in log.tests
                 for ring in test.rings.values() for event in ring.events]
        self.zero = min(times, default=0)
        self.scale = 1000 / log.khz if log.khz else 1

    def at(self, event):
        """Microseconds, or ticks where their rate is unknown."""
        return round((self.log.time(event) - self.zero) * self.scale, 4)

    def add(self, phase, test, cpu, ts, name, end=None, **more):
        event = {'ph': phase, 'pid': test.number, 'tid': cpu, 'ts': ts, 'name': name,
                 **more}
        self.tracks.setdefault((test.number, cpu), []).append((event, end))

    def slice(self, test, begin, end, name, cat, **args):
        ts = self.at(begin)
        self.add('B', test, begin.cpu, ts, name, max(self.at(end), ts), cat=cat, args=args)

    def spot(self, test, event, name, cat, **args):
        """An event without a length that arrows hold to."""
        after = self.next.get((event.cpu, event.index))
        ts = self.at(event)
        end = max(min(self.at(after) if after else ts + SPOT, round(ts + SPOT, 4)), ts)
        self.add('B', test, event.cpu, ts, name, end, cat=cat, args=args)

    def instant(self, test, event, name, cat, **args):
        self.add('i', test, event.cpu, self.at(event), name, cat=cat, s='t', args=args)

    def arrow(self, test, name, cat, events):
        """Through the slices that begin at these events."""
        self.arrows += 1
        for i, event in enumerate(events):
            phase = 's' if i == 0 else 'f' if i == len(events) - 1 else 't'
            more = {'bp': 'e'} if phase == 'f' else {}
            self.add(phase, test, event.cpu, self.at(event), name, cat=cat,
                     id=self.arrows, **more)


def _names(build, test, initiators):
    title = f'{test.name} {test.proto}'.strip()
    build.metadata.append({'ph': 'M', 'pid': test.number, 'name': 'process_name',
                           'args': {'name': f'{test.number} {title}: {test.verdict}'}})
    for cpu in sorted(test.rings):
        name = f'CPU {cpu}' + (' (initiator)' if cpu in initiators else '')
        for what, args in (('thread_name', {'name': name}),
                           ('thread_sort_index', {'sort_index': cpu})):
            build.metadata.append({'ph': 'M', 'pid': test.number, 'tid': cpu,
                                   'name': what, 'args': args})


def _reason(event):
    if not event:
        return 'exit'
    kind = EXITS[event.a] if event.a < len(EXITS) else f'exit {event.a}'
    return f'exit: {kind}' + (f' 0x{event.b:x}' if event.a == EXIT_FAULT else '')


def _stay(build, test, stay):
    """The enter hook, the guest, the exit hook; a part without a begin is left out."""
    gen = {'generation': stay.gen} if stay.enter else {}
    if stay.hook:
        build.slice(test, stay.hook, stay.enter, 'enter hook', 'hook', **gen)
    if stay.flush:
        build.spot(test, stay.flush, 'flush', 'flush', root=hex(stay.flush.a), **gen)
    if stay.enter and stay.exit:
        build.slice(test, stay.enter, stay.exit, 'guest', 'guest',
                    ended_by=_reason(stay.reason), **gen)
    if stay.exit and stay.out:
        build.slice(test, stay.exit, stay.out, _reason(stay.reason), 'exit',
                    answers=[f'{kick.sender}.{kick.number}' for kick in stay.answers])
    if stay.leaving and stay.out:
        build.slice(test, stay.leaving, stay.out, 'exit hook', 'hook')


def _inval(build, test, inval):
    name, end = f'0x{inval.name:x}', inval.wait or inval.done
    tells = {'invalidation': name, 'generation': inval.gen}
    for word, edits in (('edit', inval.edits), ('settle', inval.settles)):
        for begin, done in edits:
            build.slice(test, begin, done, f'{word} 0x{begin.a:x}', 'edit',
                        gpa=hex(begin.a), length=hex(begin.b), error=done.a,
                        invalidation=name)
    if inval.publish and end:
        build.slice(test, inval.publish, end, 'publish', 'publish', **tells)
    if inval.wait and inval.done:
        build.slice(test, inval.wait, inval.done, 'wait', 'wait', ticket=inval.wait.a,
                    **tells)
    if inval.done:
        build.instant(test, inval.done, 'return', 'publish', ticket=inval.done.a, **tells)
    if inval.retire:
        build.instant(test, inval.retire, 'retire', 'publish', ticket=inval.retire.a,
                      **tells)
    for ask in inval.asks:
        build.instant(test, ask, f'ask for a kick of CPU {ask.a}', 'kick', **tells)


def _kick(build, test, kick):
    tells = {'kick': f'{kick.sender}.{kick.target}.{kick.number}', 'fate': kick.fate,
             'delayed': bool(kick.sent.a & ASKED),
             'for': [f'0x{inval.name:x}' for inval in kick.invals]}
    build.spot(test, kick.sent, f'kick CPU {kick.target}', 'kick', **tells)
    if not kick.received:
        build.instant(test, kick.sent, f'the receipt by CPU {kick.target} is {kick.fate}',
                      'kick', **tells)
        return
    path = [kick.sent, kick.received]
    stay = kick.stay
    if stay and stay.leaving and stay.out and \
            build.at(stay.leaving) >= build.at(kick.sent):   # else it was out already
        path.insert(1, stay.leaving)
    after = kick.stay.next if kick.stay else None
    if after and after.flush and after.flush.index > kick.received.index:
        path.append(after.flush)
    for inval in kick.invals or [None]:
        start = [inval.publish] if inval and inval.publish else []
        build.arrow(test, 'kick', 'kick', start + path)


def _receipts(build, test, story):
    """One slice an interrupt, whatever it answers."""
    answers = {}
    for kick in story.kicks:
        if kick.received:
            answers.setdefault(kick.received, []).append(kick)
    for event, kicks in answers.items():
        names = [f'{kick.sender}.{kick.number}' for kick in kicks]
        build.spot(test, event, 'kicked', 'kick', answers=names)
    for event in story.strays:
        build.instant(test, event, 'kick: answered before', 'kick')


def _acknowledge(build, test, story):
    """From the exit hook of each CPU that was waited for to the end of the wait."""
    for inval in story.invals:
        for kick in inval.kicks:
            stay = kick.stay
            if inval.wait and inval.done and stay and stay.leaving and stay.out and \
                    build.at(stay.leaving) <= build.at(inval.done):
                build.arrow(test, 'acknowledgement', 'ack', [stay.leaving, inval.done])


def _step(build, test, event):
    letters = event.a.to_bytes(8, 'little').rstrip(b'\0').decode('ascii', 'replace')
    means = STEPS.get(test.proto, {}).get(letters)
    build.instant(test, event, f'{letters}: {means}' if means else letters, 'step')


def _rest(build, test, story):
    """What is alone: steps, edits of no invalidation, the test, and losses."""
    known = {begin for inval in story.invals
             for begin, _ in inval.edits + inval.settles}
    for cpu, ring in sorted(test.rings.items()):
        for begin, end in story.edits[cpu]:
            if begin not in known:
                build.slice(test, begin, end, f'edit 0x{begin.a:x}', 'edit',
                            gpa=hex(begin.a), length=hex(begin.b), error=end.a)
        for event in ring.events:
            if event.what == 'step':
                _step(build, test, event)
            elif event.what in ('test', 'tested', 'loop', 'left'):
                build.instant(test, event, event.what, 'test')
        if ring.events and ring.lost + ring.torn + ring.garbled:
            build.instant(test, ring.events[0], f'{ring.lost} earlier events lost, '
                          f'{ring.torn} torn, {ring.garbled} garbled', 'lost')


def _order(entry):
    """Outer slices before inner ones; what lies in a slice, after its begin."""
    event, end = entry
    return event['ts'], event['ph'] != 'B', -(end or 0)


def _track(entries):
    """A track's events with the ends of its slices, as a stack has them.

    A slice that ends when another one begins is over; an arrow or instant of that
    moment is still in it.
    """
    out, open_ = [], []

    def close(now, all_):
        while open_ and (open_[-1][1] < now or all_ and open_[-1][1] <= now):
            begin, end = open_.pop()
            out.append({**begin, 'ph': 'E', 'ts': end})

    for event, end in sorted(entries, key=_order):
        close(event['ts'], event['ph'] == 'B')
        out.append(event)
        if event['ph'] == 'B':
            open_.append((event, end))
    close(float('inf'), True)
    return out


def convert(log, stories):
    """The traceEvents of a Log; stories in the order of its tests."""
    build = Builder(log)
    for test, story in zip(log.tests, stories):
        _names(build, test, {inval.cpu for inval in story.invals})
        build.next = {(cpu, a.index): b for cpu, ring in test.rings.items()
                      for a, b in zip(ring.events, ring.events[1:])}
        for stays in story.stays.values():
            for stay in stays:
                _stay(build, test, stay)
        for inval in story.invals:
            _inval(build, test, inval)
        for kick in story.kicks:
            _kick(build, test, kick)
        _receipts(build, test, story)
        _acknowledge(build, test, story)
        _rest(build, test, story)
    events = [event for entries in build.tracks.values() for event in _track(entries)]
    return build.metadata + sorted(events, key=lambda event: event['ts'])
