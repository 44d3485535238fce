data = [1, 2, 3, 4, 5]
first, *middle, last = data
print(first, middle, last)
(a, b), c = (1, 2), 3
print(a, b, c)
if (n := len(data)) > 3:
    print(f"{n} items")
x = y = z = 0
x += 1
print(x, y, z)
d = {**{"a": 1}, "b": 2} | {"c": 3}
print(d, [*range(3), *"ab"], {*"aab"} == {"a", "b"})
def f(a, /, b, *, c=3, **rest):
    return a, b, c, rest
print(f(1, 2), f(1, b=2, c=4, d=5))
for i, (k, v) in enumerate(d.items(), start=1):
    print(i, k, v)
while data:
    if data.pop() == 3:
        break
else:
    print("no break")
print(data)
