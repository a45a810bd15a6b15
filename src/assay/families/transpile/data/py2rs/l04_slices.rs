pub fn slices(items: &[i64]) -> Vec<Vec<i64>> {
    let n = items.len();
    let inner = if n > 2 { &items[1..n - 1] } else { &[] };
    vec![
        items[..n.min(2)].to_vec(),
        items[n.saturating_sub(2)..].to_vec(),
        items[n / 2..].to_vec(),
        inner.to_vec(),
        items.iter().copied().step_by(2).collect(),
        items.iter().rev().copied().collect(),
    ]
}
