pub fn power(base: i64, exponent: i64, modulus: i64) -> i64 {
    let mut result = 1_i64.rem_euclid(modulus);
    let mut square = base.rem_euclid(modulus);
    let mut left = exponent;
    while left > 0 {
        if left % 2 == 1 {
            result = result * square % modulus;
        }
        square = square * square % modulus;
        left /= 2;
    }
    result
}
