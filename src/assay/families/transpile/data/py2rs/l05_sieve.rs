pub fn sieve(limit: i64) -> Vec<i64> {
    let mut crossed = vec![false; limit.max(0) as usize + 1];
    let mut primes = Vec::new();
    for number in 2..=limit {
        if crossed[number as usize] {
            continue;
        }
        primes.push(number);
        let mut multiple = number * number;
        while multiple <= limit {
            crossed[multiple as usize] = true;
            multiple += number;
        }
    }
    primes
}
