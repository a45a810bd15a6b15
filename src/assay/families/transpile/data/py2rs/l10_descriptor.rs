struct Bounded {
    low: i64,
    high: i64,
    kept: i64,
    clamped: i64,
}

impl Bounded {
    fn set(&mut self, value: i64) {
        self.kept = value.clamp(self.low, self.high);
        self.clamped += i64::from(self.kept != value);
    }
}

pub fn bounded(low: i64, high: i64, values: &[i64]) -> Vec<i64> {
    let mut level = Bounded {
        low,
        high,
        kept: low,
        clamped: 0,
    };
    let mut seen = vec![level.kept];
    for &value in values {
        level.set(value);
        seen.push(level.kept);
    }
    seen.push(level.clamped);
    seen
}
