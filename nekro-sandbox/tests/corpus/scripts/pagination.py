def pages(query, size=2):
    offset, everything = 0, search_messages(query, limit=100)
    while offset < len(everything):
        yield everything[offset : offset + size]
        offset += size


for number, page in enumerate(pages("meeting"), 1):
    print(number, [m["id"] for m in page])
seen = set()
unique = [m for m in search_messages("meeting") if not (m["sender"] in seen or seen.add(m["sender"]))]
print([m["sender"] for m in unique])
