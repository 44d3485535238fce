"""Every payload that GitHub publishes is taken, told once, and survives the end of the program."""

import hashlib
import hmac
import json
import pathlib
import sys
import time

from server import Server

SECRET = "it is a secret to everybody"
SETTINGS = f'[plugins.github]\nwebhook_secret = "{SECRET}"\n'
PATH = "/hooks/github/events"

examples = json.loads(pathlib.Path(sys.argv[2]).read_text())


def deliver(server: Server, event: str, number: str, payload: object, secret: str = SECRET):
    body = json.dumps(payload).encode()
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {"x-hub-signature-256": f"sha256={signature}", "x-github-event": event, "x-github-delivery": number}
    status, answer = server.ask("POST", PATH, raw=body, headers=headers)
    return status, json.loads(answer)


def said(server: Server) -> list[str]:
    status, answer = server.ask("GET", "/api/sessions/http:operator/messages?limit=500")
    if status == 404:
        return []
    return [item["body"]["text"] for item in json.loads(answer)["items"] if item["body"]["kind"] == "answer"]


def wait_for(server: Server, count: int) -> list[str]:
    for _ in range(600):
        lines = said(server)
        if len(lines) >= count:
            return lines
        time.sleep(0.1)
    raise AssertionError(f"{count} messages did not come: {said(server)}")


with Server(sys.argv[1], SETTINGS + '[serve]\nrate = "100000/1m"\n') as server:
    status, _ = server.ask("POST", "/api/tools/github.subscribe", {"repository": "Codertocat/Hello-World"})
    assert status == 200
    taken = 0
    for event in examples:
        for at, payload in enumerate(event["examples"]):
            status, answer = deliver(server, event["name"], f"{event['name']}-{at}", payload)
            assert (status, answer.get("new")) == (202, True), (event["name"], at, status, answer)
            taken += 1
    lines = wait_for(server, 10)
    assert any("pushed" in line or "issue" in line for line in lines), lines

    # The same delivery again is known.
    again = examples[0]
    status, answer = deliver(server, again["name"], f"{again['name']}-0", again["examples"][0])
    assert (status, answer["new"]) == (202, False), answer

    # Who does not know the secret is not believed.
    status, answer = deliver(server, "push", "forged", {}, secret="guessed")
    assert status == 401, answer

    # What was answered is handled, also if the program ends at that moment.
    issue = next(event for event in examples if event["name"] == "issues")
    opened = next(one for one in issue["examples"] if one["action"] == "opened")
    opened["repository"]["full_name"] = "Codertocat/Hello-World"
    opened["issue"]["title"] = "stored before it was answered"
    status, answer = deliver(server, "issues", "last", opened)
    assert status == 202, answer
    server.process.kill()
    server.process.wait()
    server.start()
    for _ in range(300):
        lines = said(server)
        if any("stored before it was answered" in line for line in lines):
            break
        time.sleep(0.1)
    else:
        raise AssertionError(f"it was not handled after the start: {lines[:3]}")
print(f"{taken} payloads of GitHub are taken")
