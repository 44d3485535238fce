from enum import Enum, Flag, IntEnum, StrEnum, auto


class Color(Enum):
    RED = 1
    GREEN = auto()

    @property
    def nice(self):
        return self.name.title()


class Level(IntEnum):
    LOW = 1
    HIGH = 10


class Mode(StrEnum):
    FAST = auto()


class Perm(Flag):
    R = auto()
    W = auto()


print(list(Color), Color(2), Color["RED"].nice, Color.RED is Color(1), Color.GREEN.value)
print(Level.HIGH > 5, sorted(Level), f"{Mode.FAST}", Mode.FAST == "fast", Perm.R | Perm.W, Perm.R in (Perm.R | Perm.W))
try:
    Color(9)
except ValueError as e:
    print(e)
