fn choose(n: i64, k: i64, log: &mut Vec<String>) -> i64 {
    let at = log.len();
    log.push(String::new());
    let result = if k < 0 || k > n {
        0
    } else if k == 0 || k == n {
        1
    } else {
        choose(n - 1, k - 1, log) + choose(n - 1, k, log)
    };
    log[at] = format!("> choose({n}, {k}) = {result}");
    result
}

pub fn logged_calls(n: i64, k: i64) -> Vec<String> {
    let mut log = Vec::new();
    choose(n, k, &mut log);
    log
}
