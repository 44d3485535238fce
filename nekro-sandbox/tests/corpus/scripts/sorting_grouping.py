from collections import defaultdict
from operator import attrgetter, itemgetter
ms = search_messages("meeting")
by = defaultdict(list)
for m in ms:
    by[m["ts"][:10]].append(m)
for day in sorted(by, reverse=True):
    print(day, len(by[day]), max(by[day], key=itemgetter("score"))["sender"])
rank = sorted(ms, key=lambda m: (-m["score"], m["sender"]))
print([m["id"] for m in rank], [m["sender"] for m in sorted(ms, key=itemgetter("sender", "id"))])
top, *_ = rank
print(top["text"], min(ms, key=lambda m: len(m["text"]))["id"])
