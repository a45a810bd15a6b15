const POEM: &str = "The tide comes in,
    the tide goes out.
\tNobody says \"stop\".
";

pub fn output() -> String {
    let mut said = String::from(POEM);
    said.push('\n');
    said.push_str(r#"It's the moon's doing: "\o/""#);
    said.push('\n');
    said
}
