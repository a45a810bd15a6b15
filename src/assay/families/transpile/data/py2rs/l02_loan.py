"""What a loan costs, year by year."""

owed = 1000.0
rate = 0.05
paid = 400.0
owed = owed * (1 + rate) - paid
print(f"after year 1: {owed:9.2f}")
owed = owed * (1 + rate) - paid
print(f"after year 2: {owed:9.2f}")
last = owed * (1 + rate)
owed = 0.0
interest = 2 * paid + last - 1000.0
print(f"year 3 pays {last:.2f}; interest in all: {interest:+.2f}; left: {owed}")
