from abc import ABC, abstractmethod


class Shape(ABC):
    registry = {}

    def __init_subclass__(cls, **kw):
        super().__init_subclass__(**kw)
        Shape.registry[cls.__name__.lower()] = cls

    @abstractmethod
    def area(self): ...

    def __str__(self):
        return f"{type(self).__name__} of {self.area():.1f}"


class Square(Shape):
    def __init__(self, s):
        self.s = s

    def area(self):
        return self.s**2


class Cube(Square):
    def area(self):
        return 6 * super().area()


print(Square(2), Cube(2), sorted(Shape.registry), Cube.__mro__[1].__name__, issubclass(Cube, Shape))
try:
    Shape()
except TypeError as e:
    print("abstract")
