use std::thread;

pub fn squares(numbers: &[i64]) -> Vec<i64> {
    let running: Vec<_> = numbers
        .iter()
        .map(|&number| thread::spawn(move || number * number))
        .collect();
    running
        .into_iter()
        .map(|thread| thread.join().expect("it does not panic"))
        .collect()
}
