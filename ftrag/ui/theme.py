"""Colours and spacing: Gradio's base theme with system fonts and enough contrast (WCAG 2.1 AA) in light and dark."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ftrag.ui.evaluate_style import CSS as EVALUATE_CSS

ROUTE_COLOURS = {"content": "#0369a1", "behaviour": "#b45309"}
BOTH = {  # one value in light and dark
    "button_primary_background_fill": "*primary_700",
    "button_primary_background_fill_hover": "*primary_800",
    "button_primary_text_color": "white",
    "button_large_padding": "8px 16px",
    "button_large_text_size": "15px",
    "button_large_text_weight": "600",
    "button_small_padding": "6px 12px",
    "button_small_text_size": "14px",
    "button_small_text_weight": "500",
    "button_large_radius": "8px",
    "button_small_radius": "8px",
    "checkbox_label_padding": "6px 12px",
    "checkbox_background_color_selected": "*primary_600",
    "checkbox_border_color_selected": "*primary_600",
    "block_radius": "12px",
    "input_radius": "8px",
    "layout_gap": "14px",
    "input_border_width": "1px",
    "button_border_width": "1px",
}
LIGHT_DARK = {  # a token, its value in light, its value in dark
    "body_background_fill": ("#f6f8fb", "#0b1120"),
    "body_text_color": ("#0f172a", "#e2e8f0"),
    "body_text_color_subdued": ("#475569", "#a8b6c9"),
    "background_fill_primary": ("#ffffff", "#111a2c"),
    "background_fill_secondary": ("#f1f5f9", "#18243a"),
    "border_color_primary": ("#dbe3ec", "#2a3950"),
    "block_background_fill": ("#ffffff", "#111a2c"),
    "block_border_color": ("#dbe3ec", "#2a3950"),
    "block_info_text_color": ("#475569", "#a8b6c9"),
    "block_label_background_fill": ("#ffffff", "#111a2c"),
    "block_label_text_color": ("#334155", "#cbd5e1"),
    "block_title_text_color": ("#334155", "#cbd5e1"),
    "panel_background_fill": ("#ffffff", "#111a2c"),
    "input_background_fill": ("#ffffff", "#0f172a"),
    "input_border_color": ("#aab8c9", "#47597a"),
    "input_border_color_focus": ("*primary_600", "*primary_400"),
    "input_placeholder_color": ("#64748b", "#94a3b8"),
    "button_secondary_background_fill": ("#ffffff", "#1b2940"),
    "button_secondary_background_fill_hover": ("#eef3f8", "#25365180"),
    "button_secondary_border_color": ("#c3cfdc", "#3a4c69"),
    "button_secondary_text_color": ("#1e293b", "#e2e8f0"),
    "button_cancel_background_fill": ("#ffffff", "#1b2940"),
    "button_cancel_background_fill_hover": ("#fef2f2", "#451a1a"),
    "button_cancel_border_color": ("#e3b4b4", "#7f3b3b"),
    "button_cancel_text_color": ("#b91c1c", "#fca5a5"),
    "button_primary_border_color": ("*primary_700", "*primary_700"),
    "checkbox_label_background_fill": ("#f1f5f9", "#18243a"),
    "checkbox_label_background_fill_hover": ("#e5ecf4", "#22314c"),
    "checkbox_label_background_fill_selected": ("#e0f2fe", "#0c3350"),
    "checkbox_label_text_color": ("#1e293b", "#e2e8f0"),
    "checkbox_label_text_color_selected": ("#0c4a6e", "#e0f2fe"),
    "checkbox_border_color": ("#8796aa", "#64789a"),
    "table_border_color": ("#dbe3ec", "#2a3950"),
    "table_even_background_fill": ("#ffffff", "#111a2c"),
    "table_odd_background_fill": ("#f8fafc", "#152036"),
    "table_text_color": ("#0f172a", "#e2e8f0"),
    "link_text_color": ("*primary_700", "*primary_300"),
}


def theme() -> Any:
    """The theme for `launch`; every pair of text and background in it reaches 4.5 to 1."""
    fonts = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif")
    mono = ("ui-monospace", "SFMono-Regular", "Menlo", "monospace")
    base = gr.themes.Base(
        primary_hue="sky", neutral_hue="slate", radius_size="md", text_size="md", font=fonts, font_mono=mono
    )
    values = dict(BOTH)
    for token, (light, dark) in LIGHT_DARK.items():
        values |= {token: light, f"{token}_dark": dark}
    values |= {
        "button_primary_background_fill_dark": "*primary_700",
        "button_primary_background_fill_hover_dark": "*primary_600",
    }
    return base.set(**values)


CSS = """
.gradio-container { max-width: min(1240px, 100%) !important; margin: 0 auto; font-size: 15px; line-height: 1.5; }
.gradio-container .column, .gradio-container .block { min-width: 0; }
.gradio-container h3 { font-size: 1.05rem; font-weight: 650; margin: 1.2rem 0 .4rem; letter-spacing: -.01em; }
.gradio-container p { margin: .35rem 0; }
.gradio-container .html-container { padding-left: 0; padding-right: 0; }
.gradio-container .row > button { align-self: end; }

#top { align-items: center; gap: 10px 12px; flex-wrap: wrap; }
#top > .block:first-child { flex: 1 1 420px !important; }
#project { flex: 0 1 300px !important; }
.gradio-container input[role=combobox] { text-overflow: ellipsis; padding-right: 26px; }
#rows, #gates, #capability_table { --font-mono: var(--font); } /* sentences, not code */
#top_buttons { gap: 8px; flex-wrap: nowrap; align-items: center; flex: 0 0 auto !important; width: auto; }
#top_buttons button { flex: 1 0 auto; align-self: center; height: 40px; white-space: nowrap; }
#now { align-items: center; gap: 10px 14px; flex-wrap: wrap; }
#now > #status { flex: 1 1 300px !important; width: auto; }
#now > #jobs { flex: 0 0 180px !important; } /* closed it is a button; open it has the whole width */
#now > #watched { flex: 1 1 100% !important; order: 3; }
#now > #jobs:has(button.open) { flex: 1 1 100% !important; }
.block:has(> .html-container > .prose:empty), .block:has(> .prose:empty) { display: none; }
.ft-head h1 { font-size: 1.55rem; font-weight: 750; margin: 0; letter-spacing: -.03em; line-height: 1.2; }
.ft-head p { margin: 0; color: var(--body-text-color-subdued); }
.ft-dot { display: inline-block; width: 9px; height: 9px; border-radius: 50%; background: #16a34a; margin-right: 8px; }
.ft-dot.wait { background: #d97706; }
.ft-lost { color: #b45309; font-weight: 600; } .dark .ft-lost { color: #fbbf24; }
.ft-panel { padding: 12px 14px; border: 1px solid var(--border-color-primary); border-radius: 12px;
  background: var(--background-fill-primary); }
.ft-panel > .styler, .ft-panel .styler { background: none !important; border: 0 !important; overflow: visible; }
.ft-panel .ft-panel { border: 0; padding: 0; } /* gradio gives a group's class twice */
.ft-panel .styler { --button-large-radius: 8px !important; --layout-gap: 10px !important; }
.ft-step { align-items: center; padding: 10px 14px; border-radius: 12px; gap: 10px;
  background: var(--background-fill-secondary); border: 1px solid var(--border-color-primary); }
.ft-step > .block { flex: 1 1 260px !important; }
.ft-step p, .ft-step .prose { margin: 0; }
.ft-step button { align-self: center !important; white-space: nowrap; flex: 0 0 auto !important; }
.ft-commands { margin-top: 8px; }
.ft-mono textarea { font-family: var(--font-mono); font-size: .82rem; white-space: pre; overflow-x: auto; }
#tabs [role=tab] { font-size: .97rem; font-weight: 550; padding: 10px 14px; color: var(--body-text-color-subdued); }
#tabs [role=tab][aria-selected=true] { color: var(--body-text-color); font-weight: 650; }

.ft-note { color: var(--body-text-color-subdued); font-size: .88rem; }
.ft-card { border: 1px solid var(--border-color-primary); border-radius: 12px; padding: 1rem 1.2rem;
  background: var(--background-fill-primary); }
.ft-route { font-size: 1.3rem; font-weight: 680; margin: 0 0 .4rem; letter-spacing: -.01em; line-height: 1.3; }
.ft-scroll { overflow-x: auto; max-width: calc(100vw - 104px); /* a shadow at the side where there is more */
  --cover: var(--background-fill-primary); --shade: #0f172a66; /* gradio drops a "background" that has var() in it */
  background-image: linear-gradient(to right, var(--cover) 40%, transparent),
  linear-gradient(to left, var(--cover) 40%, transparent), linear-gradient(to right, var(--shade), transparent),
  linear-gradient(to left, var(--shade), transparent); background-position: left, right, left, right;
  background-repeat: no-repeat; background-size: 36px 100%, 36px 100%, 12px 100%, 12px 100%;
  background-attachment: local, local, scroll, scroll; }
.gradio-container .ft-scroll :is(table, thead, tbody, tr, th, td) { background: none !important; } /* else it hides */
.dark .ft-scroll { --shade: #94a3b899; }
.gradio-container .ft-table { border-collapse: collapse; width: 100%; font-size: .9rem; border: 0; margin: .2rem 0; }
.gradio-container .ft-table th, .gradio-container .ft-table td { text-align: left; padding: .42rem .6rem; border: 0;
  border-bottom: 1px solid var(--border-color-primary); vertical-align: top; }
.gradio-container .ft-table th { color: var(--body-text-color-subdued); font-weight: 600; font-size: .82rem; }
.gradio-container .ft-table tbody tr:last-child td { border-bottom: 0; }
.gradio-container .ft-table td.n, .gradio-container .ft-table th.n { text-align: right;
  font-variant-numeric: tabular-nums; white-space: nowrap; }
#rows, #gates, #arms_plot { contain: inline-size; } /* their drawn width must not widen the page */
.ft-bar { height: 8px; border-radius: 4px; background: var(--border-color-primary); overflow: hidden;
  margin: .35rem 0; }
.ft-bar > i { display: block; height: 100%; background: #0284c7; transition: width .4s; }
.ft-pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: .8rem; padding: .6rem; border-radius: 8px;
  background: var(--background-fill-secondary); }
.gradio-container mark { background: #fde68a; color: #1f2937 !important; border-radius: 3px; padding: 0 1px; }
.ft-ok { color: #15803d; font-weight: 600; } .dark .ft-ok { color: #4ade80; }
.ft-bad { color: #b91c1c; font-weight: 600; } .dark .ft-bad { color: #fca5a5; }
.ft-mute { color: var(--body-text-color-subdued); }
.ft-2x2 { display: grid; grid-template-columns: auto 1fr 1fr; gap: 6px; max-width: 560px; margin: .6rem 0; }
.ft-2x2 > div { padding: .6rem .8rem; border-radius: 10px; background: var(--background-fill-secondary); }
.ft-2x2 > .h { background: none; font-size: .82rem; color: var(--body-text-color-subdued); align-self: center; }
.ft-2x2 b { font-size: 1.45rem; display: block; letter-spacing: -.02em; line-height: 1.2; }
.ft-2x2 > .best { outline: 2px solid #0284c7; background: #e0f2fe; } .dark .ft-2x2 > .best { background: #0c3350; }

.column:has(> #chat_a), .column:has(> #chat_b) { gap: 8px; }
.ft-side { display: flex; flex-wrap: wrap; gap: 4px 6px; align-items: center; font-weight: 600; min-height: 28px; }
.ft-chip { font-size: .8rem; font-weight: 550; padding: 1px 9px; border-radius: 99px; color: var(--body-text-color);
  background: var(--background-fill-secondary); border: 1px solid var(--border-color-primary); }
.ft-source { border-left: 3px solid var(--border-color-primary); padding: .1rem .7rem; margin: .5rem 0;
  font-size: .88rem; overflow-wrap: anywhere; }
.ft-support { font-size: .88rem; overflow-wrap: anywhere; margin: .3rem 0 .6rem; padding: .45rem .7rem;
  border-radius: 8px; background: var(--background-fill-secondary); color: var(--body-text-color); }
.ft-support p { margin: .15rem 0; } .ft-support summary { cursor: pointer; }
.ft-support ul { list-style: disc; margin: .1rem 0 .2rem; padding-left: 1.3rem; } .ft-support li { margin: .1rem 0; }
.ft-source.yes { border-left-color: #0284c7; }
.ft-source summary { cursor: pointer; }
.ft-source p { white-space: pre-wrap; }
#chat_a button[aria-label="Clear"], #chat_b button[aria-label="Clear"] { display: none; } /* it would empty one side */
#chat_a .placeholder-content, #chat_b .placeholder-content { padding: 0 16px; text-align: center; }
#chat_questions { padding-bottom: 2px !important; } /* else the last line of questions loses its lower edge */
#chat_questions button { white-space: normal; text-align: left; height: auto; }
.ft-code code { white-space: pre-wrap; overflow-wrap: anywhere; font-size: .8rem; }
.gradio-container .label-wrap { font-weight: 600; text-align: left; }
.gradio-container .label-wrap { gap: 10px; } .gradio-container .label-wrap > span:first-child { flex: 1; min-width: 0; }
.gradio-container .label-wrap .icon { flex: none; font-size: .7rem; color: var(--body-text-color-subdued); }
button:focus-visible, input:focus-visible, textarea:focus-visible, summary:focus-visible, [role=tab]:focus-visible
  { outline: 3px solid #0284c7 !important; outline-offset: 1px; }
@media (prefers-reduced-motion: reduce) { * { transition: none !important; animation: none !important; } }
@media (max-width: 560px) { /* gradio drops what begins with .gradio-container in here */
  .ft-head p { font-size: .9rem; }
  #project, #top > .block:first-child { flex: 1 1 100% !important; }
  #tabs [role=tab] { font-size: .82rem; padding: 8px 3px; }
  #top_buttons, #now > #jobs { flex: 1 1 100% !important; }
  .ft-table { font-size: .82rem !important; }
  .ft-table th, .ft-table td { padding: .35rem .3rem !important; }
  #causes .ft-scroll { max-width: calc(100vw - 64px); }
  .ft-table:not(.ft-stack) td:not(:first-child):not(.n) { min-width: 7rem; } /* no sentence of a line a word */
  .ft-stack thead { display: none !important; }
  .ft-stack tr { display: block !important; padding: .4rem 0;
    border-bottom: 1px solid var(--border-color-primary) !important; }
  .ft-stack td, .ft-stack td.n { display: block !important; border: 0 !important;
    padding: .1rem 0 !important; text-align: left !important; white-space: normal !important; }
  .ft-stack td::before { content: attr(data-label); color: var(--body-text-color-subdued); font-weight: 600; }
  .ft-mono textarea { white-space: pre-wrap; }
  #chat_preset, #chat_blind { flex: 1 1 100% !important; }
  #chat_a, #chat_b { height: 300px !important; }
  .ft-step > .block { flex-basis: 100% !important; }
  .ft-step { padding: 8px 10px !important; gap: 8px !important; }
  .ft-step button { flex: 1 1 auto !important; min-width: 0 !important; padding: 6px !important; font-size: 13px; }
}
"""
CSS += EVALUATE_CSS
