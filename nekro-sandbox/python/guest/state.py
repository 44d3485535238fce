"""What one script of a session leaves to the next: its functions and classes as source, its values pickled.

The host keeps the bytes and never reads them; they are read in here only, where a forged pickle can do what a script can do.
"""

import ast
import io
import pickle
import types

_DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def definitions(source, tree):
    """The pieces of a script that can be run again: imports, functions and classes, by what they define."""
    pieces = {}
    for node in tree.body:
        if isinstance(node, _DEFINITIONS):
            first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])
            text = "\n".join(source.splitlines()[first - 1 : node.end_lineno])
            pieces[getattr(node, "name", text)] = text
    return pieces


def save(pieces, names, given):
    """Returns the state; what cannot be kept is left out."""
    values = {}
    for name, value in names.items():
        if name.startswith("__") or name in given or name in pieces or isinstance(value, types.ModuleType):
            continue
        try:
            values[name] = pickle.dumps(value)
        except Exception:
            continue
    return pickle.dumps((pieces, values))


def load(state, names):
    """Puts what was kept into the names, and returns its pieces."""
    if not state:
        return {}
    pieces, values = pickle.loads(state)
    for text in pieces.values():
        exec(compile(text, "<earlier script>", "exec"), names)
    for name, value in values.items():
        try:
            names[name] = pickle.load(io.BytesIO(value))
        except Exception:
            continue
    return pieces
