def primes(n):
    sieve = [True] * (n + 1)
    sieve[0:2] = [False, False]
    for i in range(2, int(n**0.5) + 1):
        if sieve[i]:
            sieve[i * i :: i] = [False] * len(sieve[i * i :: i])
    return [i for i, p in enumerate(sieve) if p]


def shortest(graph, a, b):
    seen, queue = {a}, [[a]]
    for path in queue:
        if path[-1] == b:
            return path
        for n in graph.get(path[-1], ()):
            if n not in seen:
                seen.add(n)
                queue.append(path + [n])


def lev(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        prev, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            prev, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, prev + (x != y))
    return row[-1]


def qsort(v):
    return v if len(v) < 2 else qsort([x for x in v[1:] if x < v[0]]) + [v[0]] + qsort([x for x in v[1:] if x >= v[0]])


def hanoi(n, a="A", b="B", c="C"):
    return 0 if n == 0 else hanoi(n - 1, a, c, b) + 1 + hanoi(n - 1, c, b, a)


print(primes(50), shortest({"a": "bc", "b": "d", "c": "d", "d": "e"}, "a", "e"), lev("kitten", "sitting"), qsort([3, 1, 2, 3]), hanoi(8))
