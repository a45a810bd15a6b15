use std::collections::{BTreeSet, HashMap};

pub fn inverted(
    index: &std::collections::HashMap<String, Vec<String>>,
) -> std::collections::HashMap<String, Vec<String>> {
    let mut found: HashMap<String, BTreeSet<String>> = HashMap::new();
    for (page, words) in index {
        for word in words {
            found.entry(word.clone()).or_default().insert(page.clone());
        }
    }
    found
        .into_iter()
        .map(|(word, pages)| (word, pages.into_iter().collect()))
        .collect()
}
