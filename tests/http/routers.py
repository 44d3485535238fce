"""A plugin's router: the WebSocket client that Python's people use, and curl's uploads. Usage: routers.py WEB_PLUGIN"""

import subprocess
import sys

from server import Server
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect


def curl(server: Server, *arguments: str, path: str = "/p/counter/live/guests", token: bool = True) -> tuple[int, str]:
    """Returns the status and the body of an answer."""
    who = ["--header", f"Authorization: Bearer {server.token}"] if token else []
    command = ["curl", "--silent", "--max-time", "30", "--write-out", "\n%{http_code}", *who, *arguments, server.url + path]
    body, status = subprocess.run(command, check=True, capture_output=True, text=True).stdout.rsplit("\n", 1)
    return int(status), body


def socket(server: Server, **headers: str):
    url = server.url.replace("http://", "ws://") + "/p/counter/live/visits"
    return connect(url, additional_headers={"Authorization": f"Bearer {server.token}", **headers}, open_timeout=30)


def refused(server: Server, **headers: str) -> int:
    try:
        with socket(server, **headers):
            raise AssertionError("it was let in")
    except InvalidStatus as error:
        return error.response.status_code


def is_closed(talk) -> bool:
    try:
        talk.recv(timeout=30)
        return False
    except ConnectionClosed:
        return True


with Server(sys.argv[1], "[serve]\nbody_bytes = 100000\n") as server:
    with socket(server) as talk:
        for count in (1, 2, 3):
            talk.send("attic")
            assert talk.recv(timeout=30) == f"http:operator is visit {count} to attic"
    assert refused(server, Authorization="Bearer wrong") == 401
    assert refused(server, Origin="https://evil.example") == 403

    assert curl(server, "--form", "list=attic\ncellar", token=False)[0] == 401
    assert curl(server, "--form", "list=attic\ncellar") == (200, "2 visits\n")
    status, body = curl(server, "--form", "list=" + "a" * 120_000)
    assert status == 413 and "`serve.body_bytes`" in body, body
    # Without a length beforehand, the limit is met while it is read.
    chunked = curl(server, "--form", "list=" + "a" * 120_000, "--header", "Transfer-Encoding: chunked")
    assert chunked[0] == 413, chunked
    assert curl(server, path="/p/counter/live/nowhere")[0] == 404
    assert curl(server, "--request", "DELETE", path="/p/counter/live/guests")[0] == 405

    with socket(server) as talk:
        talk.send("hall")
        assert talk.recv(timeout=30).endswith("visit 1 to hall")
        assert server.ask("POST", "/api/plugins/counter/disable")[0] == 200
        assert is_closed(talk), "its plugin is gone"
    assert refused(server) == 404 and curl(server, "--form", "list=a")[0] == 404
    assert server.ask("POST", "/api/plugins/counter/enable")[0] == 200

    with socket(server) as talk:
        talk.send("hall")
        assert talk.recv(timeout=30).endswith("visit 2 to hall")
        server.stop()
        assert is_closed(talk), "the server has ended"
print("a plugin's router is asked by others' clients")
