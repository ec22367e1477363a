# SPDX-License-Identifier: BSD-2-Clause
"""ways - one image, every loader, in QEMU TCG: `ways.py [WORD]...`

Each way must end in the same results and the same end record, with as many CPUs, with
the longest command line that it can carry, whose last word decides what runs, and with
every byte of the modules that it can carry: the kernel sums them up after the other CPUs
have started through a page of low memory, where UEFI's GRUB puts modules.  What a loader
cannot do has to be said, never lost.  With WORDs only ways and checks of such names.
"""
import contextlib
import io
import re
import shutil
import subprocess
import sys
from unittest import mock

from bench import RESULTS, ROOT, Checks

sys.path.insert(0, str(ROOT / 'tools'))
import kernel  # noqa: E402
import process  # noqa: E402
import run as runner  # noqa: E402
import status  # noqa: E402
import tftp  # noqa: E402
import ways  # noqa: E402
from job import Job  # noqa: E402
from judge import Judge  # noqa: E402
from qemu import Tcg  # noqa: E402

CPUS = 4
LIMIT = 180                # seconds for one boot on a busy host
LINE = 4096
LAST = 'run=boot/*'
SIZES = {'a one=1 two': 1, 'b': 4096, 'c': 4097, 'd x': 60000, 'e': 100001, 'f': 300000}
MODULE = re.compile(r'^# module (\d+) at 0x[0-9a-f]+: (\d+) bytes, sum 0x([0-9a-f]+), '
                    r'"(?:[^" ]*/)?([^"]*)"$', re.M)


def line(length, last=LAST):
    """A command line of that many characters, whose last word is `last`."""
    words = 'exit=qemu'
    while len(words) + len(' seed=1 ') + len(last) <= length:
        words += ' seed=1'
    return words + ' ' * (length - len(words) - len(last)) + last


def fnv(data):
    total = 0x811c9dc5
    for byte in data:
        total = (total ^ byte) * 0x01000193 & 0xffffffff
    return total


class Boot:
    """One boot of the image, judged as a run is."""

    def __init__(self, name, way, cmdline, modules=(), elf=None, tcg=None, model=None,
                 ends=True):
        folder = RESULTS / f'ways-{name}'
        self.job = Job(elf or kernel.image('checked'), cmdline, folder, cpus=CPUS,
                       boot=way, modules=list(modules), model=model)
        self.judge, said = Judge(), io.StringIO()
        grace = process.GRACE if ends else 1.0     # one that waits for ever is not waited for
        with contextlib.redirect_stdout(said), mock.patch('process.GRACE', grace):
            self.status = runner.execute(tcg or Tcg(), self.job, LIMIT, judge=self.judge)
        self.out = said.getvalue()
        self.log = '\n'.join(self.judge.lines)

    def results(self):
        """What has to be the same, however it was booted."""
        tests = [(t['name'], t['verdict']) for t in self.judge.tests]
        return tests, self.judge.end

    def modules(self):
        return [(int(i), int(size), int(sum_, 16), name)
                for i, size, sum_, name in MODULE.findall(self.log)]


class ByTree(Tcg):
    """A TCG whose network has this folder, and whose card loads this file of it."""

    def __init__(self, tree, bootfile):
        self.tree, self.bootfile = tree, bootfile

    def prepare(self, job):
        argv, env = super().prepare(job)
        at = argv.index('-netdev')
        argv[at + 1] = f'user,id=net,tftp={self.tree},bootfile=/{self.bootfile}'
        return argv, env


def make_modules(folder):
    """[(path, string)] of the modules, and what the kernel has to say of them."""
    folder.mkdir(parents=True, exist_ok=True)
    made, said = [], []
    for i, (string, size) in enumerate(SIZES.items()):
        data = (bytes(range(i + 1, 252)) * (size // (251 - i) + 1))[:size]
        path = folder / f'file{i}'
        path.write_bytes(data)
        made.append((str(path), string))
        said.append((i, size, fnv(data), string))
    return made, said


def longest_by_ipxe(modules):
    for length in range(tftp.IPXE_STRINGS, 0, -1):
        with contextlib.suppress(status.Trouble):
            words = ' '.join(line(length).split())
            tftp.check_ipxe(words, modules)
            return words
    raise AssertionError('iPXE has no room for any words')


def carries(name, modules):
    """(command line, modules) that this way can just carry."""
    if name == 'pvh':
        return line(LINE - 1), []
    if name == 'ipxe':
        return longest_by_ipxe(modules), modules
    return line(LINE), modules


def check_way(checks, way, modules, said, want):
    """Boot by it; its results, for the others to be compared with."""
    cmdline, taken = carries(way.name, modules)
    boot = Boot(way.name, way.name, cmdline, taken)
    checks.equal(boot.status, status.PASS, f'{way.name}: status', boot)
    told = boot.judge.boot or {}
    checks.equal(told.get('loader'), way.loader, f'{way.name}: loader', boot)
    checks.equal(told.get('cpus'), CPUS, f'{way.name}: CPUs', boot)
    checks.equal(boot.modules(), said if taken else [], f'{way.name}: modules', boot)
    checks.equal(boot.results(), want or boot.results(),
                 f'{way.name}: the results and the end record of the others', boot)
    return want or boot.results()


def check_bare_ipxe(checks, want, *_):
    """iPXE boots the image itself as well, with no words: it runs all, then the shell."""
    tree = RESULTS / 'ways-tree'
    shutil.rmtree(tree, ignore_errors=True)
    tftp.make_tree(tree, kernel.image('checked'), '', [], ['ipxe'])
    boot = Boot('ipxe-elf', 'ipxe', '', tcg=ByTree(tree, tftp.KERNEL), model='max,-svm',
                ends=False)
    checks.equal((boot.judge.boot or {}).get('loader'), 'multiboot1', 'ipxe-elf: loader', boot)
    checks.equal((boot.judge.boot or {}).get('cpus'), CPUS, 'ipxe-elf: CPUs', boot)
    checks.check('the machine did not stop' in boot.out, 'ipxe-elf: does not end', boot)
    checks.check(boot.job.serial.read_text(errors='replace').endswith('shootdown> '),
                 'ipxe-elf: waits for a command', boot)
    host = [[t for t in tests if t[0].startswith('boot/') and t[0] != 'boot/ram_types']
            for tests in (boot.results()[0], want[0])]        # that one needs guests
    checks.equal(*host, 'ipxe-elf: the results of the others', boot)


def check_missing(checks, _, modules, *__):
    """A file that the server has not: the loader says so, and the run ends."""
    tree = RESULTS / 'ways-tree'
    for file, way, loader in (('boot/m1/b', 'pxe', 'bios'), (tftp.KERNEL, 'ipxe', 'ipxe'),
                              ('boot/m1/b', 'ipxe', 'ipxe')):
        shutil.rmtree(tree, ignore_errors=True)
        made = tftp.make_tree(tree, kernel.image('checked'), f'exit=qemu {LAST}', modules)
        (tree / file).unlink()
        boot = Boot('missing', way, '', tcg=ByTree(tree, made[loader]), ends=False)
        what = f'{way} without {file}'
        checks.equal(boot.status, status.CRASH, f'{what}: status', boot)
        checks.check('could not load the kernel or a module' in boot.out,
                     f'{what}: says so', boot)


def check_too_long(checks, *_):
    """One character more than 4096 is refused by the kernel, whoever hands it over."""
    pvh = RESULTS / 'ways-pvh.elf'
    for name, way, elf, length in (('direct', 'direct', None, LINE + 1),
                                   ('direct', 'direct', None, 20000),
                                   ('grub', 'grub', None, LINE + 1),
                                   ('pvh', 'direct', pvh, LINE + 1)):
        boot = Boot('long', way, line(length), elf=elf)
        what = f'{name} with {length} characters'
        checks.equal(boot.status, status.USAGE, f'{what}: status', boot)
        checks.check('longer than 4096 bytes' in boot.out, f'{what}: says so', boot)
    # QEMU copies it over its own tables.
    boot = Boot('long', 'direct', line(9000), elf=pvh, ends=False)
    checks.equal(boot.status, status.CRASH, 'pvh with 9000 characters: status', boot)
    checks.check('boot information' in boot.out, 'pvh with 9000 characters: says so', boot)


def check_cut_by_ipxe(checks, *_):
    """A script that others wrote: iPXE cuts its line, and the kernel notices."""
    tree = RESULTS / 'ways-tree'
    shutil.rmtree(tree, ignore_errors=True)
    made = tftp.make_tree(tree, kernel.image('checked'), 'exit=qemu', [], ['ipxe'])
    script = tree / made['ipxe']
    longer = 'exit=qemu' + ' seed=1' * 80
    script.write_text(script.read_text().replace('exit=qemu', longer))
    boot = Boot('cut', 'ipxe', '', tcg=ByTree(tree, made['ipxe']), ends=False)
    checks.equal(boot.status, status.CRASH, 'a line that iPXE cuts: status', boot)
    checks.check('iPXE has cut' in boot.out, 'a line that iPXE cuts: says so', boot)


def check_nameless(checks, _, modules, said):
    """PVH in QEMU: one module arrives, and its name does not."""
    pvh = RESULTS / 'ways-pvh.elf'
    boot = Boot('nameless', 'direct', f'exit=qemu {LAST}', [modules[4]], elf=pvh)
    checks.equal((boot.judge.boot or {}).get('loader'), 'pvh', 'pvh, a module: loader', boot)
    checks.equal([m[1:] for m in boot.modules()], [(*said[4][1:3], '')],
                 'pvh, a module: its bytes', boot)


def check_guest(checks, *_):
    """A user's guest as a module: whole, cut at each of three places, and not there.

    The whole one says hello and ends with a status of its own, so it fails as well.
    """
    whole = (ROOT / 'build/checked/guest/hello.guest').read_bytes()
    file = RESULTS / 'ways-guest.elf'
    words = 'exit=qemu guest=module:mine run=vmx/module'
    for size, says in ((len(whole), 'v->exit_code is 0x2a'), (3, 'is not an ELF file'),
                       (40, 'ends inside its ELF header'), (0x1050, 'runs past the file')):
        file.write_bytes(whole[:size])
        boot = Boot('guest', 'direct', words, [(str(file), 'mine')])
        checks.equal(boot.status, status.FAIL, f'{size} bytes of a guest: status', boot)
        checks.check(says in boot.log, f'{size} bytes of a guest: {says}', boot)
    boot = Boot('guest', 'direct', words, [(str(file), 'another')])
    checks.equal(boot.status, status.FAIL, 'a guest that is not there: status', boot)
    checks.check("there is no module 'module:mine'" in boot.log,
                 'a guest that is not there: says so', boot)


class AsDisk(Tcg):
    """A TCG with this file as its disk, by BIOS."""

    def __init__(self, file, *drive):
        self.file, self.drive = file, drive

    def prepare(self, job):
        argv, env = super().prepare(job)
        at = argv.index('-cdrom')
        argv[at:at + 4] = [word.format(self.file) for word in self.drive]
        return argv, env


def check_image(checks, want, *_):
    """What `shootdown image` writes, as a CD and as a disk."""
    file = RESULTS / 'ways.iso'
    made = subprocess.run([ROOT / 'shootdown', 'image', '--no-install', '--iso', file,
                           '--exit', 'qemu', LAST], stdout=subprocess.DEVNULL)
    checks.equal(made.returncode, 0, 'image: status')
    for name, way, drive in (
            ('CD, BIOS', 'grub', ('-cdrom', '{}', '-boot', 'd')),
            ('disk, BIOS', 'grub', ('-drive', 'file={},format=raw,snapshot=on')),
            ('disk, UEFI', 'uefi', ('-drive', 'file={},format=raw,snapshot=on'))):
        boot = Boot('image', way, '', tcg=AsDisk(file, *drive))
        checks.equal(boot.status, status.PASS, f'image, {name}: status', boot)
        checks.equal(boot.results(), want, f'image, {name}: the results', boot)


MORE = {'image': check_image, 'long': check_too_long, 'nameless': check_nameless,
        'guest': check_guest, 'cut': check_cut_by_ipxe, 'missing': check_missing,
        'bare': check_bare_ipxe}


def main(words):
    checks = Checks()
    kernel.make('checked')
    modules, said = make_modules(RESULTS / 'ways-modules')
    (RESULTS / 'ways-pvh.elf').write_bytes(ways.without_multiboot1(kernel.image('checked')))
    want = None
    for way in ways.WAYS.values():
        if way.name == 'direct' or not words or any(word in way.name for word in words):
            want = check_way(checks, way, modules, said, want)
    for name, check in MORE.items():
        if not words or name in words:
            check(checks, want, modules, said)
    checks.finish()


if __name__ == '__main__':
    main(sys.argv[1:])
