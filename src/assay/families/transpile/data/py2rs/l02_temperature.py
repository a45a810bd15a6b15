"""A temperature in three scales, rounded for people."""

celsius = 36.6
fahrenheit = celsius * 9 / 5 + 32
kelvin = celsius + 273.15
print(f"{celsius:.1f} C = {fahrenheit:.2f} F = {kelvin:.2f} K")
print(f"[{celsius:8.3f}] [{fahrenheit:<8.1f}] [{kelvin:^8.0f}]")
fever = celsius >= 38.0
print("fever" if fever else "no fever", not fever)
