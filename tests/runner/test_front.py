# SPDX-License-Identifier: BSD-2-Clause
"""The shell front, with a PATH on which almost nothing is found.

apt-get, sudo and id are scripts that write down how they were called; what apt-get
is told to install then exists.  python3 is a script that prints its arguments.
"""
import os
import shutil
import subprocess

import fakes
from fakes import Case

TOOLS = ('dirname', 'readlink', 'grep', 'env', 'cat', 'cp', 'sh')
# For each package, the command that the front looks for.
GIVES = {'make': 'make', 'gcc': 'gcc', 'binutils': 'ld', 'python3': 'python3',
         'patch': 'patch',
         'bochs': 'bochs', 'qemu-system-x86': 'qemu-system-x86_64', 'clang': 'clang',
         'grub-common': 'grub-mkrescue', 'xorriso': 'xorriso', 'mtools': 'mformat',
         'clang-format': 'clang-format'}
APT_GET = '''#!/bin/sh
echo "apt-get $*" >> "$FAKE/calls"
echo "$DEBIAN_FRONTEND" >> "$FAKE/frontend"
[ ! -e "$FAKE/broken" ] || exit 100
for word; do
    if [ -e "$FAKE/gives/$word" ]; then
        read -r command < "$FAKE/gives/$word"
        cp "$FAKE/stub" "$FAKE/bin/$command"
    fi
done
'''
SUDO = '#!/bin/sh\necho sudo >> "$FAKE/calls"\nexec "$@"\n'
STUB = '#!/bin/sh\necho "${0##*/}" "$@"\n'


class Front(Case):
    shell = 'dash'

    def setUp(self):
        super().setUp()
        self.bin = self.scratch / 'bin'
        self.bin.mkdir()
        (self.scratch / 'gives').mkdir()
        for package, command in GIVES.items():
            (self.scratch / 'gives' / package).write_text(command + '\n')
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool))
        self.script('apt-get', APT_GET)
        self.script('id', '#!/bin/sh\necho 0\n')
        stub = self.scratch / 'stub'
        stub.write_text(STUB)
        stub.chmod(0o755)

    def script(self, name, text):
        path = self.bin / name
        path.write_text(text)
        path.chmod(0o755)

    def install(self, *packages):
        for package in packages:
            self.script(GIVES[package], STUB)

    def front(self, *words, **env):
        env = {'PATH': str(self.bin), 'FAKE': str(self.scratch), **env}
        shell = shutil.which(self.shell) or '/bin/sh'
        return subprocess.run([shell, fakes.ROOT / 'shootdown', *words], env=env,
                              capture_output=True, text=True, timeout=20)

    def calls(self):
        path = self.scratch / 'calls'
        return path.read_text().splitlines() if path.exists() else []

    def test_installs_what_is_missing_and_goes_on(self):
        self.install('gcc')
        done = self.front('run', '--on', 'bochs', 'run=a b')
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('installing from the distribution\'s packages: make binutils',
                      done.stderr)
        update, install = self.calls()
        self.assertEqual(update, 'apt-get -q update')
        self.assertRegex(install, 'install --no-install-recommends '
                                  'make binutils python3 patch bochs$')
        frontend = (self.scratch / 'frontend').read_text()
        self.assertEqual(frontend, 'noninteractive\n' * 2)
        tool = fakes.TOOLS / 'run.py'
        self.assertEqual(done.stdout, f'python3 {tool} --on bochs run=a b\n')

    def test_second_call_installs_nothing(self):
        self.front('run', '--on', 'tcg')
        before = self.calls()
        self.assertEqual(self.front('run', '--on', 'tcg').returncode, 0)
        self.assertEqual(self.calls(), before)

    def test_no_install(self):
        for words in (['--no-install', 'run', '--on', 'tcg'],
                      ['run', '--no-install', '--on', 'tcg'],
                      ['run', '--on', '--no-install', 'tcg'],
                      ['run', '--on=tcg', '--no-install']):
            done = self.front(*words)
            self.assertEqual(done.returncode, 2)
            self.assertIn('apt-get install --no-install-recommends make gcc binutils '
                          'python3 patch qemu-system-x86', done.stderr)
        self.assertEqual(self.front('list', SHOOTDOWN_NO_INSTALL='1').returncode, 2)
        self.assertEqual(self.calls(), [])

    def test_no_install_with_nothing_missing(self):
        self.install(*GIVES)
        done = self.front('list', '--no-install')
        self.assertEqual(done.stdout, f'python3 {fakes.TOOLS / "catalog.py"}\n')

    def test_needs_of_each_command(self):
        for words, package, needed in ((['run', '--on=tcg'], 'bochs', False),
                                       (['run', '--on=bochs'], 'qemu', False),
                                       (['run', '--on', 'tcg'], 'xorriso', False),
                                       (['run', '--boot=grub'], 'xorriso', True),
                                       (['run', '--boot', 'grub'], 'mtools', True),
                                       (['run', '--boot', 'uefi'], 'xorriso', True),
                                       (['run', '--boot=usb'], 'xorriso', True),
                                       (['run', '--boot', 'pxe'], 'grub-common', True),
                                       (['run', '--boot', 'pxe'], 'xorriso', False),
                                       (['run', '--boot', 'pvh'], 'grub-common', False),
                                       (['image'], 'xorriso', True),
                                       (['image'], 'gcc', True),
                                       (['image'], 'qemu', False),
                                       (['run'], 'clang', False),
                                       (['run'], 'gnuplot-nox', False),
                                       (['bench'], 'gnuplot-nox', True),
                                       (['bench', '--on', 'tcg'], 'gnuplot-nox', True),
                                       (['bench', '--on', 'tcg'], 'bochs', False),
                                       (['bench'], 'bochs', True),
                                       (['test', '--only', 'x'], 'bochs', True),
                                       (['test'], 'clang-format', True),
                                       (['test'], 'qemu-system-x86', True),
                                       (['zoo'], 'bochs', True),
                                       (['zoo'], 'qemu', True),
                                       (['list'], 'bochs', False)):
            said = self.front('--no-install', *words).stderr
            self.assertEqual(package in said, needed, (words, package))

    def test_not_root(self):
        self.script('id', '#!/bin/sh\necho 1000\n')
        done = self.front('list')
        self.assertEqual(done.returncode, 2)
        self.assertIn('neither root nor sudo', done.stderr)
        self.script('sudo', SUDO)
        self.assertEqual(self.front('list').returncode, 0)
        self.assertEqual(self.calls()[:2], ['sudo', 'apt-get -q update'])
        self.assertIn('noninteractive', (self.scratch / 'frontend').read_text())

    def test_installation_fails(self):
        (self.scratch / 'broken').touch()
        done = self.front('list')
        self.assertEqual(done.returncode, 2)
        self.assertIn('could not install', done.stderr)

    def test_installation_that_does_not_bring_it(self):
        (self.scratch / 'gives' / 'gcc').unlink()
        done = self.front('list')
        self.assertEqual(done.returncode, 2)
        self.assertIn('still missing after the installation: gcc', done.stderr)

    def test_no_apt_get(self):
        (self.bin / 'apt-get').unlink()
        done = self.front('list')
        self.assertEqual(done.returncode, 2)
        self.assertIn('no apt-get', done.stderr)

    def test_help_needs_nothing(self):
        for words in (['help'], ['--help'], ['run', '--help'], ['test', '-h']):
            done = self.front(*words)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn('--no-install', done.stdout)
        self.assertEqual(self.calls(), [])

    def test_unknown_command_lists_all(self):
        done = self.front('nix')
        self.assertEqual(done.returncode, 2)
        for name in ('run', 'test', 'zoo', 'list', 'doctor', 'help'):
            self.assertIn(f'  {name} ', done.stderr)
        self.assertEqual(self.front().returncode, 2)

    def test_doctor_installs_nothing(self):
        done = self.front('doctor')
        self.assertEqual(done.returncode, 2)
        self.assertIn('run would install: make gcc', done.stdout)
        self.install('python3')
        said = self.front('doctor', '--json').stdout
        self.assertRegex(said, r'/doctor\.py --json --lacks run: make gcc.* bochs '
                               r'--lacks bench: make .* gnuplot-nox .*--lacks list: ')
        self.assertEqual(self.calls(), [])

    def test_from_elsewhere_and_by_a_link(self):
        self.install(*GIVES)
        link = self.scratch / 'link'
        link.symlink_to(fakes.ROOT / 'shootdown')
        done = subprocess.run([link, 'list'], cwd='/', capture_output=True, text=True,
                              env={**os.environ, 'PATH': str(self.bin)})
        self.assertEqual(done.stdout, f'python3 {fakes.TOOLS / "catalog.py"}\n')


class FrontInBash(Front):
    shell = 'bash'
