"""A byte, its bits, and what can be done to them."""

flags = 0b0010_1101
flags |= 1 << 6
flags &= ~1
flipped = flags ^ 0xFF
print(f"{flags:08b} {flags:#x} {flags}")
print(f"{flipped:08b} {flipped:02X} {flipped:o}")
print(flags >> 3, flags << 2, flags & 0x0F)
print(-1 >> 4, ~flags)
