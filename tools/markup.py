# SPDX-License-Identifier: BSD-2-Clause
"""markup - HTML from parts, in which text is text whatever it says

tag() escapes all that is not Markup already, so nothing that comes from a log or from
another person's folder can become an element, an attribute or a reference.
"""
import html
import re
from urllib.parse import quote

LONGEST = 2000               # characters of one text; no honest one is longer


class Markup(str):
    """Text that is HTML."""


def plain(value):
    """A value as text that neither moves a cursor nor turns the line around."""
    text = str(value)
    if len(text) > LONGEST:
        text = text[:LONGEST] + '...'
    return ''.join(c if c.isprintable() else '?' for c in text)


def escape(value):
    return value if isinstance(value, Markup) else Markup(html.escape(plain(value)))


def join(parts, between=''):
    """Parts one after another; None and '' leave nothing, not even what is between."""
    shown = [escape(part) for part in parts if part not in (None, '')]
    return Markup(escape(between).join(shown))


def tag(name, /, *content, **attributes):
    """An element; class_ stands for class, text_anchor for text-anchor; no None."""
    words = [name]
    for key, value in attributes.items():
        if value is not None:
            words.append(f'{key.rstrip("_").replace("_", "-")}="{escape(value)}"')
    inner = join(content)
    if name in ('meta', 'br', 'line', 'circle', 'path', 'rect') and not inner:
        return Markup(f'<{" ".join(words)}/>')
    return Markup(f'<{" ".join(words)}>{inner}</{name}>')


def slug(text):
    """A name that an anchor can have."""
    return re.sub(r'[^a-z0-9]+', '-', str(text).lower()).strip('-') or 'x'


def link(anchor, *content, **attributes):
    """A reference within the page."""
    return tag('a', *content, href=f'#{slug(anchor)}', **attributes)


def path_link(path, *content):
    """A reference to a file beside the page: never to another scheme or host."""
    return tag('a', *content, href='./' + quote(str(path)))


def name(text):
    """A test's name, which may be broken behind '/' and '_'."""
    return Markup(re.sub(r'(?<=[/_])(?=\w)', '<wbr/>', escape(text)))


def table(head, rows, caption):
    """A table that scrolls within itself; cells are content or ready <td>s."""
    def row(cells, name):
        return tag('tr', *(cell if isinstance(cell, Markup)
                           and cell.startswith(('<td', '<th')) else tag(name, cell)
                           for cell in cells))
    body = [tag('tr', *(cell if isinstance(cell, Markup) and cell.startswith(('<td', '<th'))
                        else tag('th', cell if isinstance(cell, Markup) else name(cell),
                                 scope='row') if i == 0 else tag('td', cell)
                        for i, cell in enumerate(cells))) for cells in rows]
    inner = tag('table', tag('thead', row(head, 'th')), tag('tbody', *body))
    return tag('div', inner, class_='scroll', tabindex='0', role='region',
               aria_label=caption)


def number(value, name='td'):
    """A cell that stands to the right, or the heading of such cells."""
    return tag(name, value, class_='n')
