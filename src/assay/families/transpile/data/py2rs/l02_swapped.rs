pub fn output() -> String {
    let (first, second, third) = ("ada", "grace", "edsger");
    let (first, second) = (second, first);
    let (second, third) = (third, second);
    let line = format!("{first}-{second}-{third}");
    let mut said = format!("{line} {}\n", line.chars().count());
    let line = line.repeat(2);
    said += &format!("{line}\n");
    let initials = format!("{first:.1}{second:.1}{third:.1}").to_uppercase();
    let count = line.matches('a').count();
    said += &format!("'{initials}' {initials:>6} {count}\n");
    let spelled = |truth: bool| if truth { "True" } else { "False" };
    said += &format!(
        "{} {} {}\n",
        spelled(first < second),
        spelled(second == "edsger"),
        spelled(first.contains("race"))
    );
    said
}
