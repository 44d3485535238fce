import functools
import itertools as it
import operator
print(list(it.chain([1], [2, 3])), list(it.islice(it.count(10, 5), 3)), list(it.accumulate([1, 2, 3, 4])), list(it.pairwise("abc")))
print(list(it.combinations("abc", 2)), list(it.permutations([1, 2], 2)), list(it.product([0, 1], "ab")), list(it.repeat("x", 2)))
rows = sorted(search_messages("meeting"), key=lambda m: m["sender"])
for sender, group in it.groupby(rows, key=lambda m: m["sender"]):
    print(sender, [m["id"] for m in group])
print(functools.reduce(operator.mul, range(1, 6)), functools.partial(pow, 2)(5), list(it.takewhile(lambda v: v < 3, [1, 2, 3, 1])))
print(list(it.zip_longest("ab", "x", fillvalue="-")), list(it.starmap(pow, [(2, 3), (3, 2)])), list(it.compress("abc", [1, 0, 1])), list(it.dropwhile(str.isalpha, "ab1c")))
print(sorted(["b", "A", "c"], key=str.lower), sorted([(1, "b"), (1, "a")], key=operator.itemgetter(1)), functools.cmp_to_key(lambda a, b: b - a)(1) < functools.cmp_to_key(lambda a, b: b - a)(2))
