pub fn transpose(rows: &[Vec<i64>]) -> Vec<Vec<i64>> {
    let width = rows.iter().map(Vec::len).min().unwrap_or(0);
    (0..width)
        .map(|column| rows.iter().map(|row| row[column]).collect())
        .collect()
}
