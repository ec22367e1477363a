# SPDX-License-Identifier: BSD-2-Clause
"""screen - what a monitor shows is what the serial line says, without the records

QEMU's monitor (QMP) takes the picture: pixels after a start by UEFI, which are read
back with the kernel's own glyphs, and the characters of a VGA after one by a BIOS.  A
machine without a serial port must show its verdicts all the same, and one that panics
its dump.
"""
import json
import re
import shutil
import socket
import subprocess
import sys
import time

from bench import RESULTS, ROOT, Checks

sys.path.insert(0, str(ROOT / 'tools'))
import kernel                                      # noqa: E402
import mkiso                                       # noqa: E402
import process                                     # noqa: E402

LIMIT = 240                   # seconds until a machine is given up
CELL_W, CELL_H, SCALE_STEP = 6, 10, 500            # lib/pixels.h, lib/pixels.c
VGA, VGA_COLS, VGA_ROWS = 0xB8000, 80, 25
FIRMWARE = '/usr/share/OVMF/OVMF_{}_4M.fd'
QEMU = ['qemu-system-x86_64', '-accel', 'tcg,thread=multi', '-cpu', 'max,-svm', '-M',
        'q35', '-smp', '2', '-m', '512', '-display', 'none', '-monitor', 'none', '-net',
        'none', '-vga', 'std', '-qmp', 'unix:qmp,server=on,wait=off']


def glyphs():
    """{rows: character} of the kernel's table."""
    text = (ROOT / 'lib/glyph.c').read_text()
    rows = re.findall(r"\['(\\?.)' - GLYPH_FIRST\] = \{ ([^}]*) \}", text)
    table = {tuple(int(word, 16) for word in words.split(',')): char[-1]
             for char, words in rows}
    assert len(table) == 95, 'glyphs are missing, or two are the same'
    return table


class Machine:
    """A QEMU machine that is looked at, and killed at the end of `with`."""

    def __init__(self, folder, *more, serial=True):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.folder, self.log_path = folder, folder / 'serial.log'
        self.log_path.write_bytes(b'')
        self.argv = QEMU + ['-serial', 'file:serial.log' if serial else 'none', *more]

    def __enter__(self):
        with open(self.folder / 'qemu.log', 'wb') as out:
            self.process = process.Process(self.argv, self.folder, None, out,
                                           subprocess.STDOUT)
        self._wait(lambda: (self.folder / 'qmp').exists())
        self.qmp = socket.socket(socket.AF_UNIX)
        self.qmp.settimeout(LIMIT)
        self.qmp.connect(str(self.folder / 'qmp'))
        self.lines = self.qmp.makefile('rw')
        self.lines.readline()
        self.command('qmp_capabilities')
        return self

    def __exit__(self, *_):
        self.lines.close()
        self.qmp.close()
        self.process.kill()

    def _wait(self, done):
        deadline = time.monotonic() + LIMIT
        while not done() and time.monotonic() < deadline and not self.process.ended():
            time.sleep(process.POLL)

    def command(self, name, **arguments):
        self.lines.write(json.dumps({'execute': name, 'arguments': arguments}) + '\n')
        self.lines.flush()
        while line := self.lines.readline():
            answer = json.loads(line)
            if 'event' not in answer:
                return answer
        return {}

    @property
    def out(self):
        return self.log_path.read_text(errors='replace')

    def wait_for_log(self, text):
        self._wait(lambda: text in self.out)

    def wait_for_text(self, text):
        """Of a VGA: for machines that say nothing elsewhere."""
        self._wait(lambda: text in '\n'.join(self.characters()))

    def characters(self):
        """The lines of a VGA in text mode."""
        path = self.folder / 'vga'
        self.command('pmemsave', val=VGA, size=VGA_COLS * VGA_ROWS * 2,
                     filename=str(path))
        data = path.read_bytes().decode('latin-1')[::2]
        return _trim([data[i:i + VGA_COLS] for i in range(0, len(data), VGA_COLS)])

    def pixels(self):
        """(width, height, bytes) of the picture, 3 bytes a pixel."""
        path = self.folder / 'screen.ppm'
        self.command('screendump', filename=str(path))
        _, size, _, data = path.read_bytes().split(b'\n', 3)
        return *map(int, size.split()), data


def _trim(lines):
    lines = [line.rstrip(' ') for line in lines]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def read(width, height, data, table):
    """The lines of text in a picture; what is no glyph becomes '\\ufffd'."""
    scale = max(width // SCALE_STEP, 1)

    def bit(x, y):
        return data[(y * scale * width + x * scale) * 3] > 127

    def char(col, row):
        x, y = col * CELL_W, row * CELL_H
        rows = tuple(sum(bit(x + i, y + j) << (CELL_W - 2 - i)
                         for i in range(CELL_W - 1)) for j in range(8))
        return table.get(rows, '\ufffd')

    return _trim([''.join(char(col, row) for col in range(width // (CELL_W * scale)))
                  for row in range(height // (CELL_H * scale))])


def wanted(log, cols):
    """What the log says, as the screen should break it into lines."""
    text = log[log.index('# screen: '):].replace('\r', '')
    lines = [line for line in text.split('\n') if not line.startswith('@')]
    return _trim([line[i:i + cols] for line in lines
                  for i in range(0, max(len(line), 1), cols)])


def compare(checks, what, machine, lines, cols, rows):
    log = machine.out
    if not checks.check('# screen: ' in log, f'{what}: there is a screen', machine):
        return
    want = wanted(log, cols)
    checks.check(len(want) > rows, f'{what}: {len(want)} lines move up on {rows}')
    checks.check(len(lines) > rows // 2, f'{what}: shows {len(lines)} lines')
    checks.equal(lines, want[len(want) - len(lines):], f'{what}: shows the last ones')


def uefi(checks, iso):
    folder = RESULTS / 'screen-uefi'
    drive = 'if=pflash,format=raw,{}file={}'
    machine = Machine(folder, '-cdrom', iso, '-drive',
                      drive.format('readonly=on,', FIRMWARE.format('CODE')),
                      '-drive', drive.format('', 'vars'))
    shutil.copyfile(FIRMWARE.format('VARS'), folder / 'vars')
    with machine:
        machine.wait_for_log('"type":"end"')
        width, height, data = machine.pixels()
    lines, scale = read(width, height, data, glyphs()), max(width // SCALE_STEP, 1)
    compare(checks, f'UEFI {width}x{height}', machine, lines, width // (CELL_W * scale),
            height // (CELL_H * scale))
    checks.check(any(line.startswith('# end: ') for line in lines), 'UEFI: the summary')


def bios(checks, iso):
    with Machine(RESULTS / 'screen-bios', '-cdrom', iso) as machine:
        machine.wait_for_log('"type":"end"')
        lines = machine.characters()
    compare(checks, 'BIOS', machine, lines, VGA_COLS, VGA_ROWS)
    checks.check(any(line.startswith('# end: ') for line in lines), 'BIOS: the summary')


def direct(checks, elf, words, text, what):
    """Without a serial port and without a word of a screen from the loader."""
    with Machine(RESULTS / 'screen-direct', '-kernel', elf, '-append', words,
                 serial=False) as machine:
        machine.wait_for_text(text)
        lines = machine.characters()
    checks.check(any(text in line for line in lines), f'no serial port: {what}')
    return lines


def main():
    checks, elf = Checks(), kernel.make('checked')
    folder = RESULTS / 'screen'
    folder.mkdir(parents=True, exist_ok=True)
    iso = folder / 'hybrid.iso'
    mkiso.make_iso(elf, iso, '', [], hybrid=True)
    bios(checks, iso)
    uefi(checks, iso)
    direct(checks, elf, '', '# end: ', 'the summary')
    direct(checks, elf, 'run=selftest/panic', 'Bail out!', 'a panic')
    direct(checks, elf, 'run=nix cpus=x', 'bad value', 'a word that is refused')
    with Machine(RESULTS / 'screen-off', '-kernel', elf) as machine:
        machine.wait_for_log('"type":"end"')
        lines = machine.characters()
    checks.check('"type":"end"' in machine.out and '# end: ' not in '\n'.join(lines),
                 'a serial port, and no screen from the loader: nothing is drawn')
    checks.finish()


if __name__ == '__main__':
    main()
