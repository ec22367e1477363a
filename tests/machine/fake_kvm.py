# SPDX-License-Identifier: BSD-2-Clause
"""fake_kvm - the whole path of --on kvm, with QEMU TCG in the place of KVM

A host of tests/runner/hosts says that kvm can be used, and the QEMU that is found in
PATH is a script which starts the real one with `-accel tcg -cpu max` instead.  Choice,
command line, the binding of CPUs and the verdict are then those of kvm; the CPU has SVM,
so on a host that promised VMX the kernel has to be seen to disagree.  Nothing here says
that KVM itself works.
"""
import os
import shutil
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

from bench import ROOT, Checks, Run

sys.path[:0] = [str(ROOT / 'tools'), str(ROOT / 'tests' / 'runner')]
import machine                                                          # noqa: E402
import pin                                                              # noqa: E402
import run                                                              # noqa: E402
import status                                                           # noqa: E402
from recorded import Recorded                                           # noqa: E402

QEMU = 'qemu-system-x86_64'
WRAPPER = '''#!/bin/sh
# For every argument: put it at the end again, but for those of KVM.
for arg; do
	shift
	case $arg in
	kvm) arg=tcg,thread=multi ;;
	host,*) arg={model} ;;
	esac
	set -- "$@" "$arg"
done
echo $$ > {pid}
exec {qemu} "$@"
'''
TESTS = ('run=boot/*,vmx/hello,proto/remap_write_4k', 'proto=gen-smr', 'iters=60')


def front(host, words):
    """What ./shootdown run does, on that host; the words begin with "run"."""
    machine.MACHINES['kvm'].host = Recorded(host)
    sys.argv[1:] = [word for word in words[1:] if word != '--no-install']
    status.finish(run.main)


class Bound(threading.Thread):
    """Which CPUs of the host the threads of the process in a file are bound to."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.over, self.most = pid, threading.Event(), []
        self.start()

    def look(self):
        tasks = Path('/proc', self.pid.read_text().strip(), 'task').iterdir()
        sets = [os.sched_getaffinity(int(task.name)) for task in tasks]
        return sorted(next(iter(cpus)) for cpus in sets if len(cpus) == 1)

    def run(self):
        while not self.over.is_set():
            with suppress(OSError, ValueError):
                self.most = max(self.most, self.look(), key=len)
            time.sleep(0.05)

    def seen(self):
        self.over.set()
        self.join()
        return self.most


class Bench:
    """Runs on fake hosts, with a folder for the script that stands in for QEMU."""

    def __init__(self, folder):
        self.folder, self.real = folder, shutil.which(QEMU)
        os.environ['PATH'] = f'{folder}:{os.environ["PATH"]}'

    def run(self, host, *words, model='max'):
        """(the run, the host's CPUs that threads of QEMU were bound to)."""
        pid, script = self.folder / 'pid', self.folder / QEMU
        pid.unlink(missing_ok=True)
        script.write_text(WRAPPER.format(model=model, pid=pid, qemu=self.real))
        script.chmod(0o755)
        bound = Bound(pid)
        done = Run(f'kvm-{host}', '--timeout', 300, *words,
                   front=(sys.executable, __file__, '--front', host))
        return done, bound.seen()


def check_good(checks, bench):
    host_cpus = pin.order(pin.allowed())[0]
    cpus = min(2, len(host_cpus))
    done, bound = bench.run('amd-nested', '--cpus', cpus, *TESTS)
    checks.check(f'machine: kvm, {cpus} CPUs' in done.out, 'kvm is taken by itself', done)
    checks.equal(done.status, 0, 'as promised: status', done)
    checks.equal(done.boot().get('backend'), 'svm', 'as promised: backend', done)
    checks.check('\npinned: ' in done.out, 'and says that its CPUs are pinned', done)
    if cpus > 1:                  # else everything is bound to the only one
        checks.equal(bound, sorted(host_cpus[:cpus]), 'each CPU is bound to one', done)
    done, bound = bench.run('amd-nested', '--cpus', cpus, '--no-pin', *TESTS)
    checks.equal((done.status, bound), (0, []), '--no-pin: nothing is bound', done)
    many = len(host_cpus) + 1
    done, bound = bench.run('amd-nested', '--cpus', many, 'run=boot/cpus')
    checks.equal((done.status, bound), (0, []), 'too many CPUs: nothing is bound', done)
    checks.check(f'not pinned: {many} CPUs, but' in done.out, 'and says so', done)


def check_tcg(checks, bench):
    done, bound = bench.run('pvm', '--on', 'tcg', '--cpus', 1, '--pin', 'run=boot/*')
    checks.equal((done.status, bound), (0, pin.order(pin.allowed())[0][:1]),
                 'tcg --pin: its CPU is bound', done)


def check_doubt(checks, bench):
    words = ('--cpus', 2, 'run=boot/cpus,vmx/hello')
    for model, says in (('max', 'the kernel finds SVM instead'),
                        ('max,-svm', 'the kernel says: this CPU has no VMX')):
        done, _ = bench.run('intel-nested', *words, model=model)
        checks.equal(done.status, 5, f'promised VMX, has {model}: status', done)
        checks.check(says in done.out and 'try --on bochs' in done.out, 'and says so',
                     done)


def check_refused(checks, bench):
    done, _ = bench.run('intel-not-nested', '--on', 'kvm')
    checks.equal(done.status, 2, 'a host that does not nest: status', done)
    checks.check('modprobe kvm_intel nested=1' in done.out, 'and what mends it', done)
    done, _ = bench.run('amd-nested', '--on', 'kvm', '--cpus', 256)
    checks.equal(done.status, 2, '256 CPUs, which QEMU refuses: status', done)
    checks.check('kvm did not start.  QEMU says: ' in done.out, 'and quotes it', done)


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix='kvm.') as folder:
        bench = Bench(Path(folder))
        for check in (check_good, check_tcg, check_doubt, check_refused):
            check(checks, bench)
    checks.finish()


if __name__ == '__main__':
    if sys.argv[1:2] == ['--front']:
        front(sys.argv[2], sys.argv[3:])
    main()
