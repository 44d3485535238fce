import logging
import sys
logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s:%(name)s:%(message)s")
log = logging.getLogger("app")
log.info("started %d", 1)
log.debug("hidden")
log.warning("careful: %s", {"a": 1})
try:
    1 / 0
except ZeroDivisionError:
    log.error("failed", exc_info=False)
sys.stdout.write("raw\n")
print("a", "b", sep="-", end="!\n", flush=True)
print(*range(3), sep=",")
