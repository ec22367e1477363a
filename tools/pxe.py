# SPDX-License-Identifier: BSD-2-Clause
"""pxe - boots real machines from this one over the network

Makes the folder that is served and the server's configuration, checks all that can be
checked before a machine is switched on, and serves until Ctrl-C.  Nothing stays behind:
the server is a child, and this machine's network is not changed.
"""
import grp
import os
import pwd
import shutil
from pathlib import Path

import catalog
import dhcpask
import dnsmasq
import flags
import grubnet
import headers
import kernel
import lan
import options
import status
import tftp
from report import say
from status import Trouble

# The flag, its value's name, its default, and what it means.
OPTIONS = (
    ('--iface', 'IF', None, 'the network interface towards the machines'),
    ('--dhcp', None, False, 'give addresses too: a network of its own'),
    ('--dry-run', None, False, 'make and check everything, serve nothing'),
    ('--tftp', 'DIR', None, 'the folder that is served (build/pxe/tftp)'),
    ('--no-ipxe', None, False, 'iPXE gets GRUB as well, not a script'),
    ('--exit', 'HOW', None, 'halt or reboot, how the kernel ends (in its shell)'),
    ('--build', 'BUILD', 'checked', 'checked or fast (checked)'),
    ('--elf', 'FILE', None, 'serve this kernel; nothing is built'),
    ('--module', 'FILE[:NAME ARGS]', [], 'a file for guest=module:NAME; repeatable'),
    ('--verbose', None, False, "the server's whole log"),
)
CHOICES = {'--build': kernel.BUILDS, '--exit': ('halt', 'reboot', 'qemu', 'bochs')}
BLOCKS = 512 * 0xFFFF         # what TFTP can count without its options (RFC 1350)


def usage():
    return flags.usage('Options:', OPTIONS)


def parse(argv):
    parser = flags.Parser(usage(), 'shootdown pxe')
    flags.add(parser, OPTIONS, choices=CHOICES)
    parser.add_argument('selection', nargs='*')
    args = parser.read(argv)
    if not args.iface:
        parser.error('--iface is missing')
    args.modules = [options.module(text) for text in args.module]
    return args


def _check_elf(elf):
    """Loaders look for the headers themselves, on a screen that nobody may watch."""
    try:
        image = elf.read_bytes()
        headers.check_mb1(image)
        headers.check_mb2(image)
    except OSError as error:
        raise Trouble(f'cannot read the kernel: {error}') from None
    except SystemExit as bad:
        raise Trouble(f'{elf} cannot be booted: {bad}') from None


def _clear(root):
    """The folder is new, or holds nothing but an earlier tree, which goes."""
    others = sorted({path.name for path in root.iterdir()} - {'boot', tftp.SCRIPT})
    if others:
        raise Trouble(f'{root} holds something else, {others[0]}: it stays as it is; '
                      'give --tftp another folder')
    shutil.rmtree(root / 'boot', ignore_errors=True)
    (root / tftp.SCRIPT).unlink(missing_ok=True)


def _check_tree(root, files):
    """Every file is there and can be sent; prints what there is."""
    modules = sorted((root / 'boot').glob('m[0-9]*/*'))
    for path in [root / name for name in (*files.values(), 'boot/grub/grub.cfg',
                                          tftp.KERNEL)] + modules:
        if not path.is_file() or not path.stat().st_size:
            raise Trouble(f'{path} is missing or empty')
        size = path.stat().st_size
        if size > BLOCKS:
            raise Trouble(f'{path} has {size} bytes; a plain TFTP client counts up to '
                          f'{BLOCKS}')
        say(f'  {str(path.relative_to(root)):32} {size:9}')


def server_user(root):
    """(user, group) that the server runs as: nobody, if nobody can get at the files.

    A home folder is often closed to others; then it is the owner of the files.
    """
    closed = [path for path in (root, *root.parents) if not path.stat().st_mode & 1]
    try:
        user = pwd.getpwuid(root.stat().st_uid) if closed else pwd.getpwnam('nobody')
        return user.pw_name, grp.getgrgid(user.pw_gid).gr_name
    except KeyError:
        raise Trouble(f'{root}: its owner, or nobody, is unknown here') from None


def make(args, root, elf, face):
    """Tree and configuration, both checked; the path of the latter."""
    root.mkdir(parents=True, exist_ok=True)
    words = catalog.line(elf, args.exit, args.selection)
    _clear(root)
    files = tftp.make_tree(root, elf, words, args.modules,
                           ('bios', 'uefi') + ('ipxe',) * (not args.no_ipxe))
    grubnet.point_at(face.own, root)
    say(f'serving: {root}, kernel words: {words or "none"}')
    _check_tree(root, files)
    path = root.with_name(f'{root.name}.dnsmasq.conf')
    leases = root.with_name(f'{root.name}.leases') if args.dhcp else None
    path.write_text(dnsmasq.config(face, root, server_user(root), files, leases))
    dnsmasq.check(path)
    say(f'configuration: {path}')
    return path


def _say_face(args, face):
    """Where it serves, and how."""
    say(f'interface: {face.name}, {face.address}')
    if not face.carrier:
        say(f'  note: {face.name} has no carrier: no cable, or the other end is off')
    for note in lan.check_ports(face.name):
        say(f'  note: {note}')
    if args.dhcp:
        say('addresses: {} to {}, for an hour each'.format(*face.lease_range()))
    else:
        say("addresses: from the network's own DHCP server")


def _ask_others(args, face):
    """Two DHCP servers fight over a network, and beside none a proxy is no use."""
    if os.geteuid():
        say('  note: only root can ask whether another DHCP server is there')
        return
    other = dhcpask.server_on(face.name)
    if args.dhcp and other:
        raise Trouble(f'{other} gives addresses on {face.name} already: without --dhcp '
                      'it works beside that')
    if other:
        say(f'DHCP server: {other}')
    elif not args.dhcp:
        say(f'  note: no DHCP server answers on {face.name}; without one nothing boots '
            'but with --dhcp')


def serve(root, path, verbose):
    """Until Ctrl-C, which is the good end."""
    digest, tail = dnsmasq.Digest(root), []

    def show(line):
        tail[:] = tail[-4:] + [line]
        text = line if verbose else digest.feed(line)
        if text:
            say(text)

    say('ready: switch the machines on; Ctrl-C ends')
    try:
        code = dnsmasq.serve(path, show)
    except KeyboardInterrupt:
        say('ended')
        return status.PASS
    raise Trouble('\n'.join([f'dnsmasq ended by itself ({code}):', *tail]))


def main(argv):
    args = parse(argv)
    face = lan.interface(args.iface)
    if not args.dry_run and os.geteuid():
        raise Trouble('ports 67 and 69 are for root: sudo ./shootdown pxe ...; '
                      '--dry-run checks all else without')
    _say_face(args, face)
    elf = Path(args.elf).absolute() if args.elf else kernel.make(args.build)
    _check_elf(elf)
    root = lan.valid_path(Path(args.tftp or kernel.ROOT / 'build/pxe/tftp').absolute())
    busy = f'another `shootdown pxe` serves from {root}; see --tftp'
    try:
        with kernel.locked(root.with_name(f'{root.name}.lock'), busy):
            path = make(args, root, elf, face)
            _ask_others(args, face)
            if not args.dry_run:
                return serve(root, path, args.verbose)
    except OSError as error:
        raise Trouble(f'{error}; if another user made it, try as that one') from None
    say('dry run: all of this is good; nothing is served')
    return status.PASS


if __name__ == '__main__':
    status.finish(main)
