"""Drives `/mcp` with the official MCP client for Python, by both protocols that there are."""

import asyncio
import json
import sys

import httpx2
import mcp_types as types
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from server import Server

USER = "a token for a user"


def check(condition, told):
    if not condition:
        raise SystemExit(f"the MCP client for Python, over HTTP: {told}")


async def accept(_, question):
    return types.ElicitResult(action="accept")


async def drive(server: Server, mode: str) -> None:
    def client(token, **options):
        http = httpx2.AsyncClient(headers={"authorization": f"Bearer {token}"}, timeout=30)
        transport = streamable_http_client(f"{server.url}/mcp", http_client=http)
        return Client(transport, mode=mode, read_timeout_seconds=30, **options)

    changed = asyncio.Event()

    async def hear(message):
        if isinstance(message, types.ToolListChangedNotification):
            changed.set()

    async with client(server.token, elicitation_callback=accept, message_handler=hear) as it:
        tools = [tool.name for tool in (await it.list_tools()).tools]
        check("dice.roll" in tools, tools)
        rolled = await it.call_tool("dice.roll", {"notation": "3d1"})
        check(rolled.structured_content == {"dice": [1, 1, 1], "total": 3}, rolled)
        await it.call_tool("notes.save", {"text": "milk", "key": "milk"})
        removed = await it.call_tool("notes.remove", {"key": "milk"})
        check(not removed.is_error, removed)
        prompts = [prompt.name for prompt in (await it.list_prompts()).prompts]
        check("guard" in prompts, "the operator may use every command")

    async with client(USER) as it:
        prompts = [prompt.name for prompt in (await it.list_prompts()).prompts]
        check("roll" in prompts and "guard" not in prompts, "a user may not")
        found = await it.call_tool("notes.list", {})
        check("milk" not in json.dumps(found.structured_content), "a caller has a session of their own")

    try:
        async with client("wrong"):
            check(False, "a wrong token was let in")
    except SystemExit:
        raise
    except BaseException:
        pass


settings = f'[serve.tokens.ada]\ntoken = "{USER}"\n'
with Server(sys.argv[1], settings) as server:
    for mode in ["legacy", "auto"]:
        asyncio.run(drive(server, mode))
print("the MCP client is served over HTTP")
