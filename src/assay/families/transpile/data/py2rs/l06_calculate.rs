fn floor_div(a: i64, b: i64) -> Result<i64, String> {
    if b == 0 {
        return Err("division by zero".to_string());
    }
    let quotient = a / b;
    Ok(if a % b != 0 && (a < 0) != (b < 0) {
        quotient - 1
    } else {
        quotient
    })
}

pub fn calculate(expression: &str) -> Result<i64, String> {
    let mut stack: Vec<i64> = Vec::new();
    for word in expression.split_whitespace() {
        let value = match word {
            "+" | "-" | "*" | "//" => {
                let (Some(right), Some(left)) = (stack.pop(), stack.pop()) else {
                    return Err(format!("{word} lacks a number"));
                };
                match word {
                    "+" => left + right,
                    "-" => left - right,
                    "*" => left * right,
                    _ => floor_div(left, right)?,
                }
            }
            _ => word.parse().map_err(|_| format!("{word} is no number"))?,
        };
        stack.push(value);
    }
    match stack[..] {
        [value] => Ok(value),
        _ => Err(format!("{} numbers are left", stack.len())),
    }
}
