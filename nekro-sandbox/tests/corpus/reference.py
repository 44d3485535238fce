"""The tools of the corpus, as CPython sees them. `tests/sandbox/world.rs` has the same ones behind a sandbox."""

import json as _json
_USERS = {
    1: {"id": 1, "name": "Alice", "age": 34, "city": "Paris", "email": "alice@example.com", "tags": ["admin", "ops"]},
    2: {"id": 2, "name": "Bob", "age": 19, "city": "Oslo", "email": "bob@example.com", "tags": ["ops", "dev", "qa"]},
    3: {"id": 3, "name": "Carol", "age": 52, "city": "Tokyo", "tags": ["dev"]},
}
_MSGS = [
    {"id": 11, "sender": "alice", "text": "Meeting at 10, @bob please join", "score": 0.9, "tags": ["work"], "ts": "2024-11-19T10:00:00"},
    {"id": 12, "sender": "bob", "text": "  meeting moved to 11 @Alice @carol ", "score": 0.7, "tags": [], "ts": "2024-11-19T11:00:00"},
    {"id": 13, "sender": "spammer", "text": "meeting singles", "score": 0.8, "tags": ["spam"], "ts": "2024-11-18T12:00:00"},
    {"id": 14, "sender": "alice", "text": "meeting notes attached", "score": 0.4, "tags": ["work", "doc"], "ts": "2024-11-18T15:00:00"},
    {"id": 15, "sender": "carol", "text": "Re: meeting notes, thanks @alice", "score": 0.6, "tags": [], "ts": "2024-11-17T09:00:00"},
    {"id": 16, "sender": "alice", "text": "Next meeting is on Friday", "score": 0.55, "tags": ["work"], "ts": "2024-11-20T08:00:00"},
]
_WEATHER = {"Paris": {"city": "Paris", "temp": 18, "cond": "cloudy"}, "Tokyo": {"city": "Tokyo", "temp": 24, "cond": "sunny"}, "Oslo": {"city": "Oslo", "temp": -2, "cond": "snow"}, "Lima": {"city": "Lima", "temp": 21, "cond": "fog"}}
_ORDERS = {"orders": [{"id": 1, "items": [{"sku": "a", "qty": 2, "price": 9.99}, {"sku": "b", "qty": 1, "price": 5.0}]}, {"id": 2, "items": [{"sku": "c", "qty": 10, "price": 0.5}]}]}
_state = {"mid": 1000, "flaky": 0, "store": {}}
def get_user(user_id):
    if user_id not in _USERS: raise LookupError("no user %s" % user_id)
    return _json.loads(_json.dumps(_USERS[user_id]))
def search_messages(query, limit=10):
    return _json.loads(_json.dumps([m for m in _MSGS if query.lower() in m["text"].lower()][:limit]))
def send_message(chat_id, text):
    _state["mid"] += 1; return _state["mid"]
def http_get(url): return _json.dumps(_ORDERS)
def now(): return "2024-11-20T09:30:00"
def flaky(job):
    _state["flaky"] += 1
    if _state["flaky"] < 3: raise RuntimeError("busy")
    return "done:" + job
def store_set(key, value): _state["store"][key] = value
def store_get(key, default=None): return _state["store"].get(key, default)
def add(a, b): return a + b
async def aget_weather(city):
    if city not in _WEATHER: raise ValueError("unknown city " + city)
    return dict(_WEATHER[city])
async def asend_message(chat_id, text): return send_message(chat_id, text)


def reset():
    _state.update(mid=1000, flaky=0, store={})


def tools():
    return {name: value for name, value in globals().items() if not name.startswith("_") and name not in ("reset", "tools")}
