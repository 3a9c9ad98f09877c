import type {HealthDocument} from '../health/document.ts';
import {healthJunit, healthNagios, healthNdjson, healthPrometheus} from './health-machine.ts';
import {healthText} from './health-text.ts';
import type {TextOptions} from './verdict-cell.ts';

/** The formats of `health check` beside --json. */
export type HealthFormat = 'text' | 'nagios' | 'prometheus' | 'junit' | 'ndjson';

/** A health document in one of its formats, without the last line end: what prints it adds one. */
export function formatHealth(document: HealthDocument, format: HealthFormat, options: TextOptions): string {
  const formats = {
    text: () => healthText(document, options),
    nagios: () => healthNagios(document),
    prometheus: () => healthPrometheus(document),
    junit: () => healthJunit(document),
    ndjson: () => healthNdjson(document),
  };
  return formats[format]().trimEnd();
}
