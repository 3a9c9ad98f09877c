import {execFileSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {ansiToSvg} from '../../scripts/ansi-svg.ts';
import {screenOf} from '../../scripts/screen.ts';

const E = '\u001B';

describe('ansiToSvg', () => {
  it('keeps colours, weight and place', () => {
    const svg = ansiToSvg(`${E}[1m${E}[32m✓${E}[39m done${E}[22m ${E}[2mdim${E}[0m\n  plain`, {title: 'a < b'});
    expect(svg).toContain('aria-label="a &lt; b"');
    expect(svg).toMatch(/<text x="16" [^>]*fill="#98c379" font-weight="bold">✓</);
    expect(svg).toMatch(/<text x="24.4" [^>]*font-weight="bold">\u00A0done</);
    expect(svg).toMatch(/opacity="0.6">dim</);
    expect(svg).toMatch(/>\u00A0{2}plain</);
    expect(ansiToSvg('one two  three', {title: ''}), 'blanks that follow one another').toContain('>one two\u00A0\u00A0three<');
  });

  it('reads 256 and 24-bit colours, backgrounds and inverse', () => {
    const [runs] = screenOf(`${E}[38;5;196ma${E}[48;2;1;2;3mb${E}[7mc${E}[38;5;240;1md`);
    expect(runs?.map(({style}) => style.fg)).toEqual(['rgb(255,0,0)', 'rgb(255,0,0)', 'rgb(255,0,0)', 'rgb(88,88,88)']);
    expect(runs?.[1]?.style.bg).toBe('rgb(1,2,3)');
    expect(runs?.[3]?.style).toMatchObject({inverse: true, bold: true});
    expect(ansiToSvg(`${E}[7mx`, {title: ''})).toContain('<rect x="16"');
  });

  it('leaves other escape sequences out, and escapes what XML needs', () => {
    const svg = ansiToSvg(`${E}[?25l${E}[2K<a & "b">${E}]8;;url\u0007\u0001`, {title: 't', columns: 80});
    expect(svg).toContain('&lt;a &amp; &quot;b&quot;&gt;');
    expect(svg).not.toContain(E);
    expect(svg).not.toContain('\u0001');
    expect(svg).toContain('width="704"');
  });

  it('follows the cursor, and finds a frame in the middle of a capture', () => {
    const shown = (text: string, until?: string) => screenOf(text, until).map((runs) => runs.map((run) => run.text).join(''));
    const first = `Script started on today\nalpha\r\nbeta\r\n${E}[?2026l`;
    const second = `${E}[2A${E}[2G${E}[KX${E}[E${E}[2Kgamma\r\n${E}[?2026l`;
    expect(shown(first + second)).toEqual(['aX', 'gamma']);
    expect(shown(first + second, 'beta')).toEqual(['alpha', 'beta']);
    expect(shown(`ab${E}[D${E}[Jc${E}[2Cd\n${E}[Fe`)).toEqual(['ec  d']);
  });

  it('gives the alternate screen a place of its own', () => {
    const shown = (text: string) => screenOf(text).map((runs) => runs.map((run) => run.text).join(''));
    const inside = `before\r\n${E}[?1049hone\r\ntwo${E}[1;1H${E}[Jx`;
    expect(shown(inside)).toEqual(['x']);
    expect(shown(`${inside}${E}[?1049lafter`)).toEqual(['before', 'after']);
  });

  it('is written by the script', () => {
    const dir = mkdtempSync(join(tmpdir(), 'picture-'));
    writeFileSync(join(dir, 'in.ansi'), `${E}[31mred`);
    execFileSync(process.execPath, ['scripts/picture.ts', join(dir, 'in.ansi'), join(dir, 'img/out.svg'), '--title', 'T']);
    expect(readFileSync(join(dir, 'img/out.svg'), 'utf8')).toContain('>red</text>');
    rmSync(dir, {recursive: true});
  });
});
