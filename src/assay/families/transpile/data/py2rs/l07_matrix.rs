use std::ops::Mul;

#[derive(Clone)]
struct Matrix(Vec<Vec<i64>>);

impl Matrix {
    fn unit(size: usize) -> Self {
        Self(
            (0..size)
                .map(|row| (0..size).map(|column| i64::from(row == column)).collect())
                .collect(),
        )
    }

    fn power(self, exponent: i64) -> Self {
        let mut result = Self::unit(self.0.len());
        for _ in 0..exponent {
            result = &result * &self;
        }
        result
    }
}

impl Mul for &Matrix {
    type Output = Matrix;
    fn mul(self, other: Self) -> Matrix {
        let size = self.0.len();
        let cell = |row: usize, column: usize| {
            (0..size).map(|k| self.0[row][k] * other.0[k][column]).sum()
        };
        Matrix(
            (0..size)
                .map(|row| (0..size).map(|column| cell(row, column)).collect())
                .collect(),
        )
    }
}

pub fn matrix(rows: &[Vec<i64>], exponent: i64) -> Vec<Vec<i64>> {
    assert!(rows.iter().all(|row| row.len() == rows.len()), "not square");
    Matrix(rows.to_vec()).power(exponent).0
}
