"""The port of the page, looked at before gradio is imported: gradio ends in a traceback on one that is no number."""

from __future__ import annotations

import os
import sys

from ftrag.ui import texts


def main() -> int:
    """Start the page; 2 with one line where the port cannot be one."""
    if port() is None:
        print(f"ftrag: {texts.PORT_WRONG}", file=sys.stderr)
        return 2
    from ftrag.ui import serve

    return serve.main()


def port() -> int | None:
    """GRADIO_SERVER_PORT or 7860; None where that names no port."""
    text = os.environ.get("GRADIO_SERVER_PORT") or "7860"
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text) < 65_536 else None
