pub fn account(balance: i64, moves: &[i64]) -> Result<Vec<i64>, String> {
    let mut left = balance;
    let mut history = Vec::with_capacity(moves.len());
    for (at, &change) in moves.iter().enumerate() {
        let number = at + 1;
        if change == 0 {
            return Err(format!("move {number} moves nothing"));
        }
        if left + change < 0 {
            return Err(format!("move {number} overdraws by {}", -(left + change)));
        }
        left += change;
        history.push(left);
    }
    Ok(history)
}
