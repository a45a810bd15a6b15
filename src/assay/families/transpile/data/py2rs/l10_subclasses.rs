struct Animal {
    name: &'static str,
    sound: &'static str,
    quiet: bool,
}

impl Animal {
    fn called(name: &str) -> Self {
        let (name, sound, quiet) = match name {
            "dog" => ("Dog", "woof", false),
            "puppy" => ("Puppy", "woof", true),
            "cat" => ("Cat", "meow", false),
            "fish" => ("Fish", "...", false),
            _ => ("Animal", "...", false),
        };
        Self { name, sound, quiet }
    }

    fn said(&self) -> String {
        let said = format!("{}: {}", self.name, self.sound);
        if self.quiet {
            said.to_lowercase()
        } else {
            said
        }
    }
}

pub fn sounds(names: &[String]) -> Vec<String> {
    names
        .iter()
        .map(|name| Animal::called(name).said())
        .collect()
}
