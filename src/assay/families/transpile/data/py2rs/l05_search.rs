pub fn search(items: &[i64], wanted: i64) -> i64 {
    let low = items.partition_point(|&item| item < wanted);
    match items.get(low) {
        Some(&found) if found == wanted => low as i64,
        _ => -1,
    }
}
