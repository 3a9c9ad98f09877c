import {stringify} from 'yaml';
import type {Hpa} from '../capacity/scaling/hpa.ts';

/** HorizontalPodAutoscalers as YAML, one document for each region, whose name stands in a comment. */
export function hpaText(autoscalers: readonly {readonly region: string; readonly hpa: Hpa}[]): string {
  return autoscalers
    .map(({region, hpa}) => `---\n# ${region}\n${stringify(hpa)}`)
    .join('')
    .trimEnd();
}
