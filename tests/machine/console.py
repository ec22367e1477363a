# SPDX-License-Identifier: BSD-2-Clause
"""console - the kernel's shell on its serial line, in QEMU TCG and in Bochs

`console.py [tcg|bochs]...`: every command for people and as records, completion and
history, lines that must not be run, garbage, Ctrl-C in the midst of a run and the same
test after it, a wedged wait, damaged bytes, and each way to the end of the machine.
"""
import json
import random
import re
import select
import socket
import sys
import time

from bench import RESULTS, ROOT, Checks, Run

sys.path.insert(0, str(ROOT / 'tools'))
import kernel                       # noqa: E402
import machine                      # noqa: E402
import terminal                     # noqa: E402
from job import Job                 # noqa: E402

PROMPT = rb'\nshootdown> '            # one that is shown again follows a CR
PATIENCE = 120                      # seconds, where a hang is meant
CPUS = 3
SCENARIO = b'proto/remap_write_4k proto=gen-smr iters=16'
LONG = b'proto/unmap_reuse_write_4k proto=gen-smr iters=1000000'
LISTED = rb'\n# cpu 2 apic[^>]*' + PROMPT    # by cpus, the last of three

SHORT, IDLE = 1 << 30, 8      # ticks of silence: less than a second; and seconds


class Gone(Exception):
    """The machine closed its line."""


class Shell:
    """A machine, and what its serial line has said since it was last asked."""

    def __init__(self, name, words, extra=()):
        self.name, self.said = name, b''
        chosen = machine.MACHINES[name]
        way = 'qemu' if name == 'tcg' else 'bochs'
        self.job = Job(kernel.image('checked'), words.replace('exit=*', f'exit={way}'),
                       RESULTS / f'console-{name}', CPUS)
        self.job.results.mkdir(parents=True, exist_ok=True)
        self.line = terminal.Line(_with(chosen, extra), self.job)
        self.line.socket.setblocking(False)
        self.log = open(self.job.serial, 'wb')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.line.close()
        self.log.close()

    def listen(self, data=b'', seconds=1):
        """Listen, and send what of `data` the machine takes; what is left."""
        mine = self.line.socket
        ready = select.select([mine], [mine] if data else [], [], seconds)
        readable, writable, _ = ready
        if readable:
            try:
                heard = mine.recv(1 << 16)
            except ConnectionError:
                heard = b''
            if not heard:
                raise Gone(self.said[-2000:])
            self.log.write(heard)
            self.said += heard
        return data[mine.send(data[:256]):] if writable else data

    def until(self, pattern, data=b'', seconds=PATIENCE):
        """Send `data`; what is said up to the end of `pattern`."""
        deadline = time.monotonic() + seconds
        while data or not (found := re.search(pattern, self.said)):
            data = self.listen(data)
            if time.monotonic() > deadline:
                raise Gone(b'nothing more comes: ' + self.said[-2000:])
        text, self.said = self.said[:found.end()], self.said[found.end():]
        return text

    def do(self, text, end=b'\r'):
        """The lines that a command prints up to the next prompt."""
        out = self.until(PROMPT, text + end)
        lines = out.replace(b'\r', b'').decode(errors='replace').split('\n')
        self.echo = lines[0]
        return lines[1:-1]

    def records(self, text):
        """The same in JSON mode: (records, other lines)."""
        lines = self.do(text)
        return ([json.loads(line[1:]) for line in lines if line.startswith('@')],
                [line for line in lines if not line.startswith('@')])

    def ended(self):
        """The exit code; None if the machine goes on."""
        deadline = time.monotonic() + PATIENCE
        try:
            while time.monotonic() < deadline:
                self.listen()
        except Gone:
            pass
        return self.line.ended(5)


def _with(chosen, extra):
    """The machine with more words on the emulator's command line."""
    class With(type(chosen)):
        def prepare(self, job):
            argv, env = super().prepare(job)
            return argv + list(extra), env
    return With()


def has(lines, text):
    return any(text in line for line in lines)


PEOPLE = (
    (b'help', 'resets the machine'), (b'help run', 'runs tests'),
    (b'help nix', 'no such command'), (b'list', 'gen-smr'), (b'list vmx/hell?', 'vmx/hello'),
    (b'list nix', 'nothing has such a name'), (b'caps', 'largest leaf'),
    (b'cpus', '# cpu 2 apic 0x2 idle'), (b'set', 'iters    -'), (b'set iters 16', None),
    (b'set', 'iters    16'), (b'set iters x', 'bad value: iters=x'),
    (b'set iters', 'takes a key and a value'), (b'set pool 20', 'only the boot'),
    (b'seed 7', None), (b'set', 'seed     7'), (b'seed', 'takes a number'),
    (b'run vmx/hello', '"seed":7,'), (b'run vmx/hello seed=9', '"seed":9,'),
    (b'run vmx/hello', '"seed":7,'), (b'trace', '# trace cpu 0'),
    (b'run nix', '# command line: nothing matches run=nix'),
    (b'run vmx/hello nix=1', '# command line: unknown option: nix=1'),
    (b'run "', '# command line: a quote'), (b'nix', 'there is no command nix'),
    (b'repeat 3 run vmx/hello', '# repeat: 3 of 3, 0 failed'),
    (b'repeat 0 run', 'a number and a command'), (b'repeat 2 repeat 2 cpus', 'itself'),
    (b'repeat 2 run selftest/fail', '# repeat: 2 of 2, 2 failed'),
    (b'run boot/cpus cpus=2', '"cpus":2,'), (b'cpus', '# cpu 2 '),
    (b'json', 'on or off'), (b'', None), (b'   ', None),
)


def check_people(checks, sh):
    for text, want in PEOPLE:
        lines = sh.do(text)
        good = has(lines, want) if want else lines == []
        checks.check(good, f'{sh.name}: {text.decode()!r}: ' + (want or 'says nothing'))
        if not good:
            print('\n'.join(lines[-20:]))


def check_keys(checks, sh):
    """What comes of keys is told by what the shell then does."""
    for text, what in ((b'he\t run', 'completes a command'),
                       (b'help xun\x02\x02\x02\x04r', 'edits'),
                       (b'\x10', 'the line before'), (b'nix\x15help run', '^U'),
                       (b'\033[Zhelp run\033[99~\033', 'odd sequences')):
        checks.check(has(sh.do(text), 'runs tests'), f'{sh.name}: keys: {what}')
    for text, test in ((b'run vmx/hello_\t', 'vmx/hello_all'),
                       (b'run run=vmx/real\t', 'vmx/real_mode'),
                       (b'repeat 1 run vmx/real\t', 'vmx/real_mode'),
                       (b'run vmx/cpuid it\t3', 'vmx/cpuid')):
        lines = sh.do(text)
        checks.check(has(lines, f'ok 1 {test}'), f'{sh.name}: completes {test}')
    listed = sh.until(rb'vmx/hello_all +vmx/hello ', b'run vmx/hello\t\t')
    checks.check(b'vmx/halt' not in listed, f'{sh.name}: two tabs list what fits')
    sh.until(rb'\^C\r' + PROMPT, b'\x03')
    sh.until(PROMPT, b'help\r\n')
    time.sleep(0.2)
    checks.equal(sh.until(rb'', b''), b'', f'{sh.name}: CR LF is one end')


JSON = ((b'help', 'help'), (b'help cpus', 'help'), (b'list', 'list'), (b'list vmx/*', 'list'),
        (b'caps', 'caps'), (b'cpus', 'cpus'), (b'trace', 'trace'), (b'set', 'set'))
DONE = ((b'set iters 20', True), (b'seed 5', True), (b'json on', True), (b'nix"\\', False),
        (b'set iters "', False), (b'run nix="', False), (b'list nix', False),
        (b'repeat 2 cpus', True), (b'help nix', False), (b'json', False),
        (b'x' * 4097, False), (b'run \xff\x00\x80', False))


def check_done(checks, sh, text, records, ok):
    """The last record; its number is one more than that of the command before."""
    done = records[-1] if records else {}
    name = text.decode('ascii', 'replace')[:30]
    good = (done.get('type') == 'done' and done.get('ok') is ok
            and ('error' in done) == (not ok) and done.get('n') == sh.number + 1)
    sh.number += 1
    checks.check(good, f'{sh.name}: json: {name!r}: {"is" if ok else "is not"} done')
    if not good:
        print(f'    {records[-1:]}')
    return done


def check_json(checks, sh):
    records, other = sh.records(b'json on')
    sh.number = records[-1]['n'] - 1
    check_done(checks, sh, b'json on', records, True)
    for text, of in JSON:
        records, other = sh.records(text)
        check_done(checks, sh, text, records, True)
        items = [r for r in records if r['type'] == 'item' and r['of'] == of]
        checks.check(len(items) == len(records) - 1 > 0 and not other and not sh.echo,
                     f'{sh.name}: json: {text.decode()}: {len(items)} items, no echo')
    for text, ok in DONE:
        check_done(checks, sh, text, sh.records(text)[0], ok)
    checks.equal(sh.said, b'', f'{sh.name}: json: and no more')


def check_run(checks, sh, text, verdict='PASS'):
    records, _ = sh.records(b'run ' + text)
    kinds = [r['type'] for r in records if r['type'] != 'beat']
    checks.equal(kinds, ['run', 'test', 'end', 'done'], f'{sh.name}: a run, in records')
    test = next(r for r in records if r['type'] == 'test')
    checks.equal(test['verdict'], verdict, f'{sh.name}: {text.decode()}: {test["why"]}')
    check_done(checks, sh, b'run', records, True)
    return records


def check_stop(checks, sh):
    """In the midst of a run, by Ctrl-C; the machine is as before."""
    check_run(checks, sh, SCENARIO)
    for i, text in enumerate((LONG, b'proto/soak secs=1000', LONG + b' cpus=2')):
        sh.until(rb'"type":"run"', b'run ' + text + b'\r')
        beat = sh.until(rb'@\{"type":"beat","n":\d+,"test":"proto/[^\n]*\n' * (2 - i % 2))
        checks.check(b'proto/' in beat, f'{sh.name}: it beats')
        out = sh.until(PROMPT, b'\x03').decode()
        checks.check('"verdict":"SKIP"' in out and 'stopped from the console' in out,
                     f'{sh.name}: Ctrl-C stops {text.decode()}')
        checks.check('"stopped":true' in out and '"status":5' in out,
                     f'{sh.name}: and the end record says so')
        sh.number += 1
        records, _ = sh.records(b'cpus')
        check_done(checks, sh, b'cpus', records, True)
        checks.equal([r['state'] for r in records[:-1]], ['shell', 'idle', 'idle'],
                     f'{sh.name}: all CPUs are idle')
        check_run(checks, sh, SCENARIO)
    out = sh.until(PROMPT, b'run vmx/*\r\x03').decode()
    checks.check('"stopped":true' in out, f'{sh.name}: Ctrl-C right behind the command')
    sh.number += 1
    for text, some in ((b'run vmx/hello', rb'(?s)("type":"end".*?){3}'),
                       (b'cpus', rb'(?s)("cpu":1,.*?){3}')):
        sh.until(some, b'repeat 100000 ' + text + b'\r')
        out = sh.until(PROMPT, b'\x03').decode()
        checks.check('"command":"repeat","ok":true' in out,
                     f'{sh.name}: Ctrl-C stops repeat {text.decode()}')
        sh.number += 1
    check_run(checks, sh, SCENARIO)


def check_lines(checks, sh):
    """Long ones and binary ones; nothing is run, nothing is wedged."""
    sh.do(b'json off')
    glob = b'list ' + b'?' * 200
    long = b'run ' + b' '.join([b'nix='] * 1000)
    for text, want in (((b'cpus' + b' ' * 4092), '# cpu 0'), (b'cpus' + b' ' * 4093, 'more than'),
                       (glob, 'no such'), (b'list ' + b'x' * 4091, 'too long'),
                       (long[:4096], 'unknown option')):
        lines = sh.do(text)
        good = has(lines, want) or (text is glob and has(lines, 'such a name'))
        checks.check(good, f'{sh.name}: a line of {len(text)} bytes')
        if not good:
            print(lines[-5:])
    for c in range(256):
        if c not in b'\r\n\x03':          # each of those is a prompt by itself
            sh.until(PROMPT, b'\x15' + bytes([c]) + b'\x03')
    checks.check(has(sh.do(b'cpus'), '# cpu 0'), f'{sh.name}: every byte, one by one')
    sh.until(PROMPT, bytes(range(256)) * 4 + b'\x03')
    sh.until(LISTED, b'\x03cpus\r')
    checks.check(True, f'{sh.name}: every byte, in a row')
    garbage = random.Random(1).randbytes(100_000)
    sh.until(LISTED, garbage + b'\x03\rcpus\r')
    checks.check(True, f'{sh.name}: 100 KB of anything')
    check_still(checks, sh)


def check_still(checks, sh):
    lines = sh.do(b'run ' + SCENARIO)
    checks.check(has(lines, '"verdict":"PASS"'), f'{sh.name}: and a test passes after it')


def qmp(path, *commands):
    """Orders to QEMU itself."""
    with socket.socket(socket.AF_UNIX) as control:
        control.settimeout(PATIENCE)
        control.connect(str(path))
        stream = control.makefile('rw')
        stream.readline()
        for command in ({'execute': 'qmp_capabilities'}, *commands):
            stream.write(json.dumps(command) + '\n')
            stream.flush()
            while 'return' not in json.loads(stream.readline()):
                pass


def check_breaks(checks, sh):
    """A break is a framing error: the one kind of damage that QEMU can do."""
    order = {'execute': 'chardev-send-break', 'arguments': {'id': 'serial0'}}
    path = sh.job.scratch / 'qmp'
    qmp(path, order)
    checks.check(has(sh.do(b'cpus'), '# cpu 0'), 'tcg: a break before a line is no harm')
    sh.until(b'help', b'help')
    qmp(path, order)
    checks.check(has(sh.do(b''), 'bytes were lost'), 'tcg: one in a line refuses it')
    for _ in range(500):                # several at once look like one
        qmp(path, order)
        if b'115200 8N1?' in sh.said:
            break
        sh.listen(seconds=0.01)
    sh.until(rb'framing errors[^>]*> ')
    for _ in range(20):
        qmp(path, order)
    out = sh.until(LISTED, b'\x03cpus\r')
    checks.check(b'framing' not in out, 'tcg: many are told, once; and the line works')


def check_ends(checks, name):
    """Every way to the end, and what the exit code says of it."""
    chosen = machine.MACHINES[name]
    for run, status in ((b'run vmx/hello', 0), (b'run selftest/fail', 1),
                        (b'run nix', 2), (b'run selftest/inconclusive', 5)):
        with Shell(name, 'exit=* console') as sh:
            sh.until(PROMPT)
            out = sh.do(run)
            checks.check(has(out, f'"status":{status}'), f'{name}: {run.decode()}')
            sh.until(b'halt', b'halt\r')
            checks.equal(sh.ended(), chosen.exit_code(status), f'{name}: halt: {status}')
    with Shell(name, 'exit=* console') as sh:
        sh.until(PROMPT)
        sh.until(b'reboot', b'reboot\r')
        # Bochs' BIOS finds its keyboard in a state that it does not expect.
        checks.equal(sh.ended(), 0 if name == 'tcg' else 1, f'{name}: reboot')
    with Shell(name, 'exit=* console') as sh:
        sh.until(PROMPT)
        sh.until(rb'1\.\.1', b'run selftest/wait\r')
        sh.until(rb'', b'\x03')
        try:
            sh.until(rb'Bail out', seconds=7)
            checks.check(False, f'{name}: one Ctrl-C leaves a wedged wait alone')
        except Gone as gone:
            checks.check(b'nothing more' in gone.args[0],
                         f'{name}: one Ctrl-C leaves a wedged wait alone')
        out = sh.until(rb'Bail out![^\n]*', b'\x03')
        checks.check(b'selftest/wait waits' in out, f'{name}: the second one says where')
        checks.check(sh.ended() is not None, f'{name}: and ends the machine')


def check_boots(checks, name):
    """When there is a shell, and what is run before it."""
    for words, shell, want in (
            ('exit=* console run=vmx/hello', True, 'ok 1 vmx/hello'),
            ('run=vmx/hello', True, 'ok 1 vmx/hello'),
            ('exit=* run=vmx/hello', False, 'ok 1 vmx/hello'),
            ('nix=1', True, 'unknown option: nix=1'),
            ('exit=* nix=1', False, 'unknown option: nix=1'),
            ('exit=* console nix=1', True, 'unknown option: nix=1'),
            ('exit=* "', False, 'a quote'), ('"', True, 'a quote'),
            ('exit=* console=1', True, 'bad value: console=1')):
        with Shell(name, words) as sh:
            try:
                out = sh.until(PROMPT)
                checks.check(shell, f'{name}: {words}: a shell')
                checks.check(has(sh.do(b'run vmx/hello'), 'ok 1'), f'{name}: it works')
            except Gone:
                out = sh.said
                checks.check(not shell, f'{name}: {words}: no shell')
            checks.check(want.encode() in out, f'{name}: {words}: {want}')


def check_idle(checks, name):
    """Who thinks at the prompt for longer than a CPU may be silent has not hung."""
    with Shell(name, f'exit=* console wedge={SHORT}') as sh:
        sh.until(PROMPT)
        deadline = time.monotonic() + IDLE
        while time.monotonic() < deadline:
            sh.listen()
        checks.check(b'Bail out' not in sh.said, f'{name}: {IDLE} s at the prompt')
        checks.check(has(sh.do(b'run vmx/hello'), 'ok 1'), f'{name}: and it works')


def check_front(checks, name):
    """By ./shootdown console, with nothing to type."""
    for test, status in (('vmx/hello', 0), ('selftest/fail', 1)):
        run = Run(f'console-{name}', '--on', name, '--cpus', 2, f'run={test}',
                  command='console')
        checks.equal(run.status, status, f'{name}: shootdown console run={test}', run)
        checks.check('shootdown> halt' in run.out, f'{name}: ends by halt', run)


def check_machine(checks, name):
    extra = ('-qmp', 'unix:qmp,server=on,wait=off') if name == 'tcg' else ()
    with Shell(name, 'exit=* console', extra) as sh:
        checks.check(b'KTAP' not in sh.until(PROMPT), f'{name}: nothing is run first')
        check_people(checks, sh)
        check_keys(checks, sh)
        if name == 'tcg':
            check_breaks(checks, sh)
        check_json(checks, sh)
        check_stop(checks, sh)
        check_lines(checks, sh)
    if name == 'bochs':
        with Shell(name, 'exit=* console apic=x') as sh:
            checks.check(b'xAPIC' in sh.until(PROMPT), f'{name}: xAPIC')
            check_still(checks, sh)
    check_ends(checks, name)
    check_boots(checks, name)
    if name == 'tcg':
        check_idle(checks, name)
    check_front(checks, name)


def main(names):
    checks = Checks()
    kernel.make('checked')
    for name in names or ('tcg', 'bochs'):
        try:
            check_machine(checks, name)
        except Gone as gone:
            checks.check(False, f'{name}: {gone.args[0].decode(errors="replace")}')
    checks.finish()


if __name__ == '__main__':
    main(sys.argv[1:])
