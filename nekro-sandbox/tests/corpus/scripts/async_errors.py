import asyncio


async def bad(n):
    await asyncio.sleep(0)
    raise ValueError(f"bad {n}")


try:
    await asyncio.gather(bad(1), bad(2))
except ValueError as e:
    print("first:", e)
print([type(r).__name__ for r in await asyncio.gather(bad(1), asyncio.sleep(0, "ok"), return_exceptions=True)])
try:
    async with asyncio.TaskGroup() as tg:
        tg.create_task(bad(3))
except* ValueError as g:
    print([str(e) for e in g.exceptions])
try:
    await aget_weather("Atlantis")
except Exception as e:
    print("tool:", e)
