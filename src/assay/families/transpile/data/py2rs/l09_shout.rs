use std::ffi::c_int;

extern "C" {
    fn toupper(byte: c_int) -> c_int;
    fn tolower(byte: c_int) -> c_int;
}

pub fn shout(text: &str, loud: bool) -> String {
    let changed = text
        .bytes()
        .map(|byte| {
            let byte = c_int::from(byte);
            // SAFETY: both take any value of an unsigned char.
            (unsafe {
                if loud {
                    toupper(byte)
                } else {
                    tolower(byte)
                }
            }) as u8
        })
        .collect();
    String::from_utf8(changed).expect("only ASCII was changed")
}
