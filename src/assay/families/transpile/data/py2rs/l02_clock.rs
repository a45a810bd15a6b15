fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut said = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            said.push(',');
        }
        said.push(digit);
    }
    said
}

pub fn output() -> String {
    let total: u64 = 273_907;
    let seconds = total % 60;
    let minutes = total / 60 % 60;
    let hours = total / 3600 % 24;
    let days = total / 86_400;
    let length = match days {
        0 => "less than a day",
        1 => "a day",
        _ => "more than a day",
    };
    format!(
        "{days}d {hours:02}:{minutes:02}:{seconds:02}\n{length}\n{} seconds are {:.3} hours\n",
        grouped(total),
        total as f64 / 3600.0
    )
}
