import {extname} from 'node:path';
import type {DrillDocument} from '../drill/report.ts';

/** The formats of a report that is a file. */
export const DRILL_FORMATS = ['html', 'markdown', 'json', 'junit'] as const;
/** One of them. */
export type DrillFormat = (typeof DRILL_FORMATS)[number];

const BY_EXTENSION: Readonly<Record<string, DrillFormat>> = {'.md': 'markdown', '.markdown': 'markdown', '.json': 'json', '.xml': 'junit'};

/** The format that a file's name asks for: `.md`, `.json` and `.xml` (JUnit) say so, anything else is HTML. */
export function formatOfFile(file: string): DrillFormat {
  return BY_EXTENSION[extname(file).toLowerCase()] ?? 'html';
}

/** How a report of each format begins. */
const BEGINS: Readonly<Record<DrillFormat, RegExp>> = {
  html: /^<!DOCTYPE html>\s[\s\S]*<meta name="generator" content="regionctl">/u,
  markdown: /^# Drill .+: .*(Passed|Objective missed|Not started|Could not|Still running|Waits|Interrupted|Failed)/u,
  json: /^\s*\{\s*"runId": ?"[^"]*",\s*"kind": ?"drill"/u,
  junit: /^<\?xml [^>]*>\s*<testsuites name="regionctl drill /u,
};

/** Whether a file that begins like this is a report of a drill, in whatever format. */
export function isDrillReport(head: string): boolean {
  return DRILL_FORMATS.some((format) => BEGINS[format].test(head));
}

/** A report in one of its formats, with the line end that a file ends with. */
export async function formatDrill(report: DrillDocument, format: DrillFormat): Promise<string> {
  const formats: Readonly<Record<DrillFormat, () => Promise<string>>> = {
    html: async () => (await import('./drill-html.ts')).drillHtml(report),
    markdown: async () => (await import('./drill-markdown.ts')).drillMarkdown(report),
    json: async () => JSON.stringify(report, null, 2),
    junit: async () => (await import('./drill-junit.ts')).drillJunit(report),
  };
  return `${(await formats[format]()).trimEnd()}\n`;
}
