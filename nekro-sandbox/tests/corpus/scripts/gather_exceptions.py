# tier: B
import asyncio

results = await asyncio.gather(aget_weather("Paris"), aget_weather("Nowhere"), return_exceptions=True)
for r in results:
    if isinstance(r, Exception):
        print("error:", r)
    else:
        print("ok:", r["temp"])
