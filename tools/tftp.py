#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""tftp - a folder from which machines boot the kernel over the network

    tftp.py FOLDER ELF [--cmdline STR] [--module PATH[:NAME ARGS]]...

    boot/grub/i386-pc/core.0         what DHCP names to a PC's BIOS
    boot/grub/x86_64-efi/core.efi    what it names to a UEFI
    boot/grub/grub.cfg               both read this
    boot.ipxe                        what it names to iPXE, or what iPXE chains to
    boot/shootdown.elf               the kernel; iPXE boots it by itself as well
    boot/m0/NAME, boot/m1/NAME       the modules

No file names the server: whoever has loaded the first one knows it.
"""
import argparse
import os
import re
import shutil
import subprocess
from pathlib import Path

import grub
import status
from status import Trouble

KERNEL = 'boot/shootdown.elf'
SCRIPT = 'boot.ipxe'
# What a client is told to load, and what it is made from.
BOOTFILE = {'bios': 'boot/grub/i386-pc/core.0', 'uefi': 'boot/grub/x86_64-efi/core.efi',
            'ipxe': SCRIPT}
PLATFORM = {'bios': 'i386-pc', 'uefi': 'x86_64-efi'}
LOADERS = tuple(BOOTFILE)

# iPXE keeps all strings, each behind its file's address, in one buffer of 512 bytes and
# cuts without a word what does not fit; and it drops all modules after the eighth.
IPXE_STRINGS = 512
IPXE_MODULES = 8
IPXE_SERVER = len('tftp://255.255.255.255/')
FAILED = 'Bail out! iPXE could not load the kernel or a module.'
IPXE_WORD = re.compile(r'[A-Za-z0-9_./,:;=@%+*?~^!()\[\]{}<>-]+')
NAME = re.compile(r'[A-Za-z0-9_+-][A-Za-z0-9_.+-]*')


def _places(modules):
    """(path in the folder, arguments) of each module; its name is its file's."""
    for i, (_, string) in enumerate(modules):
        name, _, words = string.partition(' ')
        if not NAME.fullmatch(name):
            raise Trouble(f'the name of a module cannot be a file\'s here: {name!r}')
        yield f'boot/m{i}/{name}', words


def check_ipxe(cmdline, modules):
    """Trouble for what iPXE would cut, drop or change."""
    places = list(_places(modules))
    if len(places) > IPXE_MODULES:
        raise Trouble(f'iPXE hands over {IPXE_MODULES} modules, not {len(places)}')
    total = sum(IPXE_SERVER + len(path) + len(text) + 2
                for path, text in [(KERNEL, cmdline), *places])
    if total > IPXE_STRINGS:
        raise Trouble(f'iPXE has {IPXE_STRINGS} bytes for the command line and the '
                      f'strings of modules with their addresses, not {total}')
    for text in [cmdline, *(words for _, words in places)]:
        for word in text.split(' ') if text else ():
            if not IPXE_WORD.fullmatch(word):
                raise Trouble(f'iPXE cannot hand over {word!r}: {text!r}')


def _ipxe_script(cmdline, modules, uefi):
    """iPXE's own multiboot is of its BIOS build; its UEFI build goes on with GRUB."""
    check_ipxe(cmdline, modules)
    loads = [f'kernel {KERNEL} {cmdline}'.rstrip(),
             *(f'module {path} {words}'.rstrip() for path, words in _places(modules)),
             'boot']
    lines = ['#!ipxe', 'iseq ${platform} efi && goto uefi ||',
             *(f'{load} || goto failed' for load in loads), ':uefi',
             f'chain {BOOTFILE["uefi"]} || goto failed' if uefi else
             'echo iPXE by UEFI boots no multiboot kernel',
             ':failed', f'echo {FAILED}', 'exit 1']
    return '\n'.join(lines) + '\n'


def _mknetdir(folder, platform):
    command = ['grub-mknetdir', f'--net-directory={folder}', '--subdir=boot/grub',
               '-d', str(grub.platform(platform)), '--fonts=', '--themes=', '--locales=',
               f'--install-modules={grub.MODULES} {grub.VIDEO} net tftp']
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
                              stderr=subprocess.STDOUT, text=True, errors='replace')
    except FileNotFoundError:
        raise Trouble('grub-mknetdir is missing: apt-get install grub-common') from None
    if done.returncode or not (folder / 'boot/grub' / platform).is_dir():
        raise Trouble(f'grub-mknetdir failed ({done.returncode}):\n{done.stdout}')


def _copy(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        raise Trouble(f'cannot copy {source}: {error}') from None


def make_tree(folder, elf, cmdline, modules, loaders=LOADERS):
    """Fill `folder`, which is new or empty; {loader: its boot file's path in it}.

    modules: (path, "NAME ARGS") each.  loaders: which of LOADERS it is for; what one of
    them cannot hand over as it is is refused, with a sentence.
    """
    folder = Path(os.path.abspath(folder))
    grub.check_header(Path(elf).read_bytes())
    places = list(_places(modules))
    # All texts first: what is refused leaves no half of a folder.
    config = grub.script(cmdline, [(f'/{path}', string) for (path, _), (_, string)
                                   in zip(places, modules)], video=True)
    ipxe = _ipxe_script(cmdline, modules, 'uefi' in loaders) if 'ipxe' in loaders else None
    _copy(elf, folder / KERNEL)
    for (path, _), (source, _) in zip(places, modules):
        _copy(source, folder / path)
    for loader in set(loaders) & set(PLATFORM):
        _mknetdir(folder, PLATFORM[loader])
    (folder / 'boot/grub').mkdir(exist_ok=True)
    (folder / 'boot/grub/grub.cfg').write_text(config)
    if ipxe:
        (folder / SCRIPT).write_text(ipxe)
    return {loader: BOOTFILE[loader] for loader in loaders}


def main(argv):
    parser = argparse.ArgumentParser(description='Fills a folder to boot from by network.')
    parser.add_argument('folder', help='new, or empty')
    parser.add_argument('elf', help='the kernel')
    parser.add_argument('--cmdline', default='', help="the kernel's command line")
    parser.add_argument('--module', action='append', default=[],
                        metavar='PATH[:NAME ARGS]', help='a module; may be repeated')
    args = parser.parse_args(argv)
    parts = [text.partition(':') for text in args.module]
    modules = [(path, string or os.path.basename(path)) for path, _, string in parts]
    made = make_tree(args.folder, args.elf, args.cmdline, modules)
    for loader, file in made.items():
        print(f'{loader:5} {args.folder}/{file}')
    return status.PASS


if __name__ == '__main__':
    status.finish(main)
