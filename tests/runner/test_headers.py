# SPDX-License-Identifier: BSD-2-Clause
"""What the build asserts of the image's headers, on images in which one thing is wrong."""
import struct

import headers
from fakes import Case

BASE, TEXT, DATA, MEM = 0x100000, 0x1000, 0x2000, 0x1000     # and each of 0x1000 bytes
MB1, MB2, NOTE, ENTRY = TEXT, TEXT + 32, DATA, BASE + 0x100
PHDR = 64


def words(*values):
    return struct.pack(f'<{len(values)}I', *values)


def phdr(kind, offset, addr, size, mem):
    return struct.pack('<IIQQQQQQ', kind, 0, offset, addr, addr, size, mem, 4)


def image():
    """An image that is right: two segments one behind the other, and a note."""
    data = bytearray(0x3000)
    struct.pack_into('<Q', data, 32, PHDR)
    struct.pack_into('<HH', data, 54, 56, 3)
    heads = [phdr(1, TEXT, BASE, 0x1000, 0x1000),
             phdr(1, DATA, BASE + 0x1000, 0x1000, 0x1000 + MEM),
             phdr(4, NOTE, BASE + 0x1000, 24, 24)]
    data[PHDR:PHDR + 3 * 56] = b''.join(heads)
    flags = 0x10003
    data[MB1:MB1 + 32] = words(0x1badb002, flags, -(0x1badb002 + flags) & 0xffffffff, BASE,
                               BASE, BASE + 0x2000, BASE + 0x2000 + MEM, ENTRY)
    data[MB2:MB2 + 16] = words(0xe85250d6, 0, 24, -(0xe85250d6 + 24) & 0xffffffff)
    data[NOTE:NOTE + 24] = words(4, 8, 18) + b'Xen\0' + struct.pack('<Q', ENTRY + 5)
    return data


class Headers(Case):
    def test_a_right_one(self):
        headers.check(image())

    def test_one_thing_wrong(self):
        for at, value, sentence in (
                (MB1, 0, 'no multiboot 1 header'),
                (MB1 + 4, 3, 'wrong flags'),
                (MB1 + 8, 0, 'wrong flags or checksum'),
                (MB1 + 12, BASE + 4, 'not one contiguous'),
                (MB1 + 20, ENTRY, 'entry point is outside'),
                (MB1 + 24, BASE + 0x2000, 'do not match the segments'),
                (MB2, 0, 'no multiboot 2 header'),
                (MB2 + 12, 0, 'multiboot 2: wrong checksum'),
                (PHDR + 56 + 24, BASE + 0x2000, 'not one contiguous'),
                (PHDR + 112, 7, '0 segments of notes'),
                (PHDR + 56, 4, 'do not match the segments'),
                (PHDR + 112 + 32, 20, 'is missing'),
                (PHDR + 112 + 24, BASE + 0x5000, 'in no segment that is loaded'),
                (NOTE + 4, 4, 'is missing'),
                (NOTE + 8, 17, 'is missing'),
                (NOTE + 12, 0, 'is missing'),
                (NOTE + 16, BASE - 1, 'PVH.s entry point is outside')):
            with self.subTest(at=hex(at)):
                bad = image()
                struct.pack_into('<I', bad, at, value)
                with self.assertRaisesRegex(SystemExit, sentence):
                    headers.check(bad)

    def test_headers_that_are_too_late(self):
        for at, end, sentence in ((MB1, 8192, 'no multiboot 1'),
                                  (MB2, 32768, 'no multiboot 2')):
            bad = image().ljust(0x10000, b'\0')
            bad[end:end + 32], bad[at:at + 4] = bad[at:at + 32], bytes(4)
            with self.assertRaisesRegex(SystemExit, sentence):
                headers.check(bad)
