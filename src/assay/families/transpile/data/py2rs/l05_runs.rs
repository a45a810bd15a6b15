pub fn runs(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut packed = String::new();
    let mut at = 0;
    while at < letters.len() {
        let length = letters[at..]
            .iter()
            .take_while(|&&c| c == letters[at])
            .count();
        packed.push(letters[at]);
        if length > 1 {
            packed.push_str(&length.to_string());
        }
        at += length;
    }
    packed
}
