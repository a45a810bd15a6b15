use std::collections::VecDeque;

/// Turn a matrix a quarter to the left.
fn turned(rows: VecDeque<Vec<i64>>) -> VecDeque<Vec<i64>> {
    let width = rows.front().map_or(0, Vec::len);
    (0..width)
        .rev()
        .map(|column| rows.iter().map(|row| row[column]).collect())
        .collect()
}

pub fn spiral(rows: &[Vec<i64>]) -> Vec<i64> {
    if rows.iter().any(|row| row.len() != rows[0].len()) {
        return Vec::new();
    }
    let mut left: VecDeque<Vec<i64>> = rows.iter().cloned().collect();
    let mut seen = Vec::new();
    while let Some(first) = left.pop_front() {
        seen.extend(first);
        left = turned(left);
    }
    seen
}
