"""How values of other types are printed."""

print(42, True, False, None)
print(3.0, 2.5, 1e16, 1e-05)
print("é", "日本", "🦀")
print(0x1F, 0b101, 0o17, 1_000)
