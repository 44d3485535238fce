class Oops(Exception):
    pass
print("a")
raise Oops("it broke")
