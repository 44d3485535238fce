import contextvars
import gc
import weakref
var = contextvars.ContextVar("v", default=1)
token = var.set(2)
print(var.get())
var.reset(token)
print(var.get(), contextvars.copy_context().get(var))


class Node:
    pass


n = Node()
r = weakref.ref(n)
print(r() is n)
del n
gc.collect()
print(r())
