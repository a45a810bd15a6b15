"""Coins for an amount of cents, the largest first."""

amount = 565
quarters = amount // 25
rest = amount % 25
dimes, rest = rest // 10, rest % 10
nickels, pennies = rest // 5, rest % 5
print(f"{amount} cents:")
print(f"{quarters} quarters, {dimes} dimes, {nickels} nickels, {pennies} pennies")
print(quarters + dimes + nickels + pennies, "coins")
