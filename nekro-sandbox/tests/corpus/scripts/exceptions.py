class AppError(Exception):
    def __init__(self, code, text):
        super().__init__(f"{code}: {text}")
        self.code = code


class Missing(AppError):
    pass


def work(n):
    try:
        if n == 0:
            raise Missing(404, "nothing")
        if n == 1:
            return 1 / 0
        if n == 2:
            raise ValueError from KeyError("k")
        return "fine"
    except ZeroDivisionError as e:
        raise AppError(500, "math") from e
    else:
        print("never")
    finally:
        print("finally", n)


for n in range(4):
    try:
        print(work(n))
    except Missing as e:
        print("missing", e.code, e)
    except AppError as e:
        print("app", e, type(e.__cause__).__name__)
    except ValueError as e:
        print("value", repr(e), repr(e.__cause__))
try:
    raise ExceptionGroup("many", [ValueError(1), TypeError("t")])
except* ValueError as group:
    print("values", group.exceptions)
except* TypeError as group:
    print("types", group.exceptions)
try:
    assert 1 > 2, "not so"
except AssertionError as e:
    print("assert", e)
