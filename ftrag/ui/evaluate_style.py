"""Style of the Evaluate tab: bars, scatter and answers that follow the theme, light and dark."""

from ftrag.report_marks import style

CSS = (
    f"{style()}\n{style(1, '.dark ')}"
    + """
.ft-list { margin: .3rem 0 .5rem; padding-left: 1.2rem; } .ft-list li { margin: .2rem 0; }
.ft-q { font-size: 1.05rem; font-weight: 650; margin: 0 0 .3rem; }
.ft-card details { margin: .4rem 0; } .ft-card summary { cursor: pointer; font-weight: 600; font-size: .9rem; }
.ft-key { font-weight: 600; margin-right: .7rem; } .ft-key::before { content: ""; display: inline-block; width: 10px;
  height: 10px; border-radius: 3px; margin-right: 5px; background: var(--ft-axis); }
.content { --ft-axis: #0369a1; } .behaviour { --ft-axis: #b45309; }
.dark .content { --ft-axis: #38bdf8; } .dark .behaviour { --ft-axis: #f59e0b; }
.ft-bars { display: grid; grid-template-columns: max-content 1fr; gap: 9px 12px; align-items: center; }
.ft-bars .l { font-weight: 600; font-size: .9rem; }
.ft-bars .b { display: flex; align-items: center; gap: 8px; height: 15px; }
.ft-bars .b b { font-size: .8rem; font-weight: 600; min-width: 3.2em; font-variant-numeric: tabular-nums; }
.ft-bars .t { position: relative; flex: 1; height: 10px; border-radius: 3px;
  background: var(--background-fill-secondary); }
.ft-bars .t i { position: absolute; inset: 0 auto 0 0; border-radius: 3px; background: var(--ft-axis); }
.ft-bars .t u { position: absolute; top: 4px; height: 2px; background: var(--body-text-color); opacity: .75; }
.ft-scatter svg[role=img] { width: 100%; height: auto; max-height: 340px; border-radius: 10px;
  background: var(--background-fill-secondary); }
.ft-scatter [data-group] { cursor: pointer; }
.ft-scatter .in { fill: var(--c); stroke: var(--c); fill-opacity: .8; }
.ft-scatter .out { fill: var(--c); fill-opacity: .12; stroke: var(--c); stroke-width: 1.6; }
.ft-scatter svg[role=img] path:hover { stroke: var(--body-text-color); stroke-width: 3; }
.ft-chips { display: flex; flex-wrap: wrap; gap: 6px; margin-top: 8px; }
.ft-chips button { display: inline-flex; align-items: center; gap: 6px; text-align: left; font-size: .84rem;
  padding: 4px 10px; border: 1px solid var(--border-color-primary); border-radius: 99px;
  background: var(--background-fill-primary);
  color: var(--body-text-color); cursor: pointer; }
.ft-chips button:hover { border-color: #0284c7; }
.ft-chips svg { flex: none; }
.ft-answer { border-top: 1px solid var(--border-color-primary); padding: .5rem 0; overflow-wrap: anywhere; }
.ft-answer .h { font-size: .88rem; margin-bottom: .15rem; } .ft-answer p { margin: .15rem 0 0; }
.gradio-container .ft-table, .gradio-container .ft-table thead, .gradio-container .ft-table tbody,
.gradio-container .ft-table tr { border: 0 !important; }
#clusters td:nth-last-child(-n+2) { min-width: 13rem; }
.ft-answer ins { text-decoration: underline dotted 1.5px; text-underline-offset: 3px;
  text-decoration-color: var(--body-text-color-subdued); }
.ft-plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(280px, 1fr)); gap: 12px; }
.ft-plots h4 { margin: 0 0 4px; font-size: .92rem; }
"""
)
