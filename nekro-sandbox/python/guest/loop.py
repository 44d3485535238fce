"""asyncio, with the host in the place of the operating system: what a loop waits for is a call's answer or a time."""

import asyncio
import asyncio.tasks
import inspect

from . import channel


class Loop(asyncio.BaseEventLoop):
    """A loop whose selector is the channel."""

    def __init__(self):
        super().__init__()
        self._selector = self

    def select(self, timeout):
        if timeout is None and not channel.under_way():
            raise RuntimeError("every task waits for something that never happens")
        if timeout is None or timeout > 0 or channel.under_way():
            channel.wait(timeout)
        return ()

    def _process_events(self, events):
        pass

    def _write_to_self(self):
        pass

    def run_in_executor(self, executor, function, *arguments):
        # There are no threads: it is done at once.
        future = self.create_future()
        try:
            future.set_result(function(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future


class _Ready:
    """A value that may be awaited."""

    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value

    def __await__(self):
        return self.value
        yield


def awaitable(value):
    """Returns the value if it can be awaited, and else something that gives the value when it is."""
    return value if inspect.isawaitable(value) else _Ready(value)


def _loop():
    """The loop of a script that asks for one by its old name."""
    running = asyncio._get_running_loop()
    if running is not None:
        return running
    global _kept
    if _kept is None or _kept.is_closed():
        _kept = Loop()
    return _kept


_kept = None


def _set_loop(loop):
    global _kept
    _kept = loop


async def _result(value):
    return await value


def _task(create):
    """`create_task`, which takes whatever can be awaited, and plain values too."""

    def create_task(*arguments, **named):
        *owner, coroutine = arguments
        if not inspect.iscoroutine(coroutine):
            coroutine = _result(awaitable(coroutine))
        return create(*owner, coroutine, **named)

    return create_task


def _first(function):
    """A function of asyncio whose first argument is awaited."""

    def wrapped(value, *arguments, **named):
        return function(awaitable(value), *arguments, **named)

    return wrapped


def _gather(gather):
    return lambda *values, **named: gather(*map(awaitable, values), **named)


def _many(function):
    def wrapped(values, **named):
        return function([asyncio.ensure_future(value) for value in values], **named)

    return wrapped


async def _to_thread(function, /, *arguments, **named):
    return function(*arguments, **named)


def run_until_complete(coroutine):
    """Runs a script that awaits at its top."""
    loop = Loop()
    return loop.run_until_complete(coroutine)


def take_over():
    """Puts the loop where asyncio looks for one, and lets plain values be awaited: a tool that was not awaited gave one."""
    asyncio.events.new_event_loop = asyncio.new_event_loop = asyncio.runners.events.new_event_loop = Loop
    asyncio.SelectorEventLoop = asyncio.EventLoop = Loop
    asyncio.get_event_loop = asyncio.events.get_event_loop = _loop
    asyncio.set_event_loop = asyncio.events.set_event_loop = _set_loop
    asyncio.to_thread = _to_thread
    tasks = asyncio.tasks
    asyncio.ensure_future = tasks.ensure_future = _first(tasks.ensure_future)
    asyncio.gather = tasks.gather = _gather(tasks.gather)
    asyncio.wait_for = tasks.wait_for = _first(tasks.wait_for)
    asyncio.shield = tasks.shield = _first(tasks.shield)
    asyncio.create_task = tasks.create_task = _task(tasks.create_task)
    asyncio.wait = tasks.wait = _many(tasks.wait)
    asyncio.as_completed = tasks.as_completed = _many(tasks.as_completed)
    asyncio.TaskGroup.create_task = _task(asyncio.TaskGroup.create_task)
