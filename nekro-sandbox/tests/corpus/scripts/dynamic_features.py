class Config:
    def __getattr__(self, name):
        return f"<{name}>"


c = Config()
c.x = 1
print(c.x, c.y, hasattr(c, "z"), getattr(1, "real"), getattr(1, "nope", None), vars(c), callable(len), type(c).__name__)
Dyn = type("Dyn", (Config,), {"hello": lambda self: "hi"})
print(Dyn().hello(), isinstance(Dyn(), Config), Dyn.__bases__[0].__name__)
print(eval("1 + 2 * 3"), eval("x + 1", {"x": 5}))
ns = {}
exec("def f(a):\n    return a * 2", ns)
print(ns["f"](4), compile("1+1", "<s>", "eval").co_filename)
setattr(c, "w", 2)
delattr(c, "x")
print(sorted(vars(c)), id(c) == id(c), dir(3)[:1], isinstance(True, int), globals()["c"] is c, "c" in locals())
