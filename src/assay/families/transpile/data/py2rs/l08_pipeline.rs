use std::sync::mpsc::{channel, Receiver, Sender};
use std::thread;

fn stage(read: Receiver<i64>, write: Sender<i64>, factor: i64) {
    for item in read {
        let made = if item % 2 == 0 {
            item * factor + 1
        } else {
            item - 1
        };
        if write.send(made).is_err() {
            return;
        }
    }
}

pub fn pipeline(numbers: &[i64], factors: &[i64]) -> Vec<i64> {
    let (first, mut end) = channel();
    for &factor in factors {
        let (write, read) = channel();
        let from = std::mem::replace(&mut end, read);
        thread::spawn(move || stage(from, write, factor));
    }
    for &number in numbers {
        first.send(number).expect("the first stage runs");
    }
    drop(first);
    end.into_iter().collect()
}
