import calendar
print(calendar.month(2024, 11))
print(calendar.isleap(2024), calendar.monthrange(2024, 2), list(calendar.day_name)[:2], calendar.timegm((1970, 1, 2, 0, 0, 0)))
