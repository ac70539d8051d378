"""How the report looks: wide and narrow, light and dark, and on paper."""

STYLE = """
:root{color-scheme:light;--back:#fff;--card:#f3f5f8;--text:#1b1f24;--dim:#59626d;
--line:#d9dde2;--all:#a9c0de;--good:#1a66c2}
@media screen and (prefers-color-scheme:dark){:root{color-scheme:dark;--back:#14171b;
--card:#1d2228;--text:#e6e9ec;--dim:#a3adb8;--line:#343b43;--all:#46628a;--good:#62a8f8}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1080px;padding:2rem 1.25rem;background:var(--back);
color:var(--text);font:15px/1.5 system-ui,sans-serif}
h1{font-size:1.6rem;margin:0}h2{font-size:1.15rem;margin:2.2rem 0 .6rem}
p{color:var(--dim);margin:.25rem 0 1.25rem}
i{display:block;font-style:normal}
.all{background:var(--all)}.good{background:var(--good)}
.tiles{display:grid;grid-template-columns:repeat(6,1fr);gap:.75rem}
@media(max-width:900px){.tiles{grid-template-columns:repeat(3,1fr)}}
.tile{background:var(--card);border-radius:10px;padding:.8rem 1rem}
.tile b{display:block;font-size:1.35rem;font-variant-numeric:tabular-nums}
.tile span,.key{color:var(--dim);font-size:.85rem}
.key{margin:1rem 0 0}
.key i{display:inline-block;width:11px;height:11px;border-radius:2px;margin:0 .35rem 0 .9rem}
.key i:first-child{margin-left:0}
.chart{display:grid;grid-template-columns:auto 1fr;gap:.5rem;padding-bottom:1.7rem}
.scale{display:flex;flex-direction:column;justify-content:space-between;margin:-.7em 0;
text-align:right;color:var(--dim);font-size:.75rem;line-height:1.4em;
font-variant-numeric:tabular-nums}
.plot{display:flex;height:200px;border-bottom:1px solid var(--dim);background:
repeating-linear-gradient(to bottom,var(--line) 0 1px,transparent 1px 25%)}
.plot>div{flex:1 1 0;min-width:0;position:relative;display:flex;flex-direction:column;
justify-content:flex-end;align-items:center}
.plot i{width:80%;max-width:36px}
.plot i.all{border-radius:2px 2px 0 0}
.plot>div:hover{background:color-mix(in srgb,var(--dim) 15%,transparent)}
.plot b{position:absolute;top:calc(100% + .35rem);left:50%;transform:translateX(-50%);
white-space:nowrap;font-weight:400;font-size:.75rem;color:var(--dim);display:none}
.plot b.wide{display:block}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.35rem .6rem;border-bottom:1px solid var(--line);text-align:right;
white-space:nowrap;font-weight:400}
th:first-child{text-align:left;white-space:normal;overflow-wrap:anywhere;min-width:8rem;width:24%}
thead th{color:var(--dim);font-weight:600;font-size:.85rem}
td.bar{width:22%;min-width:90px}.bar span{display:flex;height:10px}
.empty td,.empty th{color:var(--dim)}
summary{cursor:pointer;color:var(--dim);padding:.6rem}
.none{margin:0}
@media(max-width:700px){
body{padding:1.25rem 1rem}
.tiles{gap:.5rem}
.tile{padding:.55rem .65rem}.tile b{font-size:1.05rem}
.plot{height:160px}.plot b.wide{display:none}.plot b.few{display:block}
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
table,tbody{display:block}
tr{display:grid;grid-template-columns:1fr 1.3fr 1fr 1fr 1.2fr 1.2fr;gap:0 .4rem;padding:.5rem 0;
border-bottom:1px solid var(--line)}
th,td{border:0;padding:0}
tr>th:first-child{grid-column:1/4;font-weight:600;width:auto;min-width:0}
td.bar{grid-column:4/-1;width:auto;align-self:center;min-width:0}
td[data-head]{font-size:.85rem;text-align:left}
td[data-head]::before{content:attr(data-head);display:block;color:var(--dim);font-size:.7rem}
tr.empty td[data-head]:nth-child(n+4),tr.empty .bar{display:none}
tr.empty td[data-head]{grid-column:4/-1;text-align:right}
tr.empty td[data-head]::before{content:"no calls"}tr.empty td[data-head]{font-size:0}
tr.empty td[data-head]::before{font-size:.8rem}
}
@media print{
@page{margin:15mm}
body{max-width:none;padding:0;font-size:10pt}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
h2,thead,.key{break-after:avoid}tr,.chart,.tile{break-inside:avoid}
.tiles{grid-template-columns:repeat(6,1fr);gap:.4rem}
.tile{border:1px solid var(--line);padding:.4rem .6rem}
.tile b{font-size:1rem;white-space:nowrap}
th,td{padding:.15rem .4rem}
}
"""
