text = """alpha: 1
beta: 22

# comment
gamma: three
"""
result, errors = {}, []
for number, line in enumerate(text.splitlines(), 1):
    if not line.strip() or line.startswith("#"):
        continue
    key, _, val = line.partition(":")
    try:
        result[key] = int(val)
    except ValueError as e:
        errors.append(f"line {number}: {e}")
print(result, errors, sep="\n")
words = "It was the best of times, it was the worst of times".lower().replace(",", "").split()
freq = {}
for w in words:
    freq[w] = freq.get(w, 0) + 1
for w, n in sorted(freq.items(), key=lambda kv: (-kv[1], kv[0]))[:4]:
    print(f"{w:<6}{'#' * n} {n}")
