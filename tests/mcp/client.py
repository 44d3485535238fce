"""Drives `nekro mcp` with the official MCP client for Python, by both protocols that there are: `client.py PROGRAM SUITE`. The second program is
the agent of tests/fixtures/suite, which has tools that take their time and write to the log."""

import asyncio
import sys
import tempfile
import warnings
from pathlib import Path

import mcp_types as types
from mcp import Client, MCPError, StdioServerParameters

PROGRAM, SUITE = (str(Path(program).resolve()) for program in sys.argv[1:])
REMOVE = ("notes.remove", {"key": "milk"})


def check(condition, told):
    if not condition:
        raise SystemExit(f"the MCP client for Python: {told}")


def person(action, asked):
    """Somebody who answers every question in one way; with `None`, somebody who never answers."""

    async def answer(_, question):
        asked.append(question.message)
        if action is None:
            await asyncio.Event().wait()
        return types.ElicitResult(action=action)

    return answer


def text(result):
    return "\n".join(part.text for part in result.content if part.type == "text")


async def drive(mode):
    with tempfile.TemporaryDirectory() as place:
        settings = Path(place, "nekro.toml")
        settings.write_text("")
        told = asyncio.Event()

        async def hear(message):
            if isinstance(message, Exception):
                raise message
            if isinstance(message, types.ToolListChangedNotification):
                told.set()

        def client(**options):
            server = StdioServerParameters(command=PROGRAM, args=["mcp"], cwd=place)
            return Client(server, mode=mode, read_timeout_seconds=30, message_handler=hear, **options)

        async with client() as it:
            tools = {tool.name: tool for tool in (await it.list_tools()).tools}
            check(tools["notes.find"].annotations.read_only_hint, "what only reads says so")
            check(tools["notes.remove"].annotations.destructive_hint, "what destroys says so")
            # The client holds what is answered against the schema.
            rolled = await it.call_tool("dice.roll", {"notation": "3d1"})
            check(rolled.structured_content == {"dice": [1, 1, 1], "total": 3}, rolled)
            wrong = await it.call_tool("dice.roll", {"notaton": "3d1"})
            check(wrong.is_error and "did you mean `notation`?" in text(wrong), wrong)
            try:
                await it.call_tool("dice.rol", {})
                check(False, "there is no such tool")
            except MCPError as error:
                check("did you mean `dice.roll`?" in str(error), error)
            prompts = [prompt.name for prompt in (await it.list_prompts()).prompts]
            check("roll" in prompts and "guard" not in prompts, prompts)
            prompt = await it.get_prompt("roll", {"notation": "4d1"})
            check(prompt.messages[0].content.text.startswith("4d1: 4"), prompt)
            words = await it.complete(types.PromptReference(name="roll"), {"name": "notation", "value": ""})
            check(words.completion.values == [], words)
            await it.call_tool("board.put", {"text": "make tea"})
            resources = [resource.uri for resource in (await it.list_resources()).resources]
            check(resources == ["nekro://board/cards"], resources)
            templates = [template.uri_template for template in (await it.list_resource_templates()).resource_templates]
            check("nekro://board/cards/{id}" in templates, templates)
            card = (await it.read_resource("nekro://board/cards/1")).contents[0]
            check(card.mime_type == "application/json" and "make tea" in card.text, card)
            try:
                await it.read_resource("nekro://board/cards/7")
                check(False, "there is no such card")
            except MCPError as error:
                check("there is no card 7" in str(error), error)
            denied = await it.call_tool(*REMOVE)
            check(denied.is_error and "nobody is there to ask" in text(denied), denied)

        for action, expected in [("accept", "buy milk"), ("decline", "the person said no"), ("cancel", "the person said no")]:
            asked = []
            async with client(elicitation_callback=person(action, asked)) as it:
                await it.call_tool("notes.save", {"key": "milk", "text": "buy milk"})
                answer = await it.call_tool(*REMOVE)
                check(expected in text(answer), answer)
                check(len(asked) == 1 and "notes.remove" in asked[0], asked)

        if mode == "legacy":
            async with client(elicitation_callback=person(None, [])) as it:
                try:
                    await it.call_tool(*REMOVE, read_timeout_seconds=0.5)
                    check(False, "nobody answers")
                except MCPError:
                    pass
                check((await it.call_tool("dice.roll", {"notation": "2d1"})).structured_content["total"] == 2, "it goes on")

        async with client() as it:
            check("dice.roll" in [tool.name for tool in (await it.list_tools()).tools], "it is there")
            if mode == "legacy":
                settings.write_text("disabled = ['dice']\n")
                await asyncio.wait_for(told.wait(), 30)
            else:
                async with it.listen(tools_list_changed=True) as changes:
                    settings.write_text("disabled = ['dice']\n")
                    await asyncio.wait_for(anext(aiter(changes)), 30)
            check("dice.roll" not in [tool.name for tool in (await it.list_tools()).tools], "it is gone")
            try:
                await it.call_tool("dice.roll", {})
                check(False, "what is disabled cannot be called")
            except MCPError as error:
                check("there is no tool `dice.roll`" in str(error), error)
            version = it.protocol_version
        print(f"the MCP client for Python is content with {version}")


async def listen(mode):
    """Is told how far a call has come, and what its plugin writes to the log meanwhile."""
    progress, log = [], []

    async def hear_progress(done, total, message):
        progress.append((done, total, message))

    async def hear_log(entry):
        log.append((entry.level, entry.logger, entry.data))

    with tempfile.TemporaryDirectory() as place:
        server = StdioServerParameters(command=SUITE, args=["mcp"], cwd=place)
        level = {} if mode == "legacy" else {"log_level": "info"}
        client = Client(server, mode=mode, read_timeout_seconds=30, logging_callback=hear_log, **level)
        async with client as it:
            await it.call_tool("suite.tool_with_progress", {}, progress_callback=hear_progress)
            check(progress == [(done, 100, f"{done} of a hundred") for done in (0, 50, 100)], progress)
            await it.call_tool("suite.tool_with_progress", {})
            check(len(progress) == 3, "who does not ask is not told")
            if mode == "legacy":
                await it.call_tool("suite.tool_with_logging", {})
                check(log == [], "who does not ask is not told")
                await it.set_logging_level("info")
            await it.call_tool("suite.tool_with_logging", {})
            check([entry[:2] for entry in log] == [("info", "suite"), ("info", "suite"), ("warning", "suite")], log)
            check(log[1][2] == {"message": "Tool processing data", "step": 2}, log)
            version = it.protocol_version
    print(f"the MCP client for Python is told of progress and of the log with {version}")


# The client says of the log that the protocol gives it up.
warnings.simplefilter("ignore")
for mode in ("legacy", "auto"):
    asyncio.run(drive(mode))
    asyncio.run(listen(mode))
