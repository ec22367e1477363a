# SPDX-License-Identifier: BSD-2-Clause
"""Whether kvm is taken, on hosts that were recorded or written by hand (recorded.py)."""
import errno
from unittest import mock

import doctor
import kvm
import machine
import status
from fakes import Case
from judge import Judge
from kvm import Host, Kvm
from recorded import HOSTS, Recorded
from status import Trouble

# host: (checks that are good, what the reason has, what the mend has)
REFUSED = {
    'cloud': (0, 'neither VMX nor SVM', 'hypervisor below'),
    'intel-no-module': (0, 'kvm_intel is not loaded', '=modprobe kvm_intel'),
    'container': (0, 'though kvm_intel is loaded',
                  '=start the container with --device /dev/kvm'),
    'intel-hidden': (0, 'though kvm_intel says nested=Y', 'firmware'),
    'no-device': (0, '/dev/kvm is no device', 'mknod /dev/kvm c 10 232'),
    'intel-node-alone': (1, 'No such device', '=modprobe kvm_intel'),
    'intel-no-permission': (1, 'Permission denied',
                            '=adduser "$USER" kvm, and log in again'),
    'intel-root-only': (1, 'Permission denied', 'chmod 660 /dev/kvm; adduser'),
    'container-denied': (1, 'Operation not permitted', '--device /dev/kvm'),
    'pvm': (2, '/dev/kvm is served by kvm_pvm', 'hypervisor below'),
    'intel-not-nested': (4, 'kvm_intel has nested=N',
                         '=modprobe -r kvm_intel && modprobe kvm_intel nested=1'),
    'amd-not-nested': (4, 'kvm_amd has nested=0',
                       '=modprobe -r kvm_amd && modprobe kvm_amd nested=1'),
    'intel-no-ept': (5, 'kvm_intel has ept=N', 'modprobe kvm_intel ept=1'),
    'intel-no-qemu': (6, 'is not installed', 'apt-get install'),
    'intel-old-qemu': (7, "QEMU refuses nested VMX: can't apply global", '='),
    'intel-busy': (7, 'Device or resource busy', '='),
    'intel-qemu-refuses': (7, "CPUID.01H:ECX.vmx [bit 5]; Host doesn't support", '='),
}
TAKEN = {'intel-nested': ('VMX', '+vmx'), 'amd-nested': ('SVM', '+svm')}


def probe(name):
    return Kvm(Recorded(name)).probe()


class Hosts(Case):
    def test_all_are_judged_and_say_what_they_are(self):
        folders = {path.name for path in HOSTS.iterdir()}
        self.assertEqual(folders, REFUSED.keys() | TAKEN.keys())
        for name in folders:
            about = (HOSTS / name / 'ABOUT').read_text()
            how = 'Recorded:' if name == 'pvm' else 'Written by hand'
            self.assertTrue(about.startswith(how), name)

    def test_refused(self):
        for name, (good, reason, mend) in REFUSED.items():
            with self.subTest(name):
                said = probe(name)
                self.assertFalse(said.usable)
                self.assertIn(reason, said.reason)
                if mend.startswith('='):
                    self.assertEqual(said.mend, mend[1:])
                self.assertIn(mend.lstrip('='), said.mend)
                self.assertEqual([check.good for check in said.checks],
                                 [True] * good + [False])

    def test_taken(self):
        for name, (kind, flag) in TAKEN.items():
            said = probe(name)
            self.assertTrue(said.usable, said.reason)
            self.assertEqual(len(said.checks), len(kvm.CHECKS))
            self.assertEqual(said.reason, f'the CPU itself, by nested {kind}')
            argv = Kvm(Recorded(name)).accelerator(None)
            self.assertEqual(argv, ['-accel', 'kvm', '-cpu', f'host,{flag}'])

    def test_what_doctor_prints(self):
        with mock.patch.object(machine.MACHINES['kvm'], 'host',
                               Recorded('intel-not-nested')):
            rows = list(doctor.lines(doctor.examine()))
        at = rows.index('kvm    no   kvm_intel has nested=N')
        table = [row.split(None, 0)[0] for row in rows[at + 1:at + 7]]
        self.assertEqual([row.rsplit(None, 1)[1] for row in table[:5]],
                         ['yes'] * 4 + ['NO'])
        self.assertEqual(table[4].split()[:2], ['kvm_intel', 'has'])
        self.assertEqual(table[5], 'to mend: modprobe -r kvm_intel && '
                                   'modprobe kvm_intel nested=1')

    def test_a_qemu_that_hangs(self):
        emulator = self.scratch / 'qemu'
        emulator.write_text('#!/bin/sh\nexec sleep 60\n')
        emulator.chmod(0o755)
        host = Recorded('intel-nested')
        host.emulator = str(emulator)
        with mock.patch.object(kvm, 'PATIENCE', 0.2):
            self.assertIn('timed out', Kvm(host).probe().reason)


class Choice(Case):
    def choose(self, name, wanted=None):
        with mock.patch.object(machine.MACHINES['kvm'], 'host', Recorded(name)):
            chosen, why = machine.choose(wanted)
        return chosen.name, why

    def test_taken_by_itself(self):
        for name in TAKEN:
            self.assertEqual(self.choose(name)[0], 'kvm')

    def test_wanted_and_refused(self):
        with self.assertRaisesRegex(Trouble, 'nested=N; to mend: modprobe -r'):
            self.choose('intel-not-nested', 'kvm')

    def test_more_cpus_than_xapic_has(self):
        machine.check_cpus(Kvm(), 256)
        with self.assertRaisesRegex(Trouble, 'at most 512'):
            machine.check_cpus(Kvm(), 513)


class RealFiles(Case):
    """The questions that recordings answer by words."""

    def test_devices(self):
        host = Host()
        self.assertTrue(host.is_device('/dev/null'))
        self.assertFalse(host.is_device('/proc/cpuinfo'))
        self.assertEqual(host.open_error('/dev/null'), 0)
        self.assertEqual(host.open_error('/nix'), errno.ENOENT)
        self.assertEqual(host.open_error('/dev'), errno.EISDIR)

    def test_modes(self):
        path = self.scratch / 'node'
        path.touch()
        for mode, good in ((0o660, True), (0o600, False), (0o640, False)):
            path.chmod(mode)
            self.assertEqual(Host(self.scratch).for_group('/node'), good)

    def test_flags_are_words(self):
        (self.scratch / 'proc').mkdir()
        file = self.scratch / 'proc/cpuinfo'
        for text, kind in (('flags\t\t: fpu vmx_like\n', None),
                           ('vmx flags\t: ept vmx\n', None),
                           ('flags\t\t: fpu vmx\n', kvm.INTEL),
                           ('flags\t\t: svm\n', kvm.AMD), ('', None)):
            file.write_text(text)
            self.assertIs(Host(self.scratch).kind(), kind, text)


class Doubt(Case):
    """What the kernel finds has the last word."""

    def confirm(self, host, backend, code, model=None, lines=b''):
        judge = Judge()
        judge.feed(b'@{"type":"boot","backend":"%s"}\n%s' % (backend.encode(), lines))
        return machine.confirm(Kvm(Recorded(host)), self.job(model=model), judge, code,
                               'so it ended')

    def test_as_promised(self):
        for host, backend in (('intel-nested', 'vmx'), ('amd-nested', 'svm')):
            self.assertEqual(self.confirm(host, backend, status.PASS),
                             (status.PASS, 'so it ended'))

    def test_something_else(self):
        for code in (status.PASS, status.NOTHING):
            self.assertEqual(
                self.confirm('intel-nested', 'svm', code),
                (status.NOTHING, 'NO VERDICT: kvm was chosen for nested VMX, but the '
                                 'kernel finds SVM instead; next, try --on bochs'))

    def test_nothing(self):
        code, said = self.confirm('amd-nested', '', status.NOTHING, lines=b'# no guests '
                                  b'can run here: this CPU has no VMX\n')
        self.assertEqual(code, status.NOTHING)
        self.assertIn('the kernel says: this CPU has no VMX; next, try --on tcg', said)

    def test_worse_stays(self):
        for code in (status.FAIL, status.CRASH, status.TIMEOUT):
            self.assertEqual(self.confirm('intel-nested', 'svm', code)[0], code)

    def test_a_model_of_the_users_own(self):
        self.assertEqual(self.confirm('intel-nested', '', status.NOTHING, 'qemu64')[1],
                         'so it ended')
