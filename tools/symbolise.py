# SPDX-License-Identifier: BSD-2-Clause
"""symbolise - names and source lines for the addresses of a crash dump

The dump's lines "# rip ADDRESS" and "# bt N ADDRESS" are looked up in the image that
ran.  A backtrace holds return addresses, which stand behind the call and may already
belong to the next function, so they are looked up one byte earlier; only where the
dump also gives the address as a rip is it taken as it is.
"""
import bisect
import os
import re
import shutil
import subprocess

ADDRESS = re.compile(r'# (rip|bt \d+) (0x[0-9a-fA-F]+)\s*')


def lookups(dump):
    """{line number: address to look up} for the dump's address lines."""
    found = {i: (match[1], int(match[2], 16)) for i, line in enumerate(dump)
             if (match := ADDRESS.fullmatch(line))}
    exact = {address for kind, address in found.values() if kind == 'rip'}
    return {i: address if address in exact else max(address - 1, 0)
            for i, (_, address) in found.items()}


def _tool(name):
    return shutil.which(os.environ.get('CROSS_COMPILE', '') + name)


def _output(argv):
    try:
        run = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return run.stdout.decode(errors='replace').splitlines()


def _by_addr2line(tool, elf, addresses):
    """{address: ["function at file:line", ...]}, inlined callees first."""
    lines = _output([tool, '-a', '-f', '-i', '-e', str(elf), *map(hex, addresses)])
    names, rows = {}, []
    for line in lines:
        if re.fullmatch(r'0x[0-9a-f]+', line):
            rows = names.setdefault(int(line, 16), [])
        else:
            rows.append(line)
    return {address: [f'{function} at {place}'
                      for function, place in zip(rows[::2], rows[1::2])
                      if function != '??']
            for address, rows in names.items()}


def _by_nm(tool, elf, addresses):
    """The symbol below each address, when there is no addr2line."""
    table = [line.split() for line in _output([tool, '-n', '--defined-only', str(elf)])]
    symbols = [(int(row[0], 16), row[2]) for row in table if len(row) == 3]
    starts = [start for start, _ in symbols]
    names = {}
    for address in addresses:
        i = bisect.bisect_right(starts, address) - 1
        if i >= 0:
            start, name = symbols[i]
            names[address] = [f'{name}+{address - start:#x}']
    return names


def names(elf, addresses):
    addresses = sorted(set(addresses))
    for tool, reader in (('addr2line', _by_addr2line), ('nm', _by_nm)):
        if addresses and _tool(tool):
            return reader(_tool(tool), elf, addresses)
    return {}


def symbolise(elf, dump):
    """The dump's lines, with what stands at each address beneath its line."""
    wanted = lookups(dump)
    known = names(elf, wanted.values())
    out = []
    for i, line in enumerate(dump):
        out.append(line)
        out += ['#     ' + text for text in known.get(wanted.get(i), [])]
    return out
