"""The agent as a client of the conformance suite: `as-client.py PROGRAM URL` lists the tools of the server there, and calls each with numbers."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

program, url = sys.argv[1:]
with tempfile.TemporaryDirectory() as place:
    settings = f"[mcp_servers.suite]\nurl = {json.dumps(url)}\n[plugins.mcp.servers.suite]\ntrust_hints = true\n[plugins.guard]\ndestructive = 'allow'\n"
    Path(place, "nekro.toml").write_text(settings)

    def nekro(*arguments):
        ran = subprocess.run([program, *arguments], cwd=place, capture_output=True, text=True, timeout=60)
        print(ran.stdout, ran.stderr, file=sys.stderr)
        return ran

    for tool in json.loads(nekro("tools", "--json").stdout):
        if tool["name"].startswith("mcp.suite."):
            given = {name: 2 for name in tool["arguments"].get("properties", {})}
            nekro("call", tool["name"], "--args", json.dumps(given))
