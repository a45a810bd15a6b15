trait Discount {
    fn off(&self, cents: i64, count: i64) -> i64;
}

struct NoDiscount;
struct Percent(i64);
struct EveryNth(i64);

impl Discount for NoDiscount {
    fn off(&self, _: i64, _: i64) -> i64 {
        0
    }
}

impl Discount for Percent {
    fn off(&self, cents: i64, count: i64) -> i64 {
        cents * count * self.0 / 100
    }
}

impl Discount for EveryNth {
    fn off(&self, cents: i64, count: i64) -> i64 {
        count / self.0 * cents
    }
}

pub fn cart(cents: i64, count: i64, percent: i64, nth: i64) -> Vec<i64> {
    let kinds: [Box<dyn Discount>; 3] = [
        Box::new(NoDiscount),
        Box::new(Percent(percent)),
        Box::new(EveryNth(nth)),
    ];
    let mut totals: Vec<i64> = kinds
        .iter()
        .map(|kind| cents * count - kind.off(cents, count))
        .collect();
    totals.push(totals.iter().sum());
    totals
}
