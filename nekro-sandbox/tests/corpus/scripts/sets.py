a, b = {1, 2, 3}, {3, 4}
print(a | b, a & b, a - b, a ^ b, a >= {1}, a.isdisjoint({9}), frozenset([1]) == {1}, sorted({"b", "a"}), len({*a, *b}))
a.add(5)
a.discard(9)
a.remove(1)
print(sorted(a), set("hello") - set("lo") == {"h", "e"})
tags = [set(get_user(i)["tags"]) for i in (1, 2, 3)]
print(sorted(set.union(*tags)), sorted(tags[0] & tags[1]))
