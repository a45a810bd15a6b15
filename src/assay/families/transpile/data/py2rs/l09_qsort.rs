use std::cmp::Ordering;
use std::ffi::{c_int, c_void};

extern "C" {
    fn qsort(
        base: *mut c_void,
        count: usize,
        size: usize,
        compare: extern "C" fn(*const c_void, *const c_void) -> c_int,
    );
}

extern "C" fn by_last_digit(a: *const c_void, b: *const c_void) -> c_int {
    // SAFETY: qsort() gives pointers into the array, whose elements are i64.
    let (a, b) = unsafe { (*a.cast::<i64>(), *b.cast::<i64>()) };
    match (a.abs() % 10, a).cmp(&(b.abs() % 10, b)) {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    }
}

pub fn digits_sorted(numbers: &[i64]) -> Vec<i64> {
    let mut array = numbers.to_vec();
    // SAFETY: the array has that many elements of that size, and nobody else sees it.
    unsafe {
        qsort(
            array.as_mut_ptr().cast(),
            array.len(),
            size_of::<i64>(),
            by_last_digit,
        );
    }
    array
}
