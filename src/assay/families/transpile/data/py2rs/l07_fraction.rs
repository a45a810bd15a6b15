use std::cmp::Ordering;
use std::fmt;
use std::ops::{Add, Mul};

#[derive(Clone, Copy)]
struct Fraction {
    above: i64,
    below: i64,
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 {
        a
    } else {
        gcd(b, a % b)
    }
}

impl Fraction {
    fn new(above: i64, below: i64) -> Result<Self, String> {
        if below == 0 {
            return Err(String::from("a fraction of nothing"));
        }
        let shared = gcd(above.abs(), below.abs()) * below.signum();
        Ok(Self {
            above: above / shared,
            below: below / shared,
        })
    }

    fn compared(self, other: Self) -> Ordering {
        (self.above * other.below).cmp(&(other.above * self.below))
    }
}

impl Add for Fraction {
    type Output = Result<Self, String>;
    fn add(self, other: Self) -> Self::Output {
        let above = self.above * other.below + other.above * self.below;
        Self::new(above, self.below * other.below)
    }
}

impl Mul for Fraction {
    type Output = Result<Self, String>;
    fn mul(self, other: Self) -> Self::Output {
        Self::new(self.above * other.above, self.below * other.below)
    }
}

impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.below {
            1 => write!(f, "{}", self.above),
            below => write!(f, "{}/{below}", self.above),
        }
    }
}

pub fn fraction(a: i64, b: i64, c: i64, d: i64) -> Result<String, String> {
    let (one, two) = (Fraction::new(a, b)?, Fraction::new(c, d)?);
    let smaller = if two.compared(one) == Ordering::Less {
        two
    } else {
        one
    };
    Ok(format!("{} {} {smaller}", (one + two)?, (one * two)?))
}
