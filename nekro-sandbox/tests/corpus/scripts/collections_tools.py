from collections import ChainMap, Counter, OrderedDict, defaultdict, deque, namedtuple
words = "the cat and the dog and the bird".split()
c = Counter(words)
print(c.most_common(2), c["the"], sum(c.values()), Counter("aab") - Counter("a"), sorted(c.elements())[:3])
d = defaultdict(lambda: defaultdict(int))
for w in words:
    d[len(w)][w] += 1
print({k: dict(v) for k, v in d.items()})
q = deque(range(5), maxlen=3)
q.appendleft(9)
q.rotate(1)
print(q, q.pop(), list(q))
P = namedtuple("P", "x y", defaults=[0])
p = P(1)
print(p, p._replace(y=5), p._asdict(), p.x + p[1])
print(ChainMap({"a": 1}, {"a": 2, "b": 3})["b"], list(OrderedDict(b=1, a=2)), dict(sorted({"z": 1, "a": 2}.items())))
