import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import fc from 'fast-check';
import stringWidth from 'string-width';
import {describe, expect, it} from 'vitest';
import {formatDrill, formatOfFile} from '../../src/lib/output/drill-formats.ts';
import {drillHtml} from '../../src/lib/output/drill-html.ts';
import {drillJunit} from '../../src/lib/output/drill-junit.ts';
import {drillMarkdown, markdownText} from '../../src/lib/output/drill-markdown.ts';
import {drillText} from '../../src/lib/output/drill-text.ts';
import {html} from '../../src/lib/output/html.ts';
import {colourPaint, plainPaint} from '../../src/lib/output/paint.ts';
import {xmlText} from '../../src/lib/output/xml.ts';
import {drillSamples, evil, interrupted, missed, passed, unmeasured, whole} from './drill-samples.ts';

const layout = (columns: number, paint = plainPaint()) => ({columns, paint, now: Date.parse(passed.endedAt ?? '') + 3_600_000});
const all = Object.entries({...drillSamples, evil});

describe.each(Object.entries(drillSamples))('the drill that is %s', (_name, report) => {
  it('as text', () => expect(drillText(report, layout(80))).toMatchSnapshot());
  it('as Markdown', () => expect(drillMarkdown(report)).toMatchSnapshot());
  it('as JUnit', () => expect(drillJunit(report)).toMatchSnapshot());
});

describe('text', () => {
  it.each(all)('%s is never wider than the terminal, and the same without colour', async (_name, report) => {
    const colours = await colourPaint();
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes begin with an escape character.
    const codes = /\u001b\[\d+m/gu;
    for (const columns of [60, 80, 133]) {
      const plain = drillText(report, layout(columns));
      for (const line of plain.split('\n')) expect(stringWidth(line), line).toBeLessThanOrEqual(columns);
      expect(drillText(report, layout(columns, colours)).replaceAll(codes, '')).toBe(plain);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the control characters of a terminal are what must not be there.
      expect(plain).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/u);
    }
  });

  it('shows where the evidence is in full, also where a path is longer than a line', () => {
    const dir = `/var/lib/regionctl/${'state-of-the-fleet/'.repeat(4)}drills/`;
    const evidence = ['plan.json', 'journal.ndjson'].map((name) => ({name, file: `${dir}${name}`, bytes: 1, sha256: 'a'}));
    const text = drillText({...passed, evidence}, layout(60));
    const part = text.slice(text.indexOf('Evidence'));
    expect(part.replaceAll(/\n {2}/gu, '')).toContain(dir);
    expect(part).toContain('plan.json, journal.ndjson');
  });

  it('shows the picture to scale: the gap begins where the fault does, and ends before it', () => {
    const lines = drillText(passed, layout(100)).split('\n');
    const span = (name: string) => {
      const line = lines.find((each) => each.startsWith(`  ${name}`)) ?? '';
      return [line.search(/[▒█]/u), line.search(/[▒█](?![▒█])/u)] as const;
    };
    const [fault, gap] = [span('lose on us-east'), span('no write accepted')];
    expect(Math.abs(fault[0] - gap[0])).toBeLessThanOrEqual(1);
    const share = (gap[1] - gap[0]) / (fault[1] - fault[0]);
    expect(share).toBeCloseTo(5966 / 8548, 1);
  });
});

describe('Markdown', () => {
  it.each(all)('%s has whole tables and no markup of others', (_name, report) => {
    const text = drillMarkdown(report);
    for (const block of text.split('\n\n').filter((each) => each.startsWith('|'))) {
      const widths = block.split('\n').map((line) => line.replaceAll(/\\./gu, '').split('|').length);
      expect(new Set(widths).size, block).toBe(1);
    }
    const outside = text
      .replaceAll(/(`+)text\n[\s\S]*?\n\1(?!`)/gu, '')
      .replaceAll(/(?<![\\`])(`+)(?!`)[^\n]*?(?<!`)\1(?!`)/gu, '')
      .replaceAll(/\\./gu, '');
    expect(outside).not.toMatch(/<[a-z/!]/iu);
    expect(outside).not.toMatch(/(?<![\w`])@\w/u);
    expect(outside).not.toContain('](');
  });

  it('escapes what would be markup, and leaves words alone', () => {
    expect(markdownText('us-east is healthy (2 of 3): 5 ms')).toBe('us-east is healthy (2 of 3): 5 ms');
    expect(markdownText('a|b `c` *d* <e> [f](g) & h\n- i')).toBe('a\\|b \\`c\\` \\*d\\* &lt;e&gt; \\[f\\](g) &amp; h - i');
    expect(markdownText('1. no list')).toBe('1\\. no list');
    expect(markdownText('# no heading')).toBe('\\# no heading');
    expect(markdownText('ana@ops and @team')).toBe('ana@ops and @\u2060team');
  });
});

/** Reads XML as strictly as is needed here: every tag closed, every attribute quoted, no bare ampersand. Returns the names of the elements. */
function elementsOf(xml: string): readonly string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what XML 1.0 forbids.
  expect(xml).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Cs}/u);
  const open: string[] = [];
  const names: string[] = [];
  const body = xml.replace(/^<\?xml version="1.0" encoding="UTF-8"\?>\n/u, '');
  const rest = body.replaceAll(
    /<(\/?)([a-z-]+)((?: [a-z]+="[^"<]*")*)(\/?)>/gu,
    (_all, closing: string, name: string, _attributes: string, empty: string) => {
      if (closing === '') names.push(name);
      if (closing !== '') expect(open.pop()).toBe(name);
      else if (empty === '') open.push(name);
      return '';
    },
  );
  expect(open).toEqual([]);
  expect(rest).not.toMatch(/[<>]/u);
  expect(body.replaceAll(/&(?:amp|lt|gt|quot|#\d+);/gu, '')).not.toContain('&');
  return names;
}

describe('JUnit', () => {
  it.each(all)('%s is XML, and its counts are those of its cases', (_name, report) => {
    const xml = drillJunit(report);
    const names = elementsOf(xml);
    const number = (name: string) => names.filter((each) => each === name).length;
    const [, suite = ''] = /<testsuite ([^>]*)>/u.exec(xml) ?? [];
    for (const [attribute, element] of [
      ['tests', 'testcase'],
      ['failures', 'failure'],
      ['errors', 'error'],
      ['skipped', 'skipped'],
    ] as const)
      expect(suite).toContain(` ${attribute}="${number(element)}"`.trimStart());
  });

  it('tells what failed from what could not be measured', () => {
    expect(drillJunit(missed)).toMatch(/name="the drill passed"[^>]*><failure type="objective-missed"/u);
    expect(drillJunit(unmeasured)).toMatch(/name="the drill passed"[^>]*><error type="not-measured"/u);
    expect(drillJunit(unmeasured)).toMatch(/name="RTO of critical[^>]*><error type="not-measured"/u);
    expect(drillJunit(interrupted)).toMatch(/<error type="not-ended"/u);
    expect(drillJunit(passed)).not.toMatch(/<(failure|error|skipped)/u);
  });

  it('has a case for each objective, each check, each fault and the verdict', () => {
    const cases = drillJunit(whole).match(/<testcase /gu)?.length;
    const checks = (whole.steadyState.before?.checks.length ?? 0) + (whole.steadyState.after?.checks.length ?? 0);
    expect(cases).toBe(1 + whole.objectives.length + whole.loadObjectives.length + checks + whole.faults.length);
  });

  it('escapes any text', () => {
    fc.assert(fc.property(fc.string({unit: 'binary'}), (text) => void elementsOf(`<a b="${xmlText(text)}">${xmlText(text)}</a>`)));
  });
});

describe('HTML', () => {
  it.each(all)('%s is one file that asks for nothing and runs nothing', (_name, report) => {
    const page = drillHtml(report);
    const tags = page.replace(/<style>[\s\S]*?<\/style>/u, '').match(/<[a-z!/][^>]*>/giu) ?? [];
    const addresses = tags.flatMap((tag) =>
      [...tag.matchAll(/ (?:href|src|srcset|action|data|poster|xlink:href)="([^"]*)"/giu)].map(([, address]) => address),
    );
    expect(addresses.filter((address) => !/^(#[a-z-]+|data:,)$/u.test(address ?? ''))).toEqual([]);
    const names = tags.map((tag) => tag.replaceAll(/"[^"]*"/gu, '""'));
    expect(names.filter((tag) => /^<(script|img|iframe|object|embed|form|base)\b| on[a-z]+=/iu.test(tag))).toEqual([]);
    expect(page).not.toMatch(/@import|url\(/iu);
    expect(page).not.toMatch(/\bundefined\b|\bNaN\b|\[object/u);
  });

  it('escapes every value, in text and in attributes', () => {
    fc.assert(
      fc.property(fc.string({unit: 'binary'}), (text) => {
        const {html: made} = html`<a b="${text}">${text}</a>`;
        expect(made.slice(6, -4)).not.toMatch(/<|'/u);
        expect(made.split('"')).toHaveLength(3);
      }),
    );
  });
});

it('the name of a file says its format', () => {
  expect(['a.html', 'a.md', 'b.JSON', 'c.xml', 'd', 'e.htm'].map(formatOfFile)).toEqual([
    'html',
    'markdown',
    'json',
    'junit',
    'html',
    'html',
  ]);
});

it('JSON is the document itself', async () => {
  expect(JSON.parse(await formatDrill(passed, 'json'))).toEqual(
    JSON.parse(readFileSync(join(import.meta.dirname, '../golden/drill-report/passed.json'), 'utf8')),
  );
});
