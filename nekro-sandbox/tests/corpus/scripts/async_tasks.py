import asyncio


async def fetch(city, delay):
    await asyncio.sleep(delay)
    w = await aget_weather(city)
    return city, w["temp"]


async def main():
    tasks = [asyncio.create_task(fetch(c, d)) for c, d in (("Paris", 0.02), ("Oslo", 0.01), ("Lima", 0))]
    for t in asyncio.as_completed(tasks):
        print(await t)
    async with asyncio.TaskGroup() as tg:
        a = tg.create_task(fetch("Tokyo", 0))
        b = tg.create_task(fetch("Oslo", 0))
    print(a.result(), b.result())
    done, pending = await asyncio.wait([asyncio.create_task(fetch("Lima", 0))])
    print(len(done), len(pending))


asyncio.run(main())
