import asyncio


async def slow():
    try:
        await asyncio.sleep(30)
    except asyncio.CancelledError:
        print("cancelled")
        raise


async def main():
    try:
        await asyncio.wait_for(slow(), timeout=0.01)
    except asyncio.TimeoutError:
        print("timeout")
    try:
        async with asyncio.timeout(0.01):
            await slow()
    except TimeoutError:
        print("timeout 2")
    t = asyncio.create_task(slow())
    await asyncio.sleep(0)
    t.cancel()
    try:
        await t
    except asyncio.CancelledError:
        print("was cancelled", t.cancelled())
    sem = asyncio.Semaphore(2)
    active = 0
    most = 0

    async def job(i):
        nonlocal active, most
        async with sem:
            active += 1
            most = max(most, active)
            await asyncio.sleep(0.001)
            active -= 1
            return i

    print(await asyncio.gather(*(job(i) for i in range(6))), most)


asyncio.run(main())
