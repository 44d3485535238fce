from datetime import date, datetime, time, timedelta, timezone
start = datetime.fromisoformat(now())
print(start, start.date(), start.time(), start.weekday(), start.strftime("%A %d %B %Y %H:%M"), start.isocalendar().week)
print(start + timedelta(days=3, hours=2), (datetime(2025, 1, 1) - start).days, start.replace(day=1), start > datetime(2024, 1, 1))
print(datetime.strptime("03/04/2024 5:06 PM", "%d/%m/%Y %I:%M %p"), date(2024, 2, 28) + timedelta(1), time(9, 5).isoformat())
utc = datetime(2024, 11, 20, 9, tzinfo=timezone.utc)
print(utc.isoformat(), utc.astimezone(timezone(timedelta(hours=5, minutes=30))), utc.timestamp(), datetime.fromtimestamp(0, timezone.utc))
print([str(date(2024, m, 1)) for m in (1, 6, 12)], timedelta(seconds=3661), timedelta(days=-1), str(timedelta(hours=25)))
