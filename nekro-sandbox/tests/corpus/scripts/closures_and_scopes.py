def counter():
    n = 0

    def inc(by=1):
        nonlocal n
        n += by
        return n

    return inc


c, d = counter(), counter()
print(c(), c(5), d())
fs = [lambda x, i=i: x + i for i in range(3)]
print([f(10) for f in fs])
total = 0


def add_all(*values):
    global total
    for v in values:
        total += v


add_all(1, 2, 3)
print(total, (lambda *a, **k: (a, k))(1, b=2))


def outer(default=[]):
    default.append(len(default))
    return default


print(outer(), outer())
