from __future__ import annotations
from typing import Any, Callable, Generic, Literal, NamedTuple, Protocol, TypedDict, TypeVar, Union, cast, get_type_hints

T = TypeVar("T")


class Stack(Generic[T]):
    def __init__(self) -> None:
        self.items: list[T] = []

    def push(self, item: T) -> Stack[T]:
        self.items.append(item)
        return self


class Movie(TypedDict, total=False):
    name: str
    year: int


class Point(NamedTuple):
    x: int
    y: int = 0


class Named(Protocol):
    name: str


def apply(f: Callable[[int], int], v: int | None = None) -> int:
    return f(v or 0)


m: Movie = {"name": "x"}
print(Stack[int]().push(1).push(2).items, m, Point(1), apply(lambda v: v + 1), cast(Any, 3), get_type_hints(apply)["return"].__name__)
