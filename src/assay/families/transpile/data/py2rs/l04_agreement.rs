use std::collections::{BTreeSet, HashMap};

pub fn agreement(
    mine: &[String],
    yours: &[String],
) -> std::collections::HashMap<String, Vec<String>> {
    let left: BTreeSet<&String> = mine.iter().collect();
    let right: BTreeSet<&String> = yours.iter().collect();
    let owned = |set: Vec<&&String>| set.into_iter().map(|each| each.to_string()).collect();
    HashMap::from([
        (
            "both".to_string(),
            owned(left.intersection(&right).collect()),
        ),
        ("mine".to_string(), owned(left.difference(&right).collect())),
        (
            "yours".to_string(),
            owned(right.difference(&left).collect()),
        ),
        (
            "one".to_string(),
            owned(left.symmetric_difference(&right).collect()),
        ),
    ])
}
