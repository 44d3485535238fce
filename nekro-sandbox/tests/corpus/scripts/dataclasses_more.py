from dataclasses import asdict, astuple, dataclass, field, replace
from typing import ClassVar, Optional


@dataclass(order=True, frozen=True)
class Item:
    price: float
    name: str = field(compare=False)
    tags: list[str] = field(default_factory=list, compare=False)
    count: ClassVar[int] = 0


@dataclass
class Cart:
    items: list[Item] = field(default_factory=list)
    note: Optional[str] = None

    def __post_init__(self):
        self.total = sum(i.price for i in self.items)


a, b = Item(2.5, "pen"), Item(1.0, "nib", ["x"])
cart = Cart([a, b])
print(cart, cart.total, min(a, b).name, asdict(cart), astuple(b), replace(a, price=3))
try:
    a.price = 1
except Exception as e:
    print(type(e).__name__, e)
