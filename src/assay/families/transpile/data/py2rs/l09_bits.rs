#[repr(C)]
union Both {
    number: f32,
    bits: u32,
}

pub fn float_parts(number: f64) -> (bool, i64, i64) {
    let both = Both {
        number: number as f32,
    };
    // SAFETY: every pattern of 32 bits is a u32.
    let bits = unsafe { both.bits };
    let exponent = i64::from(bits >> 23 & 0xFF) - 127;
    (bits >> 31 == 1, exponent, i64::from(bits & 0x7F_FFFF))
}
