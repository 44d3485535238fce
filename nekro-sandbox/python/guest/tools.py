"""The tools of the host as functions in modules, and their errors as exceptions."""

import asyncio
import builtins
import keyword
import sys
import types

from . import channel


class ToolError(RuntimeError):
    """Why a tool refused or failed: `code`, `message`, and a `hint` how to do better, or None."""

    code = "failed"

    def __init__(self, message="", hint=None, code=None):
        super().__init__(message)
        self.message = message
        self.hint = hint
        if code is not None:
            self.code = code

    def __str__(self):
        return f"{self.message} ({self.hint})" if self.hint else self.message


# Codes that mean what an exception of Python means: a script that catches the one it knows is right.
_BASES = {
    "not_found": (ToolError, LookupError),
    "invalid_arguments": (ToolError, ValueError),
    "denied": (ToolError, PermissionError),
    "timeout": (ToolError, TimeoutError),
}


class Errors(types.ModuleType):
    """The module `errors`: a class to each code, `errors.NotFound` for `not_found`."""

    def __getattr__(self, name):
        if not name[:1].isupper():
            raise AttributeError(f"module 'errors' has no attribute {name!r}")
        code = "".join(f"_{c.lower()}" if c.isupper() else c for c in name)[1:]
        return error_class(code)


errors = Errors("errors")
errors.ToolError = ToolError


def error_class(code):
    """Returns the class of errors with a code."""
    name = "".join(word.capitalize() for word in code.split("_"))
    known = vars(errors).get(name)
    if known is None:
        known = type(name, _BASES.get(code, (ToolError,)), {"code": code, "__module__": "errors"})
        setattr(errors, name, known)
    return known


for _code in _BASES:
    error_class(_code)


def value_of(answer):
    """Returns what a tool answered, or raises its error."""
    if len(answer) == 2:
        return answer[1]
    error = answer[2]
    code = error["code"]
    raise error_class(code)(error["message"], error.get("hint"), code)


class Function:
    """One tool. Called, it returns its value; awaited, it lets others run meanwhile."""

    __slots__ = ("__name__", "__qualname__", "_wire", "_names", "_all", "_optional", "_renamed")

    def __init__(self, name, wire, parameters):
        self.__name__ = name.rpartition(".")[2]
        self.__qualname__ = name
        self._wire = wire
        self._names = tuple(p[0] for p in parameters)
        self._all = frozenset(self._names)
        self._optional = frozenset(p[0] for p in parameters if not p[1])
        self._renamed = {p[0]: p[2] for p in parameters if len(p) > 2}

    def __repr__(self):
        return f"<tool {self.__qualname__}({', '.join(self._names)})>"

    def bind(self, positional, named):
        """Returns the arguments by name, as Python would bind them."""
        names = self._names
        if not positional and named.keys() == self._all and not self._renamed:
            return named
        if positional:
            if len(positional) > len(names):
                raise TypeError(f"{self.__qualname__}() takes {len(names)} arguments but {len(positional)} were given")
            for name, value in zip(names, positional):
                if name in named:
                    raise TypeError(f"{self.__qualname__}() got multiple values for argument {name!r}")
                named[name] = value
        missing = 0
        for name in names:
            if name not in named:
                missing += 1
                if name not in self._optional:
                    raise TypeError(f"{self.__qualname__}() misses its argument {name!r}")
        if len(named) + missing != len(names):
            unknown = next(name for name in named if name not in names)
            raise TypeError(f"{self.__qualname__}() got an unexpected argument {unknown!r}; it takes: {', '.join(names)}")
        if self._renamed:
            return {self._renamed.get(name, name): value for name, value in named.items()}
        return named

    def __call__(self, /, *positional, **named):
        return value_of(channel.ask(self._wire, self.bind(positional, named)))

    def later(self, /, *positional, **named):
        """Makes the call without waiting for it, and returns a future of its value."""
        future = asyncio.get_running_loop().create_future()

        def done(answer):
            if future.cancelled():
                return
            try:
                future.set_result(value_of(answer))
            except Exception as error:
                future.set_exception(error)

        channel.post(self._wire, self.bind(positional, named), done)
        return future


def later(function):
    """Returns what to call where the result is awaited."""
    return function.later if type(function) is Function and asyncio._get_running_loop() is not None else function


def modules(functions):
    """Returns the names that a script begins with. `functions` is `{"module.function": {"wire": …, "parameters": …}}`."""
    names = {}
    for name, function in functions.items():
        module, _, own = name.rpartition(".")
        function = Function(name, *function)
        if not module:
            names[own] = function
            continue
        if module not in names:
            names[module] = types.ModuleType(module, f"The tools of {module}.")
        setattr(names[module], own, function)
    for name, value in names.items():
        if isinstance(value, types.ModuleType):
            sys.modules.setdefault(name, value)
    sys.modules.setdefault("errors", errors)
    return {"errors": errors, "ToolError": ToolError, **names}
