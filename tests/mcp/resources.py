"""Reads the files that a plugin shows, and hears of their changes, with the official MCP client for Python by both protocols, over stdio and over
HTTP: `resources.py PROGRAM`, where the program is the agent of `tests/fixtures/suite`."""

import asyncio
import re
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import httpx2 as httpx
import mcp_types as types
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

PROGRAM = str(Path(sys.argv[1]).resolve())
FILE = "nekro://suite/files/shown/plan.md"
WATCHED = "nekro://suite/watched-resource"
WAIT = 30
# What only the protocol with a handshake has.
warnings.filterwarnings("ignore", message="resources/(un)?subscribe is removed")


def check(condition, told):
    if not condition:
        raise SystemExit(f"the MCP client for Python and resources: {told}")


async def write(client, path, text):
    written = await client.call_tool("suite.write", {"path": path, "text": text})
    check(not written.is_error, written)


async def read(client, uri):
    return (await client.read_resource(uri)).contents[0]


async def listed(client):
    uris, cursor = [], None
    while True:
        page = await client.list_resources(cursor=cursor)
        check(len(page.resources) <= 2, "a page has two")
        uris += [resource.uri for resource in page.resources]
        cursor = page.next_cursor
        if cursor is None:
            return uris


async def drive(server, mode, how):
    told = asyncio.Queue()

    async def hear(message):
        # Without a handshake it comes on the subscription, and a second time here.
        if mode != "legacy":
            return
        if isinstance(message, types.ResourceUpdatedNotification):
            await told.put(message.params.uri)
        if isinstance(message, types.ResourceListChangedNotification):
            await told.put("list")

    async def hear_listened(events):
        async for event in events:
            await told.put(getattr(event, "uri", "list"))

    async def next_told():
        return str(await asyncio.wait_for(told.get(), WAIT))

    async with Client(server, mode=mode, read_timeout_seconds=WAIT, message_handler=hear) as it:
        for path in ("shown/plan.md", "shown/plan.bin"):
            await it.call_tool("suite.remove", {"path": path})
        await write(it, "hidden.md", "nobody sees this")
        uris = (FILE, WATCHED)
        listening, hearing = None, None
        if mode == "legacy":
            for uri in uris:
                await it.subscribe_resource(uri)
            while not told.empty():
                told.get_nowait()
        else:
            listening = it.listen(resources_list_changed=True, resource_subscriptions=uris)
            hearing = asyncio.create_task(hear_listened(await listening.__aenter__()))

        await write(it, "shown/plan.md", "# Tea")
        first = {await next_told(), await next_told()}
        check(first == {FILE, "list"}, first)
        plan = await read(it, FILE)
        check(plan.text == "# Tea" and plan.mime_type.startswith("text/markdown"), plan)
        check(FILE in await listed(it) and not any("hidden" in uri for uri in await listed(it)), await listed(it))
        templates = [template.uri_template for template in (await it.list_resource_templates()).resource_templates]
        check("nekro://suite/files/shown/{+path}" in templates, templates)

        for number in range(10):
            await write(it, "shown/plan.md", f"# Tea {number}")
        check(await next_told() == FILE, "it was written")
        check((await read(it, FILE)).text.startswith("# Tea "), "the new one is read")
        await it.call_tool("suite.move_it", {})
        heard = await next_told()
        while heard == FILE:
            heard = await next_told()
        check(heard == WATCHED, heard)
        await it.call_tool("suite.remove", {"path": "shown/plan.md"})
        last = {await next_told(), await next_told()}
        check(last == {FILE, "list"}, last)

        for hidden in ("hidden.md", "../hidden.md", "shown/../hidden.md", "shown%2F..%2Fhidden.md", "shown/plan.md"):
            try:
                await it.read_resource(f"nekro://suite/files/{hidden}")
                check(False, f"{hidden} is not shown")
            except MCPError as error:
                check("there is no" in str(error), error)
        await write(it, "shown/plan.bin", "x" * 2_000)
        try:
            await it.read_resource("nekro://suite/files/shown/plan.bin")
            check(False, "it is too large")
        except MCPError as error:
            check("mcp.file_bytes" in str(error), error)

        mixed = await it.call_tool("suite.multiple_content_types", {})
        check([part.type for part in mixed.content] == ["text", "image", "resource"], mixed)
        sound = await it.call_tool("suite.audio_content", {})
        check(sound.content[0].type == "audio" and sound.content[0].mime_type == "audio/wav", sound)
        if listening is None:
            for uri in uris:
                await it.unsubscribe_resource(uri)
        else:
            hearing.cancel()
            await listening.__aexit__(None, None, None)
        print(f"the MCP client for Python reads and hears of resources with {it.protocol_version}, over {how}")


SETTINGS = "[mcp]\npage = 2\nfile_bytes = 1000\n"


async def over_stdio(mode):
    with tempfile.TemporaryDirectory() as place:
        Path(place, "nekro.toml").write_text(SETTINGS)
        await drive(StdioServerParameters(command=PROGRAM, args=["mcp"], cwd=place), mode, "stdio")


async def over_http(mode):
    with tempfile.TemporaryDirectory() as place:
        Path(place, "nekro.toml").write_text(SETTINGS)
        log = Path(place, "log")
        with log.open("wb") as out:
            serving = subprocess.Popen([PROGRAM, "serve", "--listen", "127.0.0.1:0"], cwd=place, stdout=out, stderr=out)
        try:
            found = None
            for _ in range(WAIT * 10):
                found = re.search(r"http://127\.0\.0\.1:\d+", log.read_text())
                if found:
                    break
                await asyncio.sleep(0.1)
            check(found, "it does not serve")
            token = Path(place, ".nekro/token").read_text().strip()
            async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=WAIT) as http:
                await drive(streamable_http_client(f"{found[0]}/mcp", http_client=http), mode, "HTTP")
        finally:
            serving.terminate()
            serving.wait(WAIT)


for mode in ("legacy", "auto"):
    asyncio.run(over_stdio(mode))
    asyncio.run(over_http(mode))
