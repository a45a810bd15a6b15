fn floor_div(a: i64, b: i64) -> i64 {
    let quotient = a / b;
    if a % b != 0 && (a < 0) != (b < 0) {
        quotient - 1
    } else {
        quotient
    }
}

fn floor_mod(a: i64, b: i64) -> i64 {
    a - b * floor_div(a, b)
}

pub fn output() -> String {
    let (up, down) = (7, -7);
    let mut said = format!(
        "{} {} {} {}\n",
        floor_div(up, 2),
        floor_div(down, 2),
        floor_div(up, -2),
        floor_div(down, -2)
    );
    said += &format!(
        "{} {} {} {}\n",
        floor_mod(up, 3),
        floor_mod(down, 3),
        floor_mod(up, -3),
        floor_mod(down, -3)
    );
    said += &format!("{:?} {:?}\n", up as f64 / 2.0, down as f64 / 2.0);
    let quotient = floor_div(down, 4);
    let remainder = down - 4 * quotient;
    said += &format!("{down} = 4 * {quotient} + {remainder}\n");
    said
}
