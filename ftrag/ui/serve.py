"""Start the page: its limits, its gate, and what a Space needs. `python app.py` is main()."""

from __future__ import annotations

import importlib.util
import os
import socket
import sys
from typing import Any

from starlette.middleware import Middleware

from ftrag import housekeeping, quotas
from ftrag import project as projects
from ftrag.errors import InputError
from ftrag.jobs import SECRET
from ftrag.ui import page, start, texts, warm
from ftrag.ui.gate import Gate
from ftrag.ui.theme import CSS, theme

MAX_FILE_SIZE = "20mb"  # of one file; a whole upload is limited by ftrag.ui.gate


def main() -> int:
    """Serve the page on GRADIO_SERVER_PORT or 7860; 2 with one line when that, or FTRAG_HOME, cannot be used."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    port = start.port() or 7860
    host = os.environ.get("GRADIO_SERVER_NAME") or ("0.0.0.0" if quotas.on_space() else "127.0.0.1")
    if taken(host, port):
        print(f"ftrag: {texts.PORT_TAKEN.format(port=port)}", file=sys.stderr)
        return 2
    try:
        projects.home()
    except InputError as error:
        print(f"ftrag: {error}", file=sys.stderr)
        return 2
    temporary = housekeeping.temporary_folder()
    os.environ["GRADIO_TEMP_DIR"] = str(temporary)
    blocks = page.build()
    warm.settle()
    blocks.queue(default_concurrency_limit=8, max_size=200)
    blocks.launch(server_name=host, server_port=port, **launch_settings(temporary))
    shed_secrets()
    print(f"ftrag: http://{host}:{port}", file=sys.stderr)
    warm.load_in_background()
    housekeeping.start(projects.home(), temporary)
    blocks.block_thread()
    return 0


def launch_settings(temporary: Any) -> dict[str, Any]:
    """What keeps strangers apart and within limits; MCP where its library is installed."""
    return {
        "theme": theme(),
        "css": CSS,
        "show_error": True,
        "max_file_size": MAX_FILE_SIZE,
        "allowed_paths": [],
        "blocked_paths": [str(projects.home())],
        "enable_monitoring": False,
        "run_history": False,
        "ssr_mode": False,
        "footer_links": [],
        "mcp_server": importlib.util.find_spec("mcp") is not None,
        "app_kwargs": {"middleware": [Middleware(Gate, temporary=temporary)]},
        "quiet": True,
        "prevent_thread_lock": True,
    }


def taken(host: str, port: int) -> bool:
    """Whether another program listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def shed_secrets() -> None:
    """Forget the server's tokens once the app stands, so that no child, log or export can ever hold one."""
    for name in [name for name in os.environ if SECRET.search(name)]:
        del os.environ[name]
    os.environ["HF_HUB_DISABLE_IMPLICIT_TOKEN"] = "1"  # nor is a stored login used
