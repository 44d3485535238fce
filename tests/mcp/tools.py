"""Lets `nekro` use the tools of a server by the official SDK for Python, over stdio and over HTTP: `tools.py PROGRAM`."""

import asyncio
import json
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mcp import Client, StdioServerParameters

PROGRAM = str(Path(sys.argv[1]).resolve())
SERVER = str(Path(__file__).with_name("server.py"))


def check(condition, told):
    if not condition:
        raise SystemExit(f"nekro as the client of a server in Python: {told}")


async def search(place):
    """Has `nekro` call the server, and is told how far that one has come."""
    told = []

    async def hear(progress, total, message):
        told.append((progress, total, message))

    client = Client(StdioServerParameters(command=PROGRAM, args=["mcp"], cwd=place), mode="legacy", read_timeout_seconds=60)
    async with client as it:
        await it.call_tool("mcp.pantry.search", {"shelves": 3}, progress_callback=hear)
    return told


def drive(how, settings):
    with tempfile.TemporaryDirectory() as place:
        options = "[plugins.mcp.servers.pantry]\ntrust_hints = true\n"
        Path(place, "nekro.toml").write_text(f"[mcp_servers.pantry]\n{settings}\n{options}")

        def nekro(*arguments):
            return subprocess.run([PROGRAM, *arguments], cwd=place, capture_output=True, text=True, timeout=120)

        listed = nekro("tools", "--json")
        check(listed.returncode == 0, listed)
        tools = {tool["name"]: tool for tool in json.loads(listed.stdout)}
        find = tools["mcp.pantry.find"]
        check(find["effect"]["read_only"] and "Finds a thing" in find["description"], find)
        check(find["arguments"]["required"] == ["thing"] and "$ref" not in json.dumps(find), find)
        found = nekro("call", "mcp.pantry.find", "--thing", "tea", "--json")
        check(found.returncode == 0, found)
        value = json.loads(found.stdout)["value"]
        check(value["data"] == {"shelf": 3, "row": "a"} and "outside of this agent" in value["from"], value)
        missing = nekro("call", "mcp.pantry.find")
        check(missing.returncode == 2 and "`thing` is missing" in missing.stderr, missing)
        failed = nekro("call", "mcp.pantry.fail")
        check(failed.returncode == 1 and "the MCP server `pantry` says" in failed.stderr, failed)
        denied = nekro("call", "mcp.pantry.throw_away", "--thing", "tea")
        check(denied.returncode == 1 and "a person has to approve it" in denied.stderr, denied)
        rung = nekro("call", "mcp.pantry.ring")
        check(rung.returncode == 0 and "[audio/wav, 4 bytes]" in rung.stdout and "made of brass" in rung.stdout, rung)
        rung = subprocess.run([PROGRAM, "run", "-"], cwd=place, input="mcp.pantry_ring()", capture_output=True, text=True, timeout=120)
        check(rung.returncode == 0 and "[audio/wav, 4 bytes]" in rung.stdout and "made of brass" in rung.stdout, rung)
        told = asyncio.run(search(place))
        check(told == [(shelf, 3, f"shelf {shelf}[2J") for shelf in (1, 2, 3)], told)
        script = "[mcp.pantry_find(thing=one)['data']['shelf'] for one in ['tea', 'coffee']]"
        ran = subprocess.run([PROGRAM, "run", "-"], cwd=place, input=script, capture_output=True, text=True, timeout=120)
        check(ran.returncode == 0 and "[3, 6]" in ran.stdout, ran)
    print(f"nekro uses the tools of a server in Python over {how}")


drive("stdio", f"command = {json.dumps(sys.executable)}\nargs = [{json.dumps(SERVER)}, 'stdio']")

with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
serving = subprocess.Popen([sys.executable, SERVER, str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            time.sleep(0.1)
    drive("HTTP", f"url = 'http://127.0.0.1:{port}/mcp'")
finally:
    serving.terminate()
    serving.wait()
