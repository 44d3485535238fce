grid = [["." for _ in range(4)] for _ in range(3)]
grid[1][2] = "#"
print("\n".join("".join(r) for r in grid))
print([list(r) for r in zip(*grid)][2], sum(r.count("#") for r in grid), [(y, x) for y, r in enumerate(grid) for x, c in enumerate(r) if c == "#"])
chunks = [list(range(10))[i : i + 4] for i in range(0, 10, 4)]
print(chunks, sum(chunks, []), list(map(len, chunks)), [*map(sum, chunks)])
