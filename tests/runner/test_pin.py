# SPDX-License-Identifier: BSD-2-Clause
"""Which CPUs of a host are taken, and how a QEMU's threads are bound to them."""
import json
import os
import socket
import threading
from types import SimpleNamespace
from unittest import mock

import options
import pin
from bochs import Bochs
from fakes import Case
from kvm import Kvm
from qemu import Tcg
from status import Trouble


class Cores(Case):
    def host(self, cores):
        """A host with these lists of hardware threads."""
        for text in cores:
            for cpu in pin.cpu_list(text):
                folder = self.scratch / pin.TOPOLOGY / f'cpu{cpu}' / 'topology'
                folder.mkdir(parents=True)
                (folder / 'thread_siblings_list').write_text(text + '\n')


class Order(Cores):
    def order(self, allowed):
        return pin.order(allowed, self.scratch)

    def test_lists(self):
        for text, want in (('0', [0]), ('0-2,7\n', [0, 1, 2, 7]), ('3,5', [3, 5])):
            self.assertEqual(pin.cpu_list(text), want)

    def test_a_core_each_first(self):
        self.host(['0-1', '2-3', '4-5'])
        self.assertEqual(self.order(range(6)), ([0, 2, 4, 1, 3, 5], 3))

    def test_siblings_that_are_far(self):
        self.host(['0,4', '1,5', '2,6', '3,7'])
        self.assertEqual(self.order(range(8)), ([0, 1, 2, 3, 4, 5, 6, 7], 4))

    def test_only_what_is_allowed(self):
        self.host(['0-1', '2-3', '4-5'])
        self.assertEqual(self.order({1, 4, 5}), ([1, 4, 5], 2))

    def test_a_host_that_does_not_say(self):
        self.assertEqual(self.order({2, 9}), ([2, 9], 2))


class Choose(Cores):
    def choose(self, machine, *words, cpus=4, usable=range(8)):
        args = options.parse(['--cpus', str(cpus), *words])
        return pin.choose(machine, args, usable, self.scratch)

    def setUp(self):
        super().setUp()
        self.host(['0-1', '2-3', '4-5', '6-7'])

    def test_kvm_pins_by_itself(self):
        self.assertEqual(self.choose(Kvm()),
                         ((0, 2, 4, 6), 'pinned: a core each, 0 2 4 6'))
        cpus, said = self.choose(Kvm(), cpus=6)
        self.assertEqual(cpus, (0, 2, 4, 6, 1, 3))
        self.assertIn('hardware threads of 4 cores', said)

    def test_too_few(self):
        self.assertEqual(self.choose(Kvm(), usable=range(3)),
                         ((), 'not pinned: 4 CPUs, but 3 of the host that this '
                              'process may use'))
        with self.assertRaisesRegex(Trouble, '--pin: 4 CPUs, but 3'):
            self.choose(Kvm(), '--pin', usable=range(3))

    def test_asked(self):
        self.assertEqual(self.choose(Kvm(), '--no-pin'), ((), ''))
        self.assertEqual(self.choose(Tcg()), ((), ''))
        self.assertEqual(self.choose(Tcg(), '--pin')[0], (0, 2, 4, 6))
        self.assertEqual(self.choose(Bochs()), ((), ''))

    def test_refused(self):
        for machine, words in ((Bochs(), ['--pin']), (Kvm(), ['--pin', '--no-pin']),
                               (Tcg(), ['--pin', '--deterministic'])):
            with self.assertRaises(Trouble, msg=words):
                self.choose(machine, *words)


class Vcpu(threading.Thread):
    """A thread that could be a CPU's: it waits for its end."""

    def __init__(self):
        super().__init__(daemon=True)
        self.over = threading.Event()
        self.start()

    def run(self):
        self.over.wait(60)


class FakeQmp(Case):
    """Binding threads of this process, by a control socket that is a script."""
    greeting = '{"QMP": {"version": {}}}'

    def setUp(self):
        super().setUp()
        # A path that is too long for a socket's address.
        self.folder = self.scratch / ('x' * 100) / 'machine'
        self.folder.mkdir(parents=True)
        self.vcpus = [Vcpu() for _ in range(min(2, len(pin.allowed())))]
        self.cpus = sorted(pin.allowed())[:len(self.vcpus)]
        for vcpu in self.vcpus:
            self.addCleanup(vcpu.over.set)

    def rows(self):
        """Last one first, and with an event before: an answer may look so."""
        rows = [{'cpu-index': i, 'thread-id': vcpu.native_id, 'target': 'x86_64'}
                for i, vcpu in enumerate(self.vcpus)]
        return '{"event": "RESUME"}\n' + json.dumps({'return': rows[::-1]})

    def serve(self, *answers):
        server = socket.socket(socket.AF_UNIX)
        self.addCleanup(server.close)
        where = os.open(self.folder, os.O_PATH)
        self.addCleanup(os.close, where)
        server.bind(f'/proc/self/fd/{where}/{pin.SOCKET}')
        server.listen()
        self.asked = []

        def run():
            end, _ = server.accept()
            with end, end.makefile('rw') as file:
                for answer in (self.greeting, *answers):
                    if answer is not self.greeting:
                        self.asked.append(json.loads(file.readline())['execute'])
                    file.write(answer + '\n')
                    file.flush()
        threading.Thread(target=run, daemon=True).start()

    def pin(self, *answers):
        self.serve(*answers)
        pin.pin(self.folder, self.cpus, lambda: True)

    def test_good(self):
        self.pin('{"return": {}}', self.rows())
        self.assertEqual(self.asked, ['qmp_capabilities', 'query-cpus-fast'])
        for vcpu, cpu in zip(self.vcpus, self.cpus):
            self.assertEqual(os.sched_getaffinity(vcpu.native_id), {cpu})

    def test_all_on_one_thread(self):
        self.vcpus = [self.vcpus[0]] * 2
        self.cpus = [self.cpus[0]] * 2
        with self.assertRaisesRegex(pin.Unpinned, '1 threads for 2 CPUs'):
            self.pin('{"return": {}}', self.rows())
        self.assertEqual(os.sched_getaffinity(self.vcpus[0].native_id), pin.allowed())

    def test_answers_that_are_none(self):
        for answer, why in (('{"error": {"desc": "no such"}}', 'no such'),
                            ('garbage', 'QMP'), ('', 'QMP')):
            with self.assertRaisesRegex(pin.Unpinned, why):
                self.pin(answer)
            (self.folder / pin.SOCKET).unlink()
        with self.assertRaisesRegex(pin.Unpinned, 'closed|reset|Broken'):
            self.pin('{"return": {}}')

    def test_nobody_listens(self):
        with self.assertRaisesRegex(pin.Unpinned, 'has ended'):
            pin.pin(self.folder, self.cpus, lambda: False)
        with mock.patch.object(pin, 'PATIENCE', 0.1), \
                self.assertRaisesRegex(pin.Unpinned, 'not answered for'):
            pin.pin(self.folder, self.cpus, lambda: True)

    def test_the_socket_is_asked_for_only_then(self):
        for pins, want in (((), False), ((0, 1), True)):
            argv = Tcg().prepare(SimpleNamespace(port=0, 
                pins=pins, cpus=2, mem=256, boot='direct', elf='x', cmdline='',
                modules=[], model=None, deterministic=False))[0]
            self.assertEqual('unix:qmp,server=on,wait=off' in argv, want)
