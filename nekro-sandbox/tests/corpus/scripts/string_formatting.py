name, n, f = "Ada", 7, 1234.5678
print(f"{name!r:>8}|{n:03d}|{f:,.1f}|{f:e}|{n=}|{name.upper()}|{{}}|{'a' if n > 3 else 'b'}|{n:>{4}}")
print("{:>10}|{:<10}|{:^10}|{:*^10}".format("r", "l", "c", "s"), "{0[1]} {1.real}".format([1, 2], 3))
from datetime import date
print(f"{date(2024, 1, 2):%d.%m.%Y}", f"{3.0}", f"{1e20}", f"{10**20}", f"{0.1 + 0.2:.17g}", f"{True}", f"{None}")
table = [("a", 1), ("bbb", 22)]
print("\n".join(f"{k:<5}{v:>4}" for k, v in table))
