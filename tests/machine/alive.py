# SPDX-License-Identifier: BSD-2-Clause
"""alive - CPUs that hang, machines that break, crashes within crashes, and the end

Hidden selftests do each on purpose, in Bochs and in QEMU TCG.  A CPU that hangs is named
and the other tests go on; whatever crashes, `Bail out!` reaches the serial line once and
whole, and the machine ends by itself with the status of a crash.  Machine checks are
injected by QEMU's monitor.
"""
import os
import re
import socket
import sys
import time
from pathlib import Path

from bench import RESULTS, ROOT, Checks, Run

sys.path.insert(0, str(ROOT / 'tools'))
import kernel  # noqa: E402
import machine  # noqa: E402
import process  # noqa: E402
import status  # noqa: E402
from job import Job  # noqa: E402
from judge import Judge, decide  # noqa: E402

LIMIT = 120                   # seconds: nothing here takes as long
BOCHS_CRASH = 1               # what Bochs exits with after "Shutdown"
TICKS = {'bochs': 3000000, 'tcg': 6000000000}   # that a wedged CPU is waited for
OTHERS = ('proto/watchdog', 'vmx/hello')

# The lines of a dump.
DUMPED = r'# (r\w\w? |rflags |bt |trace cpu |machine check: |panic: |GS base)'

# The test, whose dump the log must have, and what else.
CRASHES = (
    ('panic_both', 'asked to, on', []),
    ('panic_print', 'asked to, on the other CPU', []),
    ('panic_nmi', 'asked to, under NMIs', []),
    ('panic_gs', '#UD', ['# GS base was 0xdead0000']),
    ('panic_rbp', '#UD', ['during the backtrace', '# trace cpu 0']),
    ('panic_end', 'asked to, twice', ['during ending the machine']),
    ('panic_df', '#DF', ['#DF double fault', 'during ending the machine']),
    ('panic_console', 'a crash, and the console crashes as well', None),
    ('panic_silent', 'asked to, with no console', []),
    ('mcheck', '#MC machine check', ['# machine check: CPU 0, status']),
    ('mcheck_guest', '#MC machine check in the guest, guest rip 0x80',
     ['# machine check: CPU 1, status']),
)

# The test; how its CPU is found; is it lost?  What names where it was.
WEDGES = (
    ('wedge_host', 'host', True, 'interrupts off'),
    ('wedge_print', 'host', True, 'interrupts off'),
    ('wedge_dead', 'dead', True, 'no answer to an NMI'),
    ('wedge_guest', 'guest', False, 'in the guest, no kick waits'),
    ('wedge_exit', 'host', True, 'guest rip 0x80'),
    ('wedge_reader', 'host', True, 'a kick waits in its APIC'),
)


class Direct:
    """A run below the front: how the machine ended by itself, and what it said."""

    def __init__(self, on, name, *words, cpus=3):
        elf = kernel.ROOT / 'build' / 'checked' / 'shootdown.elf'
        self.machine = machine.MACHINES[on]
        way = 'bochs' if on == 'bochs' else 'qemu'
        self.job = Job(elf, ' '.join((f'exit={way}', *words)), RESULTS / name, cpus)
        self.judge = Judge()

    def go(self):
        self.ending = machine.run(self.machine, self.job, LIMIT, self.judge.feed,
                                  self.judge.last_word)
        self.judge.close()
        self.status = decide(self.judge, self.ending, self.machine.exit_code)[0]
        return self

    @property
    def log(self):
        return '\n'.join(self.judge.lines)

    out = log                 # what Checks shows of it


def crash_code(on):
    return BOCHS_CRASH if on == 'bochs' else \
        machine.MACHINES[on].exit_code(status.CRASH)


def check_crash(checks, on, test, said, texts):
    run = Direct(on, f'alive-{on}', f'run=selftest/{test}').go()
    what = f'{on} {test}'
    checks.equal((run.ending.kind, run.ending.code), ('exited', crash_code(on)),
                 f'{what}: the machine ends by itself, as after a crash', run)
    checks.equal(run.status, status.CRASH, f'{what}: status', run)
    bails = [line for line in run.judge.lines if 'Bail out!' in line]
    checks.check(len(bails) == 1 and bails[0].startswith('Bail out!')
                 and said in bails[0], f'{what}: one Bail out!, with {said!r}', run)
    if texts is None:
        return
    strange = [line for line in run.judge.dump
               if line and not re.match(DUMPED, line)]
    checks.equal(strange, [], f'{what}: the dump is whole', run)
    for text in (*texts, '# rip 0x', '# rflags', '# r13', '# bt 0'):
        checks.check(text in run.log, f'{what}: says {text!r}', run)


def wedged(run):
    """The records of wedged CPUs, as the judge has them."""
    judge = Judge()
    judge.feed(run.serial)
    return judge.wedged


def check_wedge(checks, on, test, state, lost, said):
    run = Run(f'alive-{on}-{test}', '--on', on, '--cpus', 4, '--timeout', LIMIT,
              'proto=gen-smr', f'wedge={TICKS[on]}',
              f'run=selftest/{test},{",".join(OTHERS)}')
    what = f'{on} {test}'
    checks.equal(run.status, status.FAIL, f'{what}: status', run)
    verdict = {t['name']: t['verdict'] for t in run.tests}
    why = next((t['why'] for t in run.tests if t['name'] == f'selftest/{test}'), '')
    checks.equal(verdict, {f'selftest/{test}': 'FAIL',
                           **dict.fromkeys(OTHERS, 'PASS')},
                 f'{what}: it fails, and the others go on and pass', run)
    checks.check(why.startswith('CPU 1 ') and said in why,
                 f'{what}: the reason names CPU 1, and {said!r}', run)
    cpus = {t['cpus'] for t in run.tests if t['name'] in OTHERS}
    checks.equal(cpus, {3 if lost else 4}, f'{what}: on the CPUs that are left', run)
    records = [(w['cpu'], w['state'], w['parked']) for w in wedged(run)]
    checks.equal(records, [(1, state, lost)], f'{what}: one record', run)
    if state == 'host':
        checks.check('spin_deaf at' in run.out, f'{what}: the runner names the place',
                     run)


def check_too_few(checks):
    """With one AP, those that need it are skipped when it is gone."""
    run = Run('alive-few', '--on', 'bochs', '--cpus', 2, f'wedge={TICKS["bochs"]}',
              'run=selftest/wedge_host,proto/watchdog,boot/guards,vmx/hello')
    why = {t['name']: (t['verdict'], t['why']) for t in run.tests}
    checks.equal(why.get('proto/watchdog'),
                 ('SKIP', 'needs more CPUs than are left'), 'a SKIP says why', run)
    checks.equal(why.get('vmx/hello', [''])[0], 'PASS', 'CPU 0 alone goes on', run)


def check_bsp(checks, on):
    ticks = TICKS[on] // 2
    run = Run(f'alive-{on}-bsp', '--on', on, '--cpus', 2, '--timeout', LIMIT,
              f'wedge={ticks}', 'run=selftest/hang_off')
    checks.equal(run.status, status.CRASH, f'{on} hang_off: status', run)
    for text in ('Bail out! CPU 0: it hangs at', 'spin_deaf at'):
        checks.check(text in run.out, f'{on} hang_off: says {text!r}', run)


class Qemu(Direct):
    """QEMU with a monitor; whoever starts it has to kill it."""

    def __init__(self, name, *words, cpus=2, reboots=False, kind='q35'):
        super().__init__('tcg', name, *words, cpus=cpus)
        machine.clean(self.job)
        argv, env = self.machine.prepare(self.job)
        argv[argv.index('-monitor') + 1] = 'unix:monitor,server=on,wait=off'
        argv[argv.index('-M') + 1] = kind
        if reboots:
            argv.remove('-no-reboot')
        self.child = process.Process(argv, self.job.scratch, env)

    def text(self):
        return self.job.serial.read_text(errors='replace')

    def wait(self, text, times=1):
        """Until the log has it so often; False if it never does."""
        end = time.monotonic() + LIMIT
        while time.monotonic() < end and not self.child.ended():
            if self.text().count(text) >= times:
                return True
            time.sleep(process.POLL)
        return self.text().count(text) >= times

    def tell(self, command):
        """A line to the monitor, whose prompt comes first and after it."""
        folder = os.open(self.job.scratch, os.O_RDONLY)
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(LIMIT)
            # The path of a socket may have 107 bytes, and the folder's may have more.
            sock.connect(f'/proc/self/fd/{folder}/monitor')
            os.close(folder)
            said = sock.recv(4096)
            sock.sendall(command.encode() + b'\n')
            while said.count(b'(qemu)') < 2 and (more := sock.recv(4096)):
                said += more

    def end(self, by_force=False):
        """The exit code, if it ends by itself."""
        by_itself = not by_force and self.child.wait(LIMIT)
        code = self.child.kill()
        self.judge.feed(self.job.serial.read_bytes())
        self.judge.close()
        return code if by_itself else None


# CPU, bank, its status, MCG_STATUS, address, misc; and what the kernel makes of it.
MCE = ('1 9 0xbe00000000000092 0x5 0x1234000 0x8c',
       'CPU 1: #MC machine check at',
       ['bank 9: uncorrected, the CPU\'s state is lost: memory controller: read error, '
        'channel 2, address 0x1234000, misc 0x8c, status 0xbe00000000000092',
        'CPU 1, status 0x5: the program could go on at its RIP'])


def check_mcheck(checks):
    where, said, texts = MCE
    qemu = Qemu('alive-mce', 'run=selftest/mcheck_wait')
    checks.check(qemu.wait('# ready for a machine check'), 'mce: the kernel waits', qemu)
    qemu.tell(f'mce {where}')
    checks.equal(qemu.end(), crash_code('tcg'), 'mce: the machine ends', qemu)
    checks.check(said in (qemu.judge.bail or ''), f'mce: {said!r}', qemu)
    for text in texts:
        checks.check(text in qemu.log, f'mce: says {text!r}', qemu)


# QEMU's machines, and the first way of a reboot that each has.
REBOOTS = {
    'q35': 'the ACPI reset register', 'pc': 'port 0xcf9',
    'isapc': 'the keyboard controller', 'isapc,i8042=off': 'a triple fault',
}
REBOOT = ('run=boot/guards', 'exit=reboot')


def check_reboot_ways(checks):
    for kind, way in REBOOTS.items():
        qemu = Qemu('alive-reboot-way', *REBOOT, cpus=1, kind=kind)
        checks.equal(qemu.end(), 0, f'reboot: {kind} is reset', qemu)
        ways = re.findall('# reboot: by (.*)', qemu.log)
        checks.equal(ways[-1:], [way], f'reboot: {kind}: by {way}', qemu)


def check_halt(checks):
    qemu = Qemu('alive-halt', 'run=boot/guards', 'exit=halt', f'wedge={1 << 30}')
    checks.check(qemu.wait('@{"type":"end"'), 'halt: comes to its end', qemu)
    checks.check(not qemu.child.wait(8), 'halt: and waits', qemu)
    qemu.end(by_force=True)
    checks.check('Bail out!' not in qemu.log, 'halt: and nobody takes that for a hang', qemu)


def check_reboot(checks):
    """A reset of QEMU boots the kernel again, or ends QEMU: exit code 0, and no pass."""
    qemu = Qemu('alive-reboot', *REBOOT, reboots=True)
    checks.check(qemu.wait('# end: 1 tests, 1 passed', 3), 'reboot: boots again, twice',
                 qemu)
    qemu.end(by_force=True)
    run = Direct('tcg', 'alive-reboot-once', *REBOOT).go()
    checks.equal((run.ending.kind, run.ending.code), ('exited', 0),
                 'reboot: QEMU ends where it may not reboot', run)
    checks.equal(run.status, status.CRASH, 'reboot: and that is not believed', run)
    run = Direct('bochs', 'alive-reboot-bochs', *REBOOT).go()
    checks.check(run.log.endswith('# reboot: by port 0xcf9'),
                 'reboot: Bochs is reset by port 0xcf9, which ends it', run)


def main():
    checks = Checks()
    kernel.make('checked')
    for on in ('bochs', 'tcg'):
        for crash in CRASHES:
            check_crash(checks, on, *crash)
        for wedge in WEDGES:
            check_wedge(checks, on, *wedge)
        check_bsp(checks, on)
    check_too_few(checks)
    check_mcheck(checks)
    check_reboot(checks)
    check_reboot_ways(checks)
    check_halt(checks)
    checks.finish()


if __name__ == '__main__':
    main()
