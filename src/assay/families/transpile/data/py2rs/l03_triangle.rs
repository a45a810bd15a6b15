fn area(a: f64, b: f64, c: f64) -> f64 {
    let half = (a + b + c) / 2.0;
    let product = half * (half - a) * (half - b) * (half - c);
    if product > 0.0 {
        product.sqrt()
    } else {
        0.0
    }
}

pub fn kind(a: f64, b: f64, c: f64) -> String {
    let size = area(a, b, c);
    if size == 0.0 {
        return "none".to_string();
    }
    let name = if a == b && b == c {
        "equilateral"
    } else if a == b || b == c || a == c {
        "isosceles"
    } else {
        "scalene"
    };
    format!("{name} {size:.3}")
}
