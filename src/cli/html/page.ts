// The report page: one HTML file with everything in it, which loads nothing and runs no script.

import type { ReplayReport } from '../../trace.ts';
import { replayFigures } from '../figures.ts';
import { escapeText } from './markup.ts';
import { fragmentationPlot, memoryPlot, occupancyPlot, sizesPlot } from './plots.ts';

const STYLE = `
:root { color-scheme: light dark; --first: #2f6fde; --second: #d9730d; --bad: #b91c1c; }
@media (prefers-color-scheme: dark) { :root { --first: #6ea3ff; --second: #ffab5e; --bad: #ff9b9b; } }
body { margin: 0 auto; max-width: 68rem; padding: 1rem; font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; line-height: 1.2; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 0; }
table { border-collapse: collapse; }
th, td { padding: .2rem 1.5rem .2rem 0; text-align: left; vertical-align: top; font-variant-numeric: tabular-nums; }
th { font-weight: normal; opacity: .75; }
strong { color: var(--bad); }
main { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 2rem; margin-top: 2rem; }
figure { margin: 0; max-width: 36rem; }
figure svg { display: block; width: 100%; overflow: visible; font-variant-numeric: tabular-nums; }
.key { display: inline-block; width: .8em; height: .8em; border-radius: .2em; }
.first { background: var(--first); }
.second { background: var(--second); }
`;

/** The page for the replay of the trace called `name`. */
export function htmlReport(name: string, report: ReplayReport): string {
  const title = escapeText(`Replay of ${name}`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${title}</h1>
${figuresTable(report)}
<main>
${figure('Occupancy', occupancyPlot(report), `${key('first')} bytes asked for<br>${key('second')} bytes in the blocks that hold them`)}
${figure('Memory over time', memoryPlot(report), 'The stronger the colour, the fuller; blank is free')}
${figure(
  'Fragmentation',
  fragmentationPlot(report),
  `${key('first')} internal: the part of the blocks' bytes that was not asked for<br>
${key('second')} external: the part of the free units outside the largest free block`,
)}
${figure('Sizes', sizesPlot(report), 'Allocations by the size of the block that they get')}
</main>
</body>
</html>
`;
}

function figuresTable(report: ReplayReport): string {
  const rows = replayFigures(report).map(
    ({ name, value, bad }) =>
      `<tr><th scope="row">${name}</th><td>${bad ? `<strong>${value}</strong>` : value}</td></tr>`,
  );
  return `<table>\n${rows.join('\n')}\n</table>`;
}

function figure(heading: string, svg: string, caption: string): string {
  return `<figure>\n<h2>${heading}</h2>\n${svg}\n<figcaption>${caption}</figcaption>\n</figure>`;
}

function key(color: 'first' | 'second'): string {
  return `<span class="key ${color}"></span>`;
}
