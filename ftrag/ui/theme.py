"""Colours and spacing: Gradio's base theme with system fonts and enough contrast (WCAG 2.1 AA) in light and dark."""

from __future__ import annotations

from typing import Any

import gradio as gr

ROUTE_COLOURS = {"content": "#0369a1", "behaviour": "#b45309"}


def theme() -> Any:
    fonts = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif")
    mono = ("ui-monospace", "SFMono-Regular", "Menlo", "monospace")
    base = gr.themes.Base(
        primary_hue="sky", neutral_hue="slate", radius_size="md", text_size="md", font=fonts, font_mono=mono
    )
    return base.set(
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_text_color="white",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover_dark="*primary_600",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_300",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
        block_label_text_color="*neutral_700",
        block_label_text_color_dark="*neutral_200",
        block_title_text_color="*neutral_700",
        block_title_text_color_dark="*neutral_200",
        input_placeholder_color="*neutral_500",
        input_placeholder_color_dark="*neutral_400",
        link_text_color="*primary_700",
        link_text_color_dark="*primary_300",
    )


CSS = """
.gradio-container { max-width: 1320px !important; margin: 0 auto; }
.ft-head h1 { font-size: 1.6rem; margin: 0; display: inline; letter-spacing: -.02em; }
.ft-head p { margin: .1rem 0 0; color: var(--body-text-color-subdued); }
.ft-note { color: var(--body-text-color-subdued); font-size: .86rem; }
.ft-card { border: 1px solid var(--border-color-primary); border-radius: 10px; padding: .8rem 1rem; }
.ft-route { font-size: 1.25rem; font-weight: 650; margin: 0 0 .3rem; }
.ft-table { border-collapse: collapse; width: 100%; font-size: .9rem; }
.ft-table th, .ft-table td { text-align: left; padding: .3rem .55rem;
  border-bottom: 1px solid var(--border-color-primary); }
.ft-table td.n, .ft-table th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.ft-scroll { overflow-x: auto; max-width: calc(100vw - 104px); }
#rows, #arms_plot { contain: inline-size; } /* their drawn width must not widen the page */
.gradio-container .column, .gradio-container .block { min-width: 0; }

.ft-bar { height: 8px; border-radius: 4px; background: var(--border-color-primary);
  overflow: hidden; margin: .35rem 0; }
.ft-bar > i { display: block; height: 100%; background: #0284c7; }
.ft-pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: .8rem; padding: .6rem; border-radius: 8px;
  background: var(--background-fill-secondary); }
.ft-pre mark { background: #fde68a; color: #1f2937; }
.ft-ok { color: #15803d; font-weight: 600; } .dark .ft-pre { white-space: pre-wrap; overflow-wrap: anywhere;
  font-size: .8rem; padding: .6rem; border-radius: 8px;
  background: var(--background-fill-secondary); }
.ft-pre mark { background: #fde68a; color: #1f2937; }
.ft-ok { color: #4ade80; }
.ft-bad { color: #b91c1c; font-weight: 600; } .dark .ft-bad { color: #fca5a5; }
.ft-mute { color: var(--body-text-color-subdued); }
.ft-2x2 { display: grid; grid-template-columns: auto 1fr 1fr; gap: 4px; max-width: 560px; margin: .5rem 0; }
.ft-2x2 > div { padding: .5rem .7rem; border-radius: 8px; background: var(--background-fill-secondary); }
.ft-2x2 > .h { background: none; font-size: .82rem; color: var(--body-text-color-subdued); align-self: center; }
.ft-2x2 b { font-size: 1.25rem; display: block; }
.ft-2x2 > .best { outline: 2px solid #0284c7; }
.ft-source { border-left: 3px solid #0284c7; padding: .1rem .6rem; margin: .4rem 0; font-size: .86rem; }
.ft-source mark { background: #fde68a; color: #1f2937; }
.ft-code code { white-space: pre-wrap; overflow-wrap: anywhere; font-size: .8rem; }
button:focus-visible, input:focus-visible, textarea:focus-visible, [role=tab]:focus-visible
  { outline: 3px solid #0284c7 !important; outline-offset: 1px; }
@media (max-width: 520px) { .gradio-container { padding: 8px !important; } .ft-table { font-size: .8rem; } }
"""
