import {expect, it} from 'vitest';
import {createSlots} from '../../../src/lib/providers/postgres/slots.ts';
import {type Answers, follows, scriptedCluster} from './scripted-servers.ts';

const copiesOf = async (answers: Answers, copies: boolean) => {
  const cells = await createSlots(scriptedCluster(answers), {copies}).slots(new AbortController().signal);
  return Object.values(cells).flatMap((cell) => (cell.known ? cell.value.map(({name, copyOf}) => `${name} ${copyOf ?? '-'}`) : ['?']));
};
const feed = {name: 'feed', kind: 'logical'} as const;

it('a slot that a manager copies to a standby is told by its name, where somebody keeps such copies at all', async () => {
  const answers: Answers = {
    us: () => ({facts: {}, slots: [{...feed, active: true, pid: 7}, {name: 'shared'}]}),
    eu: () => ({facts: follows(answers, 'us'), slots: [feed, {name: 'shared', kind: 'logical'}, {name: 'left'}]}),
    ap: () => ({facts: follows(answers, 'us'), slots: [{...feed, active: true, pid: 8}]}),
  };
  const none = ['feed -', 'shared -', 'feed -', 'shared -', 'left -', 'feed -'];
  expect(await copiesOf(answers, true), 'not what is of another kind, or in use').toEqual(none.with(2, 'feed us'));
  expect(await copiesOf(answers, false), 'it may be left over').toEqual(none);
  const silent: Answers = {...answers, us: () => Promise.reject(new Error('gone'))};
  expect(await copiesOf(silent, true), 'nobody tells').toEqual(['?', 'feed -', 'shared -', 'left -', 'feed -']);
});

it('a copy that the server keeps itself is one as long as it is a standby, whether its primary answers or not', async () => {
  const synced = {...feed, synced: true};
  const answers: Answers = {
    us: () => ({facts: {}, slots: [synced]}),
    eu: () => ({facts: follows(answers, 'us'), slots: [synced]}),
    ap: () => ({facts: {recovering: true}, slots: [synced]}),
  };
  expect(await copiesOf(answers, false)).toEqual(['feed -', 'feed us', 'feed us']);
  const silent: Answers = {...answers, us: () => Promise.reject(new Error('gone'))};
  expect(await copiesOf(silent, false)).toEqual(['?', 'feed us', 'feed unknown']);
});
