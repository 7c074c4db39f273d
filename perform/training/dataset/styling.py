"""The look of a dataset's report."""

from __future__ import annotations

REPORT_STYLE = """
:root { color-scheme: dark; --ground: #0b0b0d; --line: #26262b; --quiet: #8b8b93; --text: #e8e6e1;
  --accent: #e8a87c; }
* { box-sizing: border-box; margin: 0; }
body { background: var(--ground); color: var(--text); font: 15px/1.55 system-ui, sans-serif;
  padding: 56px 40px 80px; }
main { max-width: 1200px; margin: auto; }
h1 { font-size: 44px; font-weight: 300; letter-spacing: -.02em; line-height: 1.15; overflow-wrap: anywhere; }
h2 { font-size: 13px; font-weight: 600; letter-spacing: .08em; text-transform: uppercase; color: var(--quiet);
  margin-bottom: 20px; }
h2 small { font: inherit; font-weight: 400; letter-spacing: 0; text-transform: none; margin-left: 10px; }
p { color: var(--quiet); margin-top: 14px; }
header p { font-size: 17px; margin-top: 6px; }
section { border-top: 1px solid var(--line); padding-top: 24px; margin-top: 56px; }
.figures { display: flex; flex-wrap: wrap; gap: 20px 56px; margin: 36px 0 40px; }
.figures b { display: block; font-size: 30px; font-weight: 300; font-variant-numeric: tabular-nums; }
.figures span { color: var(--quiet); }
.sheet { display: block; width: 100%; height: auto; }
.two { display: grid; grid-template-columns: 1fr 1fr; gap: 0 56px; }
.bar, .palette { display: flex; height: 10px; gap: 2px; margin-bottom: 20px; }
.bar i { background: #6d6d76; min-width: 2px; }
.bar .kept { background: var(--accent); opacity: 1; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 7px 20px 7px 0; font-weight: 400; }
tr + tr > * { border-top: 1px solid #1a1a1e; }
td:last-child { width: 100%; padding-right: 0; }
td span, .handled td { color: var(--quiet); }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.n { color: var(--text); }
ul { list-style: none; padding: 0; font: 13px/1.6 ui-monospace, monospace; overflow-wrap: anywhere; }
.palette { height: 72px; gap: 0; }
.mean { display: flex; gap: 24px; align-items: flex-end; margin-bottom: 28px; }
.mean img { width: 168px; height: auto; display: block; }
.mean i { display: block; width: 72px; height: 72px; }
.mean p { margin: 8px 0 0; }
svg { display: block; width: 100%; }
.luminance { height: 120px; border-bottom: 6px solid; border-image: linear-gradient(90deg, #000, #fff) 1; }
.sizes { max-width: 420px; height: auto; }
.pairs { display: grid; grid-template-columns: repeat(4, 1fr); gap: 28px 24px; }
.pairs img { width: 50%; height: auto; display: inline-block; vertical-align: bottom; }
figcaption { font-size: 13px; color: var(--quiet); margin-top: 8px; overflow-wrap: anywhere; }
figcaption b { color: var(--accent); font-weight: 600; }
dl { display: grid; grid-template-columns: repeat(4, 1fr); gap: 14px 24px; }
dt { color: var(--quiet); font-size: 13px; } dd { overflow-wrap: anywhere; }
code { font: 12px ui-monospace, monospace; overflow-wrap: anywhere; }
@media (max-width: 760px) {
  body { padding: 28px 18px; } .two { grid-template-columns: 1fr; }
  .pairs, dl { grid-template-columns: 1fr 1fr; }
}
"""

REPORT_TEMPLATE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{{title}}</title>
<style>{{style}}</style>
<main>
<header><h1>{{title}}</h1><p>{{subtitle}}</p></header>
<div class="figures">{{figures}}</div>
<img class="sheet" src="{{sheet}}" alt="contact sheet">
<p>{{shown}}</p>
<section><h2>What became of everything</h2>{{fate}}</section>
<div class="two">
<section><h2>Colour <small>of {{looked_at}} pictures</small></h2>
<div class="palette">{{palette}}</div>
<div class="mean"><div><img src="{{mean}}" alt=""><p>mean picture</p></div>
<div><i style="background:{{colour}}"></i><p>mean colour {{colour}}</p></div></div>
{{luminance}}<p>luminance, from black to white</p></section>
<section><h2>Sizes before</h2>{{sizes}}
<h2 style="margin-top:40px">What pictures needed</h2><div class="handled">{{handled}}</div></section>
</div>
<section><h2>Nearest to each other</h2>{{pairs}}</section>
<section><h2>Made with</h2><dl>{{recipe}}</dl><p><code>{{digest}}</code></p></section>
</main>
</html>
"""
