fn root(square: f64) -> Option<f64> {
    (square >= 0.0).then(|| square.sqrt())
}

pub fn larger_root(a: f64, b: f64, c: f64) -> Option<f64> {
    if a == 0.0 {
        return if b == 0.0 { None } else { Some(-c / b) };
    }
    let found = root(b * b - 4.0 * a * c)?;
    Some(((-b + found) / (2.0 * a)).max((-b - found) / (2.0 * a)))
}
