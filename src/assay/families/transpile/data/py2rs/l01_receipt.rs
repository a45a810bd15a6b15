fn row(name: &str, price: &str) -> String {
    format!("{name:<12} {price:>7}\n")
}

pub fn output() -> String {
    let mut lines = format!("{:^20}\n", "TEA SHOP");
    lines.push_str(&row("Assam", "3.20"));
    lines.push_str(&row("Darjeeling", "11.75"));
    lines.push_str(&format!("{:>19}\n", "-----"));
    lines.push_str(&format!("{:.<12}{:.>7}\n", "Total", "14.95"));
    lines
}
