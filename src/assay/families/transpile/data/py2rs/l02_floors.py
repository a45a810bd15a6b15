"""Division of negative numbers goes down, and a remainder has the divisor's sign."""

up: int = 7
down: int = -7
print(up // 2, down // 2, up // -2, down // -2)
print(up % 3, down % 3, up % -3, down % -3)
print(up / 2, down / 2)
quotient = down // 4
remainder = down - 4 * quotient
print(f"{down} = 4 * {quotient} + {remainder}")
