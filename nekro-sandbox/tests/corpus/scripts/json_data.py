import json
text = '{"a": [1, 2.5, null, true], "b": {"c": "d\\u00e9"}, "n": 12345678901234567890}'
data = json.loads(text)
print(data, data["b"]["c"], type(data["a"][1]).__name__)
print(json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False))
print(json.dumps({"x": (1, 2), 3: None}), json.dumps("é\n"))
try:
    json.loads("{'a': 1}")
except json.JSONDecodeError as e:
    print(e.msg, e.lineno, e.colno)
orders = json.loads(http_get("https://example.com/orders"))["orders"]
total = sum(i["qty"] * i["price"] for o in orders for i in o["items"])
print(f"{total:.2f}", {o["id"]: len(o["items"]) for o in orders})
print(json.dumps(get_user(2)), json.dumps(get_user(1) | {"x": 1}, sort_keys=True))
