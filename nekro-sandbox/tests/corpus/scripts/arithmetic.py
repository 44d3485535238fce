import math
print(2**100, 7 // 2, -7 // 2, 7 % -3, 1e308 * 10, 0.1 + 0.2, round(2.5), round(2.675, 2), 1_000_000)
print(math.pi, math.sqrt(2), math.factorial(20), math.gcd(12, 18), math.comb(5, 2), math.isclose(0.1 + 0.2, 0.3), math.inf, math.floor(-1.5))
print(int("ff", 16), bin(10), hex(255), oct(8), float("1e3"), complex(1, 2) * 2, (0.1).as_integer_ratio(), int(3.99), 5 .bit_length())
print(f"{1234567.891:,.2f} {0.256:.1%} {42:08b} {255:#x} {3.14159:.3g} {10:>5}|{10:<5}|{10:^5}|{-5:+d}")
print(math.prod([1, 2, 3]), math.hypot(3, 4), math.degrees(math.pi), math.log2(8), math.trunc(2.7), math.nan != math.nan)
