import asyncio


async def report(user_id):
    user = get_user(user_id)
    weather = await aget_weather(user["city"])
    return f"{user['name']}: {weather['temp']}°C, {weather['cond']}"


tasks = []
for uid in (1, 2, 3):
    tasks.append(asyncio.create_task(report(uid)))
for line in await asyncio.gather(*tasks):
    print(line)
pending = {c: aget_weather(c) for c in ("Paris", "Lima")}
values = await asyncio.gather(*pending.values())
print(dict(zip(pending, [v["temp"] for v in values])))
