/** Colours by the reader's choice of light or dark; contrasts of at least 4.5 to 1 for all text. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --text: #1d2129; --quiet: #59616d; --line: #d9dde3; --back: #fff; --card: #f6f7f9; --ink: #2f6fb5;
  --error: #b3001e; --warning: #855300; }
@media (prefers-color-scheme: dark) { :root { --text: #e4e7eb; --quiet: #a0a8b3; --line: #3a4048; --back: #15181c; --card: #1d2126; --ink: #79b0ec;
  --error: #ff8a8f; --warning: #f0b95a; } }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 76rem; padding: 1.5rem 1rem 4rem; color: var(--text); background: var(--back); }
h1 { font-size: 1.5rem; margin: 0; overflow-wrap: anywhere; } h2 { font-size: 1.1rem; margin: 2rem 0 0.5rem; }
h3 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; } h3 small { font-weight: normal; color: var(--quiet); }
p { margin: 0.25rem 0; } a { color: var(--ink); } .facts, figcaption span { color: var(--quiet); }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: 14px; white-space: nowrap; }
th, td { text-align: left; padding: 0.3rem 0.9rem 0.3rem 0; border-bottom: 1px solid var(--line); } th { color: var(--quiet); font-weight: 600; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 0.9rem 1rem; margin: 0.8rem 0; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(10.5rem, 1fr)); gap: 1rem 1.5rem; margin-top: 0.8rem; }
figure { margin: 0; } figcaption { font-size: 13px; } svg { display: block; width: 100%; }
svg rect, svg circle { fill: var(--ink); } svg path { stroke: var(--ink); stroke-width: 1.5; fill: none; }
svg path.axis { stroke: var(--line); stroke-width: 1; } svg path.mark { stroke: var(--quiet); stroke-width: 1; stroke-dasharray: 3 2; }
svg.range { width: 120px; height: 12px; }
ul { margin: 0.4rem 0; padding-left: 1.2rem; } li { margin: 0.15rem 0; overflow-wrap: anywhere; }
.error b { color: var(--error); } .warning b { color: var(--warning); } .note b { color: var(--quiet); }
@media print { section { break-inside: avoid; } }`;
