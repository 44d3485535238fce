"""Small changes to a script before it is compiled, so that Python as people write it means what they mean by it.

A tool that is called gives its value at once. Where the call is awaited (`await f()`, `gather(f(), g())`, a list that is given to
`gather` later) it must give something to wait for instead, or the calls would run one after the other: those places are found here.
A place that is missed is slower, and not wrong: `await` and `gather` take plain values too.
"""

import ast

LATER, AWAITABLE, VALUE = "__later__", "__awaitable__", "__value__"

_WAITERS = {"gather", "create_task", "ensure_future", "wait_for", "wait", "as_completed", "shield"}
_CONTAINERS = {"list", "tuple", "set", "map", "zip", "dict", "enumerate", "sorted", "reversed"}
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp)


def _waits(call):
    """Tells whether a call's arguments are awaited."""
    match call.func:
        case ast.Attribute(value=ast.Name(id="asyncio"), attr=name) | ast.Name(id=name):
            return name in _WAITERS
        case ast.Attribute(attr="create_task"):
            return True
    return False


def _copied(node, place):
    return ast.fix_missing_locations(ast.copy_location(node, place))


def _wrapped(name, node):
    return _copied(ast.Call(ast.Name(name, ast.Load()), [node], []), node)


class _Places:
    """The calls whose result is awaited, and the names of collections that such calls are put into."""

    def __init__(self, tree):
        self.calls = set()
        self.functions = set()
        self.names = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Await):
                self._in(node.value)
            elif isinstance(node, ast.Call) and _waits(node):
                for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
                    self._in(argument)
        if not self.names:
            return
        only = self._only_collected(tree)
        for node in ast.walk(tree):
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in only:
                    self._collection(value)
                case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name))], value=value) if name in only:
                    self._in(value)
                case ast.AugAssign(target=ast.Name(id=name), value=value) if name in only:
                    self._collection(value)
                case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append" | "add"), args=[value]) if name in only:
                    self._in(value)
                case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="extend"), args=[value]) if name in only:
                    self._collection(value)

    def _in(self, node):
        """Looks into an expression whose value is awaited, or whose elements are."""
        match node:
            case ast.Call(func=ast.Name(id=name), args=[function, *_]) if name == "map":
                self.functions.add(function)
            case ast.Call(func=ast.Name(id=name), args=arguments) if name in _CONTAINERS:
                for argument in arguments:
                    self._in(argument)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="values" | "items")):
                self.names.add(name)
            case ast.Call():
                if isinstance(node.func, (ast.Name, ast.Attribute, ast.Subscript)):
                    self.calls.add(node)
            case ast.Starred(value=value):
                self._in(value)
            case ast.IfExp(body=body, orelse=orelse):
                self._in(body)
                self._in(orelse)
            case ast.Name(id=name):
                self.names.add(name)
            case _:
                self._collection(node)

    def _collection(self, node):
        match node:
            case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
                for element in elements:
                    self._in(element)
            case ast.Dict(values=values):
                for value in values:
                    self._in(value)
            case ast.ListComp(elt=element) | ast.SetComp(elt=element) | ast.GeneratorExp(elt=element):
                self._in(element)
            case ast.DictComp(value=value):
                self._in(value)
            case ast.Call(func=ast.Name(id=name)) if name in _CONTAINERS:
                self._in(node)

    def _only_collected(self, tree):
        """The names that are only filled, counted and awaited: an element that is read in another place must be a value."""
        harmless = set()
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name() as name, attr="append" | "add" | "extend" | "values" | "items" | "keys")):
                    harmless.add(name)
                case ast.Call(func=ast.Name(id="len" | "zip" | "list" | "tuple"), args=arguments):
                    harmless.update(argument for argument in arguments if isinstance(argument, ast.Name))
                case ast.Assign(targets=[ast.Subscript(value=ast.Name() as name)]):
                    harmless.add(name)
                case ast.Await(value=ast.Name() as name):
                    harmless.add(name)
                case ast.Call() if _waits(node):
                    for argument in node.args:
                        value = argument.value if isinstance(argument, ast.Starred) else argument
                        if isinstance(value, ast.Name):
                            harmless.add(value)
        read = {
            node.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node not in harmless
        }
        return self.names - read


class _Rewrite(ast.NodeTransformer):
    def __init__(self, places):
        self._places = places

    def visit_Call(self, node):
        awaited = node in self._places.calls
        self.generic_visit(node)
        if awaited:
            node.func = _wrapped(LATER, node.func)
        return node

    def visit(self, node):
        # What `map` calls is a plain expression.
        function = node in self._places.functions
        node = super().visit(node)
        return _wrapped(LATER, node) if function else node

    def visit_Await(self, node):
        self.generic_visit(node)
        node.value = _wrapped(AWAITABLE, node.value)
        return node


class _AwaitRun(ast.NodeTransformer):
    """`asyncio.run(x)` in a script that is awaited itself, where Python would refuse it, is `await x`."""

    def visit_Call(self, node):
        self.generic_visit(node)
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="asyncio"), attr="run"), args=[coroutine]):
                return ast.copy_location(ast.Await(coroutine), node)
        return node

    def _leave(self, node):
        return node

    visit_FunctionDef = visit_Lambda = _leave


def awaits_at_top(tree):
    """Tells whether a script awaits outside its functions."""
    todo = list(tree.body)
    while todo:
        node = todo.pop()
        if isinstance(node, (ast.Await, ast.AsyncFor, ast.AsyncWith)):
            return True
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            continue
        if isinstance(node, (*_COMPREHENSIONS, ast.DictComp)) and any(each.is_async for each in node.generators):
            return True
        todo.extend(ast.iter_child_nodes(node))
    return False


def rewrite(tree):
    """Returns the tree to compile; the value of a last expression is kept under a name."""
    if any(isinstance(node, ast.AsyncFunctionDef) for node in tree.body) or awaits_at_top(tree):
        if awaits_at_top(tree):
            tree = _AwaitRun().visit(tree)
        tree = _Rewrite(_Places(tree)).visit(tree)
    if tree.body and isinstance(last := tree.body[-1], ast.Expr):
        tree.body[-1] = _copied(ast.Assign([ast.Name(VALUE, ast.Store())], last.value), last)
    return tree
