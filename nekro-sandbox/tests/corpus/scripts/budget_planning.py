import math
from dataclasses import dataclass


@dataclass
class Trip:
    city: str
    days: int
    daily: float

    @property
    def cost(self):
        return self.days * self.daily


trips = [Trip("Paris", 3, 120.5), Trip("Oslo", 2, 150), Trip("Lima", 5, 60.25)]
budget = 700
chosen = []
for t in sorted(trips, key=lambda t: t.cost / t.days):
    if sum(c.cost for c in chosen) + t.cost <= budget:
        chosen.append(t)
print([t.city for t in chosen], sum(t.cost for t in chosen), math.ceil(budget / 120.5))
w = {t.city: aget_weather for t in chosen}
print(sorted(w))
