"""Seconds as days, hours, minutes and seconds."""

total = 273_907
seconds = total % 60
minutes = total // 60 % 60
hours = total // 3600 % 24
days = total // 86_400
print(f"{days}d {hours:02}:{minutes:02}:{seconds:02}")
if days > 1:
    print("more than a day")
elif days == 1:
    print("a day")
else:
    print("less than a day")
print(f"{total:,} seconds are {total / 3600:.3f} hours")
