d = {"b": 2, "a": 1}
d.update(c=3)
print(d, sorted(d), list(d.values()), d.get("z"), d.get("z", 0), d.pop("b"), d.setdefault("q", []), len(d))
for k in list(d):
    if k == "a":
        del d[k]
print(d, "a" in d, {v: k for k, v in {"x": 1}.items()}, dict.fromkeys("ab", 0), d == {"c": 3, "q": []})
try:
    d["missing"]
except KeyError as e:
    print("KeyError", e, e.args)
merged = {"a": {"x": 1}} | {"a": {"y": 2}}
print(merged, d.items() & {"c": 3}.items() if False else len(d.items()), max({"a": 5, "b": 9}.items(), key=lambda kv: kv[1]), next(iter(d)), d.popitem())
