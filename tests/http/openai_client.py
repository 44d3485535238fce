"""The official OpenAI client talks with the agent: models, an answer whole and in pieces, and errors it knows."""

import sys

import openai

from server import Server

with Server(sys.argv[1]) as server:
    client = openai.OpenAI(base_url=f"{server.url}/v1", api_key=server.token)
    assert "nekro" in [model.id for model in client.models.list()]

    question = {"role": "user", "content": "roll 3d1"}
    whole = client.chat.completions.create(model="nekro", messages=[question])
    answer = whole.choices[0].message.content
    assert "total: 3" in answer, answer
    assert whole.choices[0].finish_reason == "stop"
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens

    # The conversation goes on in its session.
    more = [question, {"role": "assistant", "content": answer}, {"role": "user", "content": "roll 4d1"}]
    stream = client.chat.completions.create(model="nekro", messages=more, stream=True)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
    assert "total: 4" in text, text
    _, sessions = server.ask("GET", "/api/sessions")
    assert sessions.count(b":chat-") == 1, sessions

    # One that is not known begins with what the client says was said.
    rules = {"role": "system", "content": "Be brief."}
    client.chat.completions.create(model="nekro", messages=[rules, *more])
    _, sessions = server.ask("GET", "/api/sessions")
    assert sessions.count(b":chat-") == 2, sessions

    for wrong, error in [
        ({"model": "gpt", "messages": [question]}, openai.NotFoundError),
        ({"model": "nekro", "messages": []}, openai.BadRequestError),
        ({"model": "nekro", "messages": [{"role": "assistant", "content": "hm"}]}, openai.BadRequestError),
    ]:
        try:
            client.chat.completions.create(**wrong)
            raise AssertionError(f"{wrong} was answered")
        except error:
            pass
    try:
        openai.OpenAI(base_url=f"{server.url}/v1", api_key="wrong", max_retries=0).models.list()
        raise AssertionError("a wrong token was let in")
    except openai.AuthenticationError:
        pass
print("the OpenAI client is answered")
