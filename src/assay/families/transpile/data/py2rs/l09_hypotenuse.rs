extern "C" {
    fn pow(base: f64, exponent: f64) -> f64;
    fn sqrt(square: f64) -> f64;
    fn fmod(number: f64, divisor: f64) -> f64;
}

pub fn powers(base: f64, exponent: f64, divisor: f64) -> Vec<f64> {
    // SAFETY: these read their arguments only.
    unsafe {
        let power = pow(base, exponent);
        vec![power, sqrt(power.abs()), fmod(power, divisor)]
    }
}
