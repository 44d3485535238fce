users = [get_user(i) for i in (1, 2, 3)]
by_city = {u["city"]: u["name"] for u in users}
tags = {t for u in users for t in u["tags"]}
pairs = [(u["name"], t) for u in users for t in u["tags"] if t != "ops"]
nested = [[i * j for j in range(1, 4)] for i in range(1, 4)]
flat = [x for row in nested for x in row]
print(by_city, sorted(tags), pairs, nested, flat, sep="\n")
print({k: [u["name"] for u in users if k in u["tags"]] for k in sorted(tags)})
print([y := 1, y + 1], [z for x in range(5) if (z := x * x) > 3])
print(max(users, key=lambda u: u["age"])["name"], sorted(users, key=lambda u: -u["age"])[0]["name"])
