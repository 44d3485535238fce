import string
import textwrap
t = "  The quick brown fox jumps over the lazy dog.  "
print(t.strip().title(), t.split(), t.strip().partition(" "), "a,b,,c".split(","), "x".join("abc"), sep="\n")
print("abc".upper(), "ABC".lower(), "aBc".swapcase(), "abc".capitalize(), "abc".center(9, "*"), "7".zfill(3), "abc".find("c"), "abc".replace("b", "-"))
print("ß".casefold(), "é".encode(), b"\xc3\xa9".decode(), "日本語"[::-1], len("👍🏽"), ascii("é"), ord("a"), chr(8364))
print("%s is %d years and %.1f" % ("Bob", 19, 1.25), "{0} {name!r:>6}".format(1, name="x"), "a\tb".expandtabs(4), repr("it's \"q\"\n"))
print(textwrap.fill("word " * 12, width=30), textwrap.dedent("    a\n      b"), textwrap.shorten("hello big world", 12), sep="\n")
print(string.ascii_lowercase, string.Template("$a and ${b}").substitute(a=1, b=2), "a1_".isidentifier(), "12".isdigit(), " ".isspace())
print("abc".translate(str.maketrans("ab", "xy")), "prefix-x".removeprefix("prefix-"), "a\nb\r\nc".splitlines(), "abcabc".rfind("b"), "a-b_c".startswith(("a", "b")))
