def describe(value):
    match value:
        case {"type": "circle", "r": r} if r > 0:
            return f"circle {r}"
        case {"type": "rect", **rest}:
            return f"rect {sorted(rest)}"
        case [first, *others]:
            return f"{first} and {len(others)} more"
        case int() | float() as number:
            return f"number {number}"
        case str(text):
            return f"text {text!r}"
        case None:
            return "nothing"
        case _:
            return "?"


for v in ({"type": "circle", "r": 2}, {"type": "rect", "w": 1, "h": 2}, [1, 2, 3], 4.5, "x", None, object):
    print(describe(v))
user = get_user(1)
match user:
    case {"name": name, "tags": [first, *_]}:
        print(name, first)
