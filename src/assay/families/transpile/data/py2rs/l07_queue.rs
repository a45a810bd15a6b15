use std::cmp::Reverse;
use std::collections::BinaryHeap;

pub fn smallest(numbers: &[i64], size: i64) -> Vec<i64> {
    let mut heap: BinaryHeap<Reverse<i64>> = numbers.iter().copied().map(Reverse).collect();
    let count = heap.len().min(size as usize);
    (0..count)
        .filter_map(|_| heap.pop())
        .map(|Reverse(number)| number)
        .collect()
}
