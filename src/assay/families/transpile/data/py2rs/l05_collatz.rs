pub fn collatz(start: i64) -> Vec<i64> {
    let mut path = vec![start];
    let mut at = start;
    while at > 1 {
        at = if at % 2 == 0 { at / 2 } else { 3 * at + 1 };
        path.push(at);
    }
    path
}
