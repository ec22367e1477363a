# SPDX-License-Identifier: BSD-2-Clause
"""outcome - from a session's parts to one verdict, as tools/judge.py gives it for a boot

A test that took the machine down is a row with the verdict CRASH, which no kernel
prints.  The statuses are those of `run`: what cannot be believed outranks a crash,
a crash a wedge, and all of them what the tests found.
"""
import status
from judge import verdict_sentence
from units import title


class Story:
    """What tools/report.py wants to know of a run."""

    def __init__(self, session):
        self.tests = [*session.told.values(), *crashes(session)]
        self.benches, self.lines = session.benches, session.last_words or session.lines
        self.bail, self.dump = session.bail, session.dump
        self.end = None


def crashes(session):
    """A row for each unit that took the machine down."""
    return [{'type': 'test', 'name': unit.name, 'proto': unit.proto, 'verdict': 'CRASH',
             'why': why} for unit, why in session.down]


def _found(session):
    """The status that the tests alone make, as tests/run.c makes it."""
    if session.runs == 1 and session.said:
        return session.said[0]
    seen = {test['verdict'] for test in session.told.values()}
    if 'FAIL' in seen:
        return status.FAIL
    if 'INCONCLUSIVE' in seen or not seen & {'PASS', 'XFAIL'}:
        return status.NOTHING
    return status.PASS


def _blame(session):
    """(status, sentence) of what ended the session or took the machine down, or None."""
    fell = [f'{title(unit)}: {why}' for unit, why in session.down]
    if session.crashed:
        return status.CRASH, f'CRASH: {"; ".join(fell)}'
    if session.wedged:
        return status.TIMEOUT, f'TIMEOUT: {"; ".join(fell)}'
    if session.ended:
        code = session.ended[0] or status.CRASH
        word = 'TIMEOUT' if code == status.TIMEOUT else 'CUT SHORT'
        return code, f'{word}: {session.ended[1]}'
    return None


def _faults(session):
    twice = [f'{title(unit)}: its result came garbled twice' for unit in session.unread]
    return session.faults + twice


def _rest(session):
    """What was not run, for the end of a sentence."""
    if not session.pending or session.names is None:
        return ''
    names = [title(unit) for unit in session.pending]
    more = f' and {len(names) - 3} more' if len(names) > 3 else ''
    return f'; not run: {", ".join(names[:3])}{more}'


def decide(session):
    """(status, sentence, faults) of a session that is over."""
    faults, blame = _faults(session), _blame(session)
    if session.interrupted:
        return status.INTERRUPTED, 'interrupted' + (_rest(session) or ': all was run'), []
    if faults:
        return status.CRASH, f'NOT BELIEVED: {faults[0]}{_rest(session)}', faults
    if blame:
        code, sentence = blame
        if session.down and session.ended:
            sentence += f'; {session.ended[1]}'
        return code, sentence + _rest(session), []
    found = _found(session)
    again = [title(unit) for unit in session.again]
    more = f'; came garbled and was run again: {", ".join(again)}' if again else ''
    return found, verdict_sentence(Story(session), found) + more, []
