# SPDX-License-Identifier: BSD-2-Clause
"""The boot server's configuration, its log for people, and what is refused."""
import ipaddress
import struct
import unittest

import dhcpask
import dnsmasq
import lan
import pxe
import tftp
from fakes import Case
from status import Trouble

ROOT = '/srv/tree'
LOG = '''dnsmasq-dhcp[1]: 77 available DHCP subnet: 10.77.0.0/255.255.255.0
dnsmasq-dhcp[1]: 77 vendor class: PXEClient:Arch:00000:UNDI:002001
dnsmasq-dhcp[1]: 77 user class: iPXE
dnsmasq-dhcp[1]: 77 PXE(net0) 52:54:00:12:34:56 proxy
dnsmasq-dhcp[1]: 77 vendor class: PXEClient:Arch:00000:UNDI:002001
dnsmasq-dhcp[1]: 77 user class: iPXE
dnsmasq-dhcp[1]: 77 PXE(net0) 52:54:00:12:34:56 proxy
dnsmasq-dhcp[1]: 78 vendor class: PXEClient:Arch:00007:UNDI:003000
dnsmasq-dhcp[1]: 78 DHCPDISCOVER(net0) 10.77.0.9 52:54:00:12:34:57
dnsmasq-dhcp[1]: 79 DHCPDISCOVER(net0) 52:54:00:12:34:58
dnsmasq-tftp[1]: error 8 User aborted the transfer received from 10.77.0.9
dnsmasq-tftp[1]: sent /srv/tree/boot/grub/x86_64-efi/core.efi to 10.77.0.9
dnsmasq-tftp[1]: sent /srv/tree/boot/grub/x86_64-efi/normal.mod to 10.77.0.9
dnsmasq-tftp[1]: file /srv/tree/boot/grub/grub.cfg-0A4D not found for 10.77.0.9
dnsmasq-tftp[1]: file /srv/tree/other not found for 10.77.0.9
dnsmasq-tftp[1]: failed sending /srv/tree/boot/shootdown.elf to 10.77.0.9
'''
SHOWN = ['52:54:00:12:34:56 asks: BIOS, iPXE', '52:54:00:12:34:57 asks: UEFI',
         '10.77.0.9 got boot/grub/x86_64-efi/core.efi',
         '10.77.0.9 asks for other, which is not there',
         '10.77.0.9 did not get boot/shootdown.elf']


def face(text):
    return lan.Interface('eth1', ipaddress.IPv4Interface(text), True)


def config(text='10.77.0.1/24', files=tftp.BOOTFILE, leases=None):
    return dnsmasq.config(face(text), ROOT, ('nobody', 'nogroup'), files,
                          leases).splitlines()


class Config(unittest.TestCase):
    def test_a_proxy_gives_no_address(self):
        lines = config()
        ranges = [line for line in lines if line.startswith('dhcp-range')]
        self.assertEqual(ranges, ['dhcp-range=10.77.0.0,proxy,255.255.255.0'])
        self.assertFalse([line for line in lines if line.startswith('dhcp-boot')])

    def test_each_architecture_has_its_file(self):
        lines = config()
        for line in ('pxe-service=tag:ipxe,0,"Shootdown",boot.ipxe',
                     'pxe-service=tag:!ipxe,0,"Shootdown",boot/grub/i386-pc/core.0',
                     'pxe-service=7,"Shootdown",boot/grub/x86_64-efi/core.efi',
                     'pxe-service=9,"Shootdown",boot/grub/x86_64-efi/core.efi'):
            self.assertIn(line, lines)

    def test_addresses_are_given_on_a_network_of_its_own(self):
        lines = config('10.77.0.1/24', leases='/tmp/leases')
        self.assertIn('dhcp-range=10.77.0.155,10.77.0.254,255.255.255.0,1h', lines)
        self.assertIn('dhcp-boot=tag:bios,tag:!ipxe,boot/grub/i386-pc/core.0', lines)
        self.assertFalse([line for line in lines if 'proxy' in line])

    def test_without_a_script_ipxe_is_as_all_others(self):
        files = {key: tftp.BOOTFILE[key] for key in ('bios', 'uefi')}
        for leases in (None, '/tmp/leases'):
            lines = config(files=files, leases=leases)
            self.assertFalse([line for line in lines if 'tag:ipxe' in line
                              or 'tag:!ipxe' in line or 'boot.ipxe' in line])
            self.assertTrue([line for line in lines if 'core.0' in line])

    def test_nobody_else_is_served(self):
        lines = config()
        for line in ('port=0', 'interface=eth1', 'bind-interfaces',
                     'except-interface=lo', 'user=nobody', 'pid-file='):
            self.assertIn(line, lines)

    def test_the_range_leaves_out_our_own_address(self):
        for text, first, last in (('10.0.0.1/24', 155, 254),
                                  ('10.0.0.254/24', 154, 253),
                                  ('10.0.0.200/24', 100, 199), ('10.0.0.1/29', 2, 6),
                                  ('10.0.0.6/29', 1, 5), ('10.0.0.3/29', 4, 6)):
            low, high = face(text).lease_range()
            self.assertEqual((int(low) & 255, int(high) & 255), (first, last), text)


class Log(unittest.TestCase):
    def test_who_asked_for_what(self):
        digest = dnsmasq.Digest(ROOT)
        shown = [digest.feed(line) for line in LOG.splitlines()]
        self.assertEqual([line for line in shown if line], SHOWN)


class Ask(unittest.TestCase):
    """What a server answers is made from what is asked."""

    def answer(self, xid=7, op=2, yours=b'\x0a\x4d\0\x09', ports=(67, 68)):
        packet = bytearray(dhcpask.discover(bytes(6), xid))
        packet[12:16] = b'\x0a\x4d\0\x01'
        packet[20:24] = struct.pack('!HH', *ports)
        packet[28], packet[44:48] = op, yours
        return bytes(packet)

    def test_an_offer_names_its_server(self):
        self.assertEqual(dhcpask.offer_from(self.answer(), 7), '10.77.0.1')

    def test_what_is_no_offer_to_us(self):
        good = self.answer()
        for packet in (self.answer(xid=8), self.answer(op=1),
                       self.answer(yours=bytes(4)), self.answer(ports=(68, 67)),
                       dhcpask.discover(bytes(6), 7), good[:9] + b'\x06' + good[10:],
                       b'\x65' + good[1:],
                       *(good[:i] for i in range(20 + 8 + 240))):
            self.assertIsNone(dhcpask.offer_from(packet, 7))

    def test_the_question_has_a_good_checksum(self):
        self.assertEqual(dhcpask._sum(dhcpask.discover(b'abcdef', 7)[:20]), 0)


class Words(Case):
    def refuses(self, text, call, *args):
        with self.assertRaises(Trouble) as caught:
            call(*args)
        self.assertIn(text, str(caught.exception))

    def test_an_interface_must_be_named_and_exist(self):
        self.refuses('--iface is missing', pxe.parse, [])
        self.refuses('no network interface', lan.interface, 'nix0')
        self.refuses('loopback', lan.interface, 'lo')

    def test_what_is_no_option_is_refused(self):
        self.refuses('--ifac is no option', pxe.parse, ['--ifac', 'x', '--iface', 'y'])
        self.refuses('invalid choice', pxe.parse, ['--iface', 'x', '--build', 'slow'])

    def test_a_folder_with_something_else_stays_as_it_is(self):
        root = self.scratch / 'tree'
        (root / 'boot').mkdir(parents=True)
        (root / 'mine').write_text('precious')
        self.refuses('something else, mine', pxe._clear, root)
        self.assertTrue((root / 'boot').is_dir())
        (root / 'mine').unlink()
        pxe._clear(root)
        self.assertEqual(list(root.iterdir()), [])

    def test_a_path_that_the_configuration_cannot_hold(self):
        for path in ('/a b', '/a,b', '/a#b', '/a"b', "/a'b", '/a\\b', '/a\nb'):
            self.refuses('cannot serve', lan.valid_path, path)


if __name__ == '__main__':
    unittest.main()
