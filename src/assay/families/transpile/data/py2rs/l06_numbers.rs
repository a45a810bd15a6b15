pub fn numbers(words: &[String]) -> (i64, Vec<String>) {
    let mut total = 0;
    let mut others = Vec::new();
    for word in words {
        match word.trim().parse::<i64>() {
            Ok(number) => total += number,
            Err(_) => others.push(word.clone()),
        }
    }
    (total, others)
}
