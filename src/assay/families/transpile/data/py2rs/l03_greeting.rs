fn capitalized(name: &str) -> String {
    let mut letters = name.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().collect::<String>() + &letters.as_str().to_lowercase(),
        None => String::from("stranger"),
    }
}

pub fn greeting(name: &str, unread: i64) -> String {
    let who = capitalized(name.trim());
    match unread {
        i64::MIN..=-1 => format!("Hello, {who}?"),
        0 => format!("Hello, {who}. Nothing new."),
        1 => format!("Hello, {who}! 1 new message."),
        _ => format!("Hello, {who}! {unread} new messages."),
    }
}
