users = [get_user(i) for i in range(1, 4)]
widths = {k: max(len(str(u.get(k, ""))) for u in users) for k in ("id", "name", "city", "email")}
for u in users:
    print(" | ".join(str(u.get(k, "-")).ljust(w) for k, w in widths.items()))
adults = [u for u in users if u["age"] >= 21]
print(len(adults), sum(u["age"] for u in adults) / len(adults), "email" in users[2], users[2].get("email", "none"))
print({**users[0], "age": 35}["age"], list(users[1].keys()), users[1] == get_user(2), dict(users[2]) == users[2])
u = users[0]
u["age"] += 1
u.setdefault("seen", True)
print(u.pop("email"), u["age"], sorted(u), isinstance(u, dict), len(u))
