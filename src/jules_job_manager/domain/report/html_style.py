"""The style sheet of the HTML report: light and dark, from a phone's width up."""

from __future__ import annotations

STYLE = """
:root{color-scheme:light dark;--bg:#fff;--card:#f6f8fa;--text:#1f2328;--dim:#59636e;--line:#d1d9e0;
--good:#1a7f37;--bad:#cf222e;--warn:#9a6700;--add:#dafbe1;--del:#ffebe9;--hunk:#ddf4ff}
@media (prefers-color-scheme:dark){:root{--bg:#0d1117;--card:#161b22;--text:#e6edf3;--dim:#9198a1;
--line:#3d444d;--good:#3fb950;--bad:#f85149;--warn:#d29922;--add:#12361f;--del:#4a1a1d;--hunk:#122d4b}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--text);font:16px/1.5 system-ui,sans-serif}
main{max-width:64rem;margin:0 auto;padding:1rem}
h1{font-size:1.4rem;line-height:1.3;margin:.25rem 0 .5rem;overflow-wrap:anywhere}
h2{font-size:1.1rem;margin:2rem 0 .5rem}
p{margin:.35rem 0}
header{border-left:.35rem solid var(--dim);padding:.25rem 0 .25rem 1rem}
header.accept{border-color:var(--good)}header.reject{border-color:var(--bad)}
header.escalate{border-color:var(--warn)}
.verdict{font-weight:700}
.accept .verdict,.good{color:var(--good)}.reject .verdict,.bad{color:var(--bad)}
.escalate .verdict,.warn{color:var(--warn)}
.dim{color:var(--dim);font-size:.875rem;overflow-wrap:anywhere}
code,pre,.diff{font:.8125rem/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
code{overflow-wrap:anywhere}
ul{list-style:none;margin:0;padding:0}
.list li+li{margin-top:.125rem}
.list>li{border-top:1px solid var(--line);padding:.5rem 0}
.list>li:last-child{border-bottom:1px solid var(--line)}
.row{display:flex;gap:.25rem .75rem;align-items:baseline}
.row>.grow{flex:1;min-width:0;overflow-wrap:anywhere}
.sign{width:1.25rem;flex:none;text-align:center;font-weight:700}
.in{margin-left:2rem}
summary{cursor:pointer;overflow-wrap:anywhere}
pre{margin:.5rem 0 0;padding:.75rem;background:var(--card);border:1px solid var(--line);
border-radius:.375rem;white-space:pre-wrap;overflow-wrap:anywhere;max-height:32rem;overflow-y:auto}
.file{border:1px solid var(--line);border-radius:.375rem;margin:0 0 1rem;overflow:hidden}
.file>summary{background:var(--card);padding:.5rem .75rem}
.file>ul,.file>p{padding:.25rem .75rem}
.diff{width:100%;border-collapse:collapse;table-layout:fixed}
.diff td{padding:0 .5rem;vertical-align:top;white-space:pre-wrap;overflow-wrap:anywhere}
.diff col.no{width:3.25rem}.diff col.mark{width:1.25rem}
.diff td.no{padding:0 .375rem;text-align:right;color:var(--dim);user-select:none}
.diff td.mark{padding:0;text-align:center;user-select:none}
.added{background:var(--add)}.removed{background:var(--del)}.hunk{background:var(--hunk)}
.hunk td,.gap td,.note td{color:var(--dim)}
.diff .finding td{padding:.375rem .75rem;border:solid var(--bad);border-width:0 0 0 .25rem;
background:var(--card);font:.875rem/1.45 system-ui,sans-serif;white-space:normal}
.diff .warning td{border-color:var(--warn)}.diff .remark td{border-color:var(--dim)}
@media (max-width:40rem){.diff col.old{width:0}.diff td.old{padding:0;font-size:0}
.diff col.no:not(.old){width:2.5rem}details.in{margin-left:0}
.row{flex-wrap:wrap}.row>.grow{flex-basis:70%}.row>.facts{padding-left:2rem}}
"""
