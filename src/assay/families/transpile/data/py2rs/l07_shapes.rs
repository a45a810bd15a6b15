trait Shape {
    fn name(&self) -> &'static str;
    fn area(&self) -> f64;
    fn told(&self) -> String {
        format!("{} of {:.2}", self.name(), self.area())
    }
}

struct Rectangle {
    width: f64,
    height: f64,
}

impl Shape for Rectangle {
    fn name(&self) -> &'static str {
        "rectangle"
    }
    fn area(&self) -> f64 {
        self.width * self.height
    }
}

struct Square(f64);

impl Shape for Square {
    fn name(&self) -> &'static str {
        "square"
    }
    fn area(&self) -> f64 {
        self.0 * self.0
    }
}

struct Circle(f64);

impl Shape for Circle {
    fn name(&self) -> &'static str {
        "shape"
    }
    fn area(&self) -> f64 {
        3.14159 * self.0.powi(2)
    }
    fn told(&self) -> String {
        format!("round {} of {:.2}", self.name(), self.area())
    }
}

fn made(size: &[f64]) -> Box<dyn Shape> {
    match *size {
        [radius] => Box::new(Circle(radius)),
        [width, height] if width == height => Box::new(Square(width)),
        [width, height] => Box::new(Rectangle { width, height }),
        _ => panic!("no shape has {} sizes", size.len()),
    }
}

pub fn shapes(sizes: &[Vec<f64>]) -> Vec<String> {
    let mut all: Vec<_> = sizes.iter().map(|size| made(size)).collect();
    all.sort_by(|a, b| b.area().total_cmp(&a.area()));
    all.iter().map(|shape| shape.told()).collect()
}
