use std::ffi::{c_int, c_void};

extern "C" {
    fn memmove(to: *mut c_void, from: *const c_void, bytes: usize) -> *mut c_void;
    fn memset(to: *mut c_void, byte: c_int, bytes: usize) -> *mut c_void;
}

pub fn shifted(numbers: &[i64], by: i64, fill: i64) -> Result<Vec<i64>, String> {
    if by < 0 || by > numbers.len() as i64 {
        return Err(format!("{} bytes cannot be moved by {by}", numbers.len()));
    }
    let by = by as usize;
    let mut array: Vec<u8> = numbers.iter().map(|&number| number as u8).collect();
    let start = array.as_mut_ptr();
    // SAFETY: `by` is at most the length, so both calls stay inside the array.
    unsafe {
        memmove(start.add(by).cast(), start.cast(), array.len() - by);
        memset(start.cast(), fill as c_int, by);
    }
    Ok(array.into_iter().map(i64::from).collect())
}
