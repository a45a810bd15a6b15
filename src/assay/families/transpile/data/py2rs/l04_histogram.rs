use std::collections::HashMap;

pub fn histogram(text: &str) -> std::collections::HashMap<String, i64> {
    let mut counts = HashMap::new();
    for letter in text.chars().filter(|c| c.is_alphabetic()) {
        *counts.entry(letter.to_lowercase().collect()).or_insert(0) += 1;
    }
    counts
}
