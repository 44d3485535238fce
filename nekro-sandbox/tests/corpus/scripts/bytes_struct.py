import array
import struct
import zlib
b = bytearray(b"abc")
b[0] = 65
b += b"d"
print(b, bytes([1, 255]), b"a" in b"abc", memoryview(b"xyz")[1:].tobytes(), int.from_bytes(b"\x01\x00", "big"), (258).to_bytes(2, "little"))
print(struct.pack(">IH", 1, 2), struct.unpack("<h", b"\xff\xff"), struct.calcsize("<ibd"), array.array("i", [1, 2]).tolist())
z = zlib.compress(b"a" * 1000)
print(len(z) < 50, zlib.decompress(z) == b"a" * 1000, zlib.crc32(b"x"))
