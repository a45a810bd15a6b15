pub fn output() -> String {
    let mut flags: i64 = 0b0010_1101;
    flags |= 1 << 6;
    flags &= !1;
    let flipped = flags ^ 0xFF;
    let mut said = format!("{flags:08b} {flags:#x} {flags}\n");
    said += &format!("{flipped:08b} {flipped:02X} {flipped:o}\n");
    said += &format!("{} {} {}\n", flags >> 3, flags << 2, flags & 0x0F);
    said += &format!("{} {}\n", -1_i64 >> 4, !flags);
    said
}
