import type {Finding} from '../../ports/finding.ts';
import type {Cell} from '../../snapshot/cell.ts';
import type {AckRule} from '../../snapshot/snapshot.ts';
import type {ClusterView} from './answers.ts';
import {listOf, type Views} from './ensemble.ts';
import {finding} from './fit-cluster.ts';
import type {Picture} from './fit-picture.ts';

/** Whom the primary waits for, by SQL. */
export type Rule = Cell<AckRule>;

/** What the overseers are judged by: `view` = what most Patronis say, `views` = what each says. */
export type Overseen = {readonly picture: Picture; readonly view: ClusterView; readonly views: Views; readonly rule: Rule};

/** The synchronous mode as it is set, against whom Patroni calls synchronous and whom the primary waits for. */
export function synchronousOf({picture, view, rule}: Overseen): readonly Finding[] {
  const {config} = picture;
  if (!config.ok) return [];
  const say = (verdict: Finding['verdict'], says: string, fix: string | null = null): readonly Finding[] => [
    finding(picture, 'synchronous', verdict, says, fix),
  ];
  const listed = view.members.filter(({sync}) => sync).map(({name}) => name);
  const waits = rule.known ? rule.value.of : null;
  if (!config.value.synchronous) return say(...byHand(waits));
  const mode = config.value.strict ? 'the synchronous mode is strict' : 'the synchronous mode is on';
  if (listed.length === 0) {
    return config.value.strict
      ? say('error', `${mode}, and Patroni counts nobody as synchronous: writes may wait for ever`, 'bring a standby back')
      : say('warning', `${mode}, and there is no synchronous standby: writes wait for nobody`, 'bring a standby back');
  }
  if (!rule.known) return say('unknown', `${mode}, with ${listOf(listed)}; whom the primary waits for is not known: ${bare(rule.reason)}`);
  const unwaited = listed.filter((name) => !rule.value.of.includes(name));
  if (unwaited.length > 0) {
    const says = `${mode}, and the primary does not wait for ${listOf(unwaited)}, which Patroni calls synchronous and would promote`;
    return say('error', says, 'see synchronous_standby_names and synchronous_commit of the primary');
  }
  return say('pass', `${mode}: a write waits for ${rule.value.need} of ${listOf(rule.value.of)}`);
}

/** Patroni leaves synchronous_standby_names alone then, and chooses whom to promote without it. */
function byHand(waits: readonly string[] | null): readonly [Finding['verdict'], string, (string | null)?] {
  if (waits === null || waits.length === 0) return ['pass', 'the synchronous mode is off: a failover by Patroni may lose the last writes'];
  const says = `the synchronous mode is off, and the primary waits for ${listOf(waits)} by a setting of its own: Patroni may promote one that lacks acknowledged writes`;
  return ['warning', says, 'use synchronous_mode instead of synchronous_standby_names'];
}

const bare = (text: string): string => text.replace(/\.+$/, '');
