# SPDX-License-Identifier: BSD-2-Clause
"""grubnet - the two files of GRUB that firmware fetches, told where the rest is

GRUB takes the server from the answer that gave the client its address.  Beside another
DHCP server that is the wrong one: it waits there for normal.mod and stays in its rescue
shell.  So the first file itself has the server's address.
"""
import subprocess
import tempfile

import grub
from status import Trouble

SUBDIR = 'boot/grub'
# The folder, the image's format, its file, and what it needs to fetch the others.
CORES = (('i386-pc', 'i386-pc-pxe', 'core.0', ('pxe', 'tftp')),
         ('x86_64-efi', 'x86_64-efi', 'core.efi', ('efinet', 'tftp')))


def _mkimage(argv):
    try:
        done = subprocess.run(['grub-mkimage', *argv], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              errors='replace')
    except FileNotFoundError:
        raise Trouble('grub-mkimage is missing: apt-get install grub-common') from None
    if done.returncode:
        raise Trouble(f'grub-mkimage failed ({done.returncode}): {done.stdout}')


def point_at(server, root):
    """Make both files in the tree anew, for this server's address."""
    with tempfile.NamedTemporaryFile('w', prefix='grubnet.') as early:
        early.write(f'set root=(tftp,{server})\n'
                    f'set prefix=(tftp,{server})/{SUBDIR}\n')
        early.flush()
        for folder, form, file, modules in CORES:
            _mkimage(['-d', str(grub.platform(folder)), '-O', form, '-p', f'/{SUBDIR}',
                      '-c', early.name, '-o', str(root / SUBDIR / folder / file),
                      *modules])
