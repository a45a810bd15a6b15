pub fn ranking(scores: &std::collections::HashMap<String, i64>, top: i64) -> Vec<String> {
    let mut ordered: Vec<_> = scores.iter().collect();
    ordered.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
    ordered
        .iter()
        .take(top as usize)
        .enumerate()
        .map(|(at, (name, score))| format!("{}. {name} ({score})", at + 1))
        .collect()
}
