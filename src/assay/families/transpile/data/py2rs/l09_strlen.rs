use std::ffi::{c_char, CString};

extern "C" {
    fn strlen(text: *const c_char) -> usize;
}

pub fn size(text: &str) -> (i64, i64) {
    let until_zero = text.split('\0').next().unwrap_or_default();
    let owned = CString::new(until_zero).expect("it has no zero");
    // SAFETY: the text ends with a zero, and lives until the call is over.
    let bytes = unsafe { strlen(owned.as_ptr()) };
    (text.chars().count() as i64, bytes as i64)
}
