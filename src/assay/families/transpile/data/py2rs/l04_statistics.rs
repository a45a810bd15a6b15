pub fn statistics(values: &[f64]) -> Option<(f64, f64, f64)> {
    if values.is_empty() {
        return None;
    }
    let count = values.len();
    let mean = values.iter().sum::<f64>() / count as f64;
    let mut ordered = values.to_vec();
    ordered.sort_by(f64::total_cmp);
    let median = (ordered[(count - 1) / 2] + ordered[count / 2]) / 2.0;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count as f64;
    Some((mean, median, variance))
}
