use std::collections::HashMap;
use std::sync::Mutex;
use std::thread;

pub fn words(lines: &[String], least: i64) -> Vec<String> {
    let counts: Mutex<HashMap<String, i64>> = Mutex::default();
    thread::scope(|scope| {
        for line in lines {
            scope.spawn(|| {
                for word in line.to_lowercase().split_whitespace() {
                    let word = word.trim_matches(|c| ".,!?".contains(c));
                    if !word.is_empty() {
                        *counts.lock().unwrap().entry(word.to_string()).or_insert(0) += 1;
                    }
                }
            });
        }
    });
    let mut often: Vec<_> = counts
        .into_inner()
        .unwrap()
        .into_iter()
        .filter(|(_, number)| *number >= least)
        .collect();
    often.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    often
        .iter()
        .map(|(word, number)| format!("{word} {number}"))
        .collect()
}
