"""The component's entry. What is imported here is in the image, already initialised."""

import gc

import guest.preload
import wit_world
from guest import script


class WitWorld(wit_world.WitWorld):
    def run(self, request: bytes, state: bytes) -> tuple[bytes, bytes]:
        return script.run(request, state)


# Every script begins with a copy of this heap: what is frozen is not walked, and so not copied, by its collections.
script.rehearse()
gc.collect()
gc.freeze()
