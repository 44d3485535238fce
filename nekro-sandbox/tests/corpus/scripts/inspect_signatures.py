import inspect
def f(a, b: int = 2, *args, c, **kw) -> str:
    """Doc of f."""
print(inspect.signature(f), [p.kind.name for p in inspect.signature(f).parameters.values()], inspect.getdoc(f), inspect.isfunction(f), f.__annotations__)
print(inspect.iscoroutinefunction(f), f.__defaults__, f.__kwdefaults__, f.__code__.co_varnames)
