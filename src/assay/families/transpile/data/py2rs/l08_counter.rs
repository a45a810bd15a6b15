use std::sync::{Arc, Mutex};
use std::thread;

pub fn counter(amounts: &[i64], times: i64) -> (i64, i64) {
    let shared = Arc::new(Mutex::new((0_i64, 0_i64)));
    let running: Vec<_> = amounts
        .iter()
        .map(|&amount| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                for _ in 0..times {
                    let mut counter = shared.lock().expect("nobody panics with it");
                    counter.0 += amount;
                    counter.1 = counter.1.max(amount);
                }
            })
        })
        .collect();
    for thread in running {
        thread.join().expect("it does not panic");
    }
    let counter = *shared.lock().expect("nobody panics with it");
    counter
}
