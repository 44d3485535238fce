from decimal import ROUND_HALF_UP, Decimal, getcontext
from fractions import Fraction
print(Decimal("0.1") + Decimal("0.2"), Decimal("2.675").quantize(Decimal("0.01"), ROUND_HALF_UP), Decimal(1) / Decimal(7))
getcontext().prec = 6
print(Decimal(2).sqrt(), Decimal("1e3").normalize(), f"{Decimal('1234.5'):,.2f}", Decimal("NaN").is_nan())
print(Fraction(1, 3) + Fraction(1, 6), Fraction("0.125"), float(Fraction(2, 3)), Fraction(3.5).limit_denominator(10))
