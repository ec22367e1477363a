# SPDX-License-Identifier: BSD-2-Clause
"""module - a guest of the user's own, as a module, by both loaders in Bochs

The guest is built here from nothing but the documented calls.  One that ends with
another status than 0 fails; one that is no ELF file is refused with a sentence.
"""
import subprocess
import tempfile
from pathlib import Path

from bench import Checks, Run

SAYS = 'hello from a module'
GUEST = '''
	.globl _start
_start:	lea text(%rip), %rdi
	mov $(end - text), %esi
	mov $1, %eax		# print
	vmcall
	mov ${status}, %edi
	mov $2, %eax		# exit
	vmcall
text:	.ascii "{says}"
end:
'''


def build(folder, status):
    source, obj, image = (folder / f'guest{status}.{end}' for end in ('s', 'o', 'elf'))
    source.write_text(GUEST.format(status=status, says=SAYS))
    subprocess.run(['as', '-o', obj, source], check=True)
    subprocess.run(['ld', '-Ttext=0x10000', '-o', image, obj], check=True)
    return image


def run(name, image, *words):
    return Run(name, '--on', 'bochs', '--cpus', 2, '--module', f'{image}:mine a=1',
               'guest=module:mine', 'run=vmx/module', *words)


def check_broken(checks, folder):
    good = build(folder, 0).read_bytes()
    broken = folder / 'broken'
    for what, content, says in (
            ('no ELF file', b'no ELF file', 'not an ELF file'),
            ('empty', b'', 'not an ELF file'),
            ('cut off in its header', good[:40], 'ends inside its ELF header'),
            ('cut off in its code', good[:0x1008], 'runs past the file')):
        broken.write_bytes(content)
        refused = run('module-direct', broken)
        checks.equal(refused.status, 1, f'a module that is {what}: status', refused)
        checks.check(says in refused.out, 'and says so', refused)


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix='module.') as scratch:
        folder = Path(scratch)
        for how in ('direct', 'grub'):
            good = run(f'module-{how}', build(folder, 0), '--boot', how)
            checks.equal(good.status, 0, f'{how}: status', good)
            checks.check(f'# guest 0: {SAYS}' in good.out,
                         f'{how}: what the guest prints is shown', good)
        bad = run('module-direct', build(folder, 9))
        checks.equal(bad.status, 1, 'a guest that ends with 9: status', bad)
        check_broken(checks, folder)
    checks.finish()


if __name__ == '__main__':
    main()
