use std::collections::HashSet;

struct Robot {
    at: (i64, i64),
    facing: usize,
    seen: HashSet<(i64, i64)>,
}

const NAMES: [char; 4] = ['N', 'E', 'S', 'W'];
const STEPS: [(i64, i64); 4] = [(0, 1), (1, 0), (0, -1), (-1, 0)];

impl Robot {
    fn new() -> Self {
        Self {
            at: (0, 0),
            facing: 0,
            seen: HashSet::from([(0, 0)]),
        }
    }

    fn obey(&mut self, word: &str) -> Result<(), String> {
        match word {
            "L" => self.facing = (self.facing + 3) % 4,
            "R" => self.facing = (self.facing + 1) % 4,
            _ => {
                let steps: i64 = word.parse().map_err(|_| format!("what is {word}?"))?;
                self.go(steps);
            }
        }
        Ok(())
    }

    fn go(&mut self, steps: i64) {
        let (dx, dy) = STEPS[self.facing];
        for _ in 0..steps {
            self.at = (self.at.0 + dx, self.at.1 + dy);
            self.seen.insert(self.at);
        }
    }
}

pub fn robot(orders: &str) -> Result<String, String> {
    let mut machine = Robot::new();
    for word in orders.split_whitespace() {
        machine.obey(word)?;
    }
    let Robot {
        at: (x, y),
        facing,
        seen,
    } = machine;
    Ok(format!("{x},{y} {} {}", NAMES[facing], seen.len()))
}
