import time
a = time.monotonic()
time.sleep(0.01)
b = time.monotonic()
print(0.009 < b - a < 5, time.strftime("%Y-%m-%d", time.gmtime(86400)), time.perf_counter() > 0, isinstance(time.time_ns(), int))
