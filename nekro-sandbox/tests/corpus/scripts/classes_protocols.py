class Vector:
    __slots__ = ("x", "y")

    def __init__(self, x, y):
        self.x, self.y = x, y

    def __add__(self, o):
        return Vector(self.x + o.x, self.y + o.y)

    def __mul__(self, k):
        return Vector(self.x * k, self.y * k)

    __rmul__ = __mul__

    def __eq__(self, o):
        return isinstance(o, Vector) and (self.x, self.y) == (o.x, o.y)

    def __hash__(self):
        return hash((self.x, self.y))

    def __repr__(self):
        return f"Vector({self.x}, {self.y})"

    def __len__(self):
        return 2

    def __getitem__(self, i):
        return (self.x, self.y)[i]

    def __iter__(self):
        return iter((self.x, self.y))

    def __contains__(self, v):
        return v in (self.x, self.y)

    def __call__(self, k):
        return self * k

    def __bool__(self):
        return any(self)


v = Vector(1, 2)
print(v + v, 3 * v, v == Vector(1, 2), len({v, Vector(1, 2)}), len(v), v[1], list(v), 2 in v, v(5), bool(Vector(0, 0)))
try:
    v.z = 1
except AttributeError as e:
    print("no z")
