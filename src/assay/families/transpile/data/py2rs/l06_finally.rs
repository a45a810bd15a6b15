fn attempted(divisor: i64, stop: bool, seen: &mut Vec<String>) -> bool {
    if divisor == 0 {
        seen.push("except".into());
        return false;
    }
    let quotient = 12_i64.div_euclid(divisor);
    let floor = if divisor < 0 && 12 % divisor != 0 {
        quotient - 1
    } else {
        quotient
    };
    seen.push(floor.to_string());
    if !stop {
        seen.push("else".into());
    }
    stop
}

pub fn trace(divisor: i64, stop: bool) -> Vec<String> {
    let mut seen = vec![String::from("start")];
    let returned = attempted(divisor, stop, &mut seen);
    seen.push("finally".into());
    if !returned {
        seen.push("end".into());
    }
    seen
}
