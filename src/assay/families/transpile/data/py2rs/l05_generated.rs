struct Fibonacci(i64, i64);

impl Iterator for Fibonacci {
    type Item = i64;

    fn next(&mut self) -> Option<i64> {
        let now = self.0;
        (self.0, self.1) = (self.1, now + self.1);
        Some(now)
    }
}

pub fn even_below(limit: i64) -> Vec<i64> {
    Fibonacci(0, 1)
        .take_while(|&number| number < limit)
        .filter(|number| number % 2 == 0)
        .collect()
}
