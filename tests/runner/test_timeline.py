# SPDX-License-Identifier: BSD-2-Clause
"""Timelines out of synthetic logs: what belongs together, what is missing, what lies."""
import contextlib
import copy
import io
import json
import xml.etree.ElementTree as ET

import fakes
import options
import run
import timeline
import trace_check
import trace_log
import trace_pair
import trace_rules
from fakes import Case, Machine, line, record, stream, text
from status import Trouble

NAMES = ('enter exit reason flush kick kicked inval publish retire edit edited test tested '
         'loop left ask wait done entering leaving out step').split()
LETTERS = {chr(ord('A') + i): name for i, name in enumerate(NAMES)}
LETTER = {name: letter for letter, name in LETTERS.items()}
VM, ASKED, NOBODY = 0x10, trace_log.ASKED, trace_log.NOBODY
INVAL = 7


def hexes(event, before):
    """An event as the kernel spells it: (TSC, what, a, b)."""
    tsc, what, *args = event
    while args and not args[-1]:
        args.pop()
    sign = '-' if tsc < before else ''
    return LETTER[what] + sign + '.'.join([f'{abs(tsc - before):x}',
                                           *(f'{arg:x}' for arg in args)])


def trace_line(cpu, events, first=0, number=1):
    parts = [hexes(event, before[0]) for before, event in zip([events[0], *events], events)]
    return line({'type': 'trace', 'test': number, 'cpu': cpu, 'first': first,
                 'tsc': events[0][0], 'events': ''.join(parts)})


def ring_line(cpu, added, lost=0, torn=0, number=1):
    return line({'type': 'ring', 'test': number, 'cpu': cpu, 'added': added, 'lost': lost,
                 'torn': torn})


def kicked(last, count=1):
    return last | count << 32


# One invalidation as gen-smr makes it: CPU 1 leaves before CPU 0 returns.
INITIATOR = [
    (100, 'edit', 0x40000000, 0x1000), (110, 'edited'), (120, 'inval', INVAL, VM),
    (130, 'publish', 1), (140, 'step', 0x3147), (150, 'kick', 1, 1), (160, 'wait', 9),
    (300, 'done', 9), (310, 'retire', 9, INVAL)]
READER = [
    (10, 'entering'), (15, 'flush', 0x5000), (20, 'enter', 1, VM),
    (200, 'exit'), (210, 'leaving'), (220, 'out'), (230, 'reason', 0),
    (240, 'kicked', 0, kicked(1)), (320, 'entering'), (330, 'flush', 0x5000),
    (340, 'enter', 2, VM), (400, 'exit'), (410, 'leaving'), (420, 'out'),
    (430, 'reason', 6)]


def log_lines(cpus, proto='gen-smr', rings=None, clock=(0, 5), steady=True, khz=1000):
    """A whole log: `cpus` are lists of events, `rings` (added, lost, torn) that differ."""
    test = record('proto/remap', proto=proto)
    lines = stream([test])
    end = lines.pop()
    lines[2:2] = [
        line({'type': 'timeline', 'cpus': len(cpus), 'room': 64, 'khz': khz,
              'letters': LETTERS}),
        line({'type': 'clock', 'cpu': 1, 'offset': clock[0], 'slack': clock[1],
              'round_trip': 9, 'rounds': 64, 'steady': steady})]
    for cpu, events in enumerate(cpus):
        added, lost, torn = (rings or {}).get(cpu, (len(events), 0, 0))
        lines += [trace_line(cpu, events, lost), ring_line(cpu, added, lost, torn)]
    return lines + [end]


def without(events, *indices):
    return [event for i, event in enumerate(events) if i not in indices]


def changed(events, index, *event):
    return [event if i == index else old for i, old in enumerate(events)]


class Base(Case):
    def tell(self, *cpus, **more):
        """(log, its only test, the story)."""
        self.log = trace_log.parse(text(log_lines(cpus, **more)))
        test = self.log.tests[0]
        return self.log, test, trace_pair.tell(test)

    def faults(self, *cpus, sound=True, **more):
        return trace_rules.faults(*self.tell(*cpus, **more), sound)

    def doc(self, *cpus, **more):
        log, _, story = self.tell(*cpus, **more)
        return timeline.document(log, [story])

    def pairs(self, doc):
        return doc['otherData']['tests'][0]['pairs']

    def one(self, doc, name):
        found = [event for event in doc['traceEvents']
                 if event['name'] == name and event['ph'] != 'E']
        self.assertEqual(len(found), 1, name)
        return found[0]

    def span(self, doc, name):
        """(begin, end) of the only slice of that name."""
        return tuple(event['ts'] for event in doc['traceEvents'] if event['name'] == name)


class Pairing(Base):
    def test_the_way_of_one_kick(self):
        _, _, story = self.tell(INITIATOR, READER)
        kick, = story.kicks
        inval, = story.invals
        self.assertEqual((kick.fate, kick.received.tsc, kick.stay.exit.tsc),
                         ('received', 240, 200))
        self.assertEqual((kick.invals, inval.kicks), ([inval], [kick]))
        self.assertEqual((inval.gen, inval.wait.tsc, inval.done.tsc, inval.retire.tsc),
                         (1, 160, 300, 310))
        self.assertEqual(kick.stay.next.flush.tsc, 330)
        self.assertEqual(self.faults(INITIATOR, READER), [])

    def test_coalesced(self):
        """Two kicks, one interrupt: both arrows end there."""
        two = INITIATOR[:6] + [(155, 'kick', 1, 2)] + INITIATOR[6:]
        reader = changed(READER, 7, 240, 'kicked', 0, kicked(2, 2))
        _, _, story = self.tell(two, reader)
        self.assertEqual([kick.received.tsc for kick in story.kicks], [240, 240])
        self.assertEqual(self.faults(two, reader), [])
        self.assertEqual(self.pairs(self.doc(two, reader))['coalesced'], 1)

    def test_answered_before(self):
        late = READER + [(500, 'kicked', NOBODY, 0)]
        _, _, story = self.tell(INITIATOR, late)
        self.assertEqual(len(story.strays), 1)
        self.assertEqual(self.faults(INITIATOR, late), [])

    def test_delayed_kicks_of_two_invalidations(self):
        """What was asked for twice and sent once belongs to both."""
        ask = (145, 'ask', 1)
        first = INITIATOR[:5] + [ask] + INITIATOR[6:]
        second = [(tsc + 300, what, *args) for tsc, what, *args in first[2:]]
        second[0] = (420, 'inval', INVAL + 1, VM)
        second[-1] = (610, 'retire', 9, INVAL + 1)
        second.insert(-2, (590, 'kick', 1 | ASKED, 1))
        reader = [(tsc + 400 if i > 2 else tsc, what, *args)
                  for i, (tsc, what, *args) in enumerate(READER)]
        _, _, story = self.tell(first + second, reader)
        kick, = story.kicks
        self.assertEqual([inval.name for inval in kick.invals], [INVAL, INVAL + 1])
        self.assertEqual(len(kick.asks), 2)

    def test_idle_cpu_is_kicked(self):
        """No exit belongs to an interrupt that a halted CPU takes."""
        reader = READER[:8] + [(245, 'left', 0), (260, 'kicked', 0, kicked(2))]
        two = INITIATOR + [(250, 'kick', 1, 2)]
        _, _, story = self.tell(sorted(two), reader)
        self.assertEqual([bool(kick.stay) for kick in story.kicks], [True, False])


class Missing(Base):
    def test_lost(self):
        """The oldest events are gone, and the count of them is seen everywhere."""
        doc = self.doc(INITIATOR, READER[8:], rings={1: (15, 8, 0)})
        self.assertEqual(doc['otherData']['tests'][0]['rings']['CPU 1']['lost'], 8)
        self.one(doc, '8 earlier events lost, 0 torn, 0 garbled')
        self.assertEqual(self.pairs(doc)['unpaired'], ['kick 0.1.1: lost'])
        self.assertEqual(trace_check.problems(doc), [])
        self.assertIn('8 lost', timeline.summary(self.log, doc)[0])
        self.assertEqual(self.faults(INITIATOR, READER[8:], rings={1: (15, 8, 0)}), [])

    def test_pending(self):
        """The last kick has not arrived when the test is over."""
        more = INITIATOR + [(320, 'kick', 1, 2)]
        doc = self.doc(more, READER)
        self.assertEqual(self.pairs(doc)['unpaired'], ['kick 0.1.2: pending'])
        self.assertEqual(self.faults(more, READER), [])

    def test_torn(self):
        """A hole in the numbers; the kernel has counted it."""
        lines = log_lines([INITIATOR, READER])
        at = next(i for i, item in enumerate(lines) if '"cpu":1,"first"' in
                  item.replace(' ', '') and '"trace"' in item)
        lines[at:at + 2] = [trace_line(1, READER[:3]), trace_line(1, READER[4:], 4),
                            ring_line(1, 15, 0, 1)]
        log = trace_log.parse(text(lines))
        self.assertEqual(log.faults, [])
        ring = log.tests[0].rings[1]
        self.assertEqual((len(ring.events), ring.torn, ring.garbled), (14, 1, 0))
        doc = timeline.document(log, [trace_pair.tell(log.tests[0])])
        self.assertEqual(trace_check.problems(doc), [])

    def test_garbled(self):
        """Bytes that the line has lost, anywhere in a record of events."""
        lines = log_lines([INITIATOR, READER])
        at = next(i for i, item in enumerate(lines) if '"trace"' in item)
        for spoilt in (lines[at][:40], lines[at].replace('"events": "', '"events": "!'),
                       lines[at].replace('"cpu": 0', '"cpu": -1'), ''):
            log = trace_log.parse(text(lines[:at] + [spoilt] + lines[at + 1:]))
            self.assertEqual(log.tests[0].rings[0].garbled, len(INITIATOR), spoilt)
            self.assertTrue(any('9 events of CPU 0' in fault for fault in log.faults))

    def test_every_cut_is_noticed(self):
        """Whatever characters go missing inside of the string, it is not silently so."""
        whole = trace_line(0, INITIATOR)
        lines = log_lines([INITIATOR, READER])
        at = lines.index(whole)
        begin = whole.index('"events": "') + 11
        for cut in range(begin, len(whole) - 4):
            if whole[cut].isupper():
                spoilt = whole[:cut] + whole[cut + 1:]
                log = trace_log.parse(text(lines[:at] + [spoilt] + lines[at + 1:]))
                story = trace_pair.tell(log.tests[0])
                self.assertTrue(log.faults or trace_rules.faults(
                    log, log.tests[0], story, True), cut)

    def test_breaks_off(self):
        lines = log_lines([INITIATOR, READER])
        log = trace_log.parse(text([item for item in lines if '"ring"' not in item]))
        self.assertIn('test 1: the ring of CPU 1 breaks off', log.faults)

    def test_no_timeline(self):
        self.assertIsNone(trace_log.parse(text(stream([record('vmx/hello')]))))


class Lies(Base):
    """Each rule, broken."""

    def says(self, what, *cpus, **more):
        found = self.faults(*cpus, **more)
        self.assertTrue(any(what in fault for fault in found), found)

    def test_swapped_number(self):
        self.says('never sent', INITIATOR, changed(READER, 7, 240, 'kicked', 0, kicked(2)))

    def test_dropped_receipt(self):
        """The last one: no number is missing, but the exit needs a reason."""
        self.says('is no kick', INITIATOR, without(READER, 7))
        two = INITIATOR + [(401, 'kick', 1, 2)]
        reader = READER[:-1] + [(430, 'reason', 0), (440, 'kicked', 0, kicked(2))]
        self.assertEqual(self.faults(two, reader), [])
        self.says('the event is missing', two, without(reader, 7))

    def test_dropped_send(self):
        three = INITIATOR[:6] + [(151, 'kick', 1, 3)] + INITIATOR[6:]
        reader = changed(READER, 7, 240, 'kicked', 0, kicked(3, 3))
        self.says('kick 2 of CPU 0 to CPU 1', three, reader)

    def test_received_twice(self):
        self.says('twice', INITIATOR, READER + [(450, 'kicked', 0, kicked(1))])

    def test_received_before_it_is_sent(self):
        early = changed(READER, 7, 140, 'kicked', 0, kicked(1))
        early = [(tsc - 100 if 2 < i < 7 else tsc, what, *args)
                 for i, (tsc, what, *args) in enumerate(early)]
        self.says('before it is sent', INITIATOR, early)

    def test_no_flush(self):
        self.says('without a flush', INITIATOR, without(READER, 9))

    def test_old_generation(self):
        self.says('and enters for 1', INITIATOR, changed(READER, 10, 340, 'enter', 1, VM))

    def test_no_end(self):
        self.says('has no end', without(INITIATOR, 7), READER)

    def test_early_return(self):
        """A fault of a sound protocol, and what a control is there for."""
        early = [(tsc - 140 if i > 6 else tsc, what, *args)
                 for i, (tsc, what, *args) in enumerate(INITIATOR)]
        self.says('40 ticks before CPU 1 has left', early, READER)
        self.assertEqual(self.faults(early, READER, sound=False), [])
        doc = self.doc(early, READER)
        self.assertEqual(self.pairs(doc)['returned_early'], 1)

    def test_within_the_uncertainty(self):
        early = [(tsc - 103 if i > 6 else tsc, what, *args)
                 for i, (tsc, what, *args) in enumerate(INITIATOR)]
        self.assertEqual(self.faults(early, READER), [])

    def test_offset(self):
        """CPU 1's clock is 1000 ahead: the same story, if that is known."""
        ahead = [(tsc + 1000, what, *args) for tsc, what, *args in READER]
        self.assertEqual(self.faults(INITIATOR, ahead, clock=(1000, 5)), [])
        self.says('before CPU 1 has left', INITIATOR, ahead)
        straight, moved = self.doc(INITIATOR, READER), self.doc(INITIATOR, ahead,
                                                                clock=(1000, 5))
        self.assertEqual(straight['traceEvents'], moved['traceEvents'])


class Drawing(Base):
    def test_slices_and_arrows(self):
        doc = self.doc(INITIATOR, READER)
        self.assertEqual(trace_check.problems(doc), [])
        self.assertEqual(self.one(doc, 'wait')['tid'], 0)
        self.assertEqual(self.span(doc, 'wait'), (150, 290))
        self.assertEqual(self.span(doc, 'edit 0x40000000'), (90, 100))
        self.one(doc, 'G1: generation bump')
        arrows = [event for event in doc['traceEvents'] if event['ph'] in 'stf']
        ways = {name: [(e['tid'], e['ts']) for e in arrows if e['name'] == name]
                for name in ('kick', 'acknowledgement')}
        self.assertEqual(ways['kick'], [(0, 120), (0, 140), (1, 200), (1, 230), (1, 320)])
        self.assertEqual(ways['acknowledgement'], [(1, 200), (0, 290)])

    def test_kick_of_a_cpu_that_is_out_already(self):
        """It left for another reason before the kick was sent: not by this arrow."""
        reader = [(tsc - 80 if 200 <= tsc <= 230 else tsc, *rest) for tsc, *rest in READER]
        doc = self.doc(INITIATOR, reader)
        self.assertEqual(trace_check.problems(doc), [])
        steps = [event['ts'] for event in doc['traceEvents']
                 if event['ph'] in 'stf' and event['name'] == 'kick']
        self.assertEqual(steps, sorted(steps))

    def test_who_is_who(self):
        names = [event['args'].get('name') for event in
                 self.doc(INITIATOR, READER)['traceEvents'] if event['ph'] == 'M']
        self.assertIn('CPU 0 (initiator)', names)
        self.assertIn('CPU 1', names)
        self.assertIn('1 proto/remap gen-smr: PASS', names)

    def test_clocks_are_told(self):
        other = self.doc(INITIATOR, READER, clock=(3, 2))['otherData']
        self.assertEqual(other['clocks']['CPU 1']['offset_ticks'], 3)
        self.assertEqual(other['clocks']['CPU 1']['uncertainty_ticks'], 2)
        self.assertEqual(other['unit'], 'microseconds of CPU 0')
        doc = self.doc(INITIATOR, READER, khz=0, steady=False)
        self.assertIn('ticks', doc['otherData']['unit'])
        self.assertTrue(any('not steady' in said
                            for said in timeline.summary(self.log, doc)))

    def test_microseconds(self):
        self.assertEqual(self.span(self.doc(INITIATOR, READER, khz=2000), 'wait'),
                         (75, 145))

    def test_odd_rates(self):
        """However times are rounded, slices that follow each other do not overlap."""
        for khz in (3, 7, 999, 1003, 2597524, 3333333):
            doc = self.doc(INITIATOR, READER, khz=khz)
            self.assertEqual(trace_check.problems(doc), [], khz)


class Check(Base):
    """The check of the format, broken in each way that a viewer would not forgive."""

    def setUp(self):
        super().setUp()
        self.good = self.doc(INITIATOR, READER)

    def broken(self, phase, change):
        doc = copy.deepcopy(self.good)
        event = next(e for e in doc['traceEvents'] if e['ph'] == phase)
        change(doc['traceEvents'], event)
        self.assertTrue(trace_check.problems(doc), phase)

    def test_shape(self):
        for phase in 'MBEistf':
            self.broken(phase, lambda events, e: e.pop('name'))
            self.broken(phase, lambda events, e: e.update(pid='1'))
            self.broken(phase, lambda events, e: e.update(ph='?'))
        self.broken('B', lambda events, e: e.update(ts=-1))
        self.assertTrue(trace_check.problems([]))
        self.assertTrue(trace_check.problems({}))

    def test_arrows(self):
        for phase in 'sf':
            self.broken(phase, lambda events, e: events.remove(e))
            self.broken(phase, lambda events, e: events.append(dict(e)))
            self.broken(phase, lambda events, e: e.update(id=99))
        self.broken('f', lambda events, e: e.update(name='x'))
        self.broken('s', lambda events, e: events.insert(0, events.pop(events.index(e))))
        free = {'ph': 's', 'pid': 1, 'tid': 0, 'ts': 1e9, 'name': 'x', 'cat': 'x', 'id': 99}
        self.broken('s', lambda events, e: events.extend(
            [free, {**free, 'ph': 'f', 'bp': 'e'}]))

    def test_tracks(self):
        self.broken('B', lambda events, e: events.append(events.pop(events.index(e))))
        self.broken('E', lambda events, e: events.append(events.pop(events.index(e))))
        for phase in 'BE':
            self.broken(phase, lambda events, e: events.remove(e))
            self.broken(phase, lambda events, e: e.update(name='x'))
            self.broken(phase, lambda events, e: e.update(tid=7))
            self.broken(phase, lambda events, e: events.append(dict(e)))
        self.broken('i', lambda events, e: e.update(ts=0))


class Whole(Case):
    def play(self, lines):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code = run.execute(Machine([text(lines)]), self.job(), 10)
        return code, out.getvalue()

    def test_run(self):
        code, out = self.play(log_lines([INITIATOR, READER]))
        self.assertEqual(code, 0, out)
        doc = json.loads((self.scratch / 'results/trace.json').read_text())
        self.assertEqual(trace_check.problems(doc), [])
        self.assertIn('24 events, 0 lost', out)
        self.assertIn('trace.json)', out)

    def test_run_without(self):
        code, out = self.play(stream([record('vmx/hello')]))
        self.assertEqual(code, 0)
        self.assertNotIn('timeline', out)
        self.assertFalse((self.scratch / 'results/trace.json').exists())

    def test_once_more(self):
        self.play(log_lines([INITIATOR, READER]))
        path = self.scratch / 'results/trace.json'
        first = path.read_bytes()
        path.unlink()
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(timeline.main([str(path.parent)]), 0)
        self.assertEqual(path.read_bytes(), first)

    def test_picture(self):
        self.play(log_lines([INITIATOR, READER]))
        with contextlib.redirect_stdout(io.StringIO()):
            timeline.main(['--svg', str(self.scratch / 'results')])
        root = ET.parse(self.scratch / 'results/trace.svg').getroot()
        said = [item.text for item in root.iter('{http://www.w3.org/2000/svg}text')]
        self.assertIn('return, 200 ticks after the edit begins', said)
        self.assertIn('guest', said)
        self.assertNotIn('guest: stale', said)

    def test_nothing_to_draw(self):
        with self.assertRaisesRegex(Trouble, 'no serial.log'):
            timeline.main([str(self.scratch)])
        (self.scratch / 'serial.log').write_text(text(stream([record('vmx/hello')])))
        with self.assertRaisesRegex(Trouble, 'run with --trace'):
            timeline.main([str(self.scratch)])

    def test_fast_build(self):
        with self.assertRaisesRegex(Trouble, 'needs the checked build'):
            options.parse(['--trace', '--build', 'fast'])
        self.assertTrue(options.parse(['--trace']).trace)


if __name__ == '__main__':
    fakes.unittest.main()
