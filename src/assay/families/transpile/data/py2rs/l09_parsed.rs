use std::ffi::{c_char, c_int, c_long, CStr, CString};
use std::ptr;

extern "C" {
    fn strtol(text: *const c_char, rest: *mut *mut c_char, base: c_int) -> c_long;
}

pub fn number_and_rest(text: &str, base: i64) -> Result<(i64, String), String> {
    if !(2..=36).contains(&base) {
        return Err(format!("there is no base {base}"));
    }
    let owned = CString::new(text).map_err(|error| error.to_string())?;
    let mut rest = ptr::null_mut();
    // SAFETY: the text ends with a zero; strtol() leaves `rest` pointing into it.
    let (number, rest) = unsafe {
        let number = strtol(owned.as_ptr(), &mut rest, base as c_int);
        (number, CStr::from_ptr(rest))
    };
    Ok((number as i64, rest.to_string_lossy().into_owned()))
}
