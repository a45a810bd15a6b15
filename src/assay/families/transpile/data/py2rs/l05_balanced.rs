pub fn balanced(text: &str) -> i64 {
    let mut opened: Vec<(char, i64)> = Vec::new();
    for (at, letter) in text.chars().enumerate() {
        match letter {
            '(' | '[' | '{' => opened.push((letter, at as i64)),
            ')' | ']' | '}' => match (opened.pop(), letter) {
                (Some(('(', _)), ')') | (Some(('[', _)), ']') | (Some(('{', _)), '}') => {}
                _ => return at as i64,
            },
            _ => {}
        }
    }
    opened.first().map_or(-1, |&(_, at)| at)
}
