# SPDX-License-Identifier: BSD-2-Clause
"""flags - options out of a table, and complaints that end in what there is

A row is (flag, its value's name, its default, what it means): no name makes it a switch,
a default of [] lets it be repeated.
"""
import argparse

from status import Trouble


class Parser(argparse.ArgumentParser):
    """Whatever is wrong becomes a sentence, with all that can be right behind it."""

    def __init__(self, usage, prog=None):
        super().__init__(prog=prog, add_help=False, allow_abbrev=False)
        self.said = usage

    def error(self, message):
        raise Trouble(f'{message}.  {self.said}')

    def read(self, argv):
        """The arguments; options and other words may stand in any order."""
        args, unknown = self.parse_known_intermixed_args(argv)
        if unknown:
            self.error(f'{unknown[0]} is no option')
        return args


def usage(heading, rows, wide=26):
    rows = [(f'{flag} {value or ""}'.strip(), text) for flag, value, _, text in rows]
    return '\n'.join([heading, *(f'  {left:{wide}} {text}' for left, text in rows)])


def number(low, high):
    """A type of argument: a number between both, in the base that its prefix tells."""
    def parse(text):
        try:
            value = int(text, 0)
        except ValueError:
            raise argparse.ArgumentTypeError(f'{text} is no number') from None
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f'{value} is not between {low} and {high}')
        return value
    return parse


def add(parser, rows, ranges=None, choices=None):
    """Each row as an option; `ranges` and `choices` bound the values of some."""
    ranges, choices = ranges or {}, choices or {}
    for flag, value, default, _ in rows:
        if value is None:
            parser.add_argument(flag, action='store_true')
        elif default == []:
            parser.add_argument(flag, action='append', default=[])
        elif flag in ranges:
            parser.add_argument(flag, type=number(*ranges[flag]), default=default)
        else:
            parser.add_argument(flag, choices=choices.get(flag), default=default)
