import {type Html, html, NONE, ownMarkup} from './html.ts';
import {REPORT_STYLE} from './html-style.ts';

/** A part of a report. `short` = its name in the list of parts. */
export type Section = {readonly id: string; readonly title: string; readonly short: string; readonly body: Html};

/** A report as a page. An empty `lead` is left out; `top` stands between the heading and the list of parts. */
export type Page = {
  readonly title: string;
  readonly kicker: string;
  readonly heading: string;
  readonly lead: string;
  readonly top: Html;
  readonly sections: readonly Section[];
  readonly footer: string;
};

/**
 * A report as one HTML file that needs nothing beside it: no script, no font, no picture from elsewhere, which its own policy forbids as well. Light
 * or dark by what the reader prefers, and for A4.
 */
export function htmlPage({title, kicker, heading, lead, top, sections, footer}: Page): string {
  return `<!DOCTYPE html>\n${
    html`<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<meta name="generator" content="regionctl">
<link rel="icon" href="data:,">
<title>${title}</title>
<style>
${ownMarkup(REPORT_STYLE)}
</style>
</head>
<body>
<main>
<header>
<p class="kicker">${kicker}</p>
<h1>${heading}</h1>
${lead === '' ? NONE : html`<p class="lead">${lead}</p>`}
</header>
${top}
<nav aria-label="Parts of this report"><ul>${sections.map(({id, short}) => html`<li><a href="#${id}">${short}</a></li>`)}</ul></nav>
${sections.map(section)}
<footer>${footer}</footer>
</main>
</body>
</html>
`.html
  }`;
}

function section({id, title, body}: Section): Html {
  return html`<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${title}</h2>
${body}
</section>
`;
}
