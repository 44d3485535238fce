"""A server by the official SDK for Python, for `tests/mcp/tools.py`: `server.py stdio` or `server.py PORT`."""

import asyncio
import sys

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp_types import AudioContent, EmbeddedResource, TextResourceContents, ToolAnnotations
from pydantic import BaseModel

server = MCPServer("pantry")


class Place(BaseModel):
    shelf: int
    row: str


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def find(thing: str) -> Place:
    """Finds a thing in the pantry."""
    return Place(shelf=len(thing), row="a")


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
async def search(shelves: int, ctx: Context) -> str:
    """Searches shelf by shelf."""
    for shelf in range(1, shelves + 1):
        await ctx.report_progress(shelf, shelves, f"shelf {shelf}\x1b[2J")
        await asyncio.sleep(0.05)
    return "nothing is there"


@server.tool()
def throw_away(thing: str) -> str:
    """Throws a thing away."""
    return f"{thing} is gone"


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def fail() -> str:
    """Fails."""
    raise ValueError("the pantry is locked")


@server.tool(annotations=ToolAnnotations(read_only_hint=True), structured_output=False)
def ring() -> list[AudioContent | EmbeddedResource]:
    """Rings the bell of the pantry."""
    label = TextResourceContents(uri="pantry://bell", mime_type="text/plain", text="made of brass")
    sound = AudioContent(type="audio", data="UklGRg==", mime_type="audio/wav")
    return [sound, EmbeddedResource(type="resource", resource=label)]


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def more() -> str:
    """Gets more tools."""

    def late() -> str:
        """Comes late."""
        return "here"

    server.add_tool(late, annotations=ToolAnnotations(read_only_hint=True))
    return "there is one tool more"


if sys.argv[1] == "stdio":
    server.run("stdio")
else:
    server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[1]))
