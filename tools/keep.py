# SPDX-License-Identifier: BSD-2-Clause
"""keep - `shootdown keep DIR [NAME]`: copies a result to docs/results/DATE-NAME

Only what docs/results/FORMAT.md names is copied: no log, no disk image.  NAME is the
machine and its CPUs unless told, for example bochs-4.  A result is kept once: what is
there already is never written over.
"""
import re
import shutil
from pathlib import Path

import facts
import kept
import kernel
import report
import status
from status import Trouble

FOLDER = kernel.ROOT / 'docs' / 'results'
NAME = re.compile(r'[a-z0-9][a-z0-9.-]*')
USAGE = 'Usage: keep DIR [NAME]'


def _name(run, asked):
    """The folder's name: the date of the run, the machine, what it is about."""
    date = run.get('date')
    if not isinstance(date, str) or not re.match(r'\d{4}-\d\d-\d\dT', date):
        raise Trouble('run.json has no date')
    machine = run.get('host') or run.get('machine') or run.get('kind')
    name = asked or f'{machine}-{run.get("cpus")}'.lower()
    if not NAME.fullmatch(name):
        raise Trouble(f'{name!r} is no name: small letters, digits, - and .')
    return f'{date[:10]}-{name}'


def without_paths(words):
    """A command without the folders of the machine that it was typed on."""
    return re.sub(r'''(^|[\s='":])/(?:[^\s'"/]+/)*(?=[^\s'"/])''', r'\1.../', words)


def keep(source, asked=None, folder=FOLDER):
    """Copy the result; return the new folder and the complaints about the old one."""
    if not kept.is_result(source):
        raise Trouble(f'{source} is no folder of one result')
    complaints = []
    found = kept.read([source], complaints.append)
    if complaints:
        raise Trouble(f'{source} is damaged, and is not kept: {".  ".join(complaints)}')
    run = found[0].run
    target = folder / _name(run, asked)
    try:
        target.mkdir(parents=True)
    except FileExistsError:
        raise Trouble(f'{target} is there already; give this one another NAME') from None
    for name in (*kept.FILES[1:], kept.TRACE):
        if (found[0].path / name).is_file():
            shutil.copyfile(found[0].path / name, target / name)
    if isinstance(run.get('command'), str):
        run['command'] = without_paths(run['command'])
    facts.write(target, run)
    return target, run


def main(argv):
    if not 1 <= len(argv) <= 2 or argv[0].startswith('-'):
        raise Trouble(USAGE)
    target, run = keep(Path(argv[0]), *argv[1:])
    size = sum(path.stat().st_size for path in target.iterdir())
    report.say(f'kept: {target.relative_to(kernel.ROOT)} ({size // 1024} KiB)')
    if run.get('dirty'):
        report.say('note: the sources had been changed since the commit that it names')
    return status.PASS


if __name__ == '__main__':
    status.finish(main)
