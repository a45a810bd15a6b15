fn title(words: &str) -> String {
    words
        .split(' ')
        .map(|word| {
            let mut letters = word.chars();
            match letters.next() {
                Some(first) => first.to_uppercase().chain(letters).collect::<String>(),
                None => String::new(),
            }
        })
        .collect::<Vec<_>>()
        .join(" ")
}

pub fn output() -> String {
    [
        "quiet".to_uppercase(),
        "LOUD".to_lowercase(),
        title("a title of a book"),
        "  spaces around  ".trim().to_string(),
        "banana".replacen("an", "in", 1),
        format!("{:*^7}", "x"),
        format!("{:0>3}/{:>6}/{:.<5}", "7", "end", "top"),
    ]
    .iter()
    .map(|line| format!("{line}\n"))
    .collect()
}
