struct Reader<'a> {
    left: &'a [u8],
}

impl Reader<'_> {
    fn peek(&mut self) -> Option<u8> {
        self.left = self.left.trim_ascii_start();
        self.left.first().copied()
    }

    fn take(&mut self) {
        self.left = &self.left[1..];
    }

    fn sum(&mut self) -> Result<i64, String> {
        let mut total = self.product()?;
        loop {
            match self.peek() {
                Some(b'+') => {
                    self.take();
                    total += self.product()?;
                }
                Some(b'-') => {
                    self.take();
                    total -= self.product()?;
                }
                _ => return Ok(total),
            }
        }
    }

    fn product(&mut self) -> Result<i64, String> {
        let mut total = self.signed()?;
        while self.peek() == Some(b'*') {
            self.take();
            total *= self.signed()?;
        }
        Ok(total)
    }

    fn signed(&mut self) -> Result<i64, String> {
        match self.peek() {
            Some(b'-') => {
                self.take();
                Ok(-self.signed()?)
            }
            Some(b'+') => {
                self.take();
                self.signed()
            }
            Some(b'(') => {
                self.take();
                let inside = self.sum()?;
                if self.peek() != Some(b')') {
                    return Err("a parenthesis was never closed".into());
                }
                self.take();
                Ok(inside)
            }
            _ => self.number(),
        }
    }

    fn number(&mut self) -> Result<i64, String> {
        let length = self
            .left
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if length > 1 && self.left[0] == b'0' && self.left[..length].iter().any(|&d| d != b'0') {
            return Err("a number begins with 0".into());
        }
        let digits = String::from_utf8_lossy(&self.left[..length]).into_owned();
        self.left = &self.left[length..];
        digits.parse().map_err(|_| "a number is missing".into())
    }
}

pub fn evaluated(expression: &str) -> Result<i64, String> {
    if expression.starts_with([' ', '\t']) {
        return Err("it is indented".into());
    }
    let mut reader = Reader {
        left: expression.as_bytes(),
    };
    let value = reader.sum()?;
    match reader.peek() {
        None => Ok(value),
        Some(byte) => Err(format!("{} is not allowed", byte as char)),
    }
}
