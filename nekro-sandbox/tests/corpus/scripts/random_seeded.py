import random
r = random.Random(42)
print([r.randint(1, 6) for _ in range(5)], r.choice("abcdef"), r.sample(range(100), 3), round(r.random(), 6))
items = list(range(5))
r.shuffle(items)
print(items, r.choices("ab", weights=[1, 3], k=4), round(r.gauss(0, 1), 6))
random.seed(1)
print(random.randrange(1000), random.uniform(1, 2) > 1)
