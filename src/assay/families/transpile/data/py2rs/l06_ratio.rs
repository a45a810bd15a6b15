pub fn ratio(part: i64, whole: i64) -> Result<f64, String> {
    if part < 0 || (part > whole && whole > 0) {
        return Err(format!("{part} is no part of {whole}"));
    }
    if whole == 0 {
        return Err(String::from("division by zero"));
    }
    Ok(100.0 * part as f64 / whole as f64)
}
