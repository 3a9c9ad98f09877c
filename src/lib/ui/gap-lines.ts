import {formatMs} from '../output/units.ts';
import {bigDigits} from './big-digits.ts';
import type {Line} from './line-view.tsx';
import {gapMeaning} from './meaning.ts';
import type {WitnessView} from './run-store.ts';

/** The outage as clients feel it: how long ago a write was last acknowledged, and what became of the writes. `big`: in digits three lines high. */
export function gapLines(witness: WitnessView, big: boolean): readonly Line[] {
  const ms = (witness.writing ? witness.sinceLastAckMs : witness.longestGapMs) ?? 0;
  const label = witness.writing ? 'since the last acknowledged write' : 'longest write gap';
  const longest = witness.writing && witness.longestGapMs !== null ? `longest ${formatMs(witness.longestGapMs)}` : '';
  const meaning = gapMeaning(ms);
  if (!big)
    return [
      [
        {text: gapText(ms), meaning},
        {text: ` ${label} ${longest}`, meaning: 'plain'},
      ],
      countLine(witness),
    ];
  const beside = [label, longest, ''];
  const digits = bigDigits(gapText(ms)).map(
    (text, row): Line => [
      {text, meaning},
      {text: `   ${beside[row]}`, meaning: row === 0 ? 'plain' : 'muted'},
    ],
  );
  return [...digits, countLine(witness)];
}

function countLine({acknowledged, unanswered, lost}: WitnessView): Line {
  return [
    {text: `${acknowledged} acknowledged`, meaning: 'good'},
    {text: `  ${unanswered} not acknowledged  `, meaning: 'muted'},
    {
      text: lost === null ? 'lost: not read back yet' : `${lost} lost`,
      meaning: lost === null ? 'muted' : lost === 0 ? 'good' : 'critical',
    },
  ];
}

/** Two digits below the second while it is short, so that the number moves; then one. */
function gapText(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}
