pub fn lookup(
    tree: &std::collections::HashMap<String, String>,
    name: &str,
) -> Result<String, String> {
    let mut at = name.to_string();
    for steps in 0..=tree.len() {
        match tree.get(&at) {
            None => return Err(format!("after {steps} steps")),
            Some(parent) if parent.is_empty() => return Ok(format!("{at} after {steps}")),
            Some(parent) => at = parent.clone(),
        }
    }
    Err(at)
}
