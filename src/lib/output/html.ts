import {cleanText} from './clean.ts';

/** A piece of HTML that was made by `html`: nothing else is taken for markup. */
export type Html = {readonly html: string};

const ENTITIES: Readonly<Record<string, string>> = {'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;'};

/** A template of HTML. Every value is escaped, also for attributes in quotes, unless it is itself made by `html`; lists are joined. */
export function html(strings: TemplateStringsArray, ...values: readonly (string | number | Html | readonly Html[])[]): Html {
  return {html: strings.reduce((text, part, i) => text + textOf(values[i - 1]) + part)};
}

/** Constant text of ours, such as a style sheet, as it is. */
export function ownMarkup(text: string): Html {
  return {html: text};
}

/** Nothing. */
export const NONE: Html = {html: ''};

function textOf(value: string | number | Html | readonly Html[] | undefined): string {
  if (value === undefined) return '';
  if (typeof value === 'object') return 'html' in value ? value.html : value.map((each) => each.html).join('');
  return cleanText(String(value)).replaceAll(/[&<>"']/g, (char) => ENTITIES[char] ?? char);
}
