// The front that compares each point with all others, and stops at the first that beats it: n squared.
// More is better on every objective; equal points stand together.
use std::hint::black_box;

fn beats<const M: usize>(a: &[f64; M], b: &[f64; M]) -> bool {
    let mut ahead = false;
    for k in 0..M {
        if a[k] < b[k] {
            return false;
        }
        ahead |= a[k] > b[k];
    }
    ahead
}

fn mark<const M: usize>(points: &[[f64; M]], stands: &mut [u8]) {
    for (i, here) in points.iter().enumerate() {
        stands[i] = !points.iter().any(|other| beats(other, here)) as u8;
    }
}

/// Marks the fronts of several sets in turn, `repeat` in all: a caller pays for one call only.
///
/// # Safety
/// `points` holds `sets` times n rows of m numbers, `stands` n bytes.
#[no_mangle]
pub unsafe extern "C" fn front(
    points: *const f64,
    sets: usize,
    n: usize,
    m: usize,
    stands: *mut u8,
    repeat: usize,
) {
    let stands = std::slice::from_raw_parts_mut(stands, n);
    for turn in 0..repeat {
        let set = points.add(turn % sets * n * m);
        match m {
            2 => mark(black_box(std::slice::from_raw_parts(set.cast::<[f64; 2]>(), n)), stands),
            _ => mark(black_box(std::slice::from_raw_parts(set.cast::<[f64; 3]>(), n)), stands),
        }
        black_box(&stands);
    }
}
