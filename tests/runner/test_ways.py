# SPDX-License-Identifier: BSD-2-Clause
"""What each way of booting gives to QEMU and to the network, and what it refuses."""
from pathlib import Path
from unittest import mock

import grub
import image
import machine
import options
import qemu
import tftp
import ways
from bochs import Bochs
from fakes import Case
from status import Trouble

HEADER = (0xe85250d6, 0, 24, -(0xe85250d6 + 24) & 0xffffffff)


def kernel():
    """As much of an image as the makers of media look at."""
    words = [word.to_bytes(4, 'little') for word in (0x1badb002, 0, *HEADER)]
    return b''.join(words) + bytes(64)


class Ways(Case):
    def setUp(self):
        super().setUp()
        self.image.write_bytes(kernel())

    def argv(self, boot, **more):
        self.made = self.job(boot=boot, **more)
        self.made.scratch.mkdir(parents=True)
        with mock.patch('mkiso.mkrescue') as self.mkrescue, \
                mock.patch('grub.platform', return_value=Path('/')), \
                mock.patch('tftp._mknetdir') as self.mknetdir, \
                mock.patch('ways._ovmf', return_value=(self.image, self.image)):
            return ' '.join(qemu.Tcg().prepare(self.made)[0])

    def refused(self, sentence, boot, **more):
        with self.assertRaisesRegex(Trouble, sentence):
            self.argv(boot, **more)
        self.doCleanups()
        self.setUp()

    def test_firmware(self):
        for name, way in ways.WAYS.items():
            argv = self.argv(name)
            self.assertEqual('if=pflash' in argv, way.uefi, name)
            self.assertEqual('graphics=off' in argv, not way.uefi and not way.quiet, name)
            self.assertEqual('-kernel' in argv, way.quiet, name)
            self.doCleanups()
            self.setUp()

    def test_pvh_is_the_same_image_but_for_a_word(self):
        self.assertIn('-kernel pvh.elf -append run=x', self.argv('pvh'))
        made = (self.made.scratch / 'pvh.elf').read_bytes()
        self.assertEqual(made, bytes(4) + kernel()[4:])

    def test_what_pvh_cannot_carry(self):
        self.refused('no name of a module', 'pvh', modules=[(self.image, 'm')])
        self.refused('4096 bytes .* not 4097', 'pvh', cmdline='x' * 4096)
        self.argv('pvh', cmdline='x' * 4095)

    def test_media(self):
        for boot, hybrid, part in (('grub', False, '-cdrom grub.iso'),
                                   ('uefi', True, '-cdrom grub.iso'),
                                   ('usb', True, 'usb-storage,drive=stick,bootindex=0'),
                                   ('usb-uefi', True, 'usb-storage,drive=stick')):
            self.assertIn(part, self.argv(boot))
            self.assertEqual(self.mkrescue.call_args[0][2], hybrid, boot)
            self.doCleanups()
            self.setUp()

    def test_network(self):
        for boot, file in (('pxe', 'i386-pc/core.0'), ('pxe-uefi', 'x86_64-efi/core.efi')):
            self.assertIn(f'tftp=tftp,bootfile=/boot/grub/{file}', self.argv(boot))
            self.assertEqual(self.mknetdir.call_count, 1)
            self.doCleanups()
            self.setUp()
        self.assertIn('bootfile=/boot.ipxe', self.argv('ipxe'))
        self.assertEqual(self.mknetdir.call_count, 0)

    def test_uefi_needs_memory(self):
        self.refused('UEFI needs 128 MiB', 'uefi', mem=127)

    def test_a_machine_that_has_not_the_way(self):
        machine.check_boot(Bochs(), 'grub')
        with self.assertRaisesRegex(Trouble, 'cannot boot by uefi, only by direct or '
                                             'grub; there is --on kvm or tcg'):
            machine.check_boot(Bochs(), 'uefi')
        for name in ways.WAYS:
            machine.check_boot(qemu.Tcg(), name)
            self.assertEqual(options.parse(['--boot', name]).boot, name)


class Grub(Case):
    def test_a_failed_command_is_said_in_words_that_end_a_run(self):
        text = grub.script('run=x', [('/a', 'm'), ('/b', '')], video=False)
        lines = text.splitlines()
        self.assertLess(lines.index('if module2 /b; then'), lines.index('\tboot'))
        self.assertEqual(lines.count('fi'), 3)
        self.assertIn("echo 'Bail out! GRUB could not", text)

    def test_words(self):
        self.assertEqual(grub.quote('a=b run=x/*  c'), "a=b 'run=x/*' '' c")
        for bad in ("it's", 'a"b', 'a\\b', 'a\tb'):
            with self.assertRaisesRegex(Trouble, 'GRUB cannot hand over'):
                grub.quote(bad)


class Tree(Case):
    def setUp(self):
        super().setUp()
        self.image.write_bytes(kernel())
        self.folder = self.scratch / 'tree'

    def make(self, cmdline='run=x', strings=('guest a=1', 'other'), loaders=tftp.LOADERS):
        modules = [(str(self.image), string) for string in strings]
        with mock.patch('tftp._mknetdir') as self.mknetdir:
            return tftp.make_tree(self.folder, self.image, cmdline, modules, loaders)

    def read(self, name):
        return (self.folder / name).read_text()

    def test_everything_that_it_names_is_there(self):
        made = self.make()
        self.assertEqual(set(made), {'bios', 'uefi', 'ipxe'})
        self.assertEqual({call[0][1] for call in self.mknetdir.call_args_list},
                         {'i386-pc', 'x86_64-efi'})
        script = self.read(made['ipxe'])
        self.assertTrue(script.startswith('#!ipxe\n'))
        self.assertIn('kernel boot/shootdown.elf run=x || goto failed\n', script)
        self.assertIn('module boot/m0/guest a=1 || goto failed\n'
                      'module boot/m1/other || goto failed\nboot || goto failed\n', script)
        self.assertIn(f'chain {made["uefi"]} ||', script)
        config = self.read('boot/grub/grub.cfg')
        self.assertIn('multiboot2 /boot/shootdown.elf run=x;', config)
        self.assertIn('module2 /boot/m0/guest guest a=1;', config)
        for file in ('boot/shootdown.elf', 'boot/m0/guest', 'boot/m1/other'):
            self.assertEqual((self.folder / file).read_bytes(), kernel())

    def refused(self, sentence, **how):
        with self.assertRaisesRegex(Trouble, sentence):
            self.make(**how)
        self.assertFalse(self.folder.exists())

    def test_what_ipxe_would_cut(self):
        ipxe = ('ipxe',)
        longest = 512 - tftp.IPXE_SERVER - len(tftp.KERNEL) - 2
        self.make('x' * longest, (), ipxe)
        self.folder = self.scratch / 'another'
        self.refused('iPXE has 512 bytes .* not 513', cmdline='x' * (longest + 1),
                     strings=(), loaders=ipxe)
        self.refused('iPXE hands over 8 modules, not 9', strings=('m',) * 9, loaders=ipxe)
        self.refused('iPXE has 512', strings=('m' * 60,) * 8, loaders=ipxe)
        for bad in ('a  b', 'a=${b}', 'a&&b', 'a #b', 'a|b'):
            self.refused('iPXE cannot hand over', cmdline=bad, loaders=ipxe)

    def test_what_only_ipxe_would_cut_is_good_for_grub(self):
        self.make('x' * 4000, ('m',) * 9, ('bios', 'uefi'))
        self.assertFalse((self.folder / 'boot.ipxe').exists())

    def test_names_that_are_no_files(self):
        for name in ('../x', '.x', 'a/b', ''):
            self.refused('cannot be a file', strings=(name,))


class Image(Case):
    def test_options(self):
        with self.assertRaisesRegex(Trouble, 'invalid choice.*--iso FILE'):
            image._parse(['--exit', 'nix'])
        with self.assertRaisesRegex(Trouble, '--on is no option'):
            image._parse(['--on', 'tcg'])
        self.assertEqual(image._parse(['run=x', '--iso', 'a']).selection, ['run=x'])
