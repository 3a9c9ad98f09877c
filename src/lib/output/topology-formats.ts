import type {TopologyDocument} from '../replication/topology-model.ts';
import {topologyMermaid} from './topology-mermaid.ts';
import {topologyText} from './topology-text.ts';
import type {TextOptions} from './verdict-cell.ts';

/** The formats of `replication topology` beside --json. */
export type TopologyFormat = 'text' | 'mermaid';

/** A topology document in one of its formats, without the last line end: what prints it adds one. */
export function formatTopology(document: TopologyDocument, format: TopologyFormat, options: TextOptions): string {
  return format === 'text' ? topologyText(document, options) : topologyMermaid(document);
}
