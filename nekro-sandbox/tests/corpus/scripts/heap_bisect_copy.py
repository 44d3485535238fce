import bisect
import copy
import heapq
h = [5, 1, 8, 3]
heapq.heapify(h)
heapq.heappush(h, 0)
print(heapq.heappop(h), heapq.nsmallest(2, h), heapq.nlargest(2, h), list(heapq.merge([1, 4], [2, 3])))
l = [1, 3, 5]
bisect.insort(l, 4)
print(l, bisect.bisect_left(l, 3), bisect.bisect(l, 3))
a = {"x": [1, 2], "y": get_user(1)}
b, c = copy.copy(a), copy.deepcopy(a)
a["x"].append(3)
a["y"]["name"] = "changed"
print(b["x"], c["x"], c["y"]["name"])
