"""What can be told of a script before it runs: its syntax, and whether its calls of tools can be right."""

import ast
import builtins
import difflib
import sys


def problem(node, message, hint=None):
    return {"line": node.lineno, "column": node.col_offset + 1, "message": message, "hint": hint}


def syntax(error):
    """Describes an error of the parser or the compiler."""
    if not isinstance(error, SyntaxError):
        return {"line": 1, "column": 1, "message": "the script is nested too deeply", "hint": "write it in smaller steps"}
    return {
        "line": error.lineno or 1,
        "column": max(1, error.offset or 1),
        "message": f"invalid syntax: {error.msg}" if "syntax" not in error.msg else error.msg,
        "hint": None,
    }


def _meant(name, known):
    close = difflib.get_close_matches(name, known, 1, 0.6)
    return f"did you mean `{close[0]}`?" if close else None


def _bound(tree):
    """Every name that the script itself gives a meaning to, wherever."""
    names = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                names.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.arg(arg=name) | ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                names.add(name)
            case ast.MatchMapping(rest=str(name)) | ast.TypeVar(name=name) | ast.TypeVarTuple(name=name) | ast.ParamSpec(name=name):
                names.add(name)
            case ast.alias(name=name, asname=asname):
                names.add(asname or name.partition(".")[0])
    return names


def _imported(tree):
    """The modules that are imported under their own name."""
    return {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.asname is None or alias.asname == alias.name
    }


def _caught(tree):
    """The nodes inside a `try` that catches something: a script that tries a name may find it missing."""
    return {id(node) for each in ast.walk(tree) if isinstance(each, ast.Try) and each.handlers for body in each.body for node in ast.walk(body)}


# With one of these, a script may give a meaning to names that cannot be seen.
_DYNAMIC = {"exec", "eval", "globals", "locals", "vars", "setattr", "__import__", "__builtins__", "builtins"}


def _dynamic(tree):
    """Tells whether names may come from where nobody sees them."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) if name in _DYNAMIC:
                return True
            case ast.alias(name="*"):
                return True
    return False


def _arguments(call, name, parameters):
    """What is wrong with the arguments of a call."""
    known = [p[0] for p in parameters]
    starred = any(isinstance(argument, ast.Starred) for argument in call.args)
    double = any(keyword.arg is None for keyword in call.keywords)
    given = set()
    if not starred:
        if len(call.args) > len(known):
            takes = f"{len(known)} argument{'' if len(known) == 1 else 's'}"
            yield problem(call.args[len(known)], f"`{name}` takes {takes}, and {len(call.args)} are given", f"it takes: {', '.join(known)}")
        given.update(known[: len(call.args)])
    for keyword in call.keywords:
        if keyword.arg is None:
            continue
        if keyword.arg not in known:
            hint = _meant(keyword.arg, known) or (f"it takes: {', '.join(known)}" if known else "it takes none")
            yield problem(keyword, f"`{name}` has no argument `{keyword.arg}`", hint)
        elif keyword.arg in given:
            yield problem(keyword, f"`{name}` is given its argument `{keyword.arg}` twice")
        given.add(keyword.arg)
    if not starred and not double:
        unknown = any(keyword.arg not in known for keyword in call.keywords)
        missing = [p[0] for p in parameters if p[1] and p[0] not in given]
        # With a wrong name, the one that seems to be missing is the one that was meant.
        if missing and not unknown:
            names = ", ".join(f"`{name}`" for name in missing)
            yield problem(call, f"`{name}` misses {'an argument' if len(missing) == 1 else 'arguments'}: {names}")


def check(tree, functions, kept):
    """Returns what is wrong with a script's calls. `kept` are the names that an earlier script of the session left."""
    modules = {}
    for name in functions:
        module, _, own = name.rpartition(".")
        modules.setdefault(module, []).append(own)
    flat = modules.pop("", [])
    bound = (_bound(tree) | kept) - (_imported(tree) & modules.keys())
    caught = _caught(tree)
    own_names = ("errors", "ToolError")

    def known(name):
        # One after the other: a set of all names would touch, and so copy, the page of each of them.
        return name in modules or name in flat or name in bound or name in own_names or hasattr(builtins, name)

    dynamic = _dynamic(tree)
    there = f"there are: {', '.join([*modules, *flat])}" if functions else "there are no tools here"
    problems = []
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id=module), attr=own) if module in modules and module not in bound:
                if own not in modules[module] and not own.startswith("__") and id(node) not in caught:
                    hint = _meant(own, modules[module]) or f"`{module}` has: {', '.join(modules[module])}"
                    problems.append(problem(node, f"`{module}` has no function `{own}`", hint))
            case ast.Call(func=ast.Attribute(value=ast.Name(id=module) as name, attr=own)) if (
                not known(module) and id(node) not in caught
            ):
                if (hint := _meant(module, list(modules))) or not dynamic:
                    hint = f"write `import {module}` before" if module in sys.modules else hint or there
                    problems.append(problem(name, f"`{module}` is not defined", hint))
            case ast.Call(func=ast.Name(id=own)) if not known(own) and id(node) not in caught:
                inside = [f"{module}.{own}" for module in modules if own in modules[module]]
                if (hint := f"did you mean `{inside[0]}`?" if inside else _meant(own, flat)) or not dynamic:
                    hint = hint or there
                    problems.append(problem(node, f"`{own}` is not defined", hint))
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=module), attr=own)) if module not in bound:
                name = f"{module}.{own}"
            case ast.Call(func=ast.Name(id=name)) if name not in bound:
                pass
            case _:
                continue
        if name in functions:
            problems.extend(_arguments(node, name, functions[name][1]))
    problems.sort(key=lambda each: (each["line"], each["column"]))
    return problems
