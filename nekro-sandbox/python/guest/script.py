"""One script, from its source to its report.

The request is `{"source": …, "functions": {…}, "keep": bool, "check": bool, "text": n, "json": n}`, the report one of
`{"done": {"text": …, "json": …}}` (with no value: `{"done": null}`), `{"refused": [problem, …]}` and `{"failed": {…}}`.
"""

import ast
import json
import linecache
import os
import random
import sys
import traceback
import types

from . import channel, check, loop, rewrite, state, tools

NAME = "script.py"
_FRAMES = 12
_ASYNC = 0x80  # inspect.CO_COROUTINE


def _cut(text, budget):
    """Returns the text, without its middle if it is too long."""
    if len(text) <= budget:
        return text
    half = budget // 2
    return f"{text[:half]}\n… {len(text) - 2 * half} characters left out …\n{text[-half:]}"


def _value(value, request):
    if value is None:
        return None
    text = _cut(value if isinstance(value, str) else repr(value), request["text"])
    try:
        encoded = channel.encode(value)
        encoded.encode()
    except (TypeError, ValueError, RecursionError):
        encoded = ""
    # What is too large to be handed on is still told, without its middle.
    return {"text": text, "json": encoded if 0 < len(encoded) <= request["json"] else None}


def _failed(error):
    """Describes an exception by the frames of the script alone."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != NAME:
        trace = trace.tb_next
    line = None
    inner = trace
    while inner is not None:
        if inner.tb_frame.f_code.co_filename == NAME:
            line = inner.tb_lineno
        inner = inner.tb_next
    try:
        message = str(error)
    except Exception:
        message = "its text cannot be shown"
    try:
        shown = "".join(traceback.format_exception(type(error), error, _own(trace), limit=-_FRAMES))
    except Exception:
        shown = f"{type(error).__name__}: {message}"
    report = {"kind": type(error).__name__, "message": _cut(message, 4000), "line": line, "traceback": _cut(shown, 8000)}
    if isinstance(error, tools.ToolError):
        report |= {"code": str(error.code), "hint": error.hint if isinstance(error.hint, str) else None}
    return report


def _own(trace):
    """The frames down to the last one of the script: how a call leaves the interpreter tells the model nothing."""
    frames = []
    while trace is not None:
        frames.append(trace)
        trace = trace.tb_next
    while frames and "guest" in frames[-1].tb_frame.f_code.co_filename:
        frames.pop()
    kept = None
    for frame in reversed(frames):
        kept = types.TracebackType(kept, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return kept


def _run(request, kept, main):
    source = request["source"]
    functions = request["functions"]
    names = vars(main)
    given = tools.modules(functions)
    names.update(given)
    names |= {rewrite.LATER: tools.later, rewrite.AWAITABLE: loop.awaitable, "exit": sys.exit, "quit": sys.exit}
    try:
        tree = ast.parse(source, NAME)
        pieces = state.load(kept, names)
        problems = check.check(tree, functions, names.keys() - given.keys())
        if problems:
            return {"refused": problems}, b""
        own = state.definitions(source, tree) if request["keep"] else {}
        code = compile(rewrite.rewrite(tree), NAME, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        return {"refused": [check.syntax(error)]}, b""
    if request["check"]:
        return {"done": None}, b""
    linecache.cache[NAME] = (len(source), None, source.splitlines(True), NAME)
    if code.co_flags & _ASYNC:
        loop.run_until_complete(types.FunctionType(code, names)())
    else:
        exec(code, names)
    value = _value(names.pop(rewrite.VALUE, None), request)
    return {"done": value}, state.save(pieces | own, names, given) if request["keep"] else b""


def run(request, kept):
    """Runs a script and returns its report and its state, as bytes."""
    # As many bits as a seed can use; without an argument it would ask for twenty times as many bytes.
    random.seed(int.from_bytes(os.urandom(16)))
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    after = b""
    try:
        report, after = _run(json.loads(request), kept, main)
    except SystemExit as error:
        ended = error.code is None or error.code == 0
        report = {"done": None} if ended else {"failed": _failed(error)}
    except BaseException as error:
        report = {"failed": _failed(error)}
    channel.flush()
    return json.dumps(report).encode(), after


def rehearse():
    """Takes over what a script uses, and runs one while the image is made, so that what is made once is in it."""
    channel.take_over()
    loop.take_over()
    request = {"source": "import asyncio\nawait asyncio.gather(asyncio.sleep(0))\nf'{1:.2f}'", "functions": {}, "keep": False, "check": False, "text": 99, "json": 99}
    _run(request, b"", types.ModuleType("__main__"))
    linecache.cache.clear()
