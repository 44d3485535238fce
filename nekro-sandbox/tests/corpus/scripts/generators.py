def numbers(limit):
    a, b = 0, 1
    while a < limit:
        got = yield a
        if got:
            a = got
        a, b = b, a + b


print(list(numbers(50)))
g = numbers(100)
print(next(g), next(g), g.send(10), next(g))
print(sum(n * n for n in range(10) if n % 2), [*reversed(range(3))])


def chain(*parts):
    for part in parts:
        yield from part


print(list(chain("ab", [1, 2], (None,))))
