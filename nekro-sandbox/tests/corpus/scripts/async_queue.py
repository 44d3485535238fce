import asyncio


async def producer(q, n):
    for i in range(n):
        await q.put(i)
    await q.put(None)


async def consumer(q, out):
    while (item := await q.get()) is not None:
        out.append(item * item)


async def main():
    q = asyncio.Queue(maxsize=2)
    out = []
    await asyncio.gather(producer(q, 5), consumer(q, out))
    print(out)
    lock = asyncio.Lock()
    event = asyncio.Event()

    async def waiter(name):
        await event.wait()
        async with lock:
            print(name)

    ws = [asyncio.create_task(waiter(n)) for n in "ab"]
    event.set()
    await asyncio.gather(*ws)


await main()
