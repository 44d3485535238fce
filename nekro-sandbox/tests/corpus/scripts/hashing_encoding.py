import base64
import binascii
import hashlib
import hmac
import urllib.parse
import uuid
print(hashlib.sha256(b"x").hexdigest()[:16], hashlib.md5(b"x").hexdigest()[:8], hashlib.sha1(b"").hexdigest()[:8], hashlib.blake2b(b"x", digest_size=4).hexdigest())
print(base64.b64encode(b"hello"), base64.urlsafe_b64decode("aGVsbG8="), base64.b32encode(b"a"), binascii.hexlify(b"ab"), bytes.fromhex("6162"))
print(hmac.new(b"k", b"m", "sha256").hexdigest()[:12], hmac.compare_digest("a", "a"), uuid.uuid5(uuid.NAMESPACE_DNS, "example.com"), len(str(uuid.uuid4())))
print(urllib.parse.quote("a b/ç"), urllib.parse.urlencode({"q": "x y", "n": 1}), urllib.parse.parse_qs("a=1&a=2"), urllib.parse.urlparse("https://u@h:8/p?q#f").port, urllib.parse.urljoin("http://a/b/c", "../d"))
