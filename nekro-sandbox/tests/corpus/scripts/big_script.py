records = []
for i in range(200):
    records.append({"id": i, "group": "abc"[i % 3], "value": (i * 37) % 101})
groups = {}
for r in records:
    groups.setdefault(r["group"], []).append(r["value"])
summary = {g: {"n": len(v), "sum": sum(v), "max": max(v), "mean": round(sum(v) / len(v), 2)} for g, v in sorted(groups.items())}
for g, s in summary.items():
    print(g, s)
top = sorted(records, key=lambda r: (-r["value"], r["id"]))[:3]
print([(t["id"], t["value"]) for t in top])
matrix = [[(r * c) % 7 for c in range(5)] for r in range(5)]
print(*[" ".join(map(str, row)) for row in matrix], sep="\n")
print([list(col) for col in zip(*matrix)][2], sum(map(sum, matrix)))
