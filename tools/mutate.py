# SPDX-License-Identifier: BSD-2-Clause
"""mutate - from inval/zoo/NAME.patch to a source with one step wrong

    mutate.py PATCH OUT.c                the source, and nothing else is changed
    mutate.py --link PATCH OUT.c         a protocol that is linked beside the sound one
    mutate.py --table OUT.c [PATCH]...   inval_mutants[], inval/zoo.h

A patch is the wrong step and nothing else; its header says what it is.  patch(1)
applies it to a copy, without fuzz: one that no longer fits fails the build.  A mutant
`of:` a protocol can be linked: the struct is called mutant_NAME, its name mutant-NAME.
A mutant `in:` another file takes the place of that file.  NAME.none has a header and no
diff: a mistake that cannot be made here, and why.
"""
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import status
from status import Trouble

ROOT = Path(__file__).resolve().parent.parent
KEYS = ('mutant', 'also', 'of', 'in', 'what', 'from', 'expect', 'sound', 'unseen', 'run',
        'explore', 'native', 'never')
# Who may tell a mutant from the sound one.  `other` is the kernel without a detector of
# its own: an EXPECT, a guest that dies.
KERNEL = ('ground', 'ghost', 'watchdog', 'flush', 'panic', 'other')
DETECTORS = KERNEL + ('explorer', 'native')
PROGRAMS = ('unit', 'record', 'threads')
NAME = re.compile(r'[A-Z][A-Za-z0-9]*')
STRUCT = re.compile(r'^const struct inval_proto \w+ = \{$', re.M)


@dataclass(frozen=True)
class Mutant:
    name: str
    what: str
    origin: str
    also: tuple = ()     # its other numbers in docs/protocols.md
    of: str = ''         # the protocol that it is one edit away from, or
    file: str = ''       # another source
    expect: tuple = ()   # each of these must kill it
    sound: bool = False  # a positive control: nobody may kill it
    unseen: str = ''     # why the other detectors cannot
    run: tuple = ()      # tests in the kernel; (): those of the zoo
    explore: tuple = ()  # options of the explorer
    native: tuple = ()   # programs, with the globs of their tests
    never: str = ''      # why it cannot be made here

    @property
    def machine(self):
        """The one machine that runs its source; '' where each does."""
        return {'svm': 'tcg', 'vmx': 'bochs'}.get(self.file.partition('/')[0], '')

    @property
    def home(self):
        """Where `expect:` has been measured."""
        return self.machine or 'bochs'

    @property
    def source(self):
        return f'inval/{self.of.replace("-", "_")}.c' if self.of else self.file


def _header(text, where):
    """The lines KEY: VALUE before the diff, as a dict."""
    fields = {}
    for line in filter(None, text.partition('\n--- ')[0].splitlines()):
        key, colon, value = line.partition(': ')
        if not colon or key not in KEYS or key in fields or not value.strip():
            raise Trouble(f'{where}: not a line of the header: {line}')
        fields[key] = value.strip()
    for key in ('mutant', 'what', 'from'):
        if key not in fields:
            raise Trouble(f'{where}: the header has no {key}:')
    return fields


def _faults(m):
    """What is wrong with the header of a mutant that has a diff."""
    for who in m.expect:
        if who not in DETECTORS:
            yield f'{who} is no detector.  There are: ' + ', '.join(DETECTORS)
    for program in m.native:
        if program.partition(':')[0] not in PROGRAMS:
            yield f'{program} is no native program.  There are: ' + ', '.join(PROGRAMS)
    if bool(m.of) == bool(m.file):
        yield 'either of: PROTOCOL, or in: FILE'
    if m.sound == bool(m.expect):
        yield 'either sound: yes, or expect: DETECTOR...'
    if 'native' in m.expect and not m.native:
        yield 'native is expected, and native: names no program'
    if not m.sound and not set(m.expect) & set(KERNEL) and not m.unseen:
        yield 'nothing in the kernel must see it, and unseen: does not say why'


def parse(text, where):
    """The Mutant of a patch; Trouble where the header is not complete."""
    f = _header(text, where)
    words = {key: tuple(f.get(key, '').split())
             for key in ('also', 'expect', 'run', 'explore', 'native')}
    mutant = Mutant(f['mutant'], f['what'], f['from'], of=f.get('of', ''),
                    file=f.get('in', ''), sound='sound' in f, never=f.get('never', ''),
                    unseen=f.get('unseen', ''), **words)
    if not NAME.fullmatch(mutant.name) or Path(where).stem != mutant.name:
        raise Trouble(f'{where}: {mutant.name} is not the name of this file')
    touched = re.findall(r'^\+\+\+ b/(\S+)', text, re.M)
    if mutant.never and not touched:
        return mutant
    for fault in _faults(mutant):
        raise Trouble(f'{where}: {fault}')
    if touched != [mutant.source]:
        raise Trouble(f'{where}: it must change {mutant.source}, and nothing else')
    return mutant


def read(path):
    return parse(Path(path).read_text(), str(path))


def _patched(path, mutant, root):
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / 'copy.c'
        copy.write_bytes((root / mutant.source).read_bytes())
        try:
            done = subprocess.run(['patch', '-s', '-F0', '-r', '-', copy, path],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  stdin=subprocess.DEVNULL, text=True)
        except FileNotFoundError:
            raise Trouble('patch is missing: apt-get install patch') from None
        if done.returncode != 0:
            raise Trouble(f'{path} does not apply to {mutant.source}:\n'
                          + done.stdout.strip())
        return copy.read_text()


def _once(text, pattern, to, where):
    text, count = re.subn(pattern, to, text, flags=re.M)
    if count != 1:
        raise Trouble(f'{where}: {count} matches of {pattern}, want 1')
    return text


def _renamed(text, mutant, where):
    """The protocol under a name of its own, with what it is worth."""
    name = mutant.name
    text = _once(text, STRUCT.pattern, f'const struct inval_proto mutant_{name} = {{',
                 where)
    text = _once(text, r'^CATALOG\(.*\);$', f'CATALOG(mutant, "mutant", "{name}", WHAT);',
                 where)
    text = _once(text, r'^#define NAME ".*"$', f'#define NAME "mutant-{name}"', where)
    text = _once(text, r'^#define WHAT ".*"$', f'#define WHAT "{mutant.what}"', where)
    if mutant.sound:
        return text
    text = _once(text, r'^\t\.sound = \w+,$', '\t.sound = false,', where)
    return _once(text, r'^\t\.guarantee = \w+,$', '\t.guarantee = G0,', where)


def source(path, link=False, root=ROOT):
    """The complete source of a mutant."""
    mutant = read(path)
    text = _patched(path, mutant, root)
    if link:
        text = _renamed(text, mutant, f'{path} on {mutant.source}')
    return f'/* {mutant.source} with {mutant.name}.patch, made by tools/mutate.py */\n{text}'


def table(names):
    """The source that lists the mutants; a build without any has an empty list."""
    declared = ''.join(f'extern const struct inval_proto mutant_{n};\n' for n in names)
    rows = ''.join(f'\t&mutant_{name},\n' for name in names)
    return ('/* made by tools/mutate.py */\n#include "inval/zoo.h"\n\n' + declared
            + 'const struct inval_proto *const inval_mutants[] = {\n'
            + rows + '\tNULL,\n};\n'
            + f'const unsigned inval_mutant_count = {len(names)};\n')


def main(argv):
    if argv[:1] == ['--table'] and len(argv) >= 2:
        out, text = argv[1], table([read(path).name for path in argv[2:]])
    elif argv[:1] == ['--link'] and len(argv) == 3:
        out, text = argv[2], source(argv[1], link=True)
    elif len(argv) == 2:
        out, text = argv[1], source(argv[0])
    else:
        raise Trouble('usage: mutate.py [--link] PATCH OUT.c, '
                      'or --table OUT.c [PATCH]...')
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    Path(out).write_text(text)
    return status.PASS


if __name__ == '__main__':
    status.finish(main)
