#[derive(Default)]
struct Tree(Option<Box<Node>>);

struct Node {
    value: i64,
    left: Tree,
    right: Tree,
}

impl Tree {
    /// Return whether it was not there.
    fn add(&mut self, value: i64) -> bool {
        match &mut self.0 {
            None => {
                self.0 = Some(Box::new(Node {
                    value,
                    left: Tree(None),
                    right: Tree(None),
                }));
                true
            }
            Some(node) if value < node.value => node.left.add(value),
            Some(node) if value > node.value => node.right.add(value),
            Some(_) => false,
        }
    }

    fn depth(&self) -> i64 {
        self.0
            .as_ref()
            .map_or(0, |node| 1 + node.left.depth().max(node.right.depth()))
    }

    fn walk(&self, seen: &mut Vec<i64>) {
        if let Some(node) = &self.0 {
            node.left.walk(seen);
            seen.push(node.value);
            node.right.walk(seen);
        }
    }
}

pub fn tree(numbers: &[i64]) -> (Vec<i64>, i64, i64) {
    let mut grown = Tree::default();
    let twice = numbers.iter().filter(|&&number| !grown.add(number)).count();
    let mut ordered = Vec::new();
    grown.walk(&mut ordered);
    (ordered, grown.depth(), twice as i64)
}
