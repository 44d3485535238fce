# Is a die fair? A script does in one round what would be hundreds of calls of a model: calls at the same time, arithmetic, an error that it
# catches, and a note about what came of it. Run it with `nekro run fair.py`.
import asyncio
from collections import Counter

ROLLS = 300

rolls = await asyncio.gather(*[dice.roll("1d6") for _ in range(ROLLS)])
counts = Counter(roll.total for roll in rolls)
expected = ROLLS / 6
chi_square = sum((counts[face] - expected) ** 2 / expected for face in range(1, 7))

for face in range(1, 7):
    print(f"{face}: {'#' * (counts[face] // 3)} {counts[face]}")

try:
    dice.roll("1d0")
except errors.InvalidArguments as e:
    print("no die without sides:", e.code)

# 95 of 100 fair dice are below it.
fair = chi_square < 11.07
notes.save(text=f"The die looked {'fair' if fair else 'odd'} in {ROLLS} rolls.", key="die")
{"chi_square": round(chi_square, 2), "fair": fair}
