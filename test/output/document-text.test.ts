import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import type {HealthDocument} from '../../src/lib/health/document.ts';
import {healthText} from '../../src/lib/output/health-text.ts';
import {lagText} from '../../src/lib/output/lag-text.ts';
import {lossText} from '../../src/lib/output/loss-text.ts';
import {colourPaint, plainPaint} from '../../src/lib/output/paint.ts';
import {statusText} from '../../src/lib/output/status-text.ts';
import {AT} from '../health/samples.ts';
import {health, lag, loss, messageLag} from './sample-documents.ts';
import {status} from './sample-status.ts';

const now = AT + 1500;
const texts = {
  health: (columns: number, paint = plainPaint()) => healthText(health, {columns, paint, now}),
  lag: (columns: number, paint = plainPaint()) => lagText(lag, {columns, paint, now}),
  'lag of messages': (columns: number, paint = plainPaint()) => lagText(messageLag, {columns, paint, now}),
  'lag of both': (columns: number, paint = plainPaint()) =>
    lagText({...lag, links: [...lag.links, ...messageLag.links]}, {columns, paint, now}),
  loss: (columns: number, paint = plainPaint()) => lossText(loss, {columns, paint, now}),
  status: (columns: number, paint = plainPaint()) => statusText(status, {columns, paint, now}),
};

describe.each(Object.entries(texts))('%s', (_name, text) => {
  it.each([80, 120])('at %i columns', (columns) => {
    expect(text(columns)).toMatchSnapshot();
  });

  it('is never wider than the terminal, coloured or not', async () => {
    const colours = await colourPaint();
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes begin with an escape character.
    const codes = /\u001b\[\d+m/g;
    fc.assert(
      fc.property(fc.integer({min: 40, max: 240}), (columns) => {
        const plain = text(columns);
        for (const line of plain.split('\n')) expect([...line].length).toBeLessThanOrEqual(columns);
        expect(text(columns, colours).replaceAll(codes, '')).toBe(plain);
      }),
    );
  });
});

it('a sentence of a server cannot break the screen', () => {
  const hostile: HealthDocument = {
    ...health,
    regions: health.regions.map((region) => ({
      ...region,
      reason: `\u001b[31m${'x'.repeat(300)}\n`,
      endpoints: region.endpoints.map((each) => ({...each, detail: 'a\r\nb\u0007'})),
    })),
  };
  const text = healthText(hostile, {columns: 60, paint: plainPaint(), now});
  for (const control of ['\u001b', '\u0007', '\r']) expect(text).not.toContain(control);
  for (const line of text.split('\n')) expect([...line].length).toBeLessThanOrEqual(60);
});

it('says in a word that there is nothing', () => {
  const options = {columns: 80, paint: plainPaint(), now};
  expect(lagText({...lag, links: [], unread: []}, options)).toContain('no replication link');
  expect(lossText({...loss, stores: []}, options)).toContain('no store has a member there');
  expect(healthText({...health, regions: []}, options)).toContain('lab');
});
