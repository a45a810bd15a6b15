use std::fmt;

#[derive(Clone, Default)]
struct Version {
    numbers: (u64, u64, u64),
    note: String,
}

impl Version {
    fn read(text: &str) -> Self {
        let (numbers, note) = text.split_once('-').unwrap_or((text, ""));
        let mut parts = numbers
            .split('.')
            .map(|part| part.parse().expect("a number"));
        let mut next = || parts.next().unwrap_or(0);
        Self {
            numbers: (next(), next(), next()),
            note: note.to_string(),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor, patch) = self.numbers;
        write!(f, "{major}.{minor}.{patch}")?;
        if !self.note.is_empty() {
            write!(f, "-{}", self.note)?;
        }
        Ok(())
    }
}

pub fn next_versions(texts: &[String]) -> Vec<String> {
    let mut known: Vec<Version> = texts.iter().map(|text| Version::read(text)).collect();
    known.sort_by_key(|version| version.numbers);
    if let Some((major, minor, patch)) = known.last().map(|version| version.numbers) {
        for numbers in [
            (major, minor, patch + 1),
            (major, minor + 1, 0),
            (major + 1, 0, 0),
        ] {
            known.push(Version {
                numbers,
                ..Version::default()
            });
        }
    }
    known.iter().map(Version::to_string).collect()
}
