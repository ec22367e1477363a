# SPDX-License-Identifier: BSD-2-Clause
"""trace_check - is this a trace that a viewer draws as it is meant?

The Trace Event Format as far as we use it, and what viewers do not complain about but
draw wrongly: an end that is not that of the slice begun last, time that goes back on a
track, arrows that lose an end or hold to no slice, and numbers that are used twice.
Numbers are compared as they are written: what is equal but for rounding is not equal.
"""

TIME = (int, float)
NEEDS = {
    'M': {'pid': int, 'name': str, 'args': dict},
    'B': {'pid': int, 'tid': int, 'name': str, 'cat': str, 'ts': TIME, 'args': dict},
    'E': {'pid': int, 'tid': int, 'name': str, 'ts': TIME},
    'i': {'pid': int, 'tid': int, 'name': str, 'cat': str, 'ts': TIME, 's': str},
    's': {'pid': int, 'tid': int, 'name': str, 'cat': str, 'ts': TIME, 'id': int},
}
NEEDS['t'] = NEEDS['f'] = NEEDS['s']


def _shape(event, i):
    if not isinstance(event, dict) or event.get('ph') not in NEEDS:
        yield f'event {i} has no phase that is known: {event!r:.80}'
        return
    for key, kind in NEEDS[event['ph']].items():
        if not isinstance(event.get(key), kind) or isinstance(event.get(key), bool):
            yield f'event {i} ({event["ph"]}): {key} is {event.get(key)!r:.40}'
    if isinstance(event.get('ts'), TIME) and event['ts'] < 0:
        yield f'event {i} lies before the beginning'


def _track(track, events):
    """The events of one track, in the order of the file."""
    open_, last = [], 0
    for event in events:
        if event['ts'] < last:
            yield f'track {track}: time goes back to {event["ts"]}'
        last = event['ts']
        if event['ph'] == 'B':
            open_.append(event['name'])
        elif event['ph'] == 'E' and (not open_ or open_.pop() != event['name']):
            yield f'track {track}: {event["name"]} ends at {last}, and is not the innermost'
        elif event['ph'] in 'stf' and not open_:
            yield f'track {track}: arrow {event["id"]} holds to nothing at {last}'
    if open_:
        yield f'track {track}: {open_[-1]} has no end'


def _arrow(number, parts):
    phases = ''.join(part['ph'] for part in parts)
    if phases.strip('t') != phases or phases.replace('t', '') != 'sf':
        yield f'arrow {number} does not go from one start to one end: {phases}'
    if len({(part['name'], part['cat'], part['pid']) for part in parts}) != 1:
        yield f'arrow {number} is two'


def problems(doc):
    """All that is wrong with a trace, in sentences; of its shape first."""
    events = doc.get('traceEvents') if isinstance(doc, dict) else None
    if not isinstance(events, list):
        return ['there is no list of traceEvents']
    found = [fault for i, event in enumerate(events) for fault in _shape(event, i)]
    if found:
        return found
    tracks, arrows = {}, {}
    for event in events:
        if event['ph'] != 'M':
            tracks.setdefault((event['pid'], event['tid']), []).append(event)
        if event['ph'] in 'stf':
            arrows.setdefault(event['id'], []).append(event)
    found += [fault for item in tracks.items() for fault in _track(*item)]
    return found + [fault for item in arrows.items() for fault in _arrow(*item)]
