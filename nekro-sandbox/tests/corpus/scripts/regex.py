import re
text = "Call +1 555-0100 or +44 20 7946 0018 before 2024-11-20. Mail: a.b@example.com, x@y.org"
print(re.findall(r"\+\d[\d -]+\d", text))
print(re.search(r"(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)", text).groupdict())
print(re.sub(r"(\w+)@(\w+)", r"\2 at \1", text)[-40:])
print(re.sub(r"\d+", lambda m: str(int(m[0]) * 2), "1 and 20"))
print(re.split(r"[,;]\s*", "a, b;c"), re.fullmatch(r"[a-z]+", "abc") is not None, re.match("b", "abc"))
pattern = re.compile(r"^\s*(\w+)\s*=\s*(.*?)\s*$", re.M | re.I)
print([(m.start(), m.groups()) for m in pattern.finditer("a = 1\n  B=two \n")])
print(re.escape("a.b*c"), re.sub(r"(?<=\d)(?=(\d{3})+$)", ",", "1234567"), re.findall(r"(?x) a # letter\n b", "ab"))
