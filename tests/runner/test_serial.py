# SPDX-License-Identifier: BSD-2-Clause
"""`shootdown serial` on a fake machine behind a real socket and a real pty."""
import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from importlib.util import find_spec
from pathlib import Path

import fakes
import port
import portlock
import serial_run
import session
import status
from fake_console import Console, Served
from fakes import Case
from status import Trouble

TOOL = fakes.TOOLS / 'serial_run.py'
LIMIT = 60


def need_serial(case):
    """pyserial is pure Python: that of the distribution serves any Python."""
    before = list(sys.path)
    case.addCleanup(sys.path.__setitem__, slice(None), before)
    if not find_spec('serial'):
        sys.path.append('/usr/lib/python3/dist-packages')
    if not find_spec('serial'):
        case.skipTest('there is no python3-serial')


class Serial(Case):
    def served(self, console, **more):
        served = Served(console, **more)
        self.addCleanup(served.close)
        return served

    def run_on(self, where, *words):
        """(status, what was printed) of a run in this process."""
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code = serial_run.main([where, '--results', str(self.scratch / 'results'),
                                    '--elf', str(self.image), *words])
        return code, out.getvalue()

    def start(self, where, *words):
        """The same in a process of its own."""
        folder = self.scratch / f'results-{time.monotonic_ns()}'
        child = subprocess.Popen(
            [sys.executable, TOOL, where, '--results', folder, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.kill)
        return child

    def until(self, condition):
        limit = time.monotonic() + LIMIT
        while not condition():
            self.assertLess(time.monotonic(), limit)
            time.sleep(0.01)

    def test_good(self):
        console = Console(takes=0.01)
        code, out = self.run_on(self.served(console).tcp(), 'run=vmx/*')
        self.assertEqual(code, 0, out)
        folder = self.scratch / 'results'
        rows = [json.loads(row) for row in open(folder / 'results.jsonl')]
        self.assertEqual([row['name'] for row in rows], ['vmx/hello', 'vmx/walk'])
        self.assertIn(b'shootdown> ', (folder / 'serial.log').read_bytes())
        self.assertTrue((folder / 'junit.xml').is_file())
        self.assertIn('PASS          vmx/hello', out)
        self.assertIn('Status 0', out.splitlines()[-1])
        self.until(lambda: not console.json)

    def test_single_bytes_and_a_cut(self):
        console = Console({'vmx/hello': 'cut'}, takes=0.01)
        console.single = True
        served = self.served(console)
        code, out = self.run_on(served.tcp())
        self.assertEqual(code, 0, out)
        self.assertEqual(served.connections, 2)
        self.assertIn('note: the line was cut in vmx/hello, which is run again', out)

    def test_wedge_and_power(self):
        """A silent second, then the power command, then all but the wedge has run."""
        flag = self.scratch / 'power'
        console = Console({'vmx/hello': 'hang'}, takes=0.01, boots=0.2)
        code, out = self.run_on(self.served(console, power=flag).tcp(), '--heartbeat', '1',
                                '--power-cycle', f"sleep 0.1; touch '{flag}'")
        self.assertEqual(code, status.TIMEOUT, out)
        self.assertEqual(console.cycles, 1)
        self.assertRegex(out, r'vmx/hello +CRASH')
        self.assertRegex(out, r'vmx/walk +PASS')

    def test_dump_with_names(self):
        console = Console({'vmx/hello': 'bail'}, takes=0.01, boots=0.1)
        code, out = self.run_on(self.served(console).tcp())
        self.assertEqual(code, 3, out)
        self.assertIn('# rip 0xffffffff80101234', out)
        self.assertIn(f'the names are those of {self.image}', out)

    def test_garbage(self):
        """A machine at another speed."""
        console = Console(at_prompt=False)
        console.garbage = True
        console.say(*['a line that the kernel says while it boots'] * 10)
        with self.assertRaisesRegex(Trouble, 'only garbage arrives'):
            self.run_on(self.served(console).tcp())

    def test_two_harnesses(self):
        """The second is refused, and told who the first is; then the first goes on."""
        where = self.served(Console({'vmx/hello': 'slow'})).tcp()
        first = self.start(where)
        self.until(lambda: portlock.holder(portlock.path(where, port.address(where))))
        with self.assertRaisesRegex(Trouble, f'is used by process {first.pid} .*serial'):
            self.run_on(where)
        with self.assertRaisesRegex(Trouble, f'process {first.pid}'):
            self.run_on(where.replace('127.0.0.1', 'localhost'))

    def test_ctrl_c(self):
        """The run stops, what came is kept, the machine is for people again."""
        console = Console({'vmx/hello': 'slow'}, takes=0.01)
        child = self.start(self.served(console).tcp())
        self.until(lambda: any(command.startswith('run') for command in console.commands))
        self.until(lambda: console.now > console.results[3][0])
        child.send_signal(signal.SIGINT)
        out = child.communicate(timeout=LIMIT)[0]
        self.assertEqual(child.returncode, status.INTERRUPTED, out)
        self.assertRegex(out, r'proto/unmap +gen-ipi +PASS')
        self.assertIn('interrupted; not run: vmx/hello, vmx/walk', out)
        self.assertEqual(console.commands[-1], 'json off')
        self.assertFalse(console.json)

    def test_ctrl_c_twice(self):
        """A machine that does not react is left as it is."""
        console = Console({'vmx/hello': 'hang'}, takes=0.01)
        child = self.start(self.served(console).tcp())
        self.until(lambda: any(command.startswith('run') for command in console.commands))
        child.send_signal(signal.SIGINT)
        self.until(lambda: 'once more' in child.stdout.readline())
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=LIMIT)
        self.assertEqual(child.returncode, status.INTERRUPTED)

    def test_device(self):
        """A pty, by pyserial, under lock; and a URL."""
        need_serial(self)
        where = self.served(Console(takes=0.01)).pty()
        self.assertEqual(self.run_on(where)[0], 0)
        self.assertFalse(portlock.path(where).exists())
        url = 'socket://' + self.served(Console(takes=0.01)).tcp()
        self.assertEqual(self.run_on(url)[0], 0)
        with portlock.locked(where), self.assertRaisesRegex(Trouble, f'{os.getpid()} '):
            self.run_on(where)

    def vanish(self, where, served, close):
        """The line goes for good in the fifth test: (status, what was printed)."""
        def pull():
            self.until(lambda: served.console.commands[-1:] == ['run'])
            self.until(lambda: served.console.now > served.console.results[3][0] + 0.2)
            served.ended.set()
            served.worker.join()
            close()
        puller = threading.Thread(target=pull, daemon=True)
        puller.start()
        waits, session.REOPEN_WAITS = session.REOPEN_WAITS, (0, 0.1)
        try:
            code, out = self.run_on(where)
        finally:
            session.REOPEN_WAITS = waits
        puller.join()
        self.assertEqual(code, status.CRASH, out)
        self.assertIn('CUT SHORT: the line is gone', out)
        self.assertIn('not run: vmx/hello, vmx/walk', out)
        self.assertRegex(out, r'proto/unmap +gen-ipi +PASS')

    def test_device_that_vanishes(self):
        """An adapter that is pulled out: what came is told, and why there is no more."""
        need_serial(self)
        served = self.served(Console({'vmx/hello': 'slow'}, takes=0.01))

        def close():
            os.close(served.listener)
            served.listener = os.open('/dev/null', os.O_RDONLY)
        self.vanish(served.pty(), served, close)

    def test_server_that_vanishes(self):
        served = self.served(Console({'vmx/hello': 'slow'}, takes=0.01))
        self.vanish(served.tcp(), served, lambda: served.listener.close())

    def test_no_line(self):
        for where, said in (('/dev/no-such-tty', 'there is no device'),
                            ('127.0.0.1:1', 'cannot open'), ('ttyS0', 'is no line'),
                            ('host:99999', 'is no line')):
            with self.assertRaisesRegex(Trouble, said):
                self.run_on(where)

    def test_power_command(self):
        self.assertIsNone(port.power('true'))
        self.assertEqual(port.power('echo no such outlet >&2; exit 3'),
                         'exit code 3: no such outlet')
        limit, port.POWER_LIMIT = port.POWER_LIMIT, 0.2
        try:
            self.assertIn('timed out', port.power('exec sleep 60'))
        finally:
            port.POWER_LIMIT = limit


class Lock(Case):
    def file(self, where='/dev/ttyS7'):
        return portlock.path(where, folder=self.scratch)

    def lock(self, where='/dev/ttyS7'):
        return portlock.locked(where, folder=self.scratch)

    def test_form(self):
        """As other programs read it: ten places and a newline."""
        with self.lock() as file:
            self.assertEqual(file.name, 'LCK..ttyS7')
            self.assertEqual(file.read_text(), f'{os.getpid():10}\n')
        self.assertFalse(file.exists())

    def test_taken(self):
        self.file().write_text(f'{os.getppid():10}\n')
        with self.assertRaisesRegex(Trouble, f'ttyS7 is used by process {os.getppid()}'):
            with self.lock():
                pass
        self.assertTrue(self.file().exists())

    def test_stale(self):
        child = subprocess.Popen(['true'])
        child.wait()
        self.file().write_text(f'{child.pid:10}\n')
        with self.lock():
            self.assertEqual(portlock.holder(self.file()), os.getpid())

    def test_one_we_cannot_read(self):
        self.file().write_text('minicom\n')
        with self.assertRaisesRegex(Trouble, 'used by somebody: the lock is'):
            with self.lock():
                pass

    def test_names(self):
        name = Path('/dev/stdin')
        self.assertEqual(self.file(str(name)).name,
                         'LCK..' + os.path.basename(os.path.realpath(name)))
        for a, b in (('localhost:7001', '127.0.0.1:7001'), ('[::1]:7001', '[::1]:7001'),
                     ('rfc2217://localhost:7001?ign_set_control', '127.0.0.1:7001')):
            self.assertEqual(*(portlock.path(text, port.place(text), self.scratch)
                               for text in (a, b)))
