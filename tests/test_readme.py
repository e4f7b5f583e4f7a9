"""The README's lines for programs, taken from README.md as they stand and run against a started app."""

import ast
import asyncio
import json
import re
import shutil
import subprocess

import pytest

from tests.conftest import ROOT

SECTION = re.search(r"^## For programs\n(.*?)^## ", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE).group(1)
OWN = "http://127.0.0.1:7860"  # the address that the README names


def block(start):
    """The fenced block of the section that holds this text."""
    found = [text for text in re.findall(r"```\w*\n(.*?)```", SECTION, re.DOTALL) if start in text]
    assert len(found) == 1
    return found[0]


def test_the_lines_of_gradio_client(parrot):
    tree = ast.parse(block("gradio_client").replace(OWN, parrot))
    names, values = {}, []
    for line in tree.body:
        if isinstance(line, ast.Expr):
            values.append(eval(compile(ast.Expression(line.value), "README.md", "eval"), names))
        else:
            exec(compile(ast.Module([line], []), "README.md", "exec"), names)
    route, diagnosed, found, asked = values
    assert route == "both"  # as the comment beside it says
    assert diagnosed["causes"]["content"]["unresolved"] == 1
    assert [hit["rank"] for hit in found] == [1, 2, 3] and asked["answer"] and asked["sources"]


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed, so its lines are not run")
def test_the_lines_of_curl(parrot):
    asking, reading = re.split(r"^(?=curl -sN)", block("curl").replace(OWN, parrot), flags=re.MULTILINE)
    event = json.loads(run(asking))["event_id"]
    told = run(reading.replace("EVENT_ID", event))
    assert told.startswith("event: complete") and "bobber-key-fob.md" in told


def run(lines):
    return subprocess.run(["bash", "-c", lines], capture_output=True, text=True, timeout=60, check=True).stdout


def test_the_address_of_mcp(parrot):
    (held,) = re.findall(r"`(\{\"mcpServers\".*?\}\}\})`", SECTION)
    (server,) = json.loads(held)["mcpServers"].values()

    async def tools():
        from mcp import ClientSession
        from mcp.client.streamable_http import streamablehttp_client

        async with (
            streamablehttp_client(server["url"].replace(OWN, parrot)) as (reader, writer, _),
            ClientSession(reader, writer) as session,
        ):
            await session.initialize()
            listed = await session.list_tools()
            answer = await session.call_tool("search", {"query": "What does a Bobber cost?", "k": 1})
            return {tool.name for tool in listed.tools}, answer

    names, answer = asyncio.run(tools())
    assert all(f"`{name}`" in SECTION for name in names) and len(names) == 4
    assert isinstance(ast.literal_eval(answer.content[0].text), list)  # the text of a Python value, as the README says
