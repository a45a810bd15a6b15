pub fn recorded(steps: &[String]) -> Result<String, String> {
    let mut path = String::from("root");
    for step in steps {
        let digits = step.trim_start_matches('-');
        if step == "path" {
            // It is there already, and its value is a text: whatever is asked of that, it has no path.
            return Err(String::from("a text has no attribute path"));
        }
        if !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit()) {
            let index: i64 = step.parse().map_err(|_| format!("{step} is no number"))?;
            path += &format!("[{index}]");
        } else {
            path += &format!(".{}", if step.is_empty() { "_" } else { step });
        }
    }
    Ok(path)
}
