import pprint
data = {"name": "x" * 10, "values": list(range(30)), "nested": {"a": {"b": ("c", 1.5, None, True)}}}
pprint.pprint(data, width=60)
print(pprint.pformat([1, 2]), repr({1, 2}), str([None, "a", b"b", 1.0]), {"a": (1,)}, ())
print(pprint.pformat(get_user(1), width=40))
