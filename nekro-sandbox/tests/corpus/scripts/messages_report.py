hits = search_messages("meeting", limit=3)
print(len(hits), [h["id"] for h in hits])
for h in hits:
    flag = "!" if h["score"] > 0.8 else " "
    print(f"{flag} {h['sender']:<8} {h['text'].strip()[:20]:<20} {h['score']:.2f}")
ids = [send_message("room", h["text"].strip()) for h in hits if "spam" not in h["tags"]]
print(ids)
store_set("ids", ids)
print(store_get("ids"), store_get("none"), store_get("none", 0))
avg = sum(h["score"] for h in hits) / len(hits)
print(round(avg, 3))
