# SPDX-License-Identifier: BSD-2-Clause
"""catalog - the tests, protocols and options that a kernel image holds

Every test and protocol leaves a line "kind<TAB>NAME<TAB>DESCRIPTION" in the
image's section .catalog (strings that end with NUL; the linker may pad with
more NULs).  So the list cannot differ from the kernel that will run, and a word
that matches nothing is refused before a machine starts.
"""
import re
import struct
import sys

import kernel
import status
from status import Trouble

SECTION = b'.catalog'
NUMBERS = ('seed', 'cpus', 'iters', 'delay', 'steps', 'secs', 'trace')
# key -> the kind it chooses from
GLOBS = {'run': 'test', 'proto': 'proto', 'mutant': 'mutant'}
RUNNERS_OWN = ('exit',)
SHELL = 'console'                # a word alone, for who sits at the serial line
ALIASES = {'soak': 'run=proto/soak'}             # words that people would try


class Catalog:
    def __init__(self, entries):
        self.entries = entries

    def names(self, kind):
        return [name for k, name, _ in self.entries if k == kind]


def _sections(image):
    """Yield (name, contents) of an ELF64 image's sections."""
    offset, = struct.unpack_from('<Q', image, 0x28)
    size, count, names = struct.unpack_from('<HHH', image, 0x3a)
    headers = [struct.unpack_from('<IIQQQQ', image, offset + i * size)
               for i in range(count)]
    base = headers[names][4]
    for name, _, _, _, start, length in headers:
        end = image.index(b'\0', base + name)
        yield image[base + name:end], image[start:start + length]


def parse(image, where='the image'):
    """The Catalog in the bytes of an ELF64 image."""
    if image[:6] != b'\x7fELF\x02\x01':
        raise Trouble(f'{where} is no little-endian ELF64 file')
    try:
        sections = dict(_sections(image))
    except (struct.error, ValueError, IndexError):
        raise Trouble(f'{where} is damaged: its section headers lead nowhere') from None
    if SECTION not in sections:
        raise Trouble(f'{where} has no section .catalog: it is no Shootdown kernel')
    lines = [text.decode(errors='replace')
             for text in sections[SECTION].split(b'\0') if text]
    entries = [tuple((line + '\t\t').split('\t')[:3]) for line in lines]
    return Catalog(entries)


def read(path):
    try:
        with open(path, 'rb') as file:
            return parse(file.read(), str(path))
    except OSError as error:
        raise Trouble(f'cannot read the kernel: {error}') from None


def glob_matches(glob, name):
    """The kernel's globs: `*` is any run of characters, `?` any one."""
    pattern = ''.join({'*': '.*', '?': '.'}.get(c, re.escape(c)) for c in glob)
    return re.fullmatch(pattern, name) is not None


def _list(heading, names):
    return '\n'.join([f'{heading}:', *(f'  {name}' for name in sorted(set(names)))])


def _check_globs(catalog, key, value):
    names = catalog.names(GLOBS[key])
    for glob in value.split(','):
        if not any(glob_matches(glob, name) for name in names):
            raise Trouble(f'{key}={glob} matches nothing.  '
                          + _list('There are', names))


def _check_number(key, value):
    if not re.fullmatch(r'0[xX][0-9a-fA-F]+|[0-9]+', value):
        raise Trouble(f'{key}={value}: {key} takes a number')


def _check_letters(word):
    """Only what every loader hands on as it is, and no shell or menu unquotes."""
    if not re.fullmatch(r'[!-~]*', word) or set('"\\') & set(word):
        raise Trouble(f'{word!a}: a word for the kernel has neither blanks, quotes and '
                      'backslashes nor anything beyond ASCII')


def _split(catalog, word):
    key, equals, value = word.partition('=')
    keys = catalog.names('option')
    if key == SHELL:
        raise Trouble('a run has nobody at its serial line: see ./shootdown console')
    if not equals or key not in keys:
        what = f'{key}= is no option' if equals else f'{word} is no KEY=VALUE'
        raise Trouble(f'{what} of the kernel.  ' + _list('There are', keys))
    if key in RUNNERS_OWN:
        raise Trouble(f'{key}= is set by the runner: it depends on the machine')
    if not value:
        raise Trouble(f'{key}= has no value')
    return key, value


def check(catalog, words):
    """The selection as {key: value}; Trouble for anything the kernel lacks."""
    selection = {}
    for word in words:
        _check_letters(word)
        key, value = _split(catalog, ALIASES.get(word, word))
        if key in selection:
            raise Trouble(f'{key}= is given twice; separate names by a comma')
        if key in GLOBS:
            _check_globs(catalog, key, value)
        elif key in NUMBERS:
            _check_number(key, value)
        selection[key] = value
    return selection


def line(elf, ending, words):
    """The command line for a machine that a person sits at: how it ends, if that is
    told, and the words, among which the shell's may be."""
    ends = [f'exit={ending}'] if ending else []
    shell = [SHELL] if SHELL in words else []
    selection = check(read(elf), [word for word in words if word != SHELL])
    return ' '.join(ends + shell + [f'{key}={value}' for key, value in selection.items()])


def show(catalog):
    """Tests, then protocols, then mutants, a line each."""
    wide = max((len(name) for _, name, _ in catalog.entries), default=0)
    for kind in ('test', 'proto', 'mutant'):
        for k, name, text in sorted(catalog.entries):
            if k == kind:
                print(f'{kind:6} {name:{wide}}  {text}'.rstrip())


def main(argv):
    if argv:
        raise Trouble(f'list takes no arguments, but got: {" ".join(argv)}')
    show(read(kernel.make('checked')))
    return status.PASS


if __name__ == '__main__':
    status.finish(main)
