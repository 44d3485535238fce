import asyncio


class Pages:
    def __init__(self, n):
        self.n = n

    def __aiter__(self):
        self.i = 0
        return self

    async def __anext__(self):
        if self.i >= self.n:
            raise StopAsyncIteration
        self.i += 1
        await asyncio.sleep(0)
        return self.i


async def agen():
    for c in ("Paris", "Oslo"):
        yield (await aget_weather(c))["temp"]


async for p in Pages(3):
    print("page", p)
print([t async for t in agen()], {p: p * p async for p in Pages(2)})


class Session:
    async def __aenter__(self):
        print("enter")
        return self

    async def __aexit__(self, *a):
        print("exit")


async with Session() as s:
    print(type(s).__name__)
