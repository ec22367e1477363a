# SPDX-License-Identifier: BSD-2-Clause
"""page - `shootdown report [--out FILE] [--errata FILE] [DIR]...`: results as one page

Merges folders of results (docs/results/FORMAT.md) into one HTML file that needs nothing
else: no script, no font, no picture from elsewhere, and a policy in its head that forbids
them.  Without DIR it takes build/results, build/results/zoo and what docs/results keeps.

Exit status 2: a folder is missing or damaged; the page has the rest, and says so.
"""
import os
from collections import Counter
from pathlib import Path

import errata
import facts
import flags
import kept
import kernel
import page_costs
import page_verdicts
import page_zoo
import report
import status
from book import Book, machine, origin, word
from judge import VERDICTS, bench_problem
from markup import Markup, join, link, number, path_link, slug, table, tag

USAGE = 'report [--out FILE] [--errata FILE] [DIR]...'
STYLE = Path(__file__).with_name('page.css')
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
FACTS = (('cpu', 'CPU'), ('vendor', 'vendor'), ('family', 'family'), ('model', 'model'),
         ('stepping', 'stepping'), ('microcode', 'microcode revision'),
         ('physical_bits', 'physical address bits'), ('tsc_hz', 'TSC in Hz, by CPUID'),
         ('hypervisor', 'hypervisor below'), ('emulator', 'known emulator'),
         ('capability_of', 'capability word'), ('capability', 'its value'),
         ('capabilities', 'capabilities'), ('asids', 'ASIDs'), ('loader', 'loader'))
ABOUT = (('date', 'date'), ('commit', 'commit'), ('dirty', 'changed since'),
         ('host', 'host'), ('machine', 'machine'), ('emulator', 'emulator'),
         ('model', "emulator's model"), ('backend', 'guests by'), ('build', 'build'),
         ('cpus', 'CPUs'), ('mem', 'memory in MiB'), ('boot', 'boot'), ('seed', 'seed'),
         ('iters', 'invalidations'), ('seeds', 'seeds'), ('modules', 'modules'),
         ('deterministic', 'deterministic'), ('image', 'SHA-256 of the image'),
         ('status', 'status'), ('sentence', 'it ended so'), ('seconds', 'seconds'),
         ('system', 'run on'), ('cores', 'cores there'))


def _parse(argv):
    parser = flags.Parser(f'Usage: {USAGE}')
    parser.add_argument('--out', type=Path, default=kernel.ROOT / 'build' / 'report.html')
    parser.add_argument('--errata', type=Path)
    parser.add_argument('dirs', nargs='*')
    args = parser.parse_args(argv)
    if not args.dirs:
        places = [kernel.ROOT / 'build' / 'results', kernel.ROOT / 'build/results/zoo',
                  kernel.ROOT / 'docs' / 'results']
        args.dirs = [place for place in places if kept.is_result(place)
                     or place.name == 'results' and place.parent.name == 'docs']
    return args


def tiles(book):
    """The sums; what is struck out is not in them."""
    tests = [test for _, test in page_verdicts.rows_of(book.results)
             if not book.struck(test)]
    sums = Counter(test['verdict'] for test in tests)
    killed, mutants, bad = page_zoo.counts(book, book.results)
    shown = [(len(book.results), 'results', False)]
    shown += [(sums[verdict], verdict, verdict == 'FAIL' and sums[verdict])
              for verdict in VERDICTS if sums[verdict] or verdict == 'FAIL']
    if mutants:
        shown.append((f'{killed} of {mutants}', 'mutants killed', bad))
    shown.append((book.hidden(), 'struck out', False))
    return tag('div', *(tag('div', tag('b', count), tag('span', what),
                            class_='tile bad' if wrong else 'tile')
                        for count, what, wrong in shown), class_='tiles')


def overview(book):
    """A line for each result."""
    lines = []
    for result in book.results:
        run, commit = result.run, word(result.run.get('commit'))
        lines.append([
            origin(result), tag('td', word(run.get('date')), class_='w'),
            tag('td', machine(result), class_='long'),
            tag('td', commit[:12] + ('+' if run.get('dirty') else '')),
            number(word(run.get('seed'))), number(word(run.get('status'))),
            tag('td', page_verdicts.tally(book, result.tests) if result.tests else
                f'{len(result.costs)} figures' if result.costs else
                f'{len(result.zoo)} rows of the zoo' if result.zoo else '-')])
    head = ['result', 'date', 'machine', 'commit', number('seed', 'th'),
            number('status', 'th'), 'verdicts']
    return tag('section', tag('h2', 'Results', id='results'),
               table(head, lines, 'results'),
               tag('p', 'A + behind a commit: the sources had been changed.',
                   class_='soft'))


def _pairs(record, names):
    return [part for key, name in names if record.get(key) not in (None, '', [])
            for part in (tag('dt', name), tag('dd', word(record[key])))]


def _figures(run):
    """Figures outside of bench/costs; what cannot be one is left out."""
    rows = run.get('figures')
    good = [row for row in rows if isinstance(row, dict) and not bench_problem(row)] \
        if isinstance(rows, list) else []
    if not good:
        return None
    lines = [[row['name'], row.get('protocol', ''), row['metric'],
              number(f'{row["value"]:g}'), row['unit']] for row in good]
    return tag('details', tag('summary', f'{len(good)} figures of tests'),
               table(['test', 'protocol', 'figure', number('value', 'th'), 'unit'], lines, 'figures'))


def _machines(run):
    """The machines of a zoo."""
    machines = run.get('machines')
    for name, about in machines.items() if isinstance(machines, dict) else ():
        if isinstance(about, dict):
            told = about.get('facts')
            yield tag('details', tag('summary', f'{name}: {word(about.get("emulator"))}'),
                      tag('dl', *_pairs(told if isinstance(told, dict) else {}, FACTS)))


def about(result, out):
    """Everything that a result rests on."""
    run = result.run
    words = [('command', run.get('command')),
             ("the kernel's command line", run.get('cmdline'))]
    trace = None
    if result.trace:
        path = os.path.relpath(result.trace.resolve(), out.resolve().parent)
        trace = tag('p', 'Timeline: ', path_link(path, 'trace.json'),
                    ', for ui.perfetto.dev')
    return tag('section', tag('h3', result.name),
               tag('dl', *_pairs(run, ABOUT), *_pairs(result.facts, FACTS)),
               *(join([tag('p', name, class_='soft'), tag('pre', word(text))])
                 for name, text in words if text),
               *_machines(run), _figures(run), trace, id=slug(f'result-{result.name}'))


def corrections(book):
    """The errata, with how much each of them hides here."""
    lines = []
    for entry in book.errata:
        name = tag('th', entry.name, scope='row', id=slug(f'erratum-{entry.name}'))
        match = ', '.join(f'{key} {glob}' for key, glob in entry.match.items())
        hits = f'{entry.hits}' if entry.hits else 'none of these results'
        lines.append([name, entry.date, tag('td', entry.why, class_='long'),
                      tag('td', tag('code', match), class_='long'), number(hits)])
    body = table(['erratum', 'date', 'why', 'about', number('struck out', 'th')], lines, 'errata') \
        if lines else tag('p', 'None is known.')
    return tag('section', tag('h2', 'Errata', id='errata'),
               tag('p', f'{book.hidden()} rows are struck out above.  They stay in sight, '
                   'and no sum counts them.', class_='soft'), body)


def _damage(book):
    if not book.complaints:
        return None
    return tag('div', 'Not everything could be read:',
               tag('ul', *(tag('li', line) for line in book.complaints)), class_='note',
               id='damage')


def _broken(book):
    """Runs that crashed, hung or contradict themselves: what they said does not count."""
    if not book.broken:
        return None
    return tag('div', 'What these runs said is struck out and marked with !:',
               tag('ul', *(tag('li', link(f'result-{name}', name), f': {entry.why}')
                           for name, entry in book.broken.items())),
               class_='note', id='broken')


def document(book, out, date):
    """The whole page as text."""
    sections = [('failures', 'Failures', page_verdicts.failures(book)),
                ('results', 'Results', overview(book)),
                ('verdicts', 'Verdicts', page_verdicts.section(book)),
                ('leaks', 'Leak rates', page_verdicts.leaks(book)),
                ('zoo', 'Kill matrix', page_zoo.section(book)),
                ('costs', 'Costs', page_costs.section(book)),
                ('machines', 'Machines', tag(
                    'section', tag('h2', 'Machines and command lines', id='machines'),
                    *(about(result, out) for result in book.results))),
                ('errata', 'Errata', corrections(book))]
    shown = [(anchor, name, part) for anchor, name, part in sections if part]
    head = tag('head', tag('meta', charset='utf-8'),
               tag('meta', http_equiv='Content-Security-Policy', content=POLICY),
               tag('meta', name='viewport', content='width=device-width, initial-scale=1'),
               tag('title', 'Shootdown: results'),
               tag('style', Markup(STYLE.read_text())))
    body = tag('body', tag('h1', 'Shootdown: results'),
               tag('p', f'Which TLB-shootdown protocol is safe on which machine, and what '
                   f'it costs.  Made {date}.', class_='soft'),
               tiles(book), _damage(book), _broken(book),
               tag('nav', *(link(anchor, name) for anchor, name, _ in shown)),
               tag('main', *(part for _, _, part in shown)))
    return f'<!DOCTYPE html>\n{tag("html", head, body, lang="en")}\n'


def main(argv):
    args, complaints = _parse(argv), []
    found = errata.read(args.errata or errata.FILE, complaints.append) \
        if args.errata or errata.FILE.exists() else []
    book = Book(kept.read(args.dirs, complaints.append), found, complaints)
    if not book.results:
        complaints.append('there is no result to report on')
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(document(book, args.out, facts.now()), encoding='utf-8')
    for line in complaints:
        report.say(f'report: {line}')
    report.say(f'report: {os.path.relpath(args.out)}: {len(book.results)} results, '
               f'{book.hidden()} rows struck out, {len(complaints)} complaints')
    return status.USAGE if complaints else status.PASS


if __name__ == '__main__':
    status.finish(main)
