import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import type {Browser, Page} from 'playwright-core';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {DrillDocument} from '../../src/lib/drill/report.ts';
import {drillHtml} from '../../src/lib/output/drill-html.ts';
import {noChromium, openChromium} from '../servers/chromium.ts';
import {drillSamples, evil, passed, whole} from './drill-samples.ts';

const dir = mkdtempSync(join(tmpdir(), 'regionctl-report-'));
const checks = readFileSync(join(import.meta.dirname, 'page-checks.js'), 'utf8');
let browser: Browser;

describe.skipIf(noChromium !== null)(`the page of a drill in Chromium${noChromium === null ? '' : ` (skipped: no ${noChromium})`}`, () => {
  beforeAll(async () => {
    browser = await openChromium();
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(dir, {recursive: true, force: true});
  });

  it.each(Object.entries({...drillSamples, evil}))(
    '%s reads well in light and dark, narrow and wide, and asks for nothing',
    async (name, report) => {
      await opened(name, report, async (page, trouble) => {
        for (const width of [1280, 720, 360]) {
          await page.setViewportSize({width, height: 900});
          expect(await page.evaluate('checks.tooWide()'), `${width} px`).toEqual([]);
        }
        for (const colorScheme of ['dark', 'light'] as const) {
          await page.emulateMedia({colorScheme});
          await expectContrast(page);
        }
        expect(await page.evaluate('checks.unreadable()')).toEqual([]);
        expect(await page.evaluate('window.hacked')).toBeUndefined();
        expect(trouble).toEqual([]);
      });
    },
  );

  it.each(Object.entries({whole, evil}))('%s prints on A4, light, with no row cut', async (name, report) => {
    await opened(name, report, async (page) => {
      // What is left of 210 mm between the margins.
      await page.setViewportSize({width: 703, height: 1000});
      await page.emulateMedia({media: 'print', colorScheme: 'dark'});
      expect(await page.evaluate('checks.tooWide()')).toEqual([]);
      expect(await page.evaluate('checks.cutByPaper()')).toEqual([]);
      expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(255, 255, 255)');
      await expectContrast(page);
      const pdf = (await page.pdf({preferCSSPageSize: true})).toString('latin1');
      expect(pdf.slice(0, 5)).toBe('%PDF-');
      expect(pdf).toMatch(/\/MediaBox \[0 0 59[45][.\d]* 84[12][.\d]*\]/u);
    });
  });

  it('draws what was measured to scale: the gap within the fault', async () => {
    await opened('scale', passed, async (page) => {
      const box = async (selector: string) => (await page.locator(selector).first().boundingBox()) ?? {x: 0, width: 0};
      const [fault, gap] = [await box('svg.wide rect.fault'), await box('svg.wide rect.gap')];
      const row = (lane: string) => passed.timeline.find((each) => each.lane === lane);
      const length = (lane: string) => (row(lane)?.endMs ?? 0) - (row(lane)?.ms ?? 0);
      expect(gap.width / fault.width).toBeCloseTo(length('gap') / length('fault'), 2);
      expect((gap.x - fault.x) / fault.width).toBeCloseTo(((row('gap')?.ms ?? 0) - (row('fault')?.ms ?? 0)) / length('fault'), 2);
    });
  });
});

/** WCAG 2.1, AA: 4.5 for texts of any size, 3 for what a picture tells by its shapes. */
async function expectContrast(page: Page): Promise<void> {
  type Seen = {readonly what: string; readonly ratio: number};
  const {texts, bars} = (await page.evaluate('checks.contrasts()')) as {readonly texts: readonly Seen[]; readonly bars: readonly Seen[]};
  expect(texts.length).toBeGreaterThan(40);
  expect(texts.filter(({ratio}) => ratio < 4.5)).toEqual([]);
  expect(bars.filter(({ratio}) => ratio < 3)).toEqual([]);
}

/** Opens a report without a network, and notes whatever the page complains of or asks for. */
async function opened(name: string, report: DrillDocument, look: (page: Page, trouble: string[]) => Promise<void>): Promise<void> {
  const file = join(dir, `${name}.html`);
  writeFileSync(file, drillHtml(report));
  const context = await browser.newContext({offline: true, viewport: {width: 1280, height: 900}});
  try {
    const page = await context.newPage();
    const address = pathToFileURL(file).href;
    const trouble: string[] = [];
    page.on('console', (message) => trouble.push(`console: ${message.text()}`));
    page.on('pageerror', (error) => trouble.push(`error: ${error.message}`));
    page.on('request', (request) => {
      if (request.url() !== address && !request.url().startsWith('data:')) trouble.push(`request: ${request.url()}`);
    });
    await page.goto(address);
    await page.evaluate(checks);
    await look(page, trouble);
  } finally {
    await context.close();
  }
}
