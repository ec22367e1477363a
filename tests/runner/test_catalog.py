# SPDX-License-Identifier: BSD-2-Clause
"""The catalogue in the image, globs, and selections that are refused."""
import contextlib
import io

import catalog
import fakes
from fakes import Case
from status import Trouble

CATALOG = catalog.parse(fakes.elf())


class Section(Case):
    def test_entries(self):
        self.assertEqual(CATALOG.names('proto'), ['gen-smr', 'gen-ipi'])
        self.assertEqual(len(CATALOG.entries), len(fakes.CATALOG))

    def test_without_description(self):
        entries = catalog.parse(fakes.elf(['test\ta'])).entries
        self.assertEqual(entries, [('test', 'a', '')])

    def test_no_image_of_ours(self):
        for image in (b'', b'#!/bin/sh\n', fakes.elf(section='.text')):
            with self.assertRaises(Trouble):
                catalog.parse(image)

    def test_every_truncation_is_a_sentence(self):
        image = fakes.elf(['test\ta\tb'])
        for size in range(len(image)):
            with contextlib.suppress(Trouble):
                catalog.parse(image[:size])

    def test_list(self):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            catalog.show(CATALOG)
        kinds = [row.split()[0] for row in out.getvalue().splitlines()]
        self.assertEqual(kinds, ['test'] * 3 + ['proto'] * 2)


class Globs(Case):
    def test_matches(self):
        for glob, name in (('*', 'a/b'), ('a/*', 'a/b'), ('a?b', 'a/b'), ('a', 'a'),
                           ('*b*', 'abc'), ('a.b', 'a.b')):
            self.assertTrue(catalog.glob_matches(glob, name), glob)

    def test_does_not_match(self):
        for glob, name in (('a', 'ab'), ('a.b', 'axb'), ('[ab]', 'a'), ('', 'a'),
                           ('a/?', 'a/'), ('A', 'a')):
            self.assertFalse(catalog.glob_matches(glob, name), glob)


class Selection(Case):
    def test_accepted(self):
        words = ['run=proto/*,vmx/hello', 'proto=gen-*', 'cpus=0x4', 'apic=x2']
        self.assertEqual(list(catalog.check(CATALOG, words)),
                         ['run', 'proto', 'cpus', 'apic'])

    def test_refused_with_what_exists(self):
        for word, listed in (('run=nix', 'vmx/hello'), ('run=vmx/*,nix', 'vmx/hello'),
                             ('run=,', 'vmx/hello'), ('proto=nix', 'gen-ipi'),
                             ('nix=1', 'apic'), ('run', 'apic'), ('cpus=-1', 'number')):
            with self.assertRaisesRegex(Trouble, listed, msg=word):
                catalog.check(CATALOG, [word])

    def test_the_shell_is_no_run(self):
        with self.assertRaisesRegex(Trouble, 'shootdown console'):
            catalog.check(CATALOG, ['console'])

    def test_a_line_for_who_sits_at_the_machine(self):
        """Without exit= the kernel ends in its shell; with `console` it begins there."""
        for how, words, want in (
                (None, ['run=vmx/*'], 'run=vmx/*'), (None, [], ''),
                (None, ['console'], 'console'),
                ('reboot', ['run=vmx/*'], 'exit=reboot run=vmx/*'),
                ('halt', ['seed=3', 'console'], 'exit=halt console seed=3')):
            self.assertEqual(catalog.line(self.image, how, words), want)
        for words in (['run=nix'], ['console=1'], ['exit=halt']):
            with self.assertRaises(Trouble, msg=words):
                catalog.line(self.image, None, words)

    def test_twice(self):
        with self.assertRaisesRegex(Trouble, 'twice'):
            catalog.check(CATALOG, ['run=*', 'run=vmx/*'])
