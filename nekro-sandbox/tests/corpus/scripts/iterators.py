class Countdown:
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return self

    def __next__(self):
        if self.n <= 0:
            raise StopIteration
        self.n -= 1
        return self.n


print(list(Countdown(3)), max(Countdown(4)), 2 in Countdown(5), dict(enumerate(Countdown(2))))
it = iter([1, 2, 3])
print(next(it), list(it), next(it, "done"), list(iter(lambda c=[0]: c.append(1) or len(c), 4)))
print(next((m["id"] for m in search_messages("notes") if m["score"] > 0.5), None), [a for a, b in zip("ab", "ab")])
g = (i for i in range(3))
print(sum(g), list(g))
