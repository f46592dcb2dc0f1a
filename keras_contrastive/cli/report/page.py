"""The page around the sections: style, title, nothing that is fetched."""

from html import escape

_STYLE = """
:root { --ink: #1d2733; --soft: #5d6b7a; --line: #dfe5eb; --accent: #1f6feb; --good: #1a7f4b;
  --bad: #b4540a; --paper: #ffffff; --tint: #f5f8fb; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 1040px; margin: 0 auto; padding: 2.5rem 1.5rem 4rem; }
h1 { font-size: 1.75rem; margin: 0; letter-spacing: -.01em; }
h2 { font-size: 1.2rem; margin: 3rem 0 .3rem; padding-top: 1.1rem;
  border-top: 1px solid var(--line); }
p { margin: .35rem 0 1rem; color: var(--soft); max-width: 46rem; }
table { border-collapse: collapse; margin: .8rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: .4rem 1.1rem .4rem 0; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; }
th { font-weight: 600; color: var(--soft); font-size: .9rem; }
td.number, th.number { text-align: right; }
td.best { font-weight: 650; }
.tiles { display: flex; flex-wrap: wrap; gap: 1rem; margin: 1.6rem 0 .5rem; }
.tile { flex: 1 1 9.5rem; background: var(--tint); border: 1px solid var(--line);
  border-radius: 10px; padding: .8rem 1rem; }
.tile b { display: block; font-size: 1.65rem; line-height: 1.25; font-weight: 650; }
.tile span { display: block; color: var(--soft); font-size: .85rem; }
.figure { width: 100%; height: auto; display: block; margin: .5rem 0; }
.row { display: flex; align-items: flex-start; gap: 8px; margin: .55rem 0; }
.gap { flex: 0 0 14px; }
.shot { flex: 1 1 0; min-width: 0; max-width: 108px; text-align: center;
  font-size: .78rem; color: var(--soft); line-height: 1.25; }
.shot img { width: 100%; aspect-ratio: 1; display: block; border-radius: 6px;
  border: 3px solid var(--line); object-fit: cover; margin-bottom: .2rem; }
.shot img.pixels { image-rendering: pixelated; }
.hit img { border-color: var(--good); } .hit { color: var(--good); }
.miss img { border-color: var(--bad); border-style: dashed; } .miss { color: var(--bad); }
.query img { border-color: var(--ink); } .query { color: var(--ink); font-weight: 600; }
pre { background: var(--tint); border: 1px solid var(--line); border-radius: 8px; padding: 1rem;
  font: 13px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; overflow-x: auto; }
@media print { main { padding: 0; max-width: none; } section, table, .row { break-inside: avoid; }
  h2 { break-after: avoid; } body { font-size: 11pt; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; } }
"""


def page(title: str, summary: str, sections: list[str]) -> str:
    """The whole page from its sections; empty ones are left out."""
    body = "\n".join(f"<section>{section}</section>" for section in sections if section)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>{escape(title)}</h1>
{summary}
{body}
</main>
</body>
</html>
"""
