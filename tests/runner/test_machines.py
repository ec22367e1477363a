# SPDX-License-Identifier: BSD-2-Clause
"""What the real machines would be given, and which one is chosen."""
from unittest import mock

import bios
import bochs
import machine
import qemu
from fakes import Case
from job import Probe
from status import Trouble


class BochsFiles(Case):
    rom = bios.ALL[0]

    def config(self, **more):
        job = self.job(**more)
        job.scratch.mkdir(parents=True)
        (job.scratch / 'disk.img.lock').touch()
        with mock.patch('mkdisk.make_disk', return_value=3) as make, \
                mock.patch('bochs._bios', return_value=self.rom):
            argv, env = bochs.Bochs().prepare(job)
        self.made = make.call_args
        self.assertEqual(env['TERM'], 'vt100')    # a terminal that says nothing
        self.assertFalse((job.scratch / 'disk.img.lock').exists())
        return (job.scratch / 'config').read_text()

    def test_disk(self):
        text = self.config(cpus=8)
        self.assertIn('count=8, ', text)
        self.assertIn('cylinders=3, heads=16', text)
        self.assertIn('dev=../serial.log', text)
        self.assertIn('\nmegs: 256\n', text)
        self.assertIn('reset_on_triple_fault=0', text)
        self.assertEqual(self.made[0][2], 'run=x')

    def test_much_memory(self):
        self.assertIn('memory: guest=4096, host=2048', self.config(mem=4096))

    def test_seabios_gets_a_cmos(self):
        self.assertNotIn('cmosimage', self.config())
        self.doCleanups()
        self.setUp()
        self.rom = bios.ALL[1]
        text = self.config(cpus=5, mem=4096)
        self.assertIn('\ncmosimage: file=cmos.img, rtc_init=time0\n', text)
        self.assertIn(f'file={self.rom.path}\n', text)
        cmos = (self.scratch / 'results/machine/cmos.img').read_bytes()
        self.assertEqual((cmos[0x5f], cmos[0x3d]), (4, 2))
        self.assertEqual(cmos[0x34:0x36] + cmos[0x5b:0x5e], b'\x00\xbf\x00\x40\x00')

    def test_complaints(self):
        job = self.job()
        job.scratch.mkdir(parents=True)
        log = job.scratch / 'bochs.log'
        for ticks, started in (('00000000000', False), ('00004268840', True)):
            log.write_text(f'{ticks}i[X     ] hello\n'
                           f'{ticks}p[HD    ] >>PANIC<< could not open it\n')
            said = bochs.Bochs().complaint(job, 1)
            self.assertEqual(said.text, 'Bochs says: HD: could not open it')
            self.assertEqual(said.started, started)


class BiosChoice(Case):
    def setUp(self):
        super().setUp()
        self.cache = self.scratch / 'build' / 'bios.json'
        self.roms = [bios.Bios(name, self.scratch / name, '', False)
                     for name in ('fast', 'slow')]
        for rom in self.roms:
            rom.path.write_bytes(b'rom')
        self.tried = []

    def choose(self, *good):
        def boots(rom):
            self.tried.append(rom.name)
            return rom.name in good

        self.tried = []
        chosen = bios.choose(boots, self.cache, self.roms)
        return chosen and chosen.name

    def test_first_that_boots(self):
        self.assertEqual(self.choose('fast', 'slow'), 'fast')
        self.assertEqual(self.tried, ['fast'])

    def test_one_that_crashes_or_is_missing_is_passed_over(self):
        self.assertEqual(self.choose('slow'), 'slow')
        self.roms[0].path.unlink()
        self.assertEqual(self.choose('fast', 'slow'), 'slow')
        self.roms[1].path.unlink()
        self.assertIsNone(self.choose('fast', 'slow'))

    def test_what_boots_is_tried_once(self):
        self.choose('slow')
        self.assertEqual(self.choose('slow'), 'slow')
        self.assertEqual(self.tried, ['fast'])
        self.assertEqual(self.choose('fast', 'slow'), 'fast')

    def test_another_file_is_tried_again(self):
        self.choose('fast')
        self.roms[0].path.write_bytes(b'another')
        self.choose('fast')
        self.assertEqual(self.tried, ['fast'])

    def test_damaged_memory(self):
        for text in ('', '{', '7'):
            self.choose('fast')
            self.cache.write_text(text)
            self.assertEqual(self.choose('fast'), 'fast')
            self.assertEqual(self.tried, ['fast'])


class QemuArguments(Case):
    def argv(self, **more):
        job = self.job(**more)
        job.scratch.mkdir(parents=True)
        (job.scratch / 'stdout').touch()
        return qemu.Tcg().prepare(job)[0]

    def test_direct(self):
        argv = self.argv(cpus=255, mem=512)
        for pair in (['-kernel', str(self.image)], ['-append', 'run=x'],
                     ['-smp', '255'], ['-m', '512']):
            at = argv.index(pair[0])
            self.assertEqual(argv[at:at + 2], pair)
        self.assertIn('-no-reboot', argv)

    def test_modules_are_handed_over_by_their_names(self):
        argv = self.argv(modules=[(str(self.image), 'guest x=1')])
        self.assertEqual(argv[-2:], ['-initrd', 'guest x=1'])
        staged = self.scratch / 'results/machine/guest'
        self.assertEqual(staged.read_bytes(), self.image.read_bytes())

    def test_modules_that_cannot_be_handed_over(self):
        for strings in (['a', 'a'], ['a,b'], ['../a'], ['.a'], ['a/b'], ['stdout']):
            with self.assertRaises(Trouble, msg=strings):
                self.argv(modules=[(str(self.image), text) for text in strings])
            self.doCleanups()
            self.setUp()

    def test_exit_codes_are_none_of_qemu(self):
        codes = {qemu.Tcg().exit_code(status) for status in range(6)}
        self.assertEqual(len(codes), 6)
        self.assertFalse(codes & {0, 1, 124})


class Choice(Case):
    def choose(self, usable, wanted=None):
        probes = {name: Probe(name in usable, f'why {name}', 'mend')
                  for name in machine.MACHINES}
        patches = [mock.patch.object(one, 'probe', return_value=probes[name])
                   for name, one in machine.MACHINES.items()]
        with patches[0], patches[1], patches[2]:
            chosen, why = machine.choose(wanted)
        return chosen.name, why

    def test_order(self):
        self.assertEqual(self.choose(['kvm', 'bochs', 'tcg'])[0], 'kvm')
        name, why = self.choose(['bochs', 'tcg'])
        self.assertEqual(name, 'bochs')
        self.assertIn('why kvm', why)

    def test_tcg_is_never_chosen_for_you(self):
        with self.assertRaisesRegex(Trouble, 'why kvm.*why bochs'):
            self.choose(['tcg'])
        self.assertEqual(self.choose(['tcg'], 'tcg')[0], 'tcg')

    def test_wanted_one_is_not_replaced(self):
        with self.assertRaisesRegex(Trouble, 'why kvm; to mend: mend'):
            self.choose(['bochs', 'tcg'], 'kvm')

    def test_too_many_cpus(self):
        with self.assertRaisesRegex(Trouble, 'at most 14'):
            machine.check_cpus(bochs.Bochs(), 15)
