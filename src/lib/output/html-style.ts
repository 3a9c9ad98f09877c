const LIGHT = `--page:#f4f5f7;--card:#fff;--text:#1b2027;--muted:#555f6d;--line:#d6dbe2;--track:#e8ebf0;--accent:#2a5db0;
--good:#11632d;--good-soft:#e4f3e8;--bad:#a3161e;--bad-soft:#fdebeb;--warning:#744700;--warning-soft:#fdf1d6;
--unknown:#583a96;--unknown-soft:#f0eafb;--fault:#b7791f;--phase:#5b7fb9;--band:#a3161e14`;
const DARK = `--page:#0e1217;--card:#161b22;--text:#e6e9ee;--muted:#a5afbc;--line:#303945;--track:#262e39;--accent:#8fb6ff;
--good:#74d492;--good-soft:#12301d;--bad:#ff9d97;--bad-soft:#3c1719;--warning:#f1c363;--warning-soft:#35290d;
--unknown:#c7acff;--unknown-soft:#2a2045;--fault:#d39a3c;--phase:#6f95d6;--band:#ff9d971f`;

const PAGE = `*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--text);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;overflow-wrap:anywhere}
main{max-width:1080px;margin:0 auto;padding:32px 24px 24px}
h1{font-size:2rem;line-height:1.2;margin:0}
h2{font-size:1.15rem;line-height:1.3;margin:0 0 12px}
p{margin:0 0 10px}
.kicker,.beside,footer,dt{color:var(--muted)}
.kicker{margin:0 0 4px;font-size:.85rem;letter-spacing:.04em}
.lead{margin:8px 0 0;max-width:70ch}
.verdict{display:flex;gap:16px;align-items:center;margin:20px 0;padding:18px 20px;border-radius:10px;border:1px solid currentColor}
.verdict svg{flex:none;width:44px;height:44px}
.verdict p{margin:0;color:var(--text)}
.verdict .word{color:inherit;font-size:1.5rem;font-weight:700;line-height:1.25}
.tiles{display:grid;grid-template-columns:repeat(4,1fr);gap:12px;margin:0 0 20px;padding:0;list-style:none}
.tile{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px 16px}
.tile .name{color:var(--muted);font-size:.85rem}
.tile .value{display:block;font-size:1.6rem;font-weight:650;line-height:1.25;font-variant-numeric:tabular-nums}
.tile .beside{font-size:.85rem}
section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:18px 20px;margin:0 0 16px}
dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 20px;margin:0}
dd{margin:0}
ul.list{margin:0 0 10px;padding-left:1.2em}
ul.list li{margin:4px 0}
nav{margin:0 0 20px;font-size:.9rem}
nav ul{display:flex;flex-wrap:wrap;gap:4px 18px;margin:0;padding:0;list-style:none}
a{color:var(--accent)}
code{font:.85em/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
footer{font-size:.85rem;margin:20px 0 0}
:target{outline:2px solid var(--accent);outline-offset:2px}`;

const TABLE = `table{width:100%;border-collapse:collapse;font-size:.92rem}
th,td{text-align:left;vertical-align:top;padding:7px 14px 7px 0;border-bottom:1px solid var(--line)}
tr>:last-child{padding-right:0}
tbody tr:last-child>*{border-bottom:0}
thead th{overflow-wrap:normal;color:var(--muted);font-weight:600;font-size:.85rem;vertical-align:bottom}
tbody th{font-weight:600;min-width:9em}
td.long{min-width:14em}
td.short,tbody th.short{white-space:nowrap}
.end{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.pill{display:inline-block;padding:0 8px;border-radius:999px;font-size:.85rem;font-weight:600}
td .pill{white-space:nowrap}
.good{color:var(--good)}.bad{color:var(--bad)}.warning{color:var(--warning)}.unknown{color:var(--unknown)}.muted{color:var(--muted)}
.pill.good,.verdict.good{background:var(--good-soft)}.pill.bad,.verdict.bad{background:var(--bad-soft)}
.pill.warning,.verdict.warning{background:var(--warning-soft)}.pill.unknown,.verdict.unknown{background:var(--unknown-soft)}
.pill.muted{background:var(--track)}
.end .good,.end .bad,.end .unknown{font-weight:600}`;

const PICTURES = `svg{display:block}
svg.line{width:100%;height:auto}
svg.line.narrow{display:none}
svg text{font-family:inherit;fill:var(--text)}
svg .dim{fill:var(--muted)}
svg .grid{stroke:var(--line);stroke-width:1}
svg .track{fill:var(--track)}
svg .fault{fill:var(--fault)}svg .gap{fill:var(--bad)}svg .phase{fill:var(--phase)}svg .load{fill:var(--accent)}
svg .event{fill:var(--muted)}svg .f-good{fill:var(--good)}svg .f-bad{fill:var(--bad)}svg .f-warning{fill:var(--warning)}svg .f-unknown{fill:var(--unknown)}
svg .f-plain{fill:var(--phase)}
svg .band{fill:var(--band)}
svg .own{stroke:var(--text);stroke-width:3;vector-effect:non-scaling-stroke}
svg .mark{stroke:var(--text);stroke-width:2}
svg .trend{fill:none;stroke:var(--phase);stroke-width:2;vector-effect:non-scaling-stroke}
svg .target{stroke:var(--muted);stroke-width:1;stroke-dasharray:4 4;vector-effect:non-scaling-stroke}
svg .seen{fill:none;stroke:var(--text);stroke-width:1.5}
svg .mean{fill:none;stroke:var(--accent);stroke-width:2}
svg .p95{fill:var(--accent);opacity:.14}
svg .p80{fill:var(--accent);opacity:.24}
svg .limit{stroke:var(--bad);stroke-width:2}
svg text.bad{fill:var(--bad)}
svg.bar{width:100%;min-width:110px;max-width:220px;height:16px;margin-top:4px}
svg.spark{width:100%;height:72px;overflow:visible}
figure{margin:0 0 14px}
figcaption{color:var(--muted);font-size:.85rem;margin-bottom:6px}`;

/* Where there is little room, words give way and figures stay whole. */
const TIGHT = `th,td{padding-right:8px}
tbody th{min-width:6em}
td.long{min-width:8em}
td.short,tbody th.short{white-space:normal;overflow-wrap:break-word}
thead th,.end{white-space:normal;overflow-wrap:normal}
td.end span{white-space:nowrap}
svg.bar{min-width:60px}`;

/* Tables become cards, each cell with its heading beside it: nothing is scrolled sideways. */
const NARROW = `main{padding:20px 12px}
h1{font-size:1.5rem}
section{padding:14px}
.tiles{grid-template-columns:1fr 1fr}
.tile{padding:10px 12px}
.tile .value{font-size:1.3rem}
.verdict{padding:14px;gap:12px}
dl{grid-template-columns:1fr;gap:0}
dd{margin:0 0 8px}
svg.line.wide{display:none}
svg.line.narrow{display:block}
table,tbody,tr,th,td{display:block;min-width:0}
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
tbody tr{padding:8px 0;border-bottom:1px solid var(--line)}
tbody tr:last-child{border-bottom:0}
th,td{border:0;padding:2px 0}
td,td.end,td.short{display:grid;grid-template-columns:8em 1fr;gap:8px;text-align:left;white-space:normal}
td.long{min-width:0}
td::before{content:attr(data-head);color:var(--muted)}
td.empty{display:none}
td>.pill{justify-self:start}
svg.bar{max-width:none}`;

const PRINT = `:root{color-scheme:light;${LIGHT}}
@page{size:A4;margin:14mm 12mm}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
body{background:#fff;font-size:10pt}
main{max-width:none;padding:0}
section,.tile{border-radius:4px}
section{padding:10px 12px;margin-bottom:10px}
nav{display:none}
h2{break-after:avoid}
tr,figure,svg,.verdict,.tiles,.list li{break-inside:avoid}
thead{display:table-header-group}
.tile .value{font-size:15pt}
a{color:inherit;text-decoration:none}`;

/** The style sheet of reports: light and dark by what the reader prefers, narrow and wide, and for A4. */
export const REPORT_STYLE = [
  `:root{color-scheme:light dark;${LIGHT}}`,
  `@media screen and (prefers-color-scheme:dark){:root{${DARK}}}`,
  PAGE,
  TABLE,
  PICTURES,
  `@media print,screen and (max-width:1000px){${TIGHT}}`,
  `@media screen and (max-width:700px){${NARROW}}`,
  `@media print{${PRINT}}`,
].join('\n');
