pub fn lines(text: &str) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    for (at, line) in text.split('\n').enumerate() {
        match line {
            "#end" => return Ok(found),
            "" => {}
            _ => found.push(format!("{}: {line}", at + 1)),
        }
    }
    Err(String::from("there is no #end"))
}
