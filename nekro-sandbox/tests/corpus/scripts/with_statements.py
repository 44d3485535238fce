import contextlib
import io


class Res:
    def __init__(self, n):
        self.n = n

    def __enter__(self):
        print("open", self.n)
        return self

    def __exit__(self, kind, value, tb):
        print("close", self.n, kind.__name__ if kind else None)
        return kind is ValueError


with Res("a") as a, Res("b") as b:
    print(a.n + b.n)
with Res("c"):
    raise ValueError("swallowed")


@contextlib.contextmanager
def step(name):
    print("begin", name)
    try:
        yield name.upper()
    finally:
        print("end", name)


with step("x") as s:
    print(s)
with contextlib.suppress(KeyError):
    {}["a"]
buffer = io.StringIO()
with contextlib.redirect_stdout(buffer):
    print("hidden")
print(repr(buffer.getvalue()))
with contextlib.ExitStack() as stack:
    for n in range(3):
        stack.callback(print, "bye", n)
