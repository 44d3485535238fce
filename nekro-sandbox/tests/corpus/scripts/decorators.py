import functools


def logged(prefix):
    def wrap(f):
        @functools.wraps(f)
        def inner(*a, **k):
            print(prefix, f.__name__, a, k)
            return f(*a, **k)

        return inner

    return wrap


@logged(">>")
def area(w, h=2):
    """Area."""
    return w * h


print(area(3), area(3, h=5), area.__doc__)


@functools.lru_cache(maxsize=None)
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


print(fib(60), fib.cache_info().hits)


class Temp:
    def __init__(self, c):
        self._c = c

    @property
    def f(self):
        return self._c * 9 / 5 + 32

    @f.setter
    def f(self, v):
        self._c = (v - 32) * 5 / 9

    @staticmethod
    def unit():
        return "C"

    @classmethod
    def zero(cls):
        return cls(0)


t = Temp.zero()
t.f = 212
print(t._c, t.f, Temp.unit())
