try:
    get_user(99)
except LookupError as e:
    print("lookup", e)
try:
    get_user(98)
except Exception as e:
    print("some", e)


def safe(uid):
    try:
        return get_user(uid)["name"]
    except LookupError:
        return None


print([safe(i) for i in (1, 99, 3)])
for attempt in range(5):
    try:
        print(flaky("job"), attempt)
        break
    except RuntimeError as e:
        print("retry", e)
