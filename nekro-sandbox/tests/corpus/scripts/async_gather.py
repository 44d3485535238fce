import asyncio
cities = ["Paris", "Tokyo", "Oslo"]
reports = await asyncio.gather(*[aget_weather(c) for c in cities])
for c, r in zip(cities, reports):
    print(c, r["temp"], r["cond"])
warmest = max(reports, key=lambda r: r["temp"])
print(warmest["city"])
one = await aget_weather("Lima")
print(one["temp"])
