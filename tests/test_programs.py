"""The four endpoints as a client calls them: gradio_client, plain HTTP, and MCP; and nothing beside them."""

import ast
import asyncio
import inspect
import json

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from ftrag.decision.questions import QUESTIONS
from ftrag.ui import programs
from tests.raw import OPENER, fetch

NAMES = ["ask", "decide", "diagnose", "search"]
VERDICTS = [
    {"id": n, "arm": arm, "correct": arm == "base+rag"} for n in range(12) for arm in ("base", "base+rag")
]  # base is always wrong, retrieval always right


@pytest.fixture(scope="module")
def client(space):
    return Client(space[0], verbose=False)


def test_nothing_else_is_listed(client, space):
    listed = client.view_api(return_format="dict", print_info=False)
    assert sorted(name.strip("/") for name in listed["named_endpoints"]) == NAMES
    assert not listed["unnamed_endpoints"]
    info = json.loads(fetch(f"{space[0]}/gradio_api/info")[1])
    assert sorted(name.strip("/") for name in info["named_endpoints"]) == NAMES


def test_decide_and_diagnose(client):
    decided = client.predict(knowledge_changes="daily", style_requirements="high", api_name="/decide")
    assert decided["route"] == "both" and decided["answers"] == {
        "knowledge-changes": "daily",
        "style-requirements": "high",
    }
    assert client.predict(api_name="/decide")["route"] == "not enough information"
    found = client.predict(rows=VERDICTS, api_name="/diagnose")
    assert found["causes"]["content"]["retrieval fixes"] == 12 and found["route"] == "rag"
    gold = [{"id": 1, "question": "Where?", "answers": ["here"]}]
    scored = client.predict(rows=[{"id": 1, "arm": "base", "answer": "It is here."}], gold=gold, api_name="/diagnose")
    assert scored["causes"]["content"]["solved"] == 1


def test_search_reads_an_example(client):
    hits = client.predict(query="What does a Bobber cost?", k=2, api_name="/search")
    assert [hit["rank"] for hit in hits] == [1, 2] and hits[0]["document"] == "bobber-key-fob.md"
    assert client.predict(query="leave", example="handbook", k=1, api_name="/search")


@pytest.mark.parametrize(
    ("endpoint", "given", "said"),
    [
        ("/decide", {"training_data": "a few"}, "--training-data takes a whole number"),
        ("/diagnose", {"rows": [{"id": 1, "arm": "bass", "correct": True}]}, "line 1"),
        ("/diagnose", {"rows": []}, "empty"),
        ("/search", {"query": " "}, "the question is empty"),
        ("/search", {"query": "x", "example": "../../etc"}, "there is no example"),
        ("/search", {"query": "x", "k": 10_000}, "from 1 to 20"),
        ("/ask", {"question": "x" * 5_000}, "at most 4000"),
        ("/ask", {"question": "x", "context": "everything"}, "context is"),
    ],
)
def test_bad_input_is_one_sentence(client, endpoint, given, said):
    with pytest.raises(AppError, match=said):
        client.predict(api_name=endpoint, **given)


def test_plain_http_as_curl_does_it(space):
    """POST gives an event; GET streams its result."""
    address = f"{space[0]}/gradio_api/call/search"
    body = json.dumps({"data": ["What does a Bobber cost?", "support", 1, "bm25"]}).encode()
    status, answer = fetch(address, body, {"Content-Type": "application/json"})
    assert status == 200
    with OPENER.open(f"{address}/{json.loads(answer)['event_id']}", timeout=30) as stream:
        lines = stream.read().decode().splitlines()
    assert lines[0] == "event: complete"
    assert json.loads(lines[1].removeprefix("data: "))[0][0]["document"] == "bobber-key-fob.md"


def test_over_mcp(space):
    async def visit():
        from mcp import ClientSession
        from mcp.client.streamable_http import streamablehttp_client

        async with (
            streamablehttp_client(f"{space[0]}/gradio_api/mcp/") as (reader, writer, _),
            ClientSession(reader, writer) as session,
        ):
            await session.initialize()
            tools = (await session.list_tools()).tools
            assert sorted(tool.name for tool in tools) == NAMES
            described = {tool.name: tool for tool in tools}["decide"].inputSchema["properties"]
            assert described["knowledge_changes"]["enum"][1] == "daily"
            assert "How often" in described["knowledge_changes"]["description"]
            assert not (await session.list_resources()).resources and not (await session.list_prompts()).prompts
            results = {
                "decide": await session.call_tool("decide", {"knowledge_changes": "daily"}),
                "diagnose": await session.call_tool("diagnose", {"rows": VERDICTS}),
                "search": await session.call_tool("search", {"query": "What does a Bobber cost?", "k": 1}),
            }
            wrong = await session.call_tool("search", {"query": "x", "example": "mine"})
            return results, wrong

    results, wrong = asyncio.run(visit())
    values = {name: ast.literal_eval(result.content[0].text) for name, result in results.items()}
    assert values["decide"]["route"] == "rag" and values["diagnose"]["route"] == "rag"
    assert "bobber-key-fob.md" in results["search"].content[0].text
    assert wrong.isError and "there is no example" in wrong.content[0].text


@pytest.mark.slow
def test_ask_over_http_and_mcp(client, space):
    answer = client.predict(question="What does a Bobber cost?", api_name="/ask")
    assert answer["answer"] and answer["sources"] and answer["tokens"] > 0

    async def visit():
        from mcp import ClientSession
        from mcp.client.streamable_http import streamablehttp_client

        async with (
            streamablehttp_client(f"{space[0]}/gradio_api/mcp/") as (reader, writer, _),
            ClientSession(reader, writer) as session,
        ):
            await session.initialize()
            return await session.call_tool("ask", {"question": "What does a Bobber cost?", "k": 1})

    said = asyncio.run(visit())
    assert not said.isError and "sources" in said.content[0].text


def test_every_question_of_the_questionnaire_is_a_described_parameter():
    parameters = inspect.signature(programs.decide).parameters
    assert {name.replace("_", "-") for name in parameters} == {question.key for question in QUESTIONS}
    for function in (programs.decide, programs.diagnose, programs.search, programs.ask):
        for name in set(inspect.signature(function).parameters) - {"request"}:
            assert f"{name}: " in (function.__doc__ or ""), f"{function.__name__} does not describe {name}"
