s = "Hello, World"
l = list(range(10))
print(s[::-1], s[-5:], s[:5], s[::2], l[2:8:3], l[-3:])
l[2:5] = ["x"]
del l[0]
l.insert(1, "y")
print(l, l.index("x"), l.count(5), 7 in l)
t = (1, 2) + (3,)
print(t * 2, len(t), min(t), sum(t), sorted("banana"), "".join(sorted(set("banana"))))
a = [3, 1, 2]
a.sort(reverse=True)
print(a, a[::-1], a == sorted(a, reverse=True), list(map(str, a)), list(filter(lambda v: v > 1, a)))
print(list(zip("abc", range(3), strict=True)), dict(zip("ab", [1, 2])), any(a), all([]))
print([1, 2] < [1, 3], (1, "a") == (1, "a"), "abc" < "abd", bool([]), divmod(17, 5), abs(-3), pow(2, 10, 1000))
