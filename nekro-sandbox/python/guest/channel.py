"""Calls to the host, and what is printed, on their way out of the interpreter."""

import base64
import dataclasses
import datetime
import decimal
import enum
import fractions
import io
import json
import pathlib
import uuid

import wit_world

FOREVER = 2**64 - 1
_FLUSH_AT = 8192


class Record(dict):
    """An object of a tool's answer: a dictionary whose fields are attributes too."""

    __slots__ = ()

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"no field {name!r}; there are: {', '.join(map(str, self))}", name=name, obj=self) from None

    def __setattr__(self, name, value):
        self[name] = value

    def __delattr__(self, name):
        del self[name]


def _plain(value):
    """What has no JSON form of its own, as what has one."""
    match value:
        case set() | frozenset():
            return sorted(value, key=repr)
        case datetime.datetime() | datetime.date() | datetime.time():
            return value.isoformat()
        case datetime.timedelta():
            return value.total_seconds()
        case bytes() | bytearray() | memoryview():
            return base64.b64encode(value).decode()
        case decimal.Decimal() | fractions.Fraction() | uuid.UUID() | pathlib.PurePath():
            return str(value)
        case enum.Enum():
            return value.value
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        case _ if hasattr(value, "__iter__"):
            return list(value)
    raise TypeError(f"a {type(value).__name__} cannot be given to a tool")


_decode = json.JSONDecoder(object_hook=Record).scan_once
# `JSONEncoder.encode` makes a C encoder for each value; one for all of them saves a third of a small call.
_inside = {}
_chunks = json.encoder.c_make_encoder(
    _inside, _plain, json.encoder.encode_basestring, None, ":", ",", False, False, False
)


def encode(value):
    """Returns the JSON of a value, as text."""
    try:
        return "".join(_chunks(value, 0))
    except BaseException:
        _inside.clear()
        raise


def decode(text):
    """Returns the value of a JSON text without surrounding space, with records for its objects."""
    return _decode(text, 0)[0]


# The numbers of calls whose answer nobody has come for yet, and those answers.
_waiting = {}
_outbox = []
_last = 0


def _exchange(wait_ms):
    """Sends what lies in the outbox, waits, and hands each answer to whoever waits for it."""
    calls = f"[{','.join(_outbox)}]".encode()
    _outbox.clear()
    for answer in decode(wit_world.exchange(calls, wait_ms).decode()):
        _waiting.pop(answer[0])(answer)


def post(name, arguments, done):
    """Lets a call begin with the next exchange; `done` is given its answer."""
    global _last
    call = encode(arguments)
    call.encode()  # A lone surrogate is the script's mistake, here and not in an exchange of somebody else.
    _last += 1
    _outbox.append(f'[{_last},"{name}",{call}]')
    _waiting[_last] = done


def ask(name, arguments):
    """Makes a call and waits for its answer."""
    flush()
    if not _waiting:
        # Alone, as most calls are: there is nobody whose answer could come instead.
        call = f'[[0,"{name}",{encode(arguments)}]]'.encode()
        return decode(wit_world.exchange(call, FOREVER).decode())[0]
    answers = []
    post(name, arguments, answers.append)
    while not answers:
        _exchange(FOREVER)
    return answers[0]


def under_way():
    """Tells whether an answer is still to come."""
    return bool(_waiting)


def wait(seconds):
    """Waits for an answer, at most for a time; for ever with `None`."""
    flush()
    _exchange(FOREVER if seconds is None else max(0, min(round(seconds * 1000), FOREVER - 1)))


def sleep(seconds):
    """Waits for a time, whatever is answered meanwhile."""
    import time

    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        wait(max(left, 0.001))


class Output(io.TextIOBase):
    """What is printed, sent line by line, and before every call."""

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self):
        self._pieces = []
        self._length = 0

    def writable(self):
        return True

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._pieces.append(text)
        self._length += len(text)
        # Line by line: what the interpreter still holds is lost when a script is ended.
        if self._length > _FLUSH_AT or text.endswith("\n"):
            self.flush()
        return len(text)

    def flush(self):
        if self._pieces:
            text = "".join(self._pieces)
            self._pieces = []
            self._length = 0
            wit_world.write(text.encode(errors="backslashreplace"))


_output = Output()
flush = _output.flush


def take_over():
    """Makes the channel the standard output, and the clock's sleep one that costs nothing."""
    import sys
    import time

    sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = _output
    sys.stdin = sys.__stdin__ = io.StringIO()
    time.sleep = sleep
